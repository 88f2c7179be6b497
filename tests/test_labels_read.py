"""read_labels on CSV and TSV, and what all formats share."""

from __future__ import annotations

import codecs
import csv
import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from noiseaudit.errors import DataError
from noiseaudit.labels import ColumnNames, LabelTable, Source, read_labels
from noiseaudit.labels.read import read_again


def read(
    tmp_path: Path,
    text: str,
    columns: ColumnNames | None = None,
    missing_label: str | None = None,
    images_required: bool = True,
) -> LabelTable:
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode("utf-8"))
    return read_labels(
        path,
        columns=columns or ColumnNames(),
        missing_label=missing_label,
        images_required=images_required,
    )


def test_all_columns_of_a_csv(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "sample_id,path,label,true_label,split,annotator,batch,note\r\n"
        "1,x\\a.png,cat,dog,train,ann,b1,n\r\n"
        '2,"x/b,1.png",,,,,,\r\n'
        '3,c.png,"dog ""big""\r\none",cat,test,bob,b2,n\r\n',
    )
    assert table.sample_id.tolist() == ["1", "2", "3"]
    assert table.image is not None
    assert table.image.tolist() == ["x\\a.png", "x/b,1.png", "c.png"]
    assert table.given_label.tolist() == ["cat", None, 'dog "big"\r\none']
    columns = (table.true_label, table.split, table.annotator, table.batch)
    assert [None if column is None else column.tolist() for column in columns] == [
        ["dog", None, "cat"],
        ["train", None, "test"],
        ["ann", None, "bob"],
        ["b1", None, "b2"],
    ]
    assert table.codes.tolist() == [0, -1, 1]
    assert table.class_type == "string"
    assert table.source is not None
    assert (table.source.format, table.source.label_column) == ("csv", "label")


def test_cells_are_text(tmp_path: Path) -> None:
    table = read(tmp_path, "image,label\na,01\nb,1\nc,=1+1\nd,<b>\ne,😀\nf, cat\ng,1.0\n")
    assert table.given_label.tolist() == ["01", "1", "=1+1", "<b>", "😀", " cat", "1.0"]


def test_names_that_look_missing_are_classes_with_a_warning(tmp_path: Path) -> None:
    text = "image,label\na,NA\nb,None\nc,nan\nd,null\ne,\n"
    table = read(tmp_path, text)
    assert table.given_label.tolist() == ["NA", "None", "nan", "null", None]
    assert len(table.warnings) == 4
    table = read(tmp_path, text, missing_label="NA")
    assert table.given_label.tolist() == [None, "None", "nan", "null", None]
    assert len(table.warnings) == 3


def test_tsv_and_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "data.TSV"
    path.write_bytes(codecs.BOM_UTF16_BE + "image\tlabel\na,1\tcafé\nb\tx\n".encode("utf-16-be"))
    table = read_labels(path, encoding="utf-16")
    assert table.given_label.tolist() == ["café", "x"]
    path.write_bytes(codecs.BOM_UTF8 + b"image\tlabel\na\tx\nb\ty\n")
    assert read_labels(path).sample_id.tolist() == ["a", "b"]


def test_columns_by_option(tmp_path: Path) -> None:
    table = read(
        tmp_path, "image,label,mine,key\na,x,1,k1\nb,x,2,k2\n", columns=ColumnNames(label="mine", id="key")
    )
    assert table.given_label.tolist() == ["1", "2"]
    assert table.sample_id.tolist() == ["k1", "k2"]


def test_without_images_ids_or_row_numbers(tmp_path: Path) -> None:
    table = read(tmp_path, 'label\nx\n""\ny\n', images_required=False)
    assert table.image is None
    assert table.sample_id.tolist() == ["0", "1", "2"]
    assert table.given_label.tolist() == ["x", None, "y"]
    table = read(tmp_path, "id,label\nk,x\nl,y\n", images_required=False)
    assert table.sample_id.tolist() == ["k", "l"]


def test_the_same_image_twice_and_an_empty_image_cell(tmp_path: Path) -> None:
    table = read(tmp_path, "image,label\na,x\na,y\n,x\n")
    assert table.sample_id.tolist() == ["a", "a#2", "row 2"]
    assert table.image is not None
    assert table.image.tolist() == ["a", "a", None]


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    table = read(tmp_path, "\nimage,label\n\na,x\n\r\nb,y\n\n")
    assert table.given_label.tolist() == ["x", "y"]


