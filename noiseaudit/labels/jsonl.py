"""JSON Lines: one object a line; edited value by value so that nothing else changes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from noiseaudit.errors import DataError
from noiseaudit.labels.revision import Revision
from noiseaudit.labels.text import TextFile, read_text
from noiseaudit.labels.values import typed_label

Record = tuple[int, str, dict[str, Any]]  # line (from 1), raw text with its line end, object ({} if blank)
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


class JsonlReader:
    """The keys (in order of first use) and the columns of a JSON Lines file; DataError if malformed."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._rows = [row for _, raw, row in records(read_text(path, encoding)) if raw.strip()]
        if not self._rows:
            raise DataError("the file is empty", file=path, fix="Give one JSON object a line.")
        self.nested: frozenset[str] = frozenset()  # known cell by cell only
        self.names = list(dict.fromkeys(name for row in self._rows for name in row))

    def columns(self, wanted: Sequence[str]) -> dict[str, list[Any]]:
        """The values of these keys, one list each; None where a row lacks the key."""
        return {name: [row.get(name) for row in self._rows] for name in wanted}


def records(file: TextFile) -> Iterator[Record]:
    """Every line; blank ones come with an empty object. Raises DataError on a line that is no JSON object."""
    for line, raw in enumerate(io.StringIO(file.text, newline="\n"), start=1):
        if not raw.strip():
            yield line, raw, {}
            continue
        try:
            row = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"malformed row ({error})",
                file=file.path,
                line=line,
                fix="Each line must be one JSON object.",
            ) from error
        if not isinstance(row, dict):
            raise DataError(
                f"a JSON {type(row).__name__}, not an object",
                file=file.path,
                line=line,
                fix='Each line must be one JSON object such as {"image": "a.png", "label": "cat"}.',
            )
        yield line, raw, row


def edit_jsonl(file: TextFile, label_column: str, revision: Revision) -> str:
    """The text of the file after the revision; lines that it does not touch stay as they are."""
    kind = _label_kind(file, label_column)
    parts: list[str] = []
    names: dict[str, None] = {}
    row = 0
    for _, raw, values in records(file):
        if not raw.strip():
            parts.append(raw)
            continue
        names.update(dict.fromkeys(values))
        if row not in revision.drop:
            parts.append(_revised(raw, values, row, label_column, kind, revision))
        row += 1
    revision.check(list(names), row, file.path)
    return "".join(parts)


def _label_kind(file: TextFile, label_column: str) -> type:
    values = (row.get(label_column) for _, _, row in records(file))
    return next((type(value) for value in values if value not in (None, "")), str)


def _revised(
    raw: str, values: dict[str, Any], row: int, label_column: str, kind: type, revision: Revision
) -> str:
    if not revision.touches(row):
        return raw
    added: dict[str, Any] = dict(zip(revision.extra, revision.cells(row), strict=True))
    if row in revision.labels:
        label = revision.labels[row]
        old = values.get(label_column)
        own_kind = kind if old in (None, "") else type(old)
        new = None if label is None else typed_label(label, own_kind)
        if label_column in values:
            raw = _replaced(raw, label_column, new)
        else:
            added = {label_column: new} | added
    return _inserted(raw, added)


def _replaced(raw: str, name: str, value: object) -> str:
    # The last of repeated keys is the one that readers see.
    start, end = [span for key, *span in _members(raw) if key == name][-1]
    return raw[:start] + json.dumps(value, ensure_ascii=raw.isascii()) + raw[end:]


def _inserted(raw: str, added: dict[str, Any]) -> str:
    if not added:
        return raw
    ends = [end for _, _, end in _members(raw)]
    comma, colon = (",", ":") if '": ' not in raw and ends else (", ", ": ")
    text = json.dumps(added, ensure_ascii=raw.isascii(), separators=(comma, colon))[1:-1]
    if ends:
        return raw[: ends[-1]] + comma + text + raw[ends[-1] :]
    opening = raw.index("{") + 1
    return raw[:opening] + text + raw[opening:]


def _members(raw: str) -> Iterator[tuple[str, int, int]]:
    """Each key of the object on this line, with the span of its value."""
    place = _skip(raw, raw.index("{") + 1)
    while raw[place] != "}":
        key, place = _DECODER.raw_decode(raw, place)
        start = _skip(raw, _skip(raw, place) + 1)
        _, end = _DECODER.raw_decode(raw, start)
        yield key, start, end
        place = _skip(raw, end)
        if raw[place] == ",":
            place = _skip(raw, place + 1)


def _skip(raw: str, place: int) -> int:
    while raw[place] in _SPACE:
        place += 1
    return place
