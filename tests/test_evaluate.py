"""Truth is read, joined and checked; the two rules are measured on the right rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from noiseaudit.errors import DataError
from noiseaudit.evaluate import DEFAULT_RULE, PAPER_RULE, Relabelling, evaluate, table3
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.truth import Truth, read_truth, truth_from_audit

MakeAudit = Callable[..., AuditResult]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as CSV, TSV, JSONL or Parquet by the suffix; None is an empty cell or null."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    else:
        mark = "\t" if path.suffix == ".tsv" else ","
        cells = [list(rows[0]), *(["" if v is None else str(v) for v in row.values()] for row in rows)]
        path.write_text("".join(mark.join(line) + "\n" for line in cells), "utf-8")
    return path


def truth_rows(audit: AuditResult, *columns: str) -> list[dict[str, Any]]:
    """The audit's own truth as rows of a truth file, unlabelled rows left out as `corrupt` does."""
    table = audit.table.filter(audit.table.column("is_labelled")).to_pylist()
    full = [row | {"is_corrupted": str(row["true_label"] != row["given_label"]).lower()} for row in table]
    return [{name: row[name] for name in columns} for row in full]


def edited(audit: AuditResult, name: str, values: list[Any]) -> AuditResult:
    column = pa.array(values, SCHEMA.field(name).type)
    table = audit.table.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), column)
    return AuditResult(table, audit.meta)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("column", ["true_label", "is_corrupted"])
@pytest.mark.parametrize("key", ["sample_id", "image"])
def test_a_file_says_the_same_as_the_audit(
    suffix: str, column: str, key: str, make_audit: MakeAudit, tmp_path: Path
) -> None:
    audit = make_audit()
    truth = read_truth(write(tmp_path / f"truth{suffix}", truth_rows(audit, key, column)), audit)
    own = truth_from_audit(audit)
    assert truth.is_known.tolist() == own.is_known.tolist()
    assert truth.is_corrupted.tolist() == own.is_corrupted.tolist()
    assert truth.is_known.sum() == 56
    assert (truth.true_label is None) == (column == "is_corrupted")


