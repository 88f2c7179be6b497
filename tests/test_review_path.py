"""noiseaudit review from the command line: decide, stop, export, clean."""

from __future__ import annotations

import json
import signal
import socket
import sys
import urllib.request
from collections.abc import Sequence
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.decisions import read_decisions, run_id
from noiseaudit.result import AuditResult
from noiseaudit.review.log import Answer, Log
from tests.reviews import command, review_run, start


@pytest.fixture
def audit(tmp_path: Path) -> AuditResult:
    return review_run(tmp_path, 40, n_images=1)


def decided(audit: AuditResult, run: Path, answers: Sequence[Answer], reviewer: str = "Ann") -> None:
    log = Log(run / "decisions.sqlite", run_id(audit))
    log.decide(f"event-of-{reviewer}", reviewer, answers)
    log.close()


class Page:
    """What a browser does: opens the address, keeps the cookie, posts JSON."""

    def __init__(self, address: str) -> None:
        self._base = address.partition("/?")[0]
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        assert b"<h1>" in self._opener.open(address, timeout=30).read()

    def ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, {"Content-Type": "application/json"})
        with self._opener.open(request, timeout=30) as reply:
            return json.loads(reply.read())


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 0), (signal.SIGHUP, 143)])
def test_the_whole_path(audit: AuditResult, tmp_path: Path, stop: signal.Signals, code: int) -> None:
    pytest.importorskip("uvicorn", reason="comes with the extra `review`")
    if stop is signal.SIGHUP and signal.getsignal(stop) is signal.SIG_IGN:  # SIGINT is always taken
        pytest.skip(f"{stop.name} is ignored here, as below nohup")
    run, before = tmp_path / "run", (tmp_path / "labels.csv").read_text()
    (run / "decisions.csv").write_text("mine")
    server, address = start(run, "--reviewer", "Ann")
    try:
        page = Page(address)
        about = page.ask("/api/audit")
        assert (about["reviewer"], about["run"]) == ("Ann", run_id(audit))
        made = page.ask("/api/lists", {"run": about["run"]})
        rows = page.ask(f"/api/lists/{made['list']}?count=200&run={about['run']}")["rows"]
        kept, accepted, unclear, undone = rows[:4]
        for number, (row, decision) in enumerate(
            [(kept, "keep"), (accepted, "relabel"), (unclear, "ambiguous"), (undone, "relabel")]
        ):
            answer = {"row": row["row"], "decision": decision}
            answer |= {"label": row["suggested"]} if decision == "relabel" else {}
            body = {"event_id": f"event-{number:02}", "reviewer": "Ann", "answers": [answer], "seconds": 1}
            page.ask("/api/decisions", body | {"run": about["run"]})
        page.ask("/api/undo", {"event_id": "event-99", "reviewer": "Ann", "run": about["run"]})
    finally:
        server.send_signal(stop)
        _, told = server.communicate(timeout=60)
    assert (server.returncode, "3 decisions in" in told) == (code, True), told
    assert f"it is now {run / 'decisions.1.csv'}" in told
    assert f"noiseaudit clean {run} --decisions {run / 'decisions.csv'} --out labels.checked.csv\n" in told
    found = {d.sample_id: (d.decision, d.reviewer, d.run_id) for d in read_decisions(run / "decisions.csv")}
    assert found == {
        row["sample"]: (decision, "Ann", run_id(audit))
        for row, decision in ((kept, "keep"), (accepted, "relabel"), (unclear, "ambiguous"))
    }
    out = tmp_path / "cleaned.csv"
    done = command("clean", run, "--decisions", run / "decisions.csv", "--out", out)
    assert done.exit_code == 0, done.stderr
    row = accepted["row"]
    given, suggested = (audit.column(name)[row] for name in ("given_label", "suggested_label"))
    old, new = f's{row},00000.png,"{given}"\n', f's{row},00000.png,"{suggested}"\n'
    assert before.count(old) == 1
    assert out.read_text() == before.replace(old, new)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_export_alone_has_every_reviewer(audit: AuditResult, tmp_path: Path, suffix: str) -> None:
    run, out = tmp_path / "run", tmp_path / f"decisions{suffix}"
    decided(audit, run, [Answer("s0", "keep"), Answer("s1", "relabel", "square")])
    decided(audit, run, [Answer("s0", "ambiguous")], "Bob")
    done = command("review", run, "--export", out)
    assert (done.exit_code, f"3 decisions in {out}" in done.stderr) == (0, True), done.stderr
    said = [(d.sample_id, d.reviewer, d.decision, d.new_label) for d in read_decisions(out)]
    assert said == [
        ("s0", "Ann", "keep", None),
        ("s1", "Ann", "relabel", "square"),
        ("s0", "Bob", "ambiguous", None),
    ]
    again = command("review", run, "--export", out)
    assert (again.exit_code, "--force" in again.stderr) == (2, True)
    assert ("another --export" in again.stderr, "--out" in again.stderr) == (True, False)
    assert command("review", run, "--export", out, "--force").exit_code == 0
    clean = command("clean", run, "--decisions", out, "--out", tmp_path / "cleaned.csv")
    assert (clean.exit_code, "by Bob" in clean.stderr) == (2, True)  # they contradict each other


