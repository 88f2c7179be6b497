"""A reader who types what the tutorial and the guides say gets what they promise: all of it is run here."""

from __future__ import annotations

import functools
import itertools
import os
import shlex
import sys
from pathlib import Path

import pytest

import noiseaudit.demo
from noiseaudit.audit_file import open_audit
from noiseaudit.decisions import run_id
from noiseaudit.outputs import DECISIONS_FILE
from noiseaudit.review.export import write_log
from noiseaudit.review.log import Answer, Log
from tests.pages import Block, blocks, commands, differences, parse, run_block

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("index", "tutorial", "guides/engineer", "guides/annotation-lead", "guides/researcher")
ROWS, EPOCHS = (
    400,
    2,
)  # enough for every command to have something to say; how well it finds errors is tested elsewhere
MOST_NOT_RUN = 5


def blocks_of(page: str) -> list[Block]:
    return blocks((ROOT / "docs" / f"{page}.md").read_text("utf-8"))


def review(block: Block, folder: Path) -> None:
    """What a reader does on the page that `noiseaudit review RUN` opens: judges two suspects, and ends it."""
    (line,) = commands(block.text)
    run = folder / shlex.split(line)[2]
    audit = noiseaudit.read_audit(run)
    ranked = audit.to_pandas().sort_values("rank")[["sample_id", "suggested_label"]].astype(str)
    (first, suggested), (second, _) = ranked.head(2).to_numpy().tolist()
    log = Log(run / DECISIONS_FILE, run_id(open_audit(run)))
    accepted = Answer(first, "relabel", suggested)
    log.decide("typed", "Ann", [accepted, Answer(second, "keep")])
    assert write_log(log, (run / DECISIONS_FILE).with_suffix(".csv")).n == 2
    log.close()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to type in, with a small demo, short trainings, and our commands on the PATH."""
    bin_folder, folder = tmp_path / "bin", tmp_path / "typed"
    bin_folder.mkdir()
    folder.mkdir()
    for name, arguments in (("python", ""), ("noiseaudit", "-m noiseaudit_cli.main ")):
        script = bin_folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(str(ROOT / part) for part in (".", "cli", "reports")))
    monkeypatch.setattr(
        "noiseaudit.demo.write_digits", functools.partial(noiseaudit.demo.write_digits, limit=ROWS)
    )
    for user in ("plan", "compare.case"):
        monkeypatch.setattr(f"noiseaudit.{user}.choose_epochs", lambda *_: EPOCHS)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_to_type_runs_and_prints_what_it_shows(page: str, small: Path) -> None:
    printed = ""
    for block in blocks_of(page):
        if block.language == "text":
            assert not differences(block.text, printed), printed
        elif block.why is None:
            printed = run_block(block, small)
        elif block.text.startswith("noiseaudit review "):
            review(block, small)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_other_blocks(page: str) -> None:
    found = blocks_of(page)
    assert {block.language for block in found} <= {"bash", "python", "text"}
    assert all(one.language == "bash" for one, two in itertools.pairwise(found) if two.language == "text")
    assert (ROOT / "docs" / f"{page}.md").read_text("utf-8").count("\n```") == 2 * len(found)


def test_few_commands_are_not_run_and_they_are_ones_that_there_are() -> None:
    skipped = [block for page in PAGES for block in blocks_of(page) if block.why]
    assert len(skipped) <= MOST_NOT_RUN
    lines = [line for block in skipped for line in commands(block.text)]
    ours = [line for line in lines if line.startswith("noiseaudit ")]
    assert [line for line in lines if line not in ours] == ["pip install '.[pretrained,review]'"]
    assert len(ours) >= 4
    for line in ours:
        parse(line)


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md", "docs/guides/annotation-lead.md"])
def test_people_look_between_the_scan_and_the_cleaning(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    places = [text.index(f"\nnoiseaudit {command} ") for command in ("scan", "review", "clean")]
    assert places == sorted(places)
    assert "--decisions run/decisions.csv" in text[places[-1] :].split("\n")[1]


def test_the_front_page_says_where_the_review_page_is() -> None:
    assert "(review.md)" in (ROOT / "docs" / "index.md").read_text("utf-8").partition("## Where is what")[2]


def test_a_wrong_option_or_failing_command_would_be_found(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="No such option"):
        parse("noiseaudit gate run --fail 'n_rows > 1'")
    with pytest.raises(AssertionError, match="no such audit"):
        run_block(Block("bash", "noiseaudit rank nothing\n"), tmp_path)
    with pytest.raises(AssertionError):
        run_block(Block("bash", "noiseaudit --version\n", code=3), tmp_path)


def test_output_that_is_not_there_would_be_found() -> None:
    assert not differences("2 of 5 wrong\nlabels.csv", "1,797 of 20 wrong, by  far\nlabels.csv")
    assert differences("labels.csv\n2 of 5 wrong", "1 of 2 wrong\nlabels.csv") == ["2 of 5 wrong"]
    assert differences("truth.csv", "labels.csv") == ["truth.csv"]
