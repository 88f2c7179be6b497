"""Features of images by content, kept between scans in one SQLite file.

What is the same picture has the same features wherever it lies, so the key is a hash of the file's bytes with all
that the features depend on.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import OutputError

Features = npt.NDArray[np.float16]

FILE_NAME = "features.sqlite"
WAIT = 60.0  # seconds for another scan to finish writing
AT_ONCE = 500  # keys in a query: SQLite's oldest limit is 999


class FeatureStore:
    """Vectors (d,) of float16 by key. Several processes may read and write at the same time."""

    def __init__(self, connection: sqlite3.Connection, file: Path) -> None:
        self._connection, self._file = connection, file

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Features]:
        """Those of `keys` that are known."""
        found: dict[bytes, Features] = {}
        with self._errors():
            for start in range(0, len(keys), AT_ONCE):
                part = keys[start : start + AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = self._connection.execute(
                    f"SELECT key, value FROM features WHERE key IN ({marks})", part
                )
                found |= {key: np.frombuffer(value, "<f2").astype(np.float16) for key, value in rows}
        return found

    def put(self, features: Mapping[bytes, Features]) -> None:
        """Keep these, at once or not at all."""
        rows = [(key, value.astype("<f2").tobytes()) for key, value in features.items()]
        with self._errors(), self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO features VALUES (?, ?)", rows)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _unusable(self._file, error) from error


@contextlib.contextmanager
def open_store(folder: Path) -> Iterator[FeatureStore]:
    """The store in `folder`, which is made if need be. Raises OutputError if it cannot be used."""
    file = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(file, timeout=WAIT)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(file, error) from error
    with contextlib.closing(connection):
        try:
            # Not WAL: to switch it on does not wait for others.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS features (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            raise _unusable(file, error) from error
        yield FeatureStore(connection, file)


def _unusable(file: Path, error: Exception) -> OutputError:
    return OutputError(
        f"features cannot be kept here ({error})",
        file=file,
        fix="Give another --feature-cache DIR, or --feature-cache none to keep none. A damaged file can be deleted.",
    )
