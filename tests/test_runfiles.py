"""What is a scan's own in its folder: a writer that is added must be known there, or its old files would be kept."""

from __future__ import annotations

import pytest

from noiseaudit import runnames
from noiseaudit.outputs import DECISIONS_FILE
from noiseaudit.runfiles import is_of_scan
from noiseaudit.runnames import CACHE, CLEANED, PROBE, REPORTS, SUSPECTS
from noiseaudit_reports import WRITERS

STARTS = {CLEANED: ".jsonl", CACHE: "1", PROBE: "1"}  # of names -> how one may end
NAMED = [name for key, name in vars(runnames).items() if key.isupper() and isinstance(name, str)]
BY_SCAN = [
    *(name + STARTS.get(name, "") for name in NAMED), *REPORTS.values(), *SUSPECTS.values(), ".run.json.x1.tmp",
    *(f"{CLEANED}{end}" for end in (".csv", ".tsv", ".parquet")),
]  # fmt: skip


@pytest.mark.parametrize("name", BY_SCAN)
def test_what_a_scan_writes_is_its_own(name: str) -> None:
    assert is_of_scan(name)


def test_every_writer_has_a_file_that_is_listed() -> None:
    assert {*REPORTS, *SUSPECTS} == {*WRITERS}


@pytest.mark.parametrize(
    "name",
    [
        DECISIONS_FILE,
        "decisions.csv",
        "ann.sqlite",
        "notes.txt",
        "report.docx",
        "cleaned.1.csv",
        "checks.csv",
    ],
)
def test_what_people_write_is_theirs(name: str) -> None:
    assert not is_of_scan(name)
