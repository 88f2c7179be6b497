"""audit.parquet: the schema is frozen, a result survives the round trip, and what is not one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.audit_meta import SCHEMA_VERSION
from noiseaudit.errors import DataError
from noiseaudit.result import METADATA_KEY, SCHEMA, STATUSES, AuditResult, read_audit

MakeAudit = Callable[..., AuditResult]


def test_the_schema_is_frozen() -> None:
    """Readers depend on it: a change here needs a new SCHEMA_VERSION."""
    assert SCHEMA_VERSION == 1
    assert [(field.name, str(field.type), field.nullable) for field in SCHEMA] == [
        ("row", "int64", False),
        ("sample_id", "string", False),
        ("image", "string", True),
        ("given_label", "string", True),
        ("is_labelled", "bool", False),
        ("status", "string", False),
        ("reason", "string", True),
        ("epsilon", "float", True),
        ("p_given", "float", True),
        ("suggested_label", "string", True),
        ("p_suggested", "float", True),
        ("p_mislabeled", "double", True),
        ("is_label_issue", "bool", True),
        ("rank", "int64", True),
        ("top_labels", "list<item: string>", True),
        ("top_probs", "list<item: float>", True),
        ("true_label", "string", True),
        ("issue_kind", "string", True),
        ("evidence", "list<item: struct<kind: string, value: double, reference: string>>", True),
        ("split", "string", True),
        ("annotator", "string", True),
        ("batch", "string", True),
    ]
    assert STATUSES == ("ok", "unlabelled", "missing", "unreadable", "too_large")


def test_the_metadata_is_frozen(make_audit: MakeAudit, tmp_path: Path) -> None:
    make_audit().write(tmp_path / "audit.parquet")
    raw = pq.read_schema(tmp_path / "audit.parquet").metadata[METADATA_KEY]
    assert sorted(json.loads(raw)) == [
        "class_type", "classes", "config", "cutoff", "data_fingerprint", "device_type", "schema_version",
        "seed", "threads", "versions",
    ]  # fmt: skip
    assert sorted(json.loads(raw)["cutoff"]) == ["reason", "rule", "score", "threshold"]


def test_a_result_survives_the_round_trip(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit(classes=("Ä", "=1+1", "b\n<i>", "😀"))
    audit.write(tmp_path / "audit.parquet")
    for path in (tmp_path, tmp_path / "audit.parquet", str(tmp_path)):
        again = read_audit(path)
        assert again.meta == audit.meta
        assert again.table.equals(audit.table)
        assert len(again) == 60


def test_equal_results_are_equal_bytes(make_audit: MakeAudit, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.parquet", "b.parquet", "c.parquet")]
    make_audit(seed=1).write(paths[0])
    make_audit(seed=1).write(paths[1])
    read_audit(paths[0]).write(paths[2])
    assert paths[0].read_bytes() == paths[1].read_bytes() == paths[2].read_bytes()
    make_audit(seed=2).write(paths[1])
    assert paths[0].read_bytes() != paths[1].read_bytes()


def test_columns_as_numpy(make_audit: MakeAudit) -> None:
    audit = make_audit(n=10, n_unlabelled=2, n_unread=1)
    assert audit.column("row").tolist() == list(range(10))
    assert np.isnan(audit.column("epsilon")[-3:]).all()
    assert audit.column("given_label")[7:9].tolist() == [None, None]
    assert np.isfinite(audit.column("p_mislabeled")[:7]).all()
    assert list(audit.to_pandas().columns) == SCHEMA.names


@pytest.fixture
def audit_file(make_audit: MakeAudit, tmp_path: Path) -> Path:
    make_audit().write(tmp_path / "audit.parquet")
    return tmp_path / "audit.parquet"


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such audit"):
        read_audit(tmp_path / "nowhere")


def test_a_folder_without_an_audit(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no audit\.parquet"):
        read_audit(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_file(audit_file: Path, share: float) -> None:
    content = audit_file.read_bytes()
    audit_file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"audit\.parquet: not a readable Parquet file, perhaps truncated"):
        read_audit(audit_file)


def test_damaged_in_the_middle(audit_file: Path) -> None:
    content = bytearray(audit_file.read_bytes())
    content[4:400] = bytes(396)
    audit_file.write_bytes(content)
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_audit(audit_file)


def test_not_parquet(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("image,label\na.png,cat\n")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_audit(tmp_path / "labels.csv")


def test_another_parquet_file(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(DataError, match="not a noiseaudit audit"):
        read_audit(tmp_path / "other.parquet")


@pytest.mark.parametrize(
    "change", [lambda t: t.drop_columns(["rank"]), lambda t: t.select(t.column_names[::-1])]
)
def test_other_columns(audit_file: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    table = pq.read_table(audit_file)
    metadata = table.schema.metadata
    pq.write_table(change(table).replace_schema_metadata(metadata), audit_file)
    with pytest.raises(DataError, match="columns differ from the audit schema"):
        read_audit(audit_file)


@pytest.mark.parametrize("column", ["given_label", "suggested_label"])
def test_labels_that_are_not_among_the_classes(audit_file: Path, column: str) -> None:
    table = pq.read_table(audit_file)
    at = table.column_names.index(column)
    wrong = pa.array(["zebra", *table.column(column).to_pylist()[1:]], pa.string())
    pq.write_table(table.set_column(at, table.schema.field(at), wrong), audit_file)
    with pytest.raises(
        DataError, match=f"row 0, column '{column}': 'zebra' is not among the audit's classes"
    ):
        read_audit(audit_file)


def test_an_incomplete_run(audit_file: Path) -> None:
    run = audit_file.with_name("run.json")
    run.write_text('{"status": "incomplete"}')
    with pytest.raises(DataError, match=r"the run is incomplete\. Scan again: with --resume it goes on"):
        read_audit(audit_file.parent)
    run.write_text('{"status": "complete"}')
    assert len(read_audit(audit_file.parent)) == 60


@pytest.mark.parametrize("text", ["", "{", "[1]"])
def test_a_damaged_run_json(audit_file: Path, text: str) -> None:
    audit_file.with_name("run.json").write_text(text)
    with pytest.raises(DataError, match=r"run\.json"):
        read_audit(audit_file.parent)
