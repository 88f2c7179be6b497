"""What people answered is never lost to --force."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from noiseaudit.answers import answers_in, put_aside
from noiseaudit.decisions import Decision, read_decisions, write_decisions
from noiseaudit.errors import OutputError
from noiseaudit.outputs import check_file
from tests.reviews import command, review_run

OPEN = [Decision("a"), Decision("b")]
ANSWERED = [Decision("a", "keep"), Decision("b", "relabel", "dog"), Decision("c")]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_answers_are_counted(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"checks{suffix}"
    assert answers_in(file) == ""
    write_decisions(file, OPEN)
    assert answers_in(file) == ""
    write_decisions(file, ANSWERED)
    assert answers_in(file) == "2 answers"
    write_decisions(file, ANSWERED[1:])
    assert answers_in(file) == "1 answer"


def test_answers_with_typing_errors_are_answers_and_other_files_have_none(tmp_path: Path) -> None:
    file = tmp_path / "checks.csv"
    file.write_text("sample_id;decision;new_label\na;kep;\n")
    assert answers_in(file) == "1 answer"
    file.write_bytes(b"sample_id,decision,new_label\na,keep,caf\xe9\n")
    assert answers_in(file) == "answers that cannot be read"
    file.write_text("image,label,comment\na.png,cat,decision new_label sample_id\n")
    assert answers_in(file) == ""


def test_a_file_is_put_aside_unless_the_new_one_has_its_answers(tmp_path: Path) -> None:
    file = tmp_path / "checks.csv"
    write_decisions(file, ANSWERED)
    assert put_aside(file, [*ANSWERED, Decision("d", "keep")]) == ""
    changed = [replace(ANSWERED[0], decision="skip"), *ANSWERED[1:]]
    aside = tmp_path / "checks.1.csv"
    assert put_aside(file, changed) == f"{file} held 2 answers; it is now {aside}"
    assert (read_decisions(aside), file.exists()) == (ANSWERED, False)


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_file_of_answers_never_replaces_one(tmp_path: Path, force: bool) -> None:
    file = tmp_path / "checks.csv"
    write_decisions(file, ANSWERED)
    with pytest.raises(OutputError, match=r"checks\.csv: holds 2 answers\. Choose another --out\.$"):
        check_file(file, force=force)


def test_sample_puts_answered_rows_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    review_run(tmp_path, 40, n_images=1)
    monkeypatch.chdir(tmp_path)
    draw = ("sample", "run", "--n", 10, "--out", "checks.csv")
    assert command(*draw).exit_code == 0
    answered = [replace(row, decision="keep") for row in read_decisions(Path("checks.csv"))]
    write_decisions(Path("checks.csv"), answered)
    refused = command(*draw)
    assert (refused.exit_code, refused.stderr) == (
        2,
        "error: checks.csv: holds 10 answers. Draw further rows: noiseaudit sample run --n 10 --without checks.csv"
        " --out more.csv (with --force, the answered file is put aside first)\n",
    )
    done = command(*draw, "--force")
    assert (done.exit_code, done.stderr.splitlines()[0]) == (
        0,
        "checks.csv held 10 answers; it is now checks.1.csv",
    )
    assert read_decisions(Path("checks.1.csv")) == answered
    assert not any(row.decision for row in read_decisions(Path("checks.csv")))
    assert command(*draw, "--force").exit_code == 0  # an unanswered draw is replaced
    assert sorted(path.name for path in Path().glob("checks*")) == ["checks.1.csv", "checks.csv"]


def test_clean_never_replaces_decisions(tmp_path: Path) -> None:
    review_run(tmp_path, 40, n_images=1)
    out = tmp_path / "decisions.csv"
    write_decisions(out, ANSWERED)
    done = command("clean", tmp_path / "run", "--policy", "drop", "--out", out, "--force")
    assert (done.exit_code, "holds 2 answers" in done.stderr) == (2, True)
    assert read_decisions(out) == ANSWERED


@pytest.mark.parametrize("name", ["decisions.csv", "run/decisions.csv"])
def test_an_import_without_answers_replaces_none(tmp_path: Path, name: str) -> None:
    review_run(tmp_path, 40, n_images=1)
    out, answers = tmp_path / name, tmp_path / "answers.xml"
    answers.write_text("<annotations/>")
    write_decisions(out, ANSWERED)
    done = command("import", answers, "--from", "cvat", "--audit", tmp_path / "run", "--out", out, "--force")
    assert (done.exit_code, f"no row is answered, and {out} holds 2 answers" in done.stderr) == (2, True)
    assert read_decisions(out) == ANSWERED
