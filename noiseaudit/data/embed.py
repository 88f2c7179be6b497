"""From image files to frozen features: hash, look up, decode what is new, extract, keep."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noiseaudit.data.convert import Bytes
from noiseaudit.data.digest import digest, no_digests
from noiseaudit.data.feature_store import Features, FeatureStore
from noiseaudit.data.opening import Picture, UnusableImageError, picture_bytes, pillow_settings
from noiseaudit.data.parallel import map_chunks
from noiseaudit.data.paths import first_rows
from noiseaudit.data.probe import Probe
from noiseaudit.data.resize import read_array
from noiseaudit.errors import OutputError
from noiseaudit.labels.table import Strings

BATCH = 64  # images that are decoded and go through the network together

GONE = UnusableImageError("unreadable", "it went away while it was read")
CHANGED = UnusableImageError("unreadable", "it changed while it was read")

OnProgress = Callable[[int, int], None]  # images done, images in all


@dataclass(frozen=True)
class Extractor:
    """A network whose features stand for images."""

    extract: Callable[[Bytes], Features]  # (B, 3, side, side) -> (B, width)
    width: int
    side: int  # pixels
    version: str  # all that the features of an image depend on, besides the image

    def key(self, digest: bytes) -> bytes:
        """Of the features of a file with this hash."""
        return hashlib.sha256(f"{self.version} {self.side}\0".encode() + digest).digest()


@dataclass(frozen=True, eq=False)
class Embedded:
    """One entry per row."""

    values: npt.NDArray[np.float32]  # (n, d); NaN where not ok
    digests: Bytes  # (n, 32) SHA-256 of the file; zero where not ok
    status: Strings  # (n,) as Pixels has them
    reason: Strings
    warnings: tuple[str, ...] = ()


class _Decoded(NamedTuple):
    rows: list[int]
    pixels: Bytes  # (rows, 3, side, side)
    failed: dict[int, UnusableImageError]


class _Extracted(NamedTuple):
    features: dict[bytes, Features]
    failed: dict[bytes, UnusableImageError]
    warnings: tuple[str, ...]


def embed_images(
    paths: Sequence[Picture],
    probe: Probe,
    extractor: Extractor,
    *,
    store: FeatureStore | None,
    workers: int,
    on_progress: OnProgress = lambda done, total: None,
) -> Embedded:
    """Features of the rows that `probe` found ok, each content once; from the `store` where it has them.

    Files that turn out damaged become "unreadable". A store that cannot be written is given up with a warning.
    """
    first = first_rows(paths)
    status, reason = probe.status.copy(), probe.reason.copy()
    rows = np.flatnonzero(probe.is_ok & (first == np.arange(len(paths)))).tolist()
    digest_of = _digests(paths, rows, workers)
    for row in set(rows) - digest_of.keys():
        status[row], reason[row] = GONE.status, GONE.reason
    keys = {row: extractor.key(digest) for row, digest in digest_of.items()}
    stored = store.get([*dict.fromkeys(keys.values())]) if store else {}
    features = {key: value for key, value in stored.items() if len(value) == extractor.width}
    new = list({key: row for row, key in keys.items() if key not in features}.values())

    def decode(part: Sequence[int]) -> _Decoded:
        return _decode(paths, part, digest_of, extractor.side, probe.max_pixels)

    def on_new(done: int) -> None:
        on_progress(len(keys) - len(new) + done, len(keys))

    with pillow_settings(probe.max_pixels):
        made = _extracted(map_chunks(decode, new, workers, chunk=BATCH), extractor, keys, store, on_new)
    for row, key in keys.items():
        if key in made.failed:
            status[row], reason[row] = made.failed[key].status, made.failed[key].reason
    features |= made.features
    values, digests = _gathered(first, keys, digest_of, features, extractor.width, status[first] == "ok")
    return Embedded(values, digests, status[first], reason[first], made.warnings)


def _extracted(
    batches: Iterable[_Decoded],
    extractor: Extractor,
    keys: Mapping[int, bytes],
    store: FeatureStore | None,
    on_new: Callable[[int], None],
) -> _Extracted:
    """The features of decoded images by the `keys` of their rows, put into the `store`; `on_new` hears how many."""
    features, failed = dict[bytes, Features](), dict[bytes, UnusableImageError]()
    warnings, done = tuple[str, ...](), 0
    for decoded in batches:
        failed |= {keys[row]: error for row, error in decoded.failed.items()}
        if decoded.rows:
            vectors = extractor.extract(decoded.pixels)
            batch = {keys[row]: vector for row, vector in zip(decoded.rows, vectors, strict=True)}
            features |= batch
            try:
                if store:
                    store.put(batch)
            except OutputError as error:  # a full disk must not cost the scan
                store, warnings = None, (f"features are not kept from here on: {error}",)
        done += len(decoded.rows) + len(decoded.failed)
        on_new(done)
    return _Extracted(features, failed, warnings)


def _digests(paths: Sequence[Picture], rows: Sequence[int], workers: int) -> dict[int, bytes]:
    """By row, of those that are still there."""
    hashed = map_chunks(lambda part: [_digest(paths[row]) for row in part], rows, workers)
    found = zip(rows, (digest for part in hashed for digest in part), strict=True)
    return {row: digest for row, digest in found if digest}


def _gathered(
    first: npt.NDArray[np.int64],
    keys: dict[int, bytes],
    digest_of: dict[int, bytes],
    features: dict[bytes, Features],
    width: int,
    is_ok: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.float32], Bytes]:
    """Features and hashes of every row, (n, width) and (n, 32)."""
    values = np.full((len(first), width), np.nan, np.float32)
    digests = no_digests(len(first))
    for row in np.flatnonzero(is_ok):
        source = int(first[row])
        values[row] = features[keys[source]]
        digests[row] = np.frombuffer(digest_of[source], np.uint8)
    return values, digests


def _digest(path: Picture) -> bytes | None:
    """SHA-256 of an image file; None if it is gone since its header was read."""
    try:
        return digest(picture_bytes(path)).tobytes()
    except UnusableImageError:
        return None


def _decode(
    paths: Sequence[Picture], rows: Sequence[int], digest_of: Mapping[int, bytes], side: int, max_pixels: int
) -> _Decoded:
    pixels, read, failed = np.zeros((len(rows), 3, side, side), np.uint8), list[int](), {}
    for row in rows:
        try:
            content = picture_bytes(paths[row])
            if digest(content).tobytes() != digest_of[row]:  # features would be kept under another hash
                raise CHANGED
            pixels[len(read)] = read_array(content, max_pixels, size=(side, side), channels=3)
            read.append(row)
        except UnusableImageError as error:
            failed[row] = error
    return _Decoded(read, pixels[: len(read)], failed)
