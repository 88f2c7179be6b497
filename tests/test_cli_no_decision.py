"""--decisions with files in which nobody decided anything: they are no reason to believe that people were asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.decisions import Decision, write_decisions
from noiseaudit.result import AuditResult
from tests.reviews import command, review_run

OPEN, SKIPPED = [Decision("s0"), Decision("s1")], [Decision("s0", "skip"), Decision("s1")]


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditResult:
    monkeypatch.chdir(tmp_path)
    return review_run(tmp_path, 40, n_images=1)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "warning: a.csv has no decision: it changes nothing.\n"),
        (OPEN, "warning: a.csv has no decision: it changes nothing.\n"),
        (SKIPPED, "warning: a.csv has no decision (1 row was skipped): it changes nothing.\n"),
    ],
)
def test_beside_a_policy_it_is_a_warning(audit: AuditResult, rows: list[Decision], said: str) -> None:
    write_decisions(Path("a.csv"), rows)
    words = ("clean", "run", "--policy", "relabel")
    done = command(*words, "--decisions", "a.csv", "--out", "with.csv")
    assert (done.exit_code, done.stderr.startswith(said)) == (0, True)
    assert "warning" not in command(*words, "--out", "without.csv").stderr
    assert Path("with.csv").read_bytes() == Path("without.csv").read_bytes()


def test_alone_rows_that_were_skipped_are_a_warning(audit: AuditResult) -> None:
    write_decisions(Path("a.csv"), SKIPPED)
    done = command("clean", "run", "--decisions", "a.csv", "--out", "out.csv")
    assert (done.exit_code, "a.csv has no decision (1 row was skipped)" in done.stderr) == (0, True)
    assert Path("out.csv").read_bytes() == Path("labels.csv").read_bytes()


def test_several_files_are_one_warning(audit: AuditResult) -> None:
    for name in ("a.csv", "b.csv"):
        write_decisions(Path(name), OPEN)
    files = ("--decisions", "a.csv", "--decisions", "b.csv")
    done = command("clean", "run", "--policy", "drop", *files, "--out", "out.csv")
    assert done.stderr.startswith("warning: a.csv, b.csv have no decision: they change nothing.\n")


def test_one_decision_is_enough(audit: AuditResult) -> None:
    write_decisions(Path("a.csv"), [Decision("s0", "ambiguous"), Decision("s1", "skip")])
    done = command("clean", "run", "--decisions", "a.csv", "--out", "out.csv")
    assert (done.exit_code, "warning" in done.stderr) == (0, False)


def test_an_export_warns_too(audit: AuditResult) -> None:
    write_decisions(Path("a.csv"), OPEN)
    done = command("export", "run", "--format", "cvat", "--decisions", "a.csv", "--out", "cvat")
    assert (done.exit_code, done.stderr.startswith("warning: a.csv has no decision: ")) == (0, True)
