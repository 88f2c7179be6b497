"""Where records and cells lie in a piece of a CSV or TSV file, for all of its records at once.

Quotes are taken as RFC 4180 has them: the first opens a cell right behind a separator or a line end, the next closes
it right before one, two together inside are one quote of the text. Where that holds for every quote of a piece, and
carriage returns stand before line feeds, counting quotes tells what is quoted, and Python's csv module finds the same
records. Everything else is NotPlain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.arrays import numbers, pieces, text
from noiseaudit.labels.revision import NotPlain

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

PIECE = 1 << 24  # bytes
LONGEST = 1 << 27  # bytes of one record
_QUOTE, _LF, _CR = b'"'[0], b"\n"[0], b"\r"[0]


@dataclass(frozen=True)
class Spans:
    """n records that are not blank, of `width` cells each. Cells and records end before their line end."""

    data: Bytes
    starts: Places  # (n,)
    ends: Places  # (n,)
    stops: Places  # (n,) behind the line end
    separators: Places  # (n, width - 1)
    has_quotes: bool

    def __len__(self) -> int:
        return len(self.starts)

    def cell(self, place: int) -> tuple[Places, Places]:
        """Where the cells of a column begin and end, quotes included: (n,) each."""
        last = place == self.separators.shape[1]
        begins = self.starts if place == 0 else self.separators[:, place - 1] + 1
        return begins, self.ends if last else self.separators[:, place]

    def is_quoted(self, place: int) -> Bools:
        """Which cells of a column are in quotes, (n,)."""
        begins, ends = self.cell(place)
        if not self.has_quotes:
            return np.zeros(len(self), np.bool_)
        return np.asarray((ends > begins) & (self.data[np.minimum(begins, len(self.data) - 1)] == _QUOTE))

    def texts(self, place: int) -> pa.Array:
        """The cells of a column as the csv module reads them, (n,)."""
        if not len(self):
            return pa.nulls(0, pa.string())
        begins, ends = self.cell(place)
        inside = self.is_quoted(place).astype(np.int64)
        bounds = np.append(np.stack([begins + inside, ends - inside], axis=1).ravel(), len(self.data))
        cells = pieces(self.data, bounds).take(numbers(np.arange(0, len(bounds) - 1, 2)))
        cells = cells.cast(pa.string())
        return pc.replace_substring(cells, '""', '"') if self.has_quotes else cells


def record_pieces(file: BinaryIO) -> Iterator[bytes]:
    """The rest of a file, cut behind line ends that are not in quotes, about PIECE bytes each."""
    rest = b""
    while data := file.read(PIECE):
        rest += data
        if end := _last_end(rest):
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > LONGEST:
            raise NotPlain
    if rest:
        yield rest


def find_spans(piece: bytes, separator: str, width: int) -> Spans:
    """The records of a piece that begins and ends with one. Raises NotPlain, also where one has not `width` cells."""
    if b"\0" in piece or not _is_text(piece):
        raise NotPlain
    data = np.frombuffer(piece, np.uint8)
    quotes = _at(piece, data, _QUOTE)
    line_ends = _outside(_at(piece, data, _LF), quotes)
    _check_returns(_outside(_at(piece, data, _CR), quotes), data)
    separators = _outside(_at(piece, data, ord(separator)), quotes)
    _check_quotes(quotes, data, ord(separator))
    stops = line_ends + 1
    if not len(stops) or stops[-1] < len(data):
        stops = np.append(stops, len(data))
    starts = np.concatenate([[0], stops[:-1]])
    ends = stops - (data[stops - 1] == _LF)
    ends -= (ends > starts) & (data[ends - 1] == _CR)
    used = ends > starts
    if len(separators) != used.sum() * (width - 1) or (width == 1 and not used.all()):
        raise NotPlain
    starts, ends, stops = starts[used], ends[used], stops[used]
    separators = separators.reshape(len(starts), width - 1)
    if width > 1 and ((separators[:, 0] < starts) | (separators[:, -1] >= ends)).any():
        raise NotPlain
    return Spans(data, starts, ends, stops, separators, bool(len(quotes)))


def in_quotes(cells: pa.Array, separator: str, always: Bools) -> pa.Array:
    """Cells as they stand in the file, (n,): in quotes where they need them, or `always`, (n,), says so."""
    needed = pc.match_substring_regex(cells, f'["\\r\\n{separator}]')
    if always.any():
        needed = pc.or_(needed, numbers(always.view(np.uint8)).cast(pa.bool_()))
    if not pc.any(needed).as_py():
        return cells
    mark = text('"')
    whole = pc.binary_join_element_wise(mark, pc.replace_substring(cells, '"', '""'), mark, text(""))
    return pc.if_else(needed, whole, cells)


def _is_text(piece: bytes) -> bool:
    try:
        return piece.isascii() or bool(piece.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _at(piece: bytes, data: Bytes, sign: int) -> Places:
    """Where a byte stands, (k,)."""
    return np.flatnonzero(data == sign) if sign in piece else np.empty(0, np.int64)


def _outside(places: Places, quotes: Places) -> Places:
    """Those of `places` that are not in quotes."""
    return places[np.searchsorted(quotes, places) % 2 == 0] if len(quotes) else places


def _last_end(piece: bytes) -> int:
    """Behind the last line end that is not in quotes, 0 if there is none."""
    if b'"' not in piece:
        return piece.rfind(b"\n") + 1
    data = np.frombuffer(piece, np.uint8)
    line_ends = _outside(np.flatnonzero(data == _LF), np.flatnonzero(data == _QUOTE))
    return int(line_ends[-1]) + 1 if len(line_ends) else 0


def _check_returns(returns: Places, data: Bytes) -> None:
    """Raise NotPlain if a carriage return outside quotes has no line feed behind it."""
    if len(returns) and (returns[-1] + 1 == len(data) or (data[returns + 1] != _LF).any()):
        raise NotPlain


def _check_quotes(quotes: Places, data: Bytes, separator: int) -> None:
    """Raise NotPlain unless every quote opens a cell, closes one, or is half of a doubled one inside."""
    if not len(quotes):
        return
    if len(quotes) % 2:
        raise NotPlain
    opens, closes = quotes[::2], quotes[1::2]
    doubled = closes[:-1] + 1 == opens[1:]
    first = np.concatenate([[True], ~doubled])  # opens that are not half of a doubled quote
    before = data[opens[first] - 1]
    at_start = opens[first] == 0
    behind = closes[np.concatenate([~doubled, [True]])] + 1
    after = data[np.minimum(behind, len(data) - 1)]
    fits_before = at_start | (before == separator) | (before == _LF)
    fits_after = (behind == len(data)) | (after == separator) | (after == _LF) | (after == _CR)
    if not (fits_before.all() and fits_after.all()):
        raise NotPlain
