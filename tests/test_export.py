"""Exports: names and direction as the other tool has them, nothing lost, class order checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from noiseaudit.errors import ConfigError, DataError
from noiseaudit.exports import export_audit
from noiseaudit.exports.cleanlab import cleanlab_table
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app
from tests.conftest import build_audit


def test_cleanlab_columns_and_direction() -> None:
    audit = build_audit(60, n_unlabelled=4, n_unread=3)
    frame = audit.to_cleanlab()
    labelled = np.flatnonzero(audit.column("is_labelled"))
    assert frame.columns.tolist() == [
        "sample_id", "is_label_issue", "label_quality", "given_label", "predicted_label",
    ]  # fmt: skip
    assert frame.index.tolist() == labelled.tolist()
    assert frame["is_label_issue"].dtype == np.bool_
    p = audit.column("p_mislabeled")[labelled]
    assert frame["label_quality"].to_numpy() == pytest.approx(1 - p, nan_ok=True)
    read = ~np.isnan(p)
    assert (~read).sum() == 3
    assert (
        frame["label_quality"][frame["is_label_issue"]].max()
        < frame["label_quality"][~frame["is_label_issue"]].min()
    )
    assert not frame["is_label_issue"][~read].any()
    assert frame["given_label"].tolist() == audit.column("given_label")[labelled].tolist()
    columns = ("given_label", "p_given", "suggested_label", "p_suggested")
    rows = zip(*(audit.column(name)[labelled][read].tolist() for name in columns), strict=True)
    likeliest = [
        given if p_given >= p_suggested else suggested for given, p_given, suggested, p_suggested in rows
    ]
    assert frame["predicted_label"][read].tolist() == likeliest


def test_the_prediction_may_be_the_given_label_of_a_suspect() -> None:
    audit = build_audit(60, cutoff=0.0, n_unlabelled=0, n_unread=0)
    table = audit.table
    for name, value in (("p_given", 0.9), ("p_suggested", 0.1)):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), pa.array([value] * 60, pa.float32()))
    frame = AuditResult(table, audit.meta).to_cleanlab()
    assert frame["is_label_issue"].all()
    assert frame["predicted_label"].tolist() == frame["given_label"].tolist()


def test_codes_are_in_the_order_that_is_asked_for() -> None:
    audit = build_audit(40, n_unread=2)
    order = ["frog", "cat", "dog"]
    names, codes = audit.to_cleanlab(), audit.to_cleanlab(classes=order)
    assert [order[code] for code in codes["given_label"]] == names["given_label"].tolist()
    read = names["predicted_label"].notna()
    assert [order[int(code)] for code in codes["predicted_label"][read]] == names["predicted_label"][
        read
    ].tolist()


@pytest.mark.parametrize(
    ("classes", "odd"),
    [
        (["cat", "dog"], "frog"),
        (["cat", "dog", "frog", "cow"], "cow"),
        (["cat", "dog", "frog", "cat"], "cat"),
    ],
)
def test_other_classes_are_refused(classes: list[str], odd: str) -> None:
    with pytest.raises(DataError, match=f"not those of the audit: '{odd}'"):
        cleanlab_table(build_audit(), classes)


def test_cleanlab_takes_it() -> None:
    """Its CleanLearning prunes the rows that the export names, and no other."""
    cleanlab = pytest.importorskip("cleanlab.classification", reason="the extra `bench` is not installed")
    from sklearn.dummy import DummyClassifier

    audit = build_audit(60, n_unlabelled=0, n_unread=0)
    issues = audit.to_cleanlab(classes=audit.meta.classes)
    seen: list[int] = []

    class Counting(DummyClassifier):  # type: ignore[misc]
        def fit(self, X: object, y: object, sample_weight: object = None) -> Counting:  # noqa: N803
            seen.append(len(np.asarray(X)))
            return super().fit(X, y, sample_weight)  # type: ignore[no-any-return]

    learner = cleanlab.CleanLearning(Counting(), find_label_issues_kwargs={"n_jobs": 1})
    learner.fit(np.zeros((60, 1)), issues["given_label"].to_numpy(), label_issues=issues)
    assert seen == [60 - int(audit.suspects().sum())]


@pytest.mark.parametrize("name", ["issues.csv", "issues.parquet"])
def test_a_file_holds_the_same(tmp_path: Path, name: str) -> None:
    audit = build_audit(30, classes=['"quoted"', "comma, and\nline", "naïve"])
    n_rows = export_audit(audit, "cleanlab", tmp_path / name).rows
    expected = audit.to_cleanlab().reset_index()
    read = (
        pd.read_csv(tmp_path / name) if name.endswith("csv") else pq.read_table(tmp_path / name).to_pandas()
    )
    assert n_rows == len(read) == 26
    pd.testing.assert_frame_equal(read, expected, check_dtype=False)


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--format 'voc' is not known\. Use cleanlab"):
        export_audit(build_audit(), "voc", tmp_path / "a.csv")
    with pytest.raises(ConfigError, match=r"a.json is not \.csv or \.parquet"):
        export_audit(build_audit(), "cleanlab", tmp_path / "a.json")


def test_the_command(tmp_path: Path) -> None:
    build_audit(30).write(tmp_path / "audit.parquet")
    words = [
        "export",
        str(tmp_path / "audit.parquet"),
        "--format",
        "cleanlab",
        "--out",
        str(tmp_path / "a.csv"),
    ]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    assert "26 rows in" in result.stdout + result.stderr
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 2
    assert "Give --force to replace it" in again.stderr
    assert CliRunner().invoke(app, [*words, "--force"]).exit_code == 0
    for source in (tmp_path, tmp_path / "audit.parquet"):
        own = [
            "export",
            str(source),
            "--format",
            "cleanlab",
            "--out",
            str(tmp_path / "audit.parquet"),
            "--force",
        ]
        result = CliRunner().invoke(app, own)
        assert result.exit_code == 2
        assert "is the input file" in result.stderr
