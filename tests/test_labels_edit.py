"""edit_label_file on CSV and TSV, and what all formats share."""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.errors import DataError, OutputError
from noiseaudit.labels import Source, edit_label_file

Cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6) | st.text(
    st.sampled_from(list('a",;\t\r\n# =')), max_size=6
)


def edited(
    data: bytes,
    labels: Mapping[int, str | None],
    *,
    drop: frozenset[int] = frozenset(),
    extra: Mapping[str, Sequence[str | bool | float | None]] | None = None,
    suffix: str = "csv",
    encoding: str = "utf-8",
    missing_label: str | None = None,
) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, f"in.{suffix}"), Path(folder, f"out.{suffix}")
        path.write_bytes(data)
        source = Source(path, suffix, "label", encoding, missing_label)
        edit_label_file(source, out, labels=labels, drop=drop, extra=extra or {})
        return out.read_bytes()


@st.composite
def csv_texts(draw: st.DrawFn, delimiter: str = ",") -> tuple[str, list[list[str]], int]:
    """A CSV text with any quoting, its data rows, and the place of the label column."""
    width = draw(st.integers(1, 4))
    place = draw(st.integers(0, width - 1))
    header = ["label" if i == place else f"c{i}" for i in range(width)]
    rows = draw(st.lists(st.lists(Cells, min_size=width, max_size=width), max_size=6))
    lines = []
    for row in [header, *rows]:
        cells = [_spelled(cell, delimiter, draw(st.booleans()) or width == 1) for cell in row]
        lines.append(delimiter.join(cells) + draw(st.sampled_from(["\n", "\r\n", "\r"])))
        if width > 1:
            lines.append(draw(st.sampled_from(["", "", "\n"])) if lines[-1].endswith("\n") else "")
    text = "".join(lines)
    return (text.rstrip("\r\n") if draw(st.booleans()) else text), rows, place


def _spelled(cell: str, delimiter: str, quotes: bool) -> str:
    if quotes or cell.startswith('"') or any(mark in cell for mark in (delimiter, "\r", "\n")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def parsed(data: bytes, delimiter: str = ",") -> list[list[str]]:
    records = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), delimiter=delimiter, strict=True)
    return [record for record in records if record]


@given(csv_texts())
def test_editing_nothing_gives_the_same_bytes(case: tuple[str, list[list[str]], int]) -> None:
    data = case[0].encode("utf-8")
    assert edited(data, {}) == data


@given(csv_texts(), Cells | st.none(), st.data())
def test_editing_one_cell_changes_only_that_record(
    case: tuple[str, list[list[str]], int], label: str | None, data: st.DataObject
) -> None:
    text, rows, place = case
    if not rows:
        return
    row = data.draw(st.integers(0, len(rows) - 1))
    before = text.encode("utf-8")
    after = edited(before, {row: label})
    wanted = [list(cells) for cells in rows]
    wanted[row][place] = label or ""
    assert parsed(after)[1:] == wanted
    # Without this record the two files are the same bytes.
    assert edited(after, {}, drop=frozenset({row})) == edited(before, {}, drop=frozenset({row}))


@given(csv_texts("\t"), st.data())
def test_appended_columns_of_a_tsv_and_dropped_rows(
    case: tuple[str, list[list[str]], int], data: st.DataObject
) -> None:
    text, rows, _ = case
    added = data.draw(st.lists(Cells, min_size=len(rows), max_size=len(rows)))
    drop = frozenset(data.draw(st.sets(st.integers(0, len(rows) - 1)))) if rows else frozenset[int]()
    after = edited(text.encode("utf-8"), {}, drop=drop, extra={"new": added}, suffix="tsv")
    header, *kept = parsed(after, "\t")
    assert header[-1] == "new"
    assert kept == [
        [*cells, cell] for row, (cells, cell) in enumerate(zip(rows, added, strict=True)) if row not in drop
    ]


def test_quotes_stay_as_the_cell_had_them_or_needs_them() -> None:
    data = b'image,label,n\r\n"a",cat,  1\r\nb,"cat",\r\nc,cat,"x""y"\r\nd,cat,z'
    after = edited(data, {0: "dog", 1: "dog", 2: "d,og", 3: 'd"og'})
    assert after == (b'image,label,n\r\n"a",dog,  1\r\nb,"dog",\r\nc,"d,og","x""y"\r\nd,"d""og",z')


def test_blanks_are_empty_or_the_missing_label() -> None:
    data = b"label,image\ncat,a\n"
    assert edited(data, {0: None}) == b"label,image\n,a\n"
    assert edited(data, {0: None}, missing_label="?") == b"label,image\n?,a\n"
    assert edited(b"label\ncat\n", {0: None}) == b'label\n""\n'


def test_appended_cells_are_spelled_for_reading_back() -> None:
    data = b'"image","label"\n"a","x"\nb,y\nc,z'
    after = edited(
        data, {}, extra={"p": [0.1, None, 1e-9], "flag": [True, False, None], "t": ["u,v", "=1", None]}
    )
    assert after == (
        b'"image","label","p","flag","t"\n"a","x","0.1","true","u,v"\nb,y,,false,=1\nc,z,1e-09,,'
    )


def test_byte_order_marks_and_encodings_stay() -> None:
    text = "image,label\na,café\nb,tea\n"
    for data, encoding in (
        (codecs.BOM_UTF8 + text.encode("utf-8"), "utf-8"),
        (codecs.BOM_UTF16_BE + text.encode("utf-16-be"), "utf-16"),
        (text.encode("cp1252"), "cp1252"),
    ):
        new = edited(data, {1: "café"}, encoding=encoding)
        assert new == edited(new, {}, encoding=encoding)
        assert new.decode(encoding).removeprefix("\ufeff") == text.replace("tea", "café")
        assert new[:3] == data[:3]


def test_an_appended_column_must_be_new_and_rows_must_be_in_the_file() -> None:
    data = b"image,label\na,x\n"
    with pytest.raises(DataError, match="column 'image': the column to append is there already"):
        edited(data, {}, extra={"image": [None]})
    with pytest.raises(DataError, match="has 1 rows"):
        edited(data, {1: "y"})
    with pytest.raises(DataError, match="has 1 rows"):
        edited(data, {}, drop=frozenset({4}))
    with pytest.raises(DataError, match="has 1 rows"):
        edited(data, {}, extra={"new": []} | {"other": ["a", "b"]})


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "in.csv"
    path.write_bytes(b"image,label\na,x\n")
    return Source(path, "csv", "label")


def test_the_input_is_never_overwritten(source: Source) -> None:
    with pytest.raises(OutputError, match="never overwritten"):
        edit_label_file(source, source.path, labels={0: "y"})
    assert source.path.read_bytes() == b"image,label\na,x\n"


def test_the_output_has_the_format_of_the_input(source: Source, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"format of the input \(csv\)\. Give --out a name in \.csv"):
        edit_label_file(source, tmp_path / "out.parquet", labels={})


def test_an_unwritable_folder_is_an_output_error(source: Source, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write here"):
        edit_label_file(source, tmp_path / "none" / "out.csv", labels={})


def test_a_failed_edit_leaves_no_file(source: Source, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        edit_label_file(source, tmp_path / "out.csv", labels={7: "y"})
    assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]
