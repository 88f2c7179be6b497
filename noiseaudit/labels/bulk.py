"""CSV and TSV files rewritten in bulk: what changes is cut out and put in, all bytes between are copied."""

from __future__ import annotations

import codecs
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.arrays import bytes_of, flags, from_arrow, null, numbers, pieces, text
from noiseaudit.cells import cell_texts
from noiseaudit.errors import DataError
from noiseaudit.labels.delimited import checked_records, edited_header
from noiseaudit.labels.revision import Changes, NotPlain, Revise, check_added
from noiseaudit.labels.separator import find_separator, header_start
from noiseaudit.labels.spans import Bytes, Places, Spans, find_spans, in_quotes, record_pieces
from noiseaudit.labels.table import Source
from noiseaudit.labels.text import TextFile

_HEAD = 1 << 16  # bytes, in which the header is


def rewrite_delimited(source: Source, out: Path, revise: Revise, added: Collection[str]) -> None:
    """Write `source` to `out` after the changes that `revise` has for its rows; `added` are the names of new columns.

    Raises NotPlain where edit_label_file must do it: another encoding than UTF-8, carriage returns as line ends,
    quotes within cells, anything malformed. DataError if an added column exists already.
    """
    if not _is_utf8(source.encoding):
        raise NotPlain
    with opened(source.path) as file, out.open("wb") as written:
        mark, hint, header, separator, names = read_header(
            file, source.path, source.format, source.columns.named().values()
        )
        check_added(added, names, source.path)
        written.write(mark + (hint + edited_header(header, [*added], separator)).encode())
        for piece in record_pieces(file):
            spans = find_spans(piece, separator, len(names))
            written.write(_revised(spans, source, names, separator, revise) if len(spans) else piece)


def splice(data: Bytes, begins: Places, ends: Places, new: pa.Array) -> pa.Buffer:
    """`data` with the k spans from `begins` to `ends`, rising and apart, replaced by `new`, (k,)."""
    bounds = np.concatenate([[0], np.stack([begins, ends], axis=1).ravel(), [len(data)]])
    old = pieces(data, bounds)
    order = np.arange(len(old))
    order[1::2] = np.arange(len(old), len(old) + len(begins))
    return bytes_of(pa.concat_arrays([old, new.cast(pa.large_binary())]).take(numbers(order)))


def opened(path: Path) -> BinaryIO:
    """The file. Raises NotPlain if it cannot be read."""
    try:
        return path.open("rb")
    except OSError as error:
        raise NotPlain from error


class Header(NamedTuple):
    """What a CSV or TSV file begins with: `mark`, `hint` (a line `sep=;`) and `text` are its first bytes."""

    mark: bytes
    hint: str
    text: str
    separator: str
    names: list[str]


def read_header(file: BinaryIO, path: Path, kind: str, named: Collection[str]) -> Header:
    """The header of a UTF-8 file; `file` is left behind it. Raises NotPlain, also where it is malformed."""
    raw = file.read(_HEAD)
    mark = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    whole = raw[len(mark) : raw.rfind(b"\n") + 1] if len(raw) == _HEAD else raw[len(mark) :]
    try:
        head = TextFile(path, whole.decode("utf-8"), "utf-8", mark)
        separator = find_separator(head.text, kind, named)
        _, text, names = next(checked_records(head, separator))
    except (UnicodeDecodeError, DataError) as error:
        raise NotPlain from error
    if text.endswith("\r"):
        raise NotPlain
    hint = head.text[: header_start(head.text)]
    file.seek(len(mark) + len((hint + text).encode()))
    return Header(mark, hint, text, separator, names)


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    except LookupError:
        return False


def _revised(spans: Spans, source: Source, names: list[str], separator: str, revise: Revise) -> pa.Buffer:
    places = {role: names.index(name) for role, name in source.columns.named().items() if name in names}
    if len(places) < len(source.columns.named()):
        raise NotPlain
    texts = {role: _known(spans.texts(place), source, role) for role, place in places.items()}
    changes = revise(texts, len(spans))
    parts = [_labels(spans, places["label"], changes, source.missing_label or "", separator)]
    if changes.extra:
        parts.append(_appended(spans, changes, separator))
    gone = changes.dropped
    parts.append((spans.starts[gone], spans.stops[gone], pa.nulls(int(gone.sum()), pa.string())))
    begins, ends = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    new = pc.coalesce(pa.concat_arrays([part[2] for part in parts]), text(""))
    # A label at the end of its record goes before what is appended there.
    order = np.argsort(begins, kind="stable")
    return splice(spans.data, begins[order], ends[order], new.take(numbers(order)))


def _known(cells: pa.Array, source: Source, role: str) -> pa.Array:
    """Cells with null where nothing, or the missing label, stands, as `read_labels` has them."""
    none = null(pa.string())
    cells = pc.if_else(pc.equal(cells, text("")), none, cells)
    if role == "label" and source.missing_label:
        cells = pc.if_else(pc.equal(cells, text(source.missing_label)), none, cells)
    return cells


Part = tuple[Places, Places, pa.Array]  # spans, (k,) each, and what takes their place


def _labels(spans: Spans, place: int, changes: Changes, blank: str, separator: str) -> Part:
    rows = changes.relabelled & ~changes.dropped
    begins, ends = spans.cell(place)
    new = pc.coalesce(changes.labels.filter(flags(rows)), text(blank))
    always = spans.is_quoted(place)[rows]
    if spans.separators.shape[1] == 0 and not changes.extra:  # a blank line would be no row
        always = always | from_arrow(pc.equal(new, text("")).cast(pa.uint8())).astype(np.bool_)
    return begins[rows], ends[rows], in_quotes(new, separator, always)


def _appended(spans: Spans, changes: Changes, separator: str) -> Part:
    kept = ~changes.dropped
    places = range(spans.separators.shape[1] + 1)
    always = np.logical_and.reduce([spans.is_quoted(place) for place in places])[kept]
    columns = [pa.chunked_array([column.filter(flags(kept))]) for column in changes.extra.values()]
    cells = [in_quotes(pc.coalesce(cell_texts(column), text("")), separator, always) for column in columns]
    return spans.ends[kept], spans.ends[kept], pc.binary_join_element_wise(text(""), *cells, text(separator))
