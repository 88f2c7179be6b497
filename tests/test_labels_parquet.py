from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.errors import DataError
from noiseaudit.labels import ColumnNames, LabelTable, Source, edit_label_file, read_labels


def write(tmp_path: Path, labels: Any, **columns: Any) -> Path:
    path = tmp_path / "data.parquet"
    images = [f"{row}.png" for row in range(len(labels))]
    pq.write_table(pa.table({"image": images, "label": labels, **columns}), path)
    return path


def read(tmp_path: Path, labels: Any, **columns: Any) -> LabelTable:
    return read_labels(write(tmp_path, labels, **columns))


@pytest.mark.parametrize(
    ("labels", "texts", "class_type"),
    [
        (pa.array(["NA", None, "01"]), ["NA", None, "01"], "string"),
        (pa.array(["x", None, "y"], pa.large_string()), ["x", None, "y"], "string"),
        (pa.array(["x", None, "y"]).dictionary_encode(), ["x", None, "y"], "string"),
        (pa.array([3, None, -1], pa.int8()), ["3", None, "-1"], "integer"),
        (pa.array([3.0, float("nan"), 1.0]), ["3", None, "1"], "integer"),
        (pa.array([True, None, False]), ["true", None, "false"], "boolean"),
    ],
)
def test_label_types(tmp_path: Path, labels: Any, texts: list[str | None], class_type: str) -> None:
    table = read(tmp_path, labels)
    assert table.given_label.tolist() == texts
    assert table.class_type == class_type
    assert table.sample_id.tolist() == ["0.png", "1.png", "2.png"]


def test_other_columns_become_text(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        ["x", "y"],
        id=[7, 8],
        true_label=pa.array(["y", None]),
        batch=pa.array([0, 1], pa.timestamp("s")),
        annotator=[1.0, None],
    )
    assert table.sample_id.tolist() == ["7", "8"]
    columns = (table.true_label, table.batch, table.annotator)
    assert [None if column is None else column.tolist() for column in columns] == [
        ["y", None],
        ["1970-01-01 00:00:00", "1970-01-01 00:00:01"],
        ["1", None],
    ]


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        ([["x"], ["x", "y"]], "column 'label': cells of type list"),
        ([{"x": 0.5}, {"x": 0.1}], "column 'label': cells of type struct"),
        ([0.5, 1.0], "row 0, column 'label': label 0.5 is not a whole number"),
        (pa.array([1, 2], pa.date32()), "row 0, column 'label': label is of type date"),
        (pa.array([None, None], pa.string()), "every row is unlabelled"),
        ([b"x", b"y"], "column 'label': cells of type binary"),
        ([], "there are no rows"),
    ],
)
def test_bad_labels_stop(tmp_path: Path, labels: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        read(tmp_path, labels)


def test_images_inside_the_file_are_read_there(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table({"image": [{"bytes": b"\xff", "path": "a"}] * 2, "label": ["x", "y"]}), path)
    table = read_labels(path)
    assert table.source is not None
    assert table.source.format == "images"
    assert table.pictures is not None
    assert [picture.read() for picture in table.pictures] == [b"\xff"] * 2


def test_broken_files_stop(tmp_path: Path) -> None:
    path = write(tmp_path, ["x", "y"])
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"data\.parquet: not a readable Parquet file"):
        read_labels(path)
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["label", "label"])
    pq.write_table(table, path)
    with pytest.raises(DataError, match="column 'label': two columns have this name"):
        read_labels(path)


def edit(
    path: Path,
    labels: Mapping[int, str | None],
    drop: frozenset[int] = frozenset(),
    extra: Mapping[str, Sequence[str | bool | float | None]] | None = None,
) -> pq.ParquetFile:
    out = path.with_name("out.parquet")
    edit_label_file(Source(path, "parquet", "label"), out, labels=labels, drop=drop, extra=extra or {})
    return pq.ParquetFile(out)