def test_export_says_how_far_reviewers_agree(audit: AuditResult, tmp_path: Path) -> None:
    """10 rows: both say square to 4, both cannot tell 3, Ann alone 2, Bob alone 1.

    Kappa as in test_review_agreement.
    """
    run, out = tmp_path / "run", tmp_path / "decisions.csv"
    both = ["ss"] * 4 + ["??"] * 3 + ["?s"] * 2 + ["s?"]
    words = {"s": ("relabel", "square"), "?": ("ambiguous", None)}
    for name, place in (("Ann", 0), ("Bob", 1)):
        decided(audit, run, [Answer(f"s{i}", *words[said[place]]) for i, said in enumerate(both)], name)
        done = command("review", run, "--export", out, "--force")
        assert done.exit_code == 0, done.stderr
        assert ("answers equal" in done.stderr) == (name == "Bob")
    told = "; 70 % of answers equal on 10 rows that several of 2 reviewers judged, Cohen's kappa 0.400\n"
    assert f"20 decisions in {out}{told}" in done.stderr


def test_nothing_to_export(audit: AuditResult, tmp_path: Path) -> None:
    done = command("review", tmp_path / "run", "--export", tmp_path / "out.csv")
    assert (done.exit_code, "no decisions were made yet" in done.stderr) == (2, True)
    assert not (tmp_path / "run" / "decisions.sqlite").exists()
    done = command("review", tmp_path / "run", "--export", tmp_path / "out.txt")
    assert (done.exit_code, "CSV or Parquet" in done.stderr) == (2, True)


def test_without_the_extra(audit: AuditResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*sys.modules]:
        if name.startswith("noiseaudit_review"):
            monkeypatch.delitem(sys.modules, name)
    for name in ("fastapi", "uvicorn"):
        monkeypatch.setitem(sys.modules, name, None)
    done = command("review", tmp_path / "run", "--no-browser")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'noiseaudit[review]'" in done.stderr
    decided(audit, tmp_path / "run", [Answer("s0", "keep")])
    assert command("review", tmp_path / "run", "--export", tmp_path / "out.csv").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--reviewer", "=1+1"], "does not begin with"),
        (["--images", "nowhere"], "no such folder"),
        (["--db", "nowhere/decisions.sqlite"], "--db"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    audit: AuditResult, tmp_path: Path, words: list[str], message: str
) -> None:
    pytest.importorskip("uvicorn", reason="comes with the extra `review`")
    done = command("review", tmp_path / "run", "--no-browser", *words)
    assert (done.exit_code, done.stderr.count("\n"), message in done.stderr) == (2, 1, True), done.stderr
    assert not (tmp_path / "run" / "decisions.sqlite").exists()


def test_a_port_that_is_taken(audit: AuditResult, tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="comes with the extra `review`")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = command("review", tmp_path / "run", "--no-browser", "--port", taken.getsockname()[1])
    assert (done.exit_code, "cannot be had" in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "run" / "decisions.sqlite").exists()
