"""A truth file that is joined in bulk says what it says row by row, or is left to that."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit import truth_bulk
from noiseaudit.audit_file import open_audit
from noiseaudit.errors import DataError
from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.revision import NotPlain
from noiseaudit.result import AuditResult
from noiseaudit.truth import Truth, read_truth
from noiseaudit.truth_join import Labels
from tests.conftest import build_audit
from tests.test_audit_in_pieces import written

MakeAudit = Callable[..., AuditResult]
N = 12
AUDIT = build_audit(N, n_unlabelled=2, n_unread=2)
NAMES = [*AUDIT.column("image"), "elsewhere.png"]


def same(one: Truth, other: Truth) -> bool:
    labels = [None if truth.true_label is None else truth.true_label.tolist() for truth in (one, other)]
    return (
        np.array_equal(one.is_known, other.is_known)
        and np.array_equal(one.is_corrupted, other.is_corrupted)
        and labels[0] == labels[1]
        and one.notes == other.notes
    )


def _read(path: Path, audit: Labels, missing: str | None) -> Truth | str:
    """The truth, or what is wrong with it."""
    try:
        return read_truth(path, audit, missing_label=missing)
    except DataError as error:
        return str(error)


@settings(max_examples=120)
@given(
    st.sampled_from(["t.csv", "t.parquet"]),
    st.sampled_from(["sample_id", "image", "both"]),
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.sampled_from(["cat", "dog", "frog", "wolf", "?", None]),
            st.sampled_from(["yes", "no", "TRUE", "0", None]),
        ),
        min_size=1,
        max_size=N,
    ),
    st.sampled_from([("true_label",), ("is_corrupted",), ("true_label", "is_corrupted")]),
    st.none() | st.just("?"),
)
def test_in_bulk_or_row_by_row(
    name: str,
    keys: str,
    rows: list[tuple[str, str | None, str | None]],
    told: tuple[str, ...],
    missing: str | None,
) -> None:
    columns: dict[str, list[str | None]] = {
        "true_label": [r[1] for r in rows],
        "is_corrupted": [r[2] for r in rows],
    }
    names: list[str | None] = [row[0] for row in rows]
    found = dict.fromkeys(("sample_id", "image") if keys == "both" else (keys,), names)
    table = pa.table({**found, **{column: pa.array(columns[column], pa.string()) for column in told}})
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(truth_bulk, "PIECE", 5)
        path = Path(folder) / name
        if path.suffix == ".csv":
            pa.csv.write_csv(table, path)
        else:
            pq.write_table(table, path)
        opened = open_audit(written(AUDIT, Path(folder), rows=5))
        careful, bulk = (_read(path, audit, missing) for audit in (AUDIT, opened))
        assert bulk == careful if isinstance(careful, str) or isinstance(bulk, str) else same(bulk, careful)


@pytest.mark.parametrize("order", [1, -1])
def test_plain_files_are_joined_in_bulk(order: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the audit's order and in another; nothing is gone through row by row."""
    monkeypatch.setattr("noiseaudit.truth.read_records", None)
    rows = AUDIT.table.select(["sample_id", "image", "true_label"]).to_pylist()[::order]
    path = tmp_path / "t.csv"
    lines = [f'"{row["sample_id"]}",{row["image"]},{row["true_label"]}' for row in rows]
    path.write_text("\n".join(["sample_id,image,true_label", *lines]))
    found = read_truth(path, open_audit(written(AUDIT, tmp_path)))
    assert found.true_label is not None
    assert found.true_label.tolist() == AUDIT.column("true_label").tolist()
    assert found.is_known.tolist() == AUDIT.column("is_labelled").tolist()
    assert found.is_corrupted.tolist() == [
        a is not None and a != b
        for a, b in zip(AUDIT.column("given_label"), AUDIT.column("true_label"), strict=True)
    ]


NOT_PLAIN = [
    "sample_id,true_label\nimages/00000.png,cat\nimages/00000.png,cat\n",  # twice
    "sample_id,true_label\n,cat\nimages/00000.png,cat\n",  # without a name
    "sample_id,true_label\nelsewhere,cat\n",  # of no row
    "sample_id,is_corrupted\nimages/00000.png,perhaps\n",
    "sample_id,image,true_label\nimages/00000.png,images/00001.png,cat\n",
    "sample_id,true_label\n",
    "sample_id,true_label\rimages/00000.png,cat\r",
]


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_what_is_not_plain_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text, newline="")
    opened = open_audit(written(AUDIT, tmp_path))
    with pytest.raises(NotPlain):
        truth_bulk.told_in_bulk(path, opened, lambda names: {name: name for name in names}, None)


def test_the_columns_of_the_scan_go_first(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("key,id,true_label\nimages/00001.png,x,dog\n")
    found = read_truth(path, open_audit(written(AUDIT, tmp_path)), scanned=ColumnNames(id="key"))
    assert found.true_label is not None
    assert [*found.true_label[:3]] == [None, "dog", None]
