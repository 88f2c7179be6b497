"""Files that spreadsheets separate by semicolons or tabs are read, and written back so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from noiseaudit.errors import DataError
from noiseaudit.labels import ColumnNames, edit_label_file, read_labels
from noiseaudit.labels.separator import find_separator


@pytest.mark.parametrize(
    ("text", "kind", "separator"),
    [
        ("image,label\n", "csv", ","),
        ("image;label\n", "csv", ";"),
        ("image\tlabel\n", "csv", "\t"),
        ("image\tlabel\n", "tsv", "\t"),
        ("image,label\n", "tsv", ","),
        ("image;label\n", "tsv", ";"),
        ('\r\n"image";"label"\r\n', "csv", ";"),
        ("image;x,label\n", "csv", ","),  # one usual name and two columns either way
        ("image;label;price, EUR\n", "csv", ";"),
        ("image;label;a, b, c, d\n", "csv", ";"),
        ('"image";"label";"a, b"\n', "csv", ";"),
        ('image;"a, b";label\n', "csv", ";"),
        ("image\tlabel\ta, b\n", "csv", "\t"),
        ("x;y;a, b\n", "csv", ";"),
        ("image\tlabel\tnote; a, b, c, d\n", "tsv", "\t"),
        ('image,label,"a;b;c;d"\n', "csv", ","),
        ('"a\nb";image;label\n', "csv", ";"),
        ("image,label,a;b;c;d\n", "csv", ","),
        ('"open;image;label\n', "csv", ","),
        ('"bild";"a, b, c"\n', "csv", ";"),  # by the comma, the quotes are malformed
        ("sep=;\nx,y,label\n", "csv", ";"),
        ("SEP=,\r\nimage;label\n", "csv", ","),
        ("sep=\t\rimage;label\n", "csv", "\t"),
        ("a;b;c\td\n", "csv", ";"),
        ('"image;label"\n', "csv", ","),
        ("label\na;b\n", "csv", ","),  # only the header counts
        ("image|label\n", "csv", ","),
        ("", "tsv", "\t"),
        ("n" * 200_000 + ";label\n", "csv", ";"),
    ],
)
def test_the_header_tells(text: str, kind: str, separator: str) -> None:
    assert find_separator(text, kind) == separator


@pytest.mark.parametrize("mark", [";", "\t"])
def test_edits_keep_the_separator_and_every_other_byte(mark: str, tmp_path: Path) -> None:
    before = '\ufeff"filename";label;"note"\r\na.png;"cat";"x;y"\r\nb.png;dog;1,5\n\nc.png;;'.replace(
        ";", mark
    )
    path, out = tmp_path / "data.csv", tmp_path / "out.csv"
    path.write_bytes(before.encode())
    table = read_labels(path)
    assert table.given_label.tolist() == ["cat", "dog", None]
    assert table.source is not None
    assert table.source.image_column == "filename"
    edit_label_file(table.source, out, labels={})
    assert out.read_bytes() == before.encode()
    edit_label_file(table.source, out, labels={1: f"a{mark}b"}, drop={0}, extra={"p": [None, 0.5, True]})
    after = f'\ufeff"filename";label;"note";p\r\nb.png;"a{mark}b";1,5;0.5\n\nc.png;;;true'
    assert out.read_bytes() == after.replace(";", mark).encode()


def test_named_columns_tell_more_than_usual_names() -> None:
    text = "photo;image, label, class\n"
    assert find_separator(text, "csv") == ","
    assert find_separator(text, "csv", ["photo"]) == ";"


def test_a_file_of_semicolons_with_commas_in_its_header_is_read_by_options_too(tmp_path: Path) -> None:
    path, out = tmp_path / "data.csv", tmp_path / "out.csv"
    path.write_text("bild;klasse;id, label, split\na.png;cat;1,5\nb.png;dog;\n")
    table = read_labels(path, columns=ColumnNames(image="bild", label="klasse"))
    assert table.source is not None
    assert table.given_label.tolist() == ["cat", "dog"]
    edit_label_file(table.source, out, labels={0: "dog"}, extra={"p": [0.5, True]})
    assert out.read_text() == "bild;klasse;id, label, split;p\na.png;dog;1,5;0.5\nb.png;dog;;true\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_first_line_that_names_the_separator_is_kept(end: str, tmp_path: Path) -> None:
    path, out = tmp_path / "data.csv", tmp_path / "out.csv"
    before = f"\ufeffsep=;{end}{end}image;label{end}a.png;cat{end}b.png;dog{end}"
    path.write_bytes(before.encode())
    table = read_labels(path)
    assert table.source is not None
    assert table.image is not None
    assert (table.image.tolist(), table.given_label.tolist()) == (["a.png", "b.png"], ["cat", "dog"])
    edit_label_file(table.source, out, labels={})
    assert out.read_bytes() == before.encode()
    edit_label_file(table.source, out, labels={1: "cat"}, extra={"p": [0.5, None]})
    assert out.read_bytes() == (
        f"\ufeffsep=;{end}{end}image;label;p{end}a.png;cat;0.5{end}b.png;cat;{end}".encode()
    )


@pytest.mark.parametrize(
    ("rows", "problem"),
    [("image;image\n", "line 2, column 'image'"), ("image;label\na\n", "line 3: 1 fields where")],
)
def test_lines_are_counted_from_the_top_of_the_file(rows: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(f"sep=;\n{rows}")
    with pytest.raises(DataError, match=problem):
        read_labels(tmp_path / "data.csv")


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("sep=|\nimage|label\n", "|"),
        ("image|label\n", "|"),
        ("image:label,x\n", ":"),
        ("id,image|label\n", "|"),
    ],
)
def test_columns_that_an_odd_separator_joins_are_pointed_out(
    text: str, separator: str, tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text(text)
    with pytest.raises(DataError, match=rf"no label column.* is it separated by '{re.escape(separator)}'\?"):
        read_labels(tmp_path / "data.csv")


def test_a_mark_in_a_name_that_is_whole_is_not_pointed_out(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text('image,"a;b"\n')
    with pytest.raises(DataError, match=r"The columns are 'image', 'a;b'$"):
        read_labels(tmp_path / "data.csv")
