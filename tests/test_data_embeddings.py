"""Embeddings: .npy by position, Parquet by id, and one clear line for everything else."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.data.embeddings import UNREADABLE, is_readable, load_embeddings
from noiseaudit.errors import DataError
from noiseaudit.labels.table import LabelTable

VALUES = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]])
IDS = ["a", "b", "c"]


def table(*ids: str) -> LabelTable:
    names = np.array(ids or IDS, dtype=object)
    return LabelTable(source=None, sample_id=names, image=None, given_label=names)


def save_npy(tmp_path: Path, values: Any) -> Path:
    np.save(tmp_path / "e.npy", values)
    return tmp_path / "e.npy"


def save_parquet(tmp_path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), tmp_path / "e.parquet")
    return tmp_path / "e.parquet"


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f8", "i8", "u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path: Path, dtype: str, order: Any) -> None:
    values = np.asarray(VALUES.astype(dtype), order=order)
    loaded = load_embeddings(save_npy(tmp_path, values), table())
    assert loaded.dtype == np.float32
    assert loaded.tolist() == values.tolist()
    loaded[0, 0] = 0  # writable, not a view of the file


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 2), pa.list_(pa.float16())],
)
def test_parquet_is_joined_on_sample_id(tmp_path: Path, kind: pa.DataType) -> None:
    lists = pa.array(
        [row.astype(np.float16) if "half" in str(kind) else row for row in VALUES[[2, 0, 1]]], kind
    )
    path = save_parquet(tmp_path, note=["x", "y", "z"], embedding=lists, sample_id=["c", "a", "b"])
    loaded = load_embeddings(path, table())
    assert loaded.dtype == np.float32
    assert loaded.tolist() == VALUES.tolist()


def test_parquet_ids_may_be_integers_and_rows_in_groups(tmp_path: Path) -> None:
    rows = pa.table({"sample_id": [3, 1, 2], "z": VALUES.tolist()})
    pq.write_table(rows, tmp_path / "e.parquet", row_group_size=1)
    loaded = load_embeddings(tmp_path / "e.parquet", table("1", "2", "3"))
    assert loaded.tolist() == VALUES[[1, 2, 0]].tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (VALUES[:2], r"e\.npy: has 2 rows, but the label file has 3\. .*sample_id"),
        (VALUES[:, 0], r"shape \(3,\)"),
        (VALUES[:, :0], r"shape \(3, 0\)"),
        (np.array([["a"], ["b"], ["c"]]), "holds str"),
        (VALUES > 2, "holds bool"),
        (VALUES + 1j, "holds complex"),
        (
            np.array([[1.0], [np.nan], [np.inf]]),
            rf"e\.npy: 2 of 3 embeddings cannot be read \(row 1 'b': {UNREADABLE}; row 2 'c': .*--embeddings",
        ),
    ],
)
def test_npy_that_does_not_fit(tmp_path: Path, values: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_embeddings(save_npy(tmp_path, values), table())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_a_row_that_cannot_be_used_is_nan_throughout(tmp_path: Path, value: float) -> None:
    """Also in Parquet, whatever the order of its rows."""
    values = VALUES.copy()
    values[1, 0] = value
    lists = [[5.0, 6.5], [value, 4.0], [1.0, 2.0]]
    for path in (
        save_npy(tmp_path, values),
        save_parquet(tmp_path, sample_id=["c", "b", "a"], embedding=lists),
    ):
        loaded = load_embeddings(path, table())
        assert is_readable(loaded).tolist() == [True, False, True]
        np.testing.assert_array_equal(loaded, [[1.0, 2.0], [np.nan, np.nan], [5.0, 6.5]])


def test_a_null_in_a_list_is_a_value_that_is_missing(tmp_path: Path) -> None:
    path = save_parquet(tmp_path, sample_id=IDS, e=[[1.0], [None], [2.0]])
    np.testing.assert_array_equal(load_embeddings(path, table()), [[1.0], [np.nan], [2.0]])


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64()), pa.list_(pa.int32()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 2)],
)
@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_list_that_is_null_or_empty_is_a_row_that_cannot_be_read(
    tmp_path: Path, kind: pa.DataType, missing: int
) -> None:
    empty: list[int] = []
    for nothing in (None, empty) if not pa.types.is_fixed_size_list(kind) else (None,):
        lists: list[list[int] | None] = [[1, 2], [3, 4], [5, 6]]
        lists[missing] = nothing
        path = save_parquet(tmp_path, sample_id=IDS, e=pa.array(lists, kind))
        expected = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
        expected[missing] = np.nan
        loaded = load_embeddings(path, table())
        assert loaded.dtype == np.float32
        np.testing.assert_array_equal(loaded, expected)
        with pytest.raises(DataError, match=rf"row {missing}: '{IDS[missing]}': {UNREADABLE}"):
            load_embeddings(path, table(), strict=True)


def test_strict_names_the_row_of_the_file(tmp_path: Path) -> None:
    lists = [[1.0], [2.0], [float("nan")]]
    path = save_parquet(tmp_path, sample_id=["c", "b", "a"], e=lists)
    with pytest.raises(DataError, match=rf"e\.parquet, row 2: 'a': {UNREADABLE}\. .*--strict"):
        load_embeddings(path, table(), strict=True)
    path = save_npy(tmp_path, lists)
    with pytest.raises(DataError, match=rf"e\.npy, row 2: 'c': {UNREADABLE}"):
        load_embeddings(path, table(), strict=True)
    load_embeddings(save_npy(tmp_path, VALUES), table(), strict=True)


def test_files_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        load_embeddings(tmp_path / "gone.npy", table())
    for name, content in [
        ("e.npy", b""),
        ("e.npy", b"text"),
        ("e.parquet", b""),
        ("e.parquet", b"PAR1 text PAR1"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="truncated"):
            load_embeddings(tmp_path / name, table())
    (tmp_path / "e.csv").write_text("1,2")
    with pytest.raises(DataError, match=r"not a \.npy or \.parquet file"):
        load_embeddings(tmp_path / "e.csv", table())
    with pytest.raises(DataError, match="no such file"):
        load_embeddings(tmp_path, table())


def test_truncated_files(tmp_path: Path) -> None:
    for path in (save_npy(tmp_path, VALUES), save_parquet(tmp_path, sample_id=IDS, e=VALUES.tolist())):
        path.write_bytes(path.read_bytes()[:-9])
        with pytest.raises(DataError, match="truncated"):
            load_embeddings(path, table())


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("sprung"),))


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("objects.npy", np.array([[Trap()]], dtype=object), allow_pickle=True)
    Path("bare.npy").write_bytes(pickle.dumps(Trap()))
    for name in ("objects.npy", "bare.npy"):
        with pytest.raises(DataError, match=r"not a \.npy file of numbers"):
            load_embeddings(tmp_path / name, table())
    assert not Path("sprung").exists()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": IDS, "e": VALUES.tolist()}, r"needs sample_id and exactly one list column.*has id, e"),
        ({"sample_id": IDS, "e": [1.0, 2.0, 3.0]}, "exactly one list column"),
        ({"sample_id": IDS, "e": [["x"], ["y"], ["z"]]}, "exactly one list column"),
        ({"sample_id": IDS, "e": VALUES.tolist(), "f": VALUES.tolist()}, "has sample_id, e, f"),
        (
            {"sample_id": ["a", "x", "y"], "e": VALUES.tolist()},
            r"column 'sample_id': 2 of 3 samples have none; first 'b' \(row 1 there\)",
        ),
        (
            {"sample_id": ["a", "b", "x", "c"], "e": [[1.0]] * 4},
            r"row 2, column 'sample_id': 1 ids are not in the label file; first 'x'",
        ),
        (
            {"sample_id": ["a", "b", "a"], "e": VALUES.tolist()},
            r"row 2, column 'sample_id': id 'a' appears twice",
        ),
        ({"sample_id": ["a", None, "c"], "e": VALUES.tolist()}, r"row 1, column 'sample_id': empty id"),
        (
            {"sample_id": IDS, "e": [[1.0], [2.0, 3.0], [4.0]]},
            r"e\.parquet, row 1: a list of 2 numbers, but row 0 has 1\. Give every sample a list of the same",
        ),
        (
            {"sample_id": IDS, "e": [None, [2.0, 3.0], [4.0]]},
            r"row 2: a list of 1 numbers, but row 1 has 2",
        ),
        (
            {"sample_id": IDS, "e": pa.array([[], [], None], pa.list_(pa.float32()))},
            r"3 of 3 embeddings cannot be read \(row 0 'a': ",
        ),
        (
            {"sample_id": ["c", "b", "a"], "e": [[1.0], [None], [float("inf")]]},
            rf"e\.parquet: 2 of 3 embeddings cannot be read \(row 1 'b': {UNREADABLE}; row 2 'a': ",
        ),
        (
            {"sample_id": pa.array([], pa.string()), "e": pa.array([], pa.list_(pa.float32()))},
            "3 of 3 samples have none",
        ),
    ],
)
def test_parquet_that_does_not_fit(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_embeddings(save_parquet(tmp_path, **columns), table())
