"""The server's own troubles: a full disk, a file that is held, a browser that waits, two exports at once."""

from __future__ import annotations

import dataclasses
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="comes with the extra `review`")
pytest.importorskip("uvicorn", reason="comes with the extra `review`")
pytest.importorskip("httpx", reason="comes with the extra `dev`")

from noiseaudit.decisions import read_decisions, run_id
from noiseaudit.result import AuditResult
from noiseaudit.review import export
from noiseaudit.review.export import Written, write_log
from noiseaudit.review.log import Answer, Log
from noiseaudit_review import server
from noiseaudit_review.review import Review
from tests.review_tab import client_of, decide, opened, suspects
from tests.reviews import command, review_run

OnStart = Callable[[str, str], None]


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Review]:
    made = opened(tmp_path, n_images=1)
    yield made
    made.log.close()


def test_a_full_disk_is_one_line_of_json(review: Review) -> None:
    client = client_of(review)
    row = suspects(client)[0]["row"]
    review.log._db.execute("PRAGMA max_page_count = 1")  # no more than it has
    review.log._db.execute("PRAGMA journal_mode = DELETE")
    for number in range(1000):
        body = {
            "event_id": f"event-{number:04}",
            "reviewer": "A" * 80,
            "answers": [{"row": row, "decision": "skip"}],
        }
        answer = client.post("/api/decisions", json=body)
        if answer.status_code != 200:
            break
    assert (answer.status_code, answer.json()) == (
        500,
        {"error": "the database cannot be written (database or disk is full)"},
    )
    assert len(review.log.since(0)) == number  # all before, nothing of this one


def test_a_server_is_never_beside_another_on_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows an address that is reused is shared with whoever has it."""
    with monkeypatch.context() as windows:
        windows.setattr(os, "name", "nt")
        listener = server.listening(0)
    with listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0


def test_a_browser_that_waits_for_the_page_does_not_hold_up_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Browsers of the terminal come back when they are closed."""
    review_run(tmp_path, 40, n_images=1)
    answers, came_back = threading.Event(), threading.Event()
    waited: list[bool] = []
    opened_at: list[str] = []

    def browser(address: str) -> None:
        opened_at.append(address)
        waited.append(answers.wait(5))
        came_back.set()

    def serve(review: Review, listener: socket.socket, on_start: OnStart) -> None:
        on_start("http://127.0.0.1:1/?token=x", "http://127.0.0.1:1/?token=once")
        answers.set()
        came_back.wait(5)

    monkeypatch.setattr("webbrowser.open", browser)
    monkeypatch.setattr(server, "serve", serve)
    done = command("review", tmp_path / "run")
    assert (done.exit_code, waited, done.stdout) == (0, [True], "http://127.0.0.1:1/?token=x\n")
    assert opened_at == ["http://127.0.0.1:1/?token=once"]  # other users see a browser's command line


@pytest.mark.parametrize(
    ("step", "error", "told"),
    [
        ("replace", PermissionError(13, "Access is denied"), "cannot be replaced (Access is denied)"),
        (
            "fsync",
            OSError(28, "No space left on device"),
            "decisions.csv: cannot be written, the disk is full",
        ),
    ],
)
def test_a_file_that_cannot_be_written_at_the_end_is_said_with_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: OSError, told: str
) -> None:
    review_run(tmp_path, 40, n_images=1)

    def serve(review: Review, listener: socket.socket, on_start: OnStart) -> None:
        review.log.decide("event-of-Ann", "Ann", [Answer("s0", "keep")])

        def refuse(*what: object) -> None:
            raise error

        monkeypatch.setattr(os, step, refuse)

    monkeypatch.setattr(server, "serve", serve)
    done = command("review", tmp_path / "run", "--no-browser")
    assert (done.exit_code != 0, done.stderr.count("\n")) == (True, 1), done.stderr
    assert told in done.stderr
    assert f"all decisions are in {tmp_path / 'run' / 'decisions.sqlite'}" in done.stderr
    assert not (tmp_path / "run" / "decisions.sqlite-wal").exists()  # closed, for all that


@pytest.mark.parametrize("step", ["write_decisions", "file_sha256"])
def test_two_exports_at_once_lose_nothing_and_move_nothing_aside(
    review: Review, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A second one while the first is about to write what it read, or wrote it and has not noted it as ours: by a
    click, or by another server of the same run, where something was decided since.
    """
    review.export()
    review.log.decide("event-of-Ann", "Ann", [Answer("s0", "keep")])
    other = Log(review.places.db, review.log.run_id)

    def by_another() -> None:
        other.decide("event-of-Bob", "Bob", [Answer("s1", "keep")])
        second.append(write_log(other, review.places.export))

    second: list[Written] = []
    thread, does = threading.Thread(target=by_another), getattr(export, step)

    def slow(*what: Any) -> Any:
        if not thread.ident:
            thread.start()
            thread.join(0.5)
        return does(*what)

    monkeypatch.setattr(export, step, slow)
    first = review.export()
    thread.join()
    other.close()
    assert (first.notes, second[0].notes) == ([], [])
    assert {made.reviewer for made in read_decisions(review.places.export)} == {"Ann", "Bob"}


def test_decisions_of_the_run_before_are_offered_and_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided on the page, then another scan in the run's place."""
    review = opened(tmp_path)
    row, skipped = suspects(client_of(review))[:2]
    decide(client_of(review), "event-01", {"row": row["row"], "decision": "keep"})
    decide(client_of(review), "event-02", {"row": skipped["row"], "decision": "skip"})
    review.export()
    review.log.close()
    run, audit = tmp_path / "run", review.audit
    meta = dataclasses.replace(audit.meta, data_fingerprint="sha256:another")
    AuditResult(audit.table, meta).write(run / "audit.parquet")
    monkeypatch.setattr(server, "serve", lambda review, listener, on_start: None)
    place, db = run / "decisions.csv", run / "decisions.sqlite"
    done = command("review", run, "--no-browser")
    by_name = "(images are compared by name, not by content)"
    offer = f"2 of which hold here: --carry-over takes them over {by_name}."
    has = f"{db} has 2 answers about an earlier audit, {offer}"
    left = "has 2 answers about another audit; it is left as it is, as there are none about this audit"
    assert done.stderr.splitlines() == [has, f"{place} {left}"]
    done = command("review", run, "--no-browser", "--carry-over")
    told = done.stderr.splitlines()
    aside = f"{place} has 2 answers about another audit; it is now {run / 'decisions.1.csv'}"
    assert told[:3] == [
        f"2 answers about an earlier audit taken over {by_name}.",
        aside,
        f"1 decision and 1 skip in {place}",
    ]
    assert (len(told), "--decisions" in told[3]) == (4, True)
    assert {d.run_id for d in read_decisions(place)} == {run_id(AuditResult(audit.table, meta))}
