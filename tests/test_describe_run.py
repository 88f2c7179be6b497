"""What run.json says of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from noiseaudit.clean import CleanSummary
from noiseaudit.describe_run import RunInputs, describe_run
from noiseaudit.labels.table import Source
from noiseaudit.ranking import dominant_pair
from noiseaudit.result import AuditResult

MakeAudit = Callable[..., AuditResult]
CLEANED = CleanSummary(Path("somewhere/cleaned.csv"), "relabel", 60, 9, 7, 0, 2)
LABELS = "image,kind\na.png,cat\nb.png,dog\n"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labels.csv"
    file.write_text(LABELS)
    return file


def test_description_counts_what_became_of_the_rows(make_audit: MakeAudit, labels: Path) -> None:
    audit = make_audit(n=60, n_unlabelled=4, n_unread=3)
    inputs = RunInputs(Source(labels, "csv", "kind"), images=labels.parent, allow_roots=(labels.parent,))
    run = describe_run(audit, inputs, ["careful"], CLEANED)
    flags = audit.table.column("is_label_issue").to_pylist()
    scores = [score for score in audit.table.column("p_mislabeled").to_pylist() if score is not None]
    assert run["counts"] == {
        "rows": 60,
        "classes": 3,
        "labelled": 56,
        "unlabelled": 4,
        "checked": 53,
        "suggested": 4,
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
    assert run["cleaned"] == {"file": "cleaned.csv", "changed": 7, "protected": 2}
    assert run["config"] == audit.meta.config
    assert run["cutoff"]["threshold"] == 0.5
    assert run["dominant_pair"] is None


def test_the_dominant_pair_is_that_of_the_audit(make_audit: MakeAudit, labels: Path) -> None:
    audit = make_audit(200, ["cat", "dog"], noise_rate=0.3)
    pair = dominant_pair(audit)
    assert pair is not None
    run = describe_run(audit, RunInputs(Source(labels, "csv", "kind")), [], CLEANED)
    assert run["dominant_pair"] == {
        "given_label": pair.given_label,
        "suggested_label": pair.suggested_label,
        "count": pair.count,
    }


def test_paths_are_absolute_and_the_file_is_hashed(
    make_audit: MakeAudit, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(labels.parent)
    run = describe_run(
        make_audit(), RunInputs(Source(Path("labels.csv"), "csv", "kind"), images=Path()), [], CLEANED
    )
    assert run["paths"] == {
        "data": str(labels),
        "images": str(labels.parent),
        "embeddings": None,
        "allow_roots": [],
        "trusted": None,
    }
    assert run["source"]["path"] == str(labels)
    # sha256sum of LABELS
    assert run["data_sha256"] == "e2eef04d88c98b7fbbc06befda9a942ac34c9862bc05476755c306a1d869535c"
    json.dumps(run)
