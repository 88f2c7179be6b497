"""What is a scan's own in its folder: a writer that is added must be known there, or its old files would be kept."""

from __future__ import annotations

import pytest

from noiseaudit.outputs import DECISIONS_FILE
from noiseaudit.runfiles import is_of_scan
from noiseaudit.runnames import (
    AUDIT_FILE,
    CACHE,
    CHECKPOINTS,
    DYNAMICS_FOLDER,
    EMBEDDINGS_FILE,
    LOCK_FILE,
    MODEL_FILE,
    PROBE,
    REPORTS,
    RUN_FILE,
    SUSPECTS,
)
from noiseaudit_reports import WRITERS

CLEANED = [f"cleaned{end}" for end in (".csv", ".tsv", ".jsonl", ".parquet")]
BY_SCAN = [
    AUDIT_FILE, EMBEDDINGS_FILE, MODEL_FILE, DYNAMICS_FOLDER, CHECKPOINTS, RUN_FILE, LOCK_FILE, f"{CACHE}1",
    f"{PROBE}1", ".run.json.x1.tmp", *REPORTS.values(), *SUSPECTS.values(), *CLEANED,
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
