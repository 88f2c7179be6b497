"""Truth that cannot be used is refused in one line that names the file and the place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.errors import DataError
from noiseaudit.result import AuditResult
from noiseaudit.truth import read_truth, truth_from_audit
from tests.test_evaluate_rules import edited
from tests.test_truth_read import truth_rows, write

MakeAudit = Callable[..., AuditResult]


BAD = [
    ("t.csv", "sample_id,true_label\nno-such,cat\n", "shares no sample_id with the audit"),
    ("t.csv", "sample_id,true_label\nimages/00000.png,cat\nimages/00000.png,dog\n", "line 3.*stands twice"),
    ("t.csv", "sample_id,is_corrupted\nimages/00000.png,maybe\n", "line 2, column 'is_corrupted'.*'maybe'"),
    ("t.csv", "sample_id,note\nimages/00000.png,x\n", "no column says the truth"),
    ("t.csv", "name,true_label\nimages/00000.png,cat\n", "no column names the rows"),
    ("t.csv", "ID,is_corrupted\nimages/00000.png,no\nimages/00000.png,1\n", "line 3, column 'ID'"),
    ("t.csv", "id,path,true_label\nx,y,cat\n", "column 'id': shares no sample_id"),
    ("t.csv", "FileName,true_label\nno-such,cat\n", "column 'FileName': shares no image with the audit"),
    ("t.csv", "sample_id,sample_id,true_label\na,a,cat\n", "column 'sample_id': two columns have this name"),
    ("t.csv", "sample_id,true_label\n", "holds no rows"),
    ("t.csv", "", "the file is empty"),
    ("t.jsonl", "", "holds no rows"),
    (
        "t.csv",
        'sample_id,true_label\n"a\nb",cat\nimages/00000.png\n',
        "line 4: 1 fields where the header has 2",
    ),
    ("t.csv", 'sample_id,true_label\n"a,cat\n', "malformed"),
    ("t.csv", "sample_id,true_label\n,cat\n", "line 2, column 'sample_id': empty"),
    ("t.csv", b"sample_id,true_label\n\xff\xfe,cat\n", "not UTF-8"),
    ("t.jsonl", '{"sample_id": "images/00000.png"\n', "line 1: not JSON"),
    ("t.jsonl", "[1]\n", "line 1: not a JSON object"),
    (
        "t.jsonl",
        '{"sample_id": "x"}\n{"true_label": -1e400}',
        "line 2, column 'true_label': holds '-inf', which is no label",
    ),
    ("t.csv", "sample_id,true_label\na,cat\nimages/00000.png\0,cat\n", "line 3: NUL characters"),
    (
        "t.csv",
        "sample_id,true_label\na,cat\nimages/00000.png, cat\nimages/00001.png,dog \n",
        "line 3, column 'true_label'.*the first is ' cat'\\)\\. Write 'cat' in its",
    ),
    (
        "t.jsonl",
        '{"sample_id": "images/00003.png", "true_label": "wolf"}',
        "line 1, column 'true_label'.*the first is 'wolf'\\)\\. The classes are 'cat', 'dog', 'frog'\\.$",
    ),
    ("t.parquet", "PAR1", "not a readable Parquet file"),
    ("t.xlsx", "", "unknown kind of file"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD)
def test_bad_truth_is_one_line(
    name: str, content: str | bytes, message: str, make_audit: MakeAudit, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=message) as caught:
        read_truth(path, make_audit())
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_a_data_error(make_audit: MakeAudit, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_truth(tmp_path / "none.csv", make_audit())


def test_columns_that_contradict_each_other(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = truth_rows(audit, "sample_id", "true_label", "is_corrupted")
    read_truth(write(tmp_path / "fine.csv", rows), audit)
    rows[4]["is_corrupted"] = "true" if rows[4]["is_corrupted"] == "false" else "false"
    with pytest.raises(DataError, match=r"line 6: is_corrupted is .*, but the true label"):
        read_truth(write(tmp_path / "t.csv", rows), audit)


def test_an_audit_without_true_labels(make_audit: MakeAudit) -> None:
    with pytest.raises(DataError, match="--truth"):
        truth_from_audit(make_audit(has_truth=False))


def test_a_true_label_that_is_a_list_is_refused(
    make_audit: Callable[..., AuditResult], tmp_path: Path
) -> None:
    audit = make_audit()
    row = {"sample_id": audit.column("sample_id")[0], "true_label": ["cat", "dog"], "boxes": [1, 2]}
    jsonl, parquet = tmp_path / "t.jsonl", tmp_path / "t.parquet"
    jsonl.write_text(json.dumps(row))
    pq.write_table(pa.Table.from_pylist([row]), parquet)
    with pytest.raises(DataError, match=r"t\.jsonl, line 1, column 'true_label': holds"):
        read_truth(jsonl, audit)
    with pytest.raises(DataError, match=r"t\.parquet, row 0, column 'true_label': holds"):
        read_truth(parquet, audit)


def test_an_audit_of_embeddings_is_joined_on_ids(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = edited(make_audit(), "image", [None] * 60)
    path = write(tmp_path / "t.csv", [{"filename": "a.png", "true_label": "cat"}])
    with pytest.raises(
        DataError, match=r"column 'filename': shares no image .* Use the sample_id of audit\.parq"
    ):
        read_truth(path, audit)


def test_integers_that_pandas_wrote_as_floats_are_not_taken_for_other_classes(
    make_audit: MakeAudit, tmp_path: Path
) -> None:
    audit = make_audit(classes=["0", "1", "2"])
    rows = truth_rows(audit, "image", "true_label")
    path = write(tmp_path / "t.csv", [{**row, "true_label": f"{row['true_label']}.0"} for row in rows])
    with pytest.raises(
        DataError, match=r"t\.csv, line 2, column 'true_label'.* '(\d)\.0'\)\. Write '\1' in its"
    ):
        read_truth(path, audit)


def test_true_labels_of_an_audit_that_are_other_names(make_audit: MakeAudit) -> None:
    audit = edited(make_audit(), "true_label", ["Cat "] * 60)
    with pytest.raises(DataError, match=r"column 'true_label': no true label .* 'Cat '\)\. Write 'cat'"):
        truth_from_audit(audit)
