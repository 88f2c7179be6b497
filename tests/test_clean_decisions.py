"""What people decided goes before what the model would do."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.clean import clean_labels
from noiseaudit.errors import DataError
from noiseaudit.labels import Source
from noiseaudit.result import AuditResult
from tests.test_clean import CSV, ISSUES, LABELS, SPLITS, audit, audit_of, source
from tests.test_decided import judged

__all__ = ["audit", "source"]  # fixtures


def test_only_what_was_decided_changes_without_a_policy(
    audit: AuditResult, source: Source, tmp_path: Path
) -> None:
    """0 is a suspect and right, 1 is none and wrong, 3 is of the test split: people change what they want."""
    said = judged(
        audit, ("0", "keep", None), ("1", "relabel", "cat"), ("3", "relabel", "cat"), ("2", "skip", None)
    )
    out = tmp_path / "out.csv"
    summary = clean_labels(audit, source, out, force=True, policy="none", decided=said)
    assert out.read_bytes() == CSV.replace(b'b.png,"dog"', b'b.png,"cat"').replace(b"d.png,dog", b"d.png,cat")
    assert (summary.n_changed, summary.n_decided, summary.n_protected) == (2, 3, 0)


def test_the_policy_is_for_what_nobody_decided(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    said = judged(audit, ("0", "keep", None), ("2", "relabel", "frog"))
    out = tmp_path / "out.csv"
    summary = clean_labels(audit, source, out, force=True, policy="relabel", decided=said)
    assert out.read_bytes() == CSV.replace(b"c.png,,", b"c.png,frog,").replace(b'e.png,"dog"', b'e.png,"cat"')
    assert (summary.n_issues, summary.n_changed, summary.n_protected) == (2, 2, 1)


def test_what_is_unclear_is_dropped_or_blanked_and_else_stays(
    audit: AuditResult, source: Source, tmp_path: Path
) -> None:
    said = judged(audit, ("0", "ambiguous", None), ("1", "ambiguous", None), ("3", "ambiguous", None))
    out = tmp_path / "out.csv"
    clean_labels(audit, source, out, force=True, policy="drop", decided=said)
    gone = CSV.replace(b"a.png,cat,train\r\n", b"").replace(b'b.png,"dog",train\r\n', b"")
    assert out.read_bytes() == gone.replace(b'e.png,"dog",\r\n', b"")  # d.png is of the test split
    clean_labels(audit, source, out, force=True, policy="relabel", decided=said)
    assert out.read_bytes() == CSV.replace(b'e.png,"dog"', b'e.png,"cat"')
    clean_labels(audit, source, out, force=True, policy="none", decided=said)
    assert out.read_bytes() == CSV


def test_a_row_without_a_label_is_filled_by_a_decision_alone(
    audit: AuditResult, source: Source, tmp_path: Path
) -> None:
    """Row 2, for which cat is suggested: no policy fills it, and where nobody can tell there is no label to blank."""
    out, plain = tmp_path / "out.csv", tmp_path / "plain.csv"
    done = clean_labels(
        audit, source, out, force=True, policy="none", decided=judged(audit, ("2", "relabel", "cat"))
    )
    assert out.read_bytes() == CSV.replace(b"c.png,,", b"c.png,cat,")
    assert (done.n_changed, done.n_issues, done.n_unlabelled_kept) == (1, 3, 0)
    for policy in ("relabel", "blank"):
        without = clean_labels(audit, source, plain, force=True, policy=policy)
        assert b"c.png,,train" in plain.read_bytes()
        done = clean_labels(
            audit, source, out, force=True, policy=policy, decided=judged(audit, ("2", "ambiguous", None))
        )
        assert out.read_bytes() == plain.read_bytes()
        assert done == dataclasses.replace(without, out=out, n_decided=1)
    clean_labels(audit, source, plain, force=True, policy="drop")
    clean_labels(
        audit, source, out, force=True, policy="drop", decided=judged(audit, ("2", "ambiguous", None))
    )
    assert out.read_bytes() == plain.read_bytes().replace(b"c.png,,train\r\n", b"")


def test_provenance_says_who_did_it(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    answers = (("0", "keep", None), ("1", "relabel", "cat"), ("5", "ambiguous", None))
    out = tmp_path / "out.csv"
    clean_labels(audit, source, out, force=True, decided=judged(audit, *answers), provenance=True)
    with out.open(newline="") as file:
        rows = [*csv.DictReader(file)]
    actions = [row["noiseaudit_action"] for row in rows]
    assert actions == ["confirmed", "decided", "kept", "protected", "relabelled", "unclear"]
    clean_labels(
        audit, source, out, force=True, policy="blank", decided=judged(audit, *answers[2:]), provenance=True
    )
    assert out.read_text().splitlines()[-1].split(",")[-2] == "protected"  # of the validation split


def test_flags_leave_out_what_people_judged(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    clean_labels(audit, source, out, force=True, policy="flag", decided=judged(audit, ("0", "keep", None)))
    with out.open(newline="") as file:
        flags = [row["is_label_issue"] for row in csv.DictReader(file)]
    assert [flag.lower() for flag in flags] == ["false", "false", "", "true", "true", ""]


def test_a_label_that_the_files_type_cannot_hold_is_refused(
    make_audit: Callable[..., AuditResult], tmp_path: Path
) -> None:
    found = audit_of(["1", "2"], [True, False], [None, None])
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"image": ["a.png", "b.png"], "label": [1, 2]}), path)
    said = judged(found, ("0", "relabel", "cat"))
    with pytest.raises(DataError, match="cat"):
        clean_labels(
            found, Source(path, "parquet", "label"), tmp_path / "out.parquet", policy="none", decided=said
        )
    assert not (tmp_path / "out.parquet").exists()


def test_the_fixtures_are_what_these_tests_think() -> None:
    assert (LABELS[:3], ISSUES[:2], SPLITS[3]) == (["cat", "dog", None], [True, False], " Test")
