"""Label files rewritten in bulk: byte for byte what the careful way, row by row, writes."""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.arrays import optional_texts
from noiseaudit.errors import DataError
from noiseaudit.labels import Source, edit_label_file, spans
from noiseaudit.labels.bulk import rewrite_delimited
from noiseaudit.labels.edit import rewrite_label_file
from noiseaudit.labels.read import read_again
from noiseaudit.labels.revision import Cell, Changes, NotPlain, nothing

TYPES = {"is_label_issue": pa.bool_(), "suggested_label": pa.string(), "p_mislabeled": pa.float64()}
Cells = st.text(st.sampled_from(list('aé猫😀 ",;\t\n=\x0b\x85\u2028')), max_size=5)
AnyCells = Cells | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@dataclass(frozen=True)
class Edit:
    """What becomes of each of n rows: a new label (None blanks it) for some, dropped or not, cells to append."""

    labels: Mapping[int, str | None]
    drop: frozenset[int]
    extra: Mapping[str, list[Cell]]

    def changes(self, first: int, n: int) -> Changes:
        rows = range(first, first + n)
        return Changes(
            np.array([row in self.labels for row in rows], np.bool_),
            optional_texts([self.labels.get(row) for row in rows]),
            np.array([row in self.drop for row in rows], np.bool_),
            {name: pa.array(cells[first : first + n], TYPES[name]) for name, cells in self.extra.items()},
        )


def in_bulk(source: Source, out: Path, edit: Edit) -> dict[str, list[str | None]]:
    """Rewrite, and return the cells that were read on the way."""
    seen: dict[str, list[str | None]] = {role: [] for role in source.columns.named()}

    def revise(cells: Mapping[str, pa.Array], n: int) -> Changes:
        first = len(seen["label"])
        for role, column in cells.items():
            seen[role] += column.to_pylist()
        return edit.changes(first, n)

    rewrite_delimited(source, out, revise, edit.extra)
    return seen


@dataclass(frozen=True)
class Case:
    content: bytes
    suffix: str
    n: int
    missing: str | None


@st.composite
def cases(draw: st.DrawFn, cells: st.SearchStrategy[str] = Cells) -> Case:
    """A label file of any quoting, with blank lines, mixed line ends, a hint, and with or without a last line end."""
    suffix = draw(st.sampled_from(["csv", "csv", "tsv"]))
    separator = "\t" if suffix == "tsv" else draw(st.sampled_from([",", ";"]))
    names = draw(st.permutations(["label", "image", "note"]))[: draw(st.integers(1, 3))]
    names = names if "label" in names else [*names, "label"]
    rows = draw(st.lists(st.lists(cells, min_size=len(names), max_size=len(names)), max_size=6))
    text = ""
    for row in [names, *rows]:
        spelled = [_spelled(cell, separator, draw(st.booleans()) or len(names) == 1) for cell in row]
        text += separator.join(spelled) + draw(st.sampled_from(["\n", "\r\n"]))
        text += draw(st.sampled_from(["", "", "\n", "\r\n"])) if len(names) > 1 else ""
    text = text.rstrip("\r\n") if draw(st.booleans()) else text
    mark = draw(st.sampled_from([b"", codecs.BOM_UTF8]))
    return Case(mark + text.encode(), suffix, len(rows), draw(st.sampled_from([None, "a"])))


def _spelled(cell: str, separator: str, quotes: bool) -> str:
    if quotes or any(mark in cell for mark in (separator, "\r", "\n", '"')):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@st.composite
def edits(draw: st.DrawFn, n: int, policy: str) -> Edit:
    """What `clean --policy` may ask of n rows; labels of people go with any policy."""
    some = st.sets(st.integers(0, n - 1)) if n else st.just(set[int]())
    rows = draw(some)
    new: st.SearchStrategy[str | None] = st.none() if policy == "blank" else Cells | st.none()
    labels = {row: draw(new) for row in rows}
    drop = frozenset(draw(some)) if policy == "drop" else frozenset[int]()
    extra: dict[str, list[Cell]] = {}
    if policy == "flag":
        kinds: tuple[st.SearchStrategy[Cell], ...] = (st.booleans(), AnyCells, st.floats(allow_nan=False))
        for name, kind in zip(TYPES, kinds, strict=True):
            extra[name] = draw(st.lists(st.none() | kind, min_size=n, max_size=n))
    return Edit(labels, drop, extra)


