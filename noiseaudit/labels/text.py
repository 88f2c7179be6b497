"""Label files as text: decoded without losing a byte, so that they can be written back."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from noiseaudit.atomic import atomic_path
from noiseaudit.errors import ConfigError, DataError

_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Codec -> (byte order mark, codec without one) in order of trial; the mark is kept apart from the text.
_MARKS: dict[str, tuple[tuple[bytes, str], ...]] = {
    "utf-8": ((codecs.BOM_UTF8, "utf-8"),),
    "utf-8-sig": ((codecs.BOM_UTF8, "utf-8"),),
    "utf-16": ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")),
    "utf-16-le": ((codecs.BOM_UTF16_LE, "utf-16-le"),),
    "utf-16-be": ((codecs.BOM_UTF16_BE, "utf-16-be"),),
    "utf-32": ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")),
}
_UNMARKED = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}


@dataclass(frozen=True)
class TextFile:
    """A decoded file. `mark` + `text` encoded with `codec` are its bytes."""

    path: Path
    text: str
    codec: str
    mark: bytes = b""

    def write_as(self, out: Path, text: str) -> None:
        """Write `text` to `out` with this file's encoding and byte order mark, atomically.

        Raises DataError if the encoding lacks a character, or would not return this file's own bytes.
        """
        if self._encode(self.text) != self.path.read_bytes():
            raise DataError(
                f"text in {self.codec} cannot be written back byte for byte",
                file=self.path,
                fix="Convert the file to UTF-8.",
            )
        data = self._encode(text)
        with atomic_path(out) as temporary:
            temporary.write_bytes(data)

    def _encode(self, text: str) -> bytes:
        try:
            return self.mark + text.encode(self.codec)
        except UnicodeEncodeError as error:
            raise DataError(
                f"{error.object[error.start : error.end]!r} cannot be written in {self.codec}",
                file=self.path,
                fix="Convert the file to UTF-8.",
            ) from error


def read_text(path: Path, encoding: str) -> TextFile:
    """Decode a whole file; a byte order mark is set aside.

    Raises DataError if the file is unreadable or not valid in `encoding`, ConfigError if that is no encoding.
    """
    data = read_bytes(path)
    mark, codec = _exact_codec(data, encoding)
    try:
        text = data[len(mark) :].decode(codec)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = data[: len(mark) + start].count(b"\n") + 1
        raise DataError(
            f"bytes that are not valid {encoding}", file=path, line=line, fix=_suggest(data)
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError("NUL characters in the text", file=path, line=line, fix=_suggest(data))
    return TextFile(path, text, codec, mark)


def read_bytes(path: Path) -> bytes:
    """A whole file. Raises DataError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path) from error


def _exact_codec(data: bytes, encoding: str) -> tuple[bytes, str]:
    try:
        name = codecs.lookup(encoding).name
        " ".encode(encoding)
    except (LookupError, ValueError) as error:
        raise ConfigError(
            f"--encoding {encoding!r} is not a known text encoding", fix="Try utf-8, utf-16 or cp1252."
        ) from error
    for mark, codec in _MARKS.get(name, ()):
        if data.startswith(mark):
            return mark, codec
    return b"", _UNMARKED.get(name, name)


def _suggest(data: bytes) -> str:
    if data.startswith(_UTF16_BOMS) or b"\0" in data[:4096]:
        return "It looks like UTF-16: give --encoding utf-16."
    return "Give --encoding, for example --encoding cp1252, or convert the file to UTF-8."
