"""What `clean` and `review` say where nobody decided yet, or reviewers contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.decisions import Decision, write_decisions
from noiseaudit.result import AuditResult
from noiseaudit.review.log import Answer
from tests.reviews import command, review_run
from tests.test_review_path import decided


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditResult:
    monkeypatch.chdir(tmp_path)
    return review_run(tmp_path, 40, n_images=1)


def disagree(audit: AuditResult, n: int) -> None:
    decided(audit, Path("run"), [Answer(f"s{i}", "keep") for i in range(3)], "Bob")
    decided(audit, Path("run"), [Answer(f"s{i}", "ambiguous") for i in range(n)])


@pytest.mark.parametrize(("n", "rows"), [(1, "1 row is"), (2, "2 rows are")])
def test_contradictions_are_settled_on_the_page(audit: AuditResult, n: int, rows: str) -> None:
    disagree(audit, n)
    file = Path("run/decisions.csv")
    assert command("review", "run", "--export", file).exit_code == 0
    done = command("clean", "run", "--decisions", file, "--out", "out.csv")
    assert (done.exit_code, done.stderr) == (
        2,
        f"error: run/decisions.csv: {rows} contradicted, first 's0' (kept by Bob, ambiguous by Ann). "
        "Settle them with `noiseaudit review run`: Filters, Decisions: Reviewers disagree.\n",
    )


def test_contradictions_of_another_database_are_settled_in_that(audit: AuditResult) -> None:
    disagree(audit, 1)
    Path("run/decisions.sqlite").rename("ours.sqlite")
    assert command("review", "run", "--db", "ours.sqlite", "--export", "ours.csv").exit_code == 0
    done = command("clean", "run", "--decisions", "ours.csv", "--out", "out.csv")
    assert "`noiseaudit review run --db ours.sqlite`: Filters" in done.stderr


def test_contradictions_of_two_files_are_for_people(audit: AuditResult) -> None:
    write_decisions(Path("a.csv"), [Decision("s0", "keep"), Decision("s1", "keep")])
    write_decisions(Path("b.csv"), [Decision("s0", "ambiguous"), Decision("s1", "ambiguous")])
    done = command("clean", "run", "--decisions", "a.csv", "--decisions", "b.csv", "--out", "out.csv")
    assert done.stderr == (
        "error: b.csv: 2 rows are contradicted: 's0' is ambiguous here, and kept in a.csv. "
        "Agree on one, and remove the other.\n"
    )


@pytest.mark.parametrize(
    ("n", "said"),
    [
        (0, "\nGo on with: noiseaudit clean run "),
        (
            2,
            "\n2 rows are contradicted: settle them on the page (Filters, Decisions: Reviewers disagree), "
            "then go on with: noiseaudit clean run ",
        ),
    ],
)
def test_a_review_ends_with_the_contradictions(
    audit: AuditResult, monkeypatch: pytest.MonkeyPatch, n: int, said: str
) -> None:
    pytest.importorskip("uvicorn", reason="comes with the extra `review`")
    disagree(audit, n)
    monkeypatch.setattr("noiseaudit_review.server.serve", lambda *_: None)
    assert said in command("review", "run", "--no-browser").stderr


def test_who_cleans_before_the_review_is_told_of_it(audit: AuditResult) -> None:
    clean = ("clean", "run", "--decisions", "run/decisions.csv", "--out", "out.csv")
    said = "error: run/decisions.csv: nobody has reviewed yet. Run `noiseaudit review run`\n"
    assert (command(*clean).exit_code, command(*clean).stderr) == (2, said)
    write_decisions(Path("run/decisions.csv"), [])  # as a review without an answer leaves it
    assert (command(*clean).exit_code, command(*clean).stderr) == (2, said)
    assert command(*clean, "--policy", "drop").exit_code == 0
    Path("run/decisions.csv").unlink()
    disagree(audit, 0)
    assert "Run `noiseaudit review run --export run/decisions.csv`" in command(*clean).stderr


def test_suspects_that_nobody_answered_are_no_decisions(audit: AuditResult) -> None:
    write_decisions(Path("suspects.csv"), [Decision("s0"), Decision("s1")])
    done = command("clean", "run", "--decisions", "suspects.csv", "--out", "out.csv")
    assert (done.exit_code, Path("out.csv").exists()) == (2, False)
    assert done.stderr == (
        "error: suspects.csv: has no answers yet. Write keep, relabel, ambiguous or skip in its column decision, "
        "or judge on a page: `noiseaudit review run`\n"
    )


def test_who_gives_neither_is_told_of_decisions_first(audit: AuditResult) -> None:
    done = command("clean", "run", "--out", "out.csv")
    assert done.stderr == (
        "error: neither --policy nor --decisions given. Give what people decided, as in --decisions run/decisions.csv, "
        "or say what to do with suspects that nobody looked at, as in --policy relabel.\n"
    )