def _compare(case: Case, edit: Edit, piece: int) -> None:
    """Both ways over one file, in bulk in pieces of about `piece` bytes."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "PIECE", piece)
        path, out = Path(folder, f"in.{case.suffix}"), Path(folder, f"out.{case.suffix}")
        path.write_bytes(case.content)
        image = "image" if b"image" in case.content else None
        source = Source(path, case.suffix, "label", missing_label=case.missing, image_column=image)
        edit_label_file(source, out, labels=edit.labels, drop=edit.drop, extra=edit.extra)
        careful = out.read_bytes()
        seen = in_bulk(source, out, edit)
        assert out.read_bytes() == careful
        assert seen == {role: list(cells) for role, cells in read_again(source).items()}


@pytest.mark.parametrize("policy", ["drop", "relabel", "blank", "flag"])
@settings(max_examples=40)
@given(cases(), st.integers(1, 60), st.data())
def test_the_bytes_are_those_of_the_careful_way(
    policy: str, case: Case, piece: int, data: st.DataObject
) -> None:
    _compare(case, data.draw(edits(case.n, policy)), piece)


@settings(max_examples=40)
@given(cases(AnyCells), st.integers(1, 60), st.data())
def test_any_file_is_either_the_same_or_left_to_the_careful_way(
    case: Case, piece: int, data: st.DataObject
) -> None:
    edit = data.draw(edits(case.n, "flag"))
    try:
        _compare(case, edit, piece)
    except (NotPlain, DataError):  # the careful way refuses most of these, too: they look like UTF-16
        assert b"\0" in case.content  # all else that is quoted as RFC 4180 has it goes in bulk


def _unchanged(_: Mapping[str, pa.Array], n: int) -> Changes:
    return nothing(n, {})


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n"])
def test_a_file_without_rows_stays(end: str) -> None:
    _compare(Case(b"label,image" + end.encode(), "csv", 0, None), Edit({}, frozenset(), {}), 1 << 20)


LATIN = "label,image\ncafé,a\n".encode("cp1252")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (LATIN, "cp1252"),
        ("label,image\ncat,a\n".encode("utf-16"), "utf-16"),
        (LATIN, "utf-8"),
        (b"label,image\rcat,a\r", "utf-8"),
        (b"label,image\ncat,a\rdog,b\n", "utf-8"),
        (b"label,image\ncat,a\r", "utf-8"),
        (b'label,image\nca"t,a"\n', "utf-8"),
        (b'label,image\n"cat"s,a\n', "utf-8"),
        (b'label,image\n"cat,a\n', "utf-8"),
        (b'label,image\n "cat",a\n', "utf-8"),
        (b"label,image\ncat\n", "utf-8"),
        (b"label,image\ncat,a,b\n", "utf-8"),
        (b"label,image\ncat,a,b\ndog\n", "utf-8"),
        (b"label\ncat\n\ndog\n", "utf-8"),
        (b"label,image\ncat,\0\n", "utf-8"),
        (b"label,label\ncat,a\n", "utf-8"),
        (b"name,image\ncat,a\n", "utf-8"),
        (b"", "utf-8"),
    ],
)
def test_what_is_not_plain_is_left_to_the_careful_way(content: bytes, encoding: str, tmp_path: Path) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_bytes(content)
    with pytest.raises(NotPlain):
        rewrite_label_file(Source(path, "csv", "label", encoding), out, _unchanged, {}, lambda: None)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_and_json_lines_are_left_to_the_careful_way(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"label": "cat"}\n')
    for name, kind, out in (("in.jsonl", "jsonl", "out.jsonl"), (".", "folder", "out.csv")):
        with pytest.raises(NotPlain):
            rewrite_label_file(
                Source(tmp_path / name, kind, "label"), tmp_path / out, _unchanged, {}, lambda: None
            )


def test_an_added_column_must_be_new(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"label,p_mislabeled\ncat,1\n")
    with pytest.raises(DataError, match="column 'p_mislabeled': the column to append is there already"):
        in_bulk(
            Source(tmp_path / "in.csv", "csv", "label"),
            tmp_path / "out.csv",
            Edit({}, frozenset(), {"p_mislabeled": [0.5]}),
        )
