"""Images that are no files of their own: members of a tar archive, cells of an Arrow or Parquet column.

None is unpacked or held: each is read from its place when it is decoded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

NO_IMAGE = "the sample holds no image"


@dataclass(frozen=True)
class TarMember:
    """Where a member's bytes lie in an uncompressed archive; a `size` below 0: there is none."""

    shard: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """Raises UnusableImageError where the archive is gone or shorter than it was."""
        from noiseaudit.data.opening import UnusableImageError

        if self.size < 0:
            raise UnusableImageError("missing", NO_IMAGE)
        try:
            with open(self.shard, "rb", buffering=0) as file:
                file.seek(self.offset)
                content = file.read(self.size)
        except FileNotFoundError as error:
            raise UnusableImageError("missing", "no such shard any more") from error
        if len(content) < self.size:
            raise UnusableImageError("unreadable", "the shard ends within this image")
        return content


class Cells(Protocol):
    """A column of images."""

    def cell(self, row: int) -> Any:
        """Bytes, a mapping with `bytes`, or None."""


@dataclass(frozen=True)
class TableCell:
    """One cell of a column; equal to no cell of another."""

    cells: Cells
    row: int

    def read(self) -> bytes:
        """Raises UnusableImageError where the cell holds no bytes."""
        from noiseaudit.data.opening import UnusableImageError

        cell = self.cells.cell(self.row)
        content = cell.get("bytes") if isinstance(cell, dict) else cell
        if not isinstance(content, bytes):
            raise UnusableImageError("missing", NO_IMAGE)
        return content


Stored = TarMember | TableCell
