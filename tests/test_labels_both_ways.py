"""Label files rewritten in bulk come out as those that are edited row by row, byte for byte, or are left to that."""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.arrays import optional_texts
from noiseaudit.errors import DataError
from noiseaudit.labels import Source, edit_label_file, spans
from noiseaudit.labels.edit import rewrite_label_file
from noiseaudit.labels.read import read_again
from noiseaudit.labels.revision import Changes, NotPlain
from tests.test_labels_edit import Cells, csv_texts

Extra = Mapping[str, Sequence[str | bool | float | None]]
TYPES = {"t": pa.string(), "p": pa.float64(), "f": pa.bool_()}


class Reviser:
    """Hands out a revision in pieces, and keeps what it was shown."""

    def __init__(self, labels: Mapping[int, str | None], drop: frozenset[int], extra: Extra) -> None:
        self.labels, self.drop, self.extra = labels, drop, extra
        self.n_rows = 0
        self.seen: dict[str, list[str | None]] = {}

    def __call__(self, cells: Mapping[str, pa.Array], n: int) -> Changes:
        rows = range(self.n_rows, self.n_rows + n)
        self.n_rows += n
        for role, texts in cells.items():
            self.seen.setdefault(role, []).extend(texts.to_pylist())
        return Changes(
            np.array([row in self.labels for row in rows], np.bool_),
            optional_texts([self.labels.get(row) for row in rows]),
            np.array([row in self.drop for row in rows], np.bool_),
            {
                name: pa.array(cells[rows.start : rows.stop], TYPES[name])
                for name, cells in self.extra.items()
            },
        )


def rewritten(source: Source, out: Path, reviser: Reviser) -> bytes:
    added = {name: TYPES[name] for name in reviser.extra}
    rewrite_label_file(source, out, reviser, added, lambda: None)
    return out.read_bytes()


def both(
    data: bytes,
    labels: Mapping[int, str | None],
    drop: frozenset[int] = frozenset(),
    extra: Extra | None = None,
    *,
    suffix: str = "csv",
    missing_label: str | None = None,
) -> tuple[bytes, bytes, Reviser]:
    """In bulk, row by row, and what was shown in bulk. Raises NotPlain."""
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, f"in.{suffix}"), Path(folder, f"out.{suffix}")
        path.write_bytes(data)
        source = Source(path, suffix, "label", "utf-8", missing_label)
        edit_label_file(source, out, labels=labels, drop=drop, extra=extra or {})
        careful = out.read_bytes()
        out.unlink()
        reviser = Reviser(labels, drop, extra or {})
        try:
            found = rewritten(source, out, reviser)
        except NotPlain:
            assert [*Path(folder).iterdir()] == [path]  # nothing is left behind
            raise
        if reviser.n_rows:
            assert reviser.seen == {"label": read_again(source)["label"]}
        return found, careful, reviser


