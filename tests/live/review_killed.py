"""The review server is killed while eight clients decide: nothing acknowledged is lost, nothing retried is doubled.

No part of the suite: it takes minutes. `python -m tests.live.review_killed [--decisions 1000] [--kills 6] [--seed 0]`
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

from noiseaudit.decisions import read_decisions, run_id
from noiseaudit.result import read_audit
from tests.reviews import review_run, start

CLIENTS, ROWS = 8, 2000
KINDS = ("keep", "ambiguous", "skip")


class Server:
    """The server on one port, which is killed and started again; its token is new each time."""

    def __init__(self, run: Path) -> None:
        self._run, self.port, self.token = run, 0, ""
        self.run_id = run_id(read_audit(run))
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process, address = start(self._run, "--port", self.port)
        asked = urllib.parse.urlsplit(address)
        self.port, self.token = int(asked.port or 0), urllib.parse.parse_qs(asked.query)["token"][0]

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)


class Client(threading.Thread):
    """A reviewer who decides, and sends an action again with the same event id until it is acknowledged."""

    def __init__(self, server: Server, who: int, count: int, rows: int) -> None:
        super().__init__()
        self._server, self._count, self._rows = server, count, rows
        self._random, self.name = random.Random(who), f"r{who}"
        self.acknowledged: list[tuple[str, int, str]] = []
        self.n_retries = 0
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        for number in range(self._count):
            row, kind = self._random.randrange(self._rows), self._random.choice(KINDS)
            event = f"{self.name}-event-{number:05}"
            answer = {"row": row, "decision": kind}
            body = {"run": self._server.run_id, "event_id": event, "reviewer": self.name, "answers": [answer]}
            while not self._send(body):
                self.n_retries += 1
                time.sleep(0.2)
            self.acknowledged.append((event, row, kind))

    def _send(self, body: dict[str, Any]) -> bool:
        try:
            self._connection = self._connection or http.client.HTTPConnection(
                "127.0.0.1", self._server.port, timeout=30
            )
            headers = {"Content-Type": "application/json", "X-Noiseaudit-Token": self._server.token}
            self._connection.request("POST", "/api/decisions", json.dumps(body), headers)
            reply = self._connection.getresponse()
            told = json.loads(reply.read())
        except (OSError, http.client.HTTPException, ValueError):
            self._connection = None
            return False
        if reply.status == 403:  # the token of the server before
            return False
        assert reply.status == 200, told
        return True


def events(db: Path) -> list[tuple[str, str, str, str]]:
    with sqlite3.connect(db) as rows:
        return rows.execute(
            "SELECT event_id, reviewer, sample_id, decision FROM events ORDER BY seq"
        ).fetchall()


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill the review server while clients decide.")
    parser.add_argument("--decisions", type=int, default=1000, help="of each client")
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        review_run(folder, ROWS + 7, n_images=1)  # the last ones have no label to keep, or no image
        server = Server(folder / "run")
        server.start()
        clients = [Client(server, who, asked.decisions, ROWS) for who in range(CLIENTS)]
        begun = time.monotonic()
        for client in clients:
            client.start()
        kills = 0
        while any(client.is_alive() for client in clients):
            time.sleep(chance.uniform(1.0, 6.0))
            if kills < asked.kills and any(client.is_alive() for client in clients):
                server.kill()
                kills += 1
                server.start()
        seconds = time.monotonic() - begun
        server.stop()
        found = events(folder / "run" / "decisions.sqlite")
        check(found, clients)
        check_file(folder / "run" / "decisions.csv", clients)
    retries = sum(client.n_retries for client in clients)
    print(
        f"{len(found):,} decisions by {CLIENTS} clients in {seconds:.0f} s, {kills} times SIGKILL, {retries} requests "
        "sent again: none that was acknowledged is lost, none is doubled"
    )


def check(found: list[tuple[str, str, str, str]], clients: list[Client]) -> None:
    """Each acknowledged action is there once, as it was sent; there is no other."""
    ids = [event for event, *_ in found]
    assert len(ids) == len(set(ids)), "an event is doubled"
    sent = {
        event: (client.name, f"s{row}", kind)
        for client in clients
        for event, row, kind in client.acknowledged
    }
    stored = {event: tuple(rest) for event, *rest in found}
    assert stored == sent, {key: (stored.get(key), sent.get(key)) for key in stored.keys() ^ sent.keys()}


def check_file(file: Path, clients: list[Client]) -> None:
    """The file holds each client's last word on each row."""
    last = {(client.name, f"s{row}"): kind for client in clients for _, row, kind in client.acknowledged}
    assert {(d.reviewer, d.sample_id): d.decision for d in read_decisions(file)} == last


if __name__ == "__main__":
    main()