def test_ten_thousand_classes(tmp_path: Path) -> None:
    table = read(tmp_path, "image,label\n" + "".join(f"{i},{i}\n" for i in range(10_000)))
    np.testing.assert_array_equal(table.codes, np.arange(10_000))


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("image,label\n", "there are no rows"),
        ("image,label,label\na,x,y\n", "column 'label': two columns have this name"),
        ("image,species\na,x\n", "no label column"),
        ("image,label\na,x\nb,y,z\n", "line 3: 3 fields where the header has 2"),
        ('image,label\n"a\nb",x\nc\n', "line 4: 1 fields where the header has 2"),
        ('image,label\na,x\nb,"y\nc,z\n', "line 3: malformed row"),
        ('image,label\na,x\n"b"c,y\n', "line 3: malformed row"),
        ("image,label\na,x\nb,\0\n", "line 3: NUL characters"),
        ("image,label\na,\nb,\n", "column 'label': every row is unlabelled"),
        ("image,label\na,x\nb,x\n", "at least two classes"),
        ("image,label\na,x\nb,y\nc,x|y\n", "row 2, column 'label': label 'x|y'"),
        ("image,label\na,x\nb,\"['y']\"\n", "row 1, column 'label': label"),
    ],
)
def test_bad_csv_stops_with_one_line(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(DataError, match=match) as caught:
        read(tmp_path, text)
    assert "data.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_blank_line_in_a_single_column_is_ambiguous(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'line 3: a blank line .*Write "" for an unlabelled row'):
        read(tmp_path, "label\nx\n\ny\n", images_required=False)


def test_absent_files_and_unknown_suffixes_stop(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such label file"):
        read_labels(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"unknown kind of label file '\.xlsx'.*\.csv"):
        read_labels(tmp_path / "none.xlsx")


def test_reading_again_looks_at_the_columns_of_the_source_only(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("label,id,image\nx,1,a\nNA,1,b\n,1,\n")
    source = Source(path, "csv", "label", missing_label="NA")
    assert read_again(source) == {"label": ["x", None, None]}
    source = dataclasses.replace(source, image_column="image")
    assert read_again(source) == {"label": ["x", None, None], "image": ["a", "b", None]}
    with pytest.raises(DataError, match="column 'species': no such column"):
        read_again(Source(path, "csv", "species"))


def test_the_source_knows_its_columns(tmp_path: Path) -> None:
    source = read(tmp_path, "path,label,id\na,x,1\nb,y,2\n").source
    assert source == Source(tmp_path / "data.csv", "csv", "label", image_column="path", id_column="id")


@pytest.mark.parametrize("ids", [("1", "1"), ("1", "")])
def test_ids_stop_the_scan_only_where_they_were_named(tmp_path: Path, ids: tuple[str, str]) -> None:
    text = f"image,label,id\na,x,{ids[0]}\nb,y,{ids[1]}\n"
    table = read(tmp_path, text)
    assert table.sample_id.tolist() == ["a", "b"]
    assert table.source is not None
    assert table.source.id_column is None
    (warning,) = table.warnings
    assert warning.startswith("column 'id' is left out: data.csv, row 1, ")
    assert "row 1" in warning
    with pytest.raises(DataError, match="row 1, column 'id'"):
        read(tmp_path, text, ColumnNames(id="id"))


def test_true_labels_that_are_no_classes_stop_the_scan_only_where_they_were_named(tmp_path: Path) -> None:
    text = "image,label,true_label\na,1,1.0\nb,2,\n"
    table = read(tmp_path, text)
    assert table.true_label is None
    assert table.warnings == (
        "column 'true_label' is left out: data.csv, column 'true_label': no true label is a class of the labels "
        "(the first is '1.0'). Write '1' in its place.",
    )
    with pytest.raises(DataError, match=r"/data\.csv, column 'true_label': no true label"):
        read(tmp_path, text, ColumnNames(true_label="true_label"))
    assert read(tmp_path, text.replace("1.0", "1")).true_label is not None


def test_a_cell_of_any_length_is_read(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    table = read(tmp_path, f"image,label,note\na,x,{'n' * 200_000}\nb,y,\n")
    assert table.given_label.tolist() == ["x", "y"]
    assert csv.field_size_limit() == limit


def test_reading_imports_no_heavy_library() -> None:
    code = (
        "import sys, noiseaudit.labels, noiseaudit.noise, noiseaudit.corrupt, noiseaudit.clean\n"
        "print(sorted({'torch', 'pandas', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("columns", [ColumnNames(), ColumnNames(true_label="true_label")])
def test_true_labels_of_rows_to_score_are_judged_by_the_models_classes(
    tmp_path: Path, columns: ColumnNames
) -> None:
    """A shard whose labels are all of one class, and its truth of another."""
    file = tmp_path / "data.csv"
    file.write_text("image,label,true_label\na,cat,dog\nb,cat,dog\n")
    table = read_labels(file, columns=columns, classes=("cat", "dog"))
    assert table.true_label is not None
    assert table.true_label.tolist() == ["dog", "dog"]
    assert table.warnings == ()
    table = read_labels(file, classes=("cat", "eel"))
    assert table.true_label is None