def test_an_edit_keeps_schema_metadata_row_groups_and_codecs(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "image": [f"{row}.png" for row in range(7)],
            "label": pd.Categorical(["b", "a", None, "b", "a", "b", "a"], categories=["b", "a", "unused"]),
            "when": pd.date_range("2024-01-01", periods=7, tz="Europe/Paris"),
            "nested": [{"k": [1, 2]}] * 7,
        },
        index=pd.Index(range(10, 17), name="key"),
    )
    table = pa.Table.from_pandas(frame)
    field = table.schema.field("image").with_metadata({"note": "kept"})
    table = table.cast(table.schema.set(0, field))
    path = tmp_path / "data.parquet"
    pq.write_table(
        table, path, row_group_size=3, compression={"image": "gzip", "label": "zstd"}, version="2.4"
    )

    before, after = pq.ParquetFile(path), edit(path, {0: "a", 5: None, 6: "b"})
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    assert after.metadata.format_version == before.metadata.format_version
    groups = [after.metadata.row_group(group) for group in range(after.num_row_groups)]
    assert [group.num_rows for group in groups] == [3, 3, 1]
    old = before.metadata.row_group(0)
    assert [groups[0].column(i).compression for i in range(old.num_columns)] == [
        old.column(i).compression for i in range(old.num_columns)
    ]
    assert after.read().column("label").to_pylist() == ["a", "a", None, "b", "a", None, "b"]
    assert after.read().drop_columns(["label"]).equals(before.read().drop_columns(["label"]))
    pd.testing.assert_index_equal(after.read().to_pandas().index, frame.index)


def test_editing_nothing_keeps_the_table(tmp_path: Path) -> None:
    path = write(tmp_path, pa.array([1, None, 2], pa.int16()))
    assert edit(path, {}).read().equals(pq.read_table(path))


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        (pa.array([1, 2, None], pa.uint8()), [2, None, 1]),
        (pa.array([1.0, 2.0, None]), [2.0, None, 1.0]),
    ],
)
def test_numbers_stay_numbers(tmp_path: Path, labels: Any, wanted: list[object]) -> None:
    after = edit(write(tmp_path, labels), {0: "2", 1: None, 2: "1"}).read()
    assert after.column("label").type == labels.type
    assert after.column("label").to_pylist() == wanted


def test_booleans_and_new_dictionary_values(tmp_path: Path) -> None:
    after = edit(write(tmp_path, pa.array([True, False])), {0: "false"}).read()
    assert after.column("label").to_pylist() == [False, False]
    labels = pa.array(["x", "y", "x"]).dictionary_encode().cast(pa.dictionary(pa.int8(), pa.string()))
    after = edit(write(tmp_path, labels), {0: "new", 1: None}).read()
    assert after.column("label").to_pylist() == ["new", None, "x"]
    assert after.column("label").type == labels.type


def test_rows_are_dropped_and_typed_columns_appended(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table({"label": ["a", "b", "c", "d"]}), path, row_group_size=2)
    extra: dict[str, list[str | bool | float | None]] = {
        "p": [0.5, None, 0.25, 1.0],
        "flag": [None, True, None, False],
        "nothing": [None] * 4,
    }
    after = edit(path, {2: "z"}, frozenset({0, 1, 3}), extra).read()
    assert after.to_pylist() == [{"label": "z", "p": 0.25, "flag": None, "nothing": None}]
    assert [str(kind) for kind in after.schema.types] == ["string", "double", "bool", "string"]
    with pytest.raises(DataError, match="column 'label': the column to append is there already"):
        edit(path, {}, extra={"label": [None] * 4})


def test_a_column_without_nulls_cannot_be_blanked(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    schema = pa.schema([pa.field("label", pa.string(), nullable=False)])
    pq.write_table(pa.table({"label": ["a", "b"]}, schema=schema), path)
    assert edit(path, {0: "b"}).read().column("label").to_pylist() == ["b", "b"]
    with pytest.raises(DataError, match="column 'label': the column admits no nulls"):
        edit(path, {0: None})


def test_a_file_without_row_groups_keeps_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    schema = pa.schema([("label", pa.string())])
    pq.ParquetWriter(path, schema).close()
    assert edit(path, {}, extra={"p": []}).read().schema.names == ["label", "p"]


def test_lists_nobody_asked_for_are_left_out_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    columns = {"image": ["a", "b"], "label": ["x", "y"], "annotator": [["ann", "bob"], ["ann"]]}
    pq.write_table(pa.table(columns | {"path": [b"raw", b"raw"]}), path)
    table = read_labels(path, columns=ColumnNames(image="image"))
    assert table.annotator is None
    assert table.warnings == ("column 'annotator' holds lists, mappings or bytes: left out",)
    with pytest.raises(DataError, match="column 'annotator': cells of type list"):
        read_labels(path, columns=ColumnNames(image="image", annotator="annotator"))
    with pytest.raises(DataError, match="column 'path': cells of type binary"):
        read_labels(path)
    embedded = read_labels(path, images_required=False)
    assert embedded.image is None
    assert embedded.source is not None
    assert embedded.source.image_column is None
