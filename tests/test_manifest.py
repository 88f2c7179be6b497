"""What run.json says, and how the label file is found again."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.table import Source
from noiseaudit.manifest import RunInputs, describe_run, file_sha256, find_source, saved_run
from noiseaudit.result import AuditResult
from noiseaudit.runfolder import write_run_json

MakeAudit = Callable[..., AuditResult]
LABELS = "image,kind\na.png,cat\nb.png,dog\n"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labels.csv"
    file.write_text(LABELS)
    return file


def test_description_counts_what_became_of_the_rows(make_audit: MakeAudit, labels: Path) -> None:
    audit = make_audit(n=60, n_unlabelled=4, n_unread=3)
    inputs = RunInputs(Source(labels, "csv", "kind"), images=labels.parent, allow_roots=(labels.parent,))
    run = describe_run(audit, inputs, ["careful"])
    flags = audit.table.column("is_label_issue").to_pylist()
    scores = [score for score in audit.table.column("p_mislabeled").to_pylist() if score is not None]
    assert run["counts"] == {
        "rows": 60,
        "classes": 3,
        "labelled": 56,
        "unlabelled": 4,
        "missing": 3,
        "unreadable": 0,
        "too_large": 0,
        "suspects": flags.count(True),
        "expected_mislabeled": pytest.approx(sum(scores), abs=0.05),
    }
    assert run["unread"] == [
        {"row": row, "sample_id": f"images/{row:05d}.png", "status": "missing", "reason": "no such file"}
        for row in (57, 58, 59)
    ]
    assert run["warnings"] == ["careful"]
    assert run["config"] == audit.meta.config
    assert run["cutoff"]["threshold"] == 0.5


def test_paths_are_absolute_and_the_file_is_hashed(
    make_audit: MakeAudit, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(labels.parent)
    run = describe_run(make_audit(), RunInputs(Source(Path("labels.csv"), "csv", "kind"), images=Path()), [])
    assert run["paths"] == {
        "data": str(labels),
        "images": str(labels.parent),
        "embeddings": None,
        "allow_roots": [],
    }
    assert run["source"]["path"] == str(labels)
    # sha256sum of LABELS
    assert run["data_sha256"] == "e2eef04d88c98b7fbbc06befda9a942ac34c9862bc05476755c306a1d869535c"
    json.dumps(run)


def test_a_folder_has_no_hash(tmp_path: Path) -> None:
    assert file_sha256(tmp_path) is None


def test_the_source_comes_back_from_run_json(tmp_path: Path, make_audit: MakeAudit, labels: Path) -> None:
    source = Source(labels, "csv", "kind", encoding="latin-1", missing_label="?")
    write_run_json(tmp_path, describe_run(make_audit(), RunInputs(source), []))
    assert find_source(tmp_path) == source
    assert find_source(tmp_path / "audit.parquet") == source


def test_a_moved_file_is_read_as_the_old_one_was(tmp_path: Path, make_audit: MakeAudit, labels: Path) -> None:
    source = Source(labels, "csv", "kind", missing_label="?")
    write_run_json(tmp_path, describe_run(make_audit(), RunInputs(source), []))
    moved = labels.rename(tmp_path / "moved.csv")
    with pytest.raises(DataError, match=r"gone\. Say where it is with --data"):
        find_source(tmp_path)
    assert find_source(tmp_path, moved) == dataclasses.replace(source, path=moved)


def test_without_run_json_the_file_must_be_named(tmp_path: Path) -> None:
    assert saved_run(tmp_path) == {}
    with pytest.raises(ConfigError, match="--data"):
        find_source(tmp_path)
    named = tmp_path / "labels.csv"
    named.write_text(LABELS.replace("kind", "label"))
    assert find_source(tmp_path, named) == Source(named, "csv", "label")