@settings(max_examples=150)
@given(csv_texts(), st.data(), st.sampled_from([1, 5, 1 << 20]))
def test_any_csv_comes_out_the_same_or_is_left_alone(
    case: tuple[str, list[list[str]], int], data: st.DataObject, piece: int
) -> None:
    text, rows, _ = case
    some = st.sets(st.integers(0, len(rows) - 1)) if rows else st.just(set[int]())
    labels = {row: data.draw(Cells | st.none()) for row in data.draw(some)}
    extra: dict[str, list[Any]] = {}
    if data.draw(st.booleans()):
        extra["t"] = data.draw(st.lists(Cells | st.none(), min_size=len(rows), max_size=len(rows)))
        extra["p"] = data.draw(st.lists(st.floats(0, 1) | st.none(), min_size=len(rows), max_size=len(rows)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "PIECE", piece)
        try:
            found, careful, _ = both(text.encode(), labels, frozenset(data.draw(some)), extra)
        except NotPlain:
            # Only for carriage returns as line ends, and quotes or nulls where the format has none.
            assert "\r" in text.replace("\r\n", "") or '"' in text or "\0" in text
            return
    assert found == careful


PLAIN = [
    b"image,label\na,cat\nb,dog\nc,cat\n",
    b"image,label\na,cat\nb,dog\nc,cat",  # no last line end
    b"image,label\r\na,cat\r\nb,dog\nc,cat\r\n",
    codecs.BOM_UTF8 + "image;label\na;café\nb;dog\nc;cat\n".encode(),
    b"sep=;\nimage;label\na;cat\nb;dog\nc;cat\n",
    b'"image","label"\n"a","cat"\n"b","dog"\n"c","cat"\n',
    b'label,note\ncat,"two\r\nlines, ""quoted"""\n"dog",""\ncat,"""x"""\n',
    b"\n\nimage,label\n\na,cat\n\r\nb,dog\n\n\nc,cat\n\n",  # blank lines are no rows
    b"image,label,n\na,,\nb,,1\n,cat,\n",
    b"label\ncat\ndog\ncat\n",
    b'label\n"cat"\n""\ncat\n',
    "image,label\na,Ä\nb,猫\nc,😀\n".encode(),
]
NOT_PLAIN = [
    b"image,label\ra,cat\rb,dog\rc,cat\r",
    b'image,label\na 5" disk,cat\nb,dog\nc,cat\n',
    b'image,label\n"a\rb",cat\nb,dog\rc,cat\n',
]


@pytest.mark.parametrize("data", PLAIN)
@pytest.mark.parametrize("piece", [1, 16, 1 << 20])
def test_plain_files_are_done_in_bulk(data: bytes, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "PIECE", piece)
    extra: Extra = {"t": ["x,y", 'q"', None], "p": [0.1, None, 1e-9], "f": [True, None, False]}
    for changes in (
        both(data, {}),
        both(data, {0: "d,og", 1: None, 2: 'a"b'}),
        both(data, {0: "frog", 2: None}, missing_label="dog"),
        both(data, {1: "x"}, frozenset({0, 2})),
        both(data, {0: "frog", 2: None}, frozenset({1}), extra),
    ):
        found, careful, reviser = changes
        assert found == careful
        assert reviser.n_rows == 3


@pytest.mark.parametrize("data", NOT_PLAIN)
def test_other_files_are_left_to_the_careful_way(data: bytes) -> None:
    with pytest.raises(NotPlain):
        both(data, {0: "frog"})


MALFORMED = [
    b"image,label\na,cat\nb\n",
    b"image,label\na,cat,x\nb\nc,d\n",  # as many separators as two cells a row have
    b'image,label\na,"cat\n',
    b'image,label\na,"cat"x\n',
    b"image,label\na,c\0t\n",
    b"image,label\na,\xff\n",
    b"image,image\na,b\n",
    b"label\ncat\n\ndog\n",
    b"",
]


@pytest.mark.parametrize("data", MALFORMED)
def test_malformed_files_are_left_to_who_says_what_is_wrong(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(data)
    source = Source(path, "csv", "label")
    with pytest.raises(NotPlain):
        rewritten(source, tmp_path / "out.csv", Reviser({}, frozenset(), {}))
    with pytest.raises(DataError):
        edit_label_file(source, tmp_path / "out.csv", labels={})


LABELS = [
    pa.array(["b", "a", None, "", "b", "a", "b"]),
    pa.array(["b", "a", None, "", "b", "a", "b"], pa.large_string()),
    pa.array([1, 2, None, 1, 2, 1, 2], pa.int16()),
    pa.array([True, False, None, True, False, True, True]),
    pa.array(["b", "a", None, "b", "b", "a", "b"])
    .dictionary_encode()
    .cast(pa.dictionary(pa.int8(), pa.string())),
]


@pytest.mark.parametrize("labels", LABELS)
def test_parquet_comes_out_the_same(labels: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    table = pa.table({"id": list("tuvwxyz"), "label": labels, "nested": [[{"k": 1}]] * 7})
    table = table.replace_schema_metadata({"note": "kept"})
    pq.write_table(table, path, row_group_size=3, compression={"id": "gzip", "label": "zstd"}, version="2.4")
    new = {"b": ("a", "new"), "1": ("2", "7"), "true": ("false", "true")}[str(labels[0].as_py()).lower()]
    extra: Extra = {"t": [None, "x", *[None] * 5], "p": [0.5, None, 1.0, *[0.1] * 4]}
    for drop in (frozenset[int](), frozenset({1, 6}), frozenset(range(3))):
        outs = [tmp_path / "careful.parquet", tmp_path / "bulk.parquet"]
        source = Source(path, "parquet", "label", id_column="id")
        changes = {0: new[0], 4: new[1], 5: None}
        edit_label_file(source, outs[0], labels=changes, drop=drop, extra=extra)
        reviser = Reviser(changes, drop, extra)
        rewritten(source, outs[1], reviser)
        careful, bulk = (pq.ParquetFile(out) for out in outs)
        assert bulk.schema_arrow.equals(careful.schema_arrow, check_metadata=True)
        assert bulk.read().to_pylist() == careful.read().to_pylist()
        sizes = [[f.metadata.row_group(g).num_rows for g in range(f.num_row_groups)] for f in (careful, bulk)]
        assert sizes[0] == sizes[1]
        codec = [[f.metadata.row_group(0).column(i).compression for i in range(5)] for f in (careful, bulk)]
        assert codec[0] == codec[1]
        assert reviser.seen == {role: read_again(source)[role] for role in ("label", "id")}


@pytest.mark.parametrize(
    ("labels", "new"),
    [
        (pa.array([1.0, 2.0]), "2"),
        (pa.array([1, 2]), "01"),
        (pa.array([1, 2]), "cat"),
        (pa.array([True, False]), "1"),
        (pa.array([["a"], ["b"]]), "a"),
    ],
)
def test_parquet_that_takes_care(labels: Any, new: str, tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"label": labels}), path)
    with pytest.raises(NotPlain):
        rewritten(
            Source(path, "parquet", "label"), tmp_path / "out.parquet", Reviser({0: new}, frozenset(), {})
        )
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("encoding", ["no such", "utf-16", "latin-1"])
def test_other_encodings_are_left_to_who_knows_them(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"image,label\na,x\n")
    with pytest.raises(NotPlain):
        rewritten(Source(path, "csv", "label", encoding), tmp_path / "out.csv", Reviser({}, frozenset(), {}))


def test_a_record_longer_than_a_piece_may_be_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spans, "PIECE", 8)
    monkeypatch.setattr(spans, "LONGEST", 64)
    path = tmp_path / "in.csv"
    path.write_bytes(b'image,label\na,"' + b"x\n" * 100 + b'"\nb,y\n')
    with pytest.raises(NotPlain):
        rewritten(Source(path, "csv", "label"), tmp_path / "out.csv", Reviser({}, frozenset(), {}))