def test_truth_is_joined_by_name_not_by_order(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = truth_rows(audit, "sample_id", "true_label")[::-1]
    assert read_truth(write(tmp_path / "t.csv", rows), audit).is_corrupted.tolist() == (
        truth_from_audit(audit).is_corrupted.tolist()
    )


def test_partial_truth(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = truth_rows(audit, "sample_id", "true_label")[:10]
    rows[3]["true_label"] = None
    truth = read_truth(write(tmp_path / "t.csv", [*rows, {"sample_id": "other", "true_label": "cat"}]), audit)
    assert np.flatnonzero(truth.is_known).tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    evaluation = evaluate(audit, truth)
    assert (evaluation.n_rows, evaluation.n_with_truth, evaluation.n_without_truth) == (60, 9, 44)


@pytest.mark.parametrize(("yes", "no"), [("TRUE", "False"), ("1", "0"), ("Yes", "no")])
def test_spellings_of_is_corrupted(yes: str, no: str, make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    ids = audit.column("sample_id")
    rows = [{"sample_id": ids[0], "is_corrupted": yes}, {"sample_id": ids[1], "is_corrupted": no}]
    truth = read_truth(write(tmp_path / "t.csv", rows), audit)
    assert truth.is_corrupted[:2].tolist() == [True, False]
    assert truth.is_known.sum() == 2


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_typed_cells_read_as_labels_do(suffix: str, make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit(classes=["1", "2", "true"])
    given = audit.column("given_label")
    typed = {"1": 1, "2": 2.0, "true": True}
    at = {name: given.tolist().index(name) for name in typed}
    for name, row in at.items():  # one file a type: a Parquet column has one
        cells = [
            {"sample_id": audit.column("sample_id")[row], "true_label": typed[name], "is_corrupted": False}
        ]
        truth = read_truth(write(tmp_path / f"{name}{suffix}", cells), audit)
        assert np.flatnonzero(truth.is_known & ~truth.is_corrupted).tolist() == [row]


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


def test_both_rules_agree_with_scikit_learn(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    frame = audit.to_pandas()
    frame = frame[frame.p_mislabeled.notna()]
    truth = frame.true_label != frame.given_label
    evaluation = evaluate(audit, truth_from_audit(audit))
    paper, default = evaluation.rules
    assert (paper.rule, default.rule) == (PAPER_RULE, DEFAULT_RULE)
    for got, flagged, score in (
        (paper, frame.epsilon > 0, frame.epsilon),
        (default, frame.is_label_issue.astype(bool), frame.p_mislabeled),
    ):
        assert got.n == len(frame) == evaluation.n_with_truth
        assert got.n_corrupted == truth.sum()
        assert got.recall.value == pytest.approx(recall_score(truth, flagged))
        assert got.precision.value == pytest.approx(precision_score(truth, flagged))
        assert got.f1.value == pytest.approx(f1_score(truth, flagged))
        assert got.average_precision.value == pytest.approx(average_precision_score(truth, score))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.booleans(), min_size=60, max_size=60))
def test_only_scored_rows_with_truth_count(rows: list[bool], make_audit: MakeAudit) -> None:
    audit = make_audit()
    known = np.array(rows)
    truth = Truth(known, np.zeros(60, dtype=np.bool_), None)
    scored = np.arange(60) < 53
    if not (known & scored).any():
        with pytest.raises(DataError, match="nothing to evaluate"):
            evaluate(audit, truth)
        return
    evaluation = evaluate(audit, truth)
    assert evaluation.n_with_truth == (known & scored).sum()
    assert evaluation.n_without_truth == (~known & scored).sum()


def test_a_method_without_epsilon_has_the_default_rule_only(make_audit: MakeAudit) -> None:
    audit = make_audit(has_epsilon=False)
    evaluation = evaluate(audit, truth_from_audit(audit))
    assert [rule.rule for rule in evaluation.rules] == [DEFAULT_RULE]
    assert [len(row) for row in table3(evaluation)] == [2] * 6


def test_suggestions_on_unlabelled_rows_are_checked(make_audit: MakeAudit) -> None:
    audit = make_audit(n_unlabelled=4)
    suggested = audit.column("suggested_label").tolist()
    suggested[53] = next(name for name in audit.meta.classes if name != suggested[53])
    evaluation = evaluate(edited(audit, "suggested_label", suggested), truth_from_audit(audit))
    assert evaluation.n_suggestions == 4
    assert evaluation.suggestion_accuracy.value == 0.75
    no_labels = Truth(np.ones(60, dtype=np.bool_), np.zeros(60, dtype=np.bool_), None)
    assert evaluate(audit, no_labels).n_suggestions == 0


def test_what_relabelling_would_do(make_audit: MakeAudit) -> None:
    """Of the suspects: every wrong label is suggested its true one, but for one; the right ones lose theirs."""
    audit = make_audit(400)
    flagged = audit.column("is_label_issue") == True  # noqa: E712
    wrong = audit.column("given_label") != audit.column("true_label")
    suggested = audit.column("suggested_label").tolist()
    spoilt = int((flagged & ~wrong).sum())
    one = int(np.flatnonzero(flagged & wrong)[0])
    suggested[one] = next(
        name for name in audit.meta.classes if name not in (audit.column("true_label")[one], suggested[one])
    )
    found = evaluate(edited(audit, "suggested_label", suggested), truth_from_audit(audit)).relabelling
    assert found == Relabelling(mended=int((flagged & wrong).sum()) - 1, still_wrong=1, spoilt=spoilt)
    assert spoilt > 0
    only_flags = Truth(np.ones(400, dtype=np.bool_), wrong, None)
    assert evaluate(audit, only_flags).relabelling is None


def test_table_3_layout(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    evaluation = evaluate(audit, truth_from_audit(audit))
    header, *rows = table3(evaluation)
    rate = evaluation.n_corrupted / evaluation.n_with_truth
    assert header == [
        f"Corruption rate {rate:.1%}",
        "Paper's rule: epsilon > 0",
        "Default: the audit's cut-off",
    ]
    assert [row[0] for row in rows] == ["Recall", "Precision", "F1 score", "Average precision", "AUROC"]
    f1 = evaluation.rules[1].f1
    assert rows[2][2] == f"{f1.value:.3f} [{f1.low:.3f}, {f1.high:.3f}]"


def test_json_holds_plain_numbers(make_audit: MakeAudit) -> None:
    audit = make_audit(noise_rate=0.0)
    evaluation = evaluate(audit, truth_from_audit(audit))
    fields = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert fields["n_corrupted"] == 0
    assert fields["rules"][0]["rule"] == "paper"
    assert fields["rules"][1]["recall"] == {"value": None, "low": None, "high": None}
    assert "curves" not in fields


def test_an_empty_true_label_is_no_truth_in_any_format(
    make_audit: Callable[..., AuditResult], tmp_path: Path
) -> None:
    audit = make_audit(has_truth=False)
    ids, given = audit.column("sample_id")[:3].tolist(), audit.column("given_label")[:3].tolist()
    rows = [
        {"sample_id": name, "true_label": label}
        for name, label in zip(ids, ["", given[1], None], strict=True)
    ]
    jsonl, parquet = tmp_path / "t.jsonl", tmp_path / "t.parquet"
    jsonl.write_text("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    for file in (jsonl, parquet):
        truth = read_truth(file, audit)
        assert np.flatnonzero(truth.is_known).tolist() == [1]
        assert not truth.is_corrupted.any()


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


def test_a_long_cell_in_another_column_does_no_harm(
    make_audit: Callable[..., AuditResult], tmp_path: Path
) -> None:
    audit = make_audit()
    (tmp_path / "t.csv").write_text(
        f"sample_id,is_corrupted,note\n{audit.column('sample_id')[0]},true,{'n' * 200_000}\n"
    )
    assert read_truth(tmp_path / "t.csv", audit).is_corrupted.sum() == 1


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize(("key", "label"), [("FileName", "Gold_Label"), ("ID", "clean_label")])
def test_the_usual_names_of_label_files_are_known(
    key: str, label: str, suffix: str, make_audit: MakeAudit, tmp_path: Path
) -> None:
    audit = make_audit()
    rows = [{key: row["image"], label: row["true_label"]} for row in truth_rows(audit, "image", "true_label")]
    truth = read_truth(write(tmp_path / f"t{suffix}", rows), audit)
    assert truth.is_known.sum() == 56
    assert truth.is_corrupted.tolist() == truth_from_audit(audit).is_corrupted.tolist()


def test_ids_that_are_not_the_audits_give_way_to_the_images(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = [
        {"id": i, "path": row["image"], "true_label": row["true_label"]}
        for i, row in enumerate(truth_rows(audit, "image", "true_label"))
    ]
    assert read_truth(write(tmp_path / "t.csv", rows), audit).is_known.sum() == 56


@pytest.mark.parametrize(
    "header", ["image;is_corrupted", "sep=;\r\nimage;is_corrupted", "image;is_corrupted;a, b"]
)
def test_truth_separated_by_semicolons(header: str, make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    (tmp_path / "t.csv").write_text(
        f"{header}\r\n{audit.column('image')[2]};yes{';' * (header.count(';') - 1 - header.count('sep'))}\r\n"
    )
    assert np.flatnonzero(read_truth(tmp_path / "t.csv", audit).is_corrupted).tolist() == [2]


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


def test_a_class_that_no_row_was_given_is_legal_and_said(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = truth_rows(audit, "sample_id", "true_label")
    rows[0]["true_label"] = rows[1]["true_label"] = "wolf"
    truth = read_truth(write(tmp_path / "t.csv", rows), audit)
    assert truth.is_corrupted[:2].all()
    fields = json.loads(json.dumps(evaluate(audit, truth).to_dict()))
    assert fields["n_unused_classes"] == 2
    assert fields["notes"] == [
        "2 true labels are no classes of the audit, such as 'wolf': those rows count as corrupted."
    ]
    own = evaluate(audit, truth_from_audit(audit)).to_dict()
    assert (own["n_unused_classes"], own["notes"]) == (0, [])


def test_what_meant_unlabelled_in_the_scan_is_no_truth(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = truth_rows(audit, "sample_id", "true_label")
    rows[0]["true_label"] = "?"
    path = write(tmp_path / "t.csv", rows)
    assert not read_truth(path, audit, missing_label="?").is_known[0]
    assert read_truth(path, audit, missing_label="?").is_known[1]
    assert read_truth(path, audit).is_corrupted[0]


def test_true_labels_of_an_audit_that_are_other_names(make_audit: MakeAudit) -> None:
    audit = edited(make_audit(), "true_label", ["Cat "] * 60)
    with pytest.raises(DataError, match=r"column 'true_label': no true label .* 'Cat '\)\. Write 'cat'"):
        truth_from_audit(audit)
