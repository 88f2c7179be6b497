"""Rows that a finished model scores, block by block: read, predicted and forgotten.

A block is the unit of work of one process and of a cluster's actors alike, cut by the model alone, so that rows are the
same however many work on them. Whether a row can be read is decided here, what its label is worth is not: that takes
all rows (noiseaudit.rescore).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit import pretrained
from noiseaudit.data.decode import Pixels, decode_images
from noiseaudit.data.embed import Extractor
from noiseaudit.data.embeddings import UNREADABLE, is_readable
from noiseaudit.data.probe import Probe, probe_images
from noiseaudit.data.training import TrainingData
from noiseaudit.labels.table import Strings
from noiseaudit.load_samples import SampleOptions, decoding_workers, embed_stored
from noiseaudit.methods.base import Prediction
from noiseaudit.runtime import training_runtime
from noiseaudit.samples import standardised
from noiseaudit.saved_model import SavedModel
from noiseaudit.train import chunk_rows, predict_all

BLOCK_CHUNKS, BLOCK_BYTES = 8, 2**28  # of a block at most: chunks that are predicted together, bytes of x
NO_LIMIT = 2**62  # bytes: a block is small


class Block(NamedTuple):
    """Consecutive rows, from `first` on: the files of their images, or their vectors (b, d)."""

    first: int
    paths: list[Path] | None
    vectors: npt.NDArray[np.float32] | None

    def __len__(self) -> int:
        rows = self.vectors if self.paths is None else self.paths
        assert rows is not None
        return len(rows)


class Scores(NamedTuple):
    """What a model makes of a block: b rows, of which r were read."""

    first: int
    status: Strings  # (b,)
    reason: Strings  # (b,)
    prediction: Prediction  # of the r rows
    digest: bytes  # of what was read
    warnings: tuple[str, ...] = ()


class _Read(NamedTuple):
    """x of a block's b rows."""

    x: torch.Tensor
    status: Strings
    reason: Strings
    content: npt.NDArray[np.generic]  # what the digest is of
    warnings: tuple[str, ...] = ()


def block_rows(model: SavedModel) -> int:
    """Rows of a block: whole chunks, as a scan predicts them."""
    chunk = chunk_rows(model.shape)
    size = 4 if model.intake.kind != "images" else 1  # bytes of a value
    return chunk * max(1, min(BLOCK_CHUNKS, BLOCK_BYTES // (chunk * math.prod(model.shape) * size)))


def cut_blocks(
    paths: list[Path] | None, vectors: npt.NDArray[np.float32] | None, rows: int
) -> Iterator[Block]:
    """Blocks of so many rows, of either."""
    n = len(paths) if paths is not None else len(vectors) if vectors is not None else 0
    for first in range(0, n, rows):
        part = slice(first, first + rows)
        yield Block(first, None if paths is None else paths[part], None if vectors is None else vectors[part])


@dataclass(eq=False)
class Scorer:
    """Scores blocks with a model, which it holds on `device`. Of `options` those on how images are read count."""

    model: SavedModel
    options: SampleOptions
    device: torch.device

    def __post_init__(self) -> None:
        """Raises ConfigError where the extra `pretrained` is needed and missing."""
        if self.model.intake.kind == "features":
            pretrained.check_installed()
        self._method = self.model.build(self.device)
        self._extractor: Extractor | None = None

    def __call__(self, block: Block) -> Scores:
        """Read and predict a block; nothing is kept of it."""
        with training_runtime():
            read = self._read(block)
        rows = torch.from_numpy(np.flatnonzero(read.status == "ok"))
        data = TrainingData(read.x, rows, torch.full((len(rows),), -1), len(self.model.meta.classes))
        with training_runtime(self._threads):
            prediction = predict_all(self._method, data, self.device) if len(rows) else self._nothing
        digest = hashlib.sha256(" ".join(read.status).encode())
        digest.update(np.ascontiguousarray(read.content).data)
        return Scores(block.first, read.status, read.reason, prediction, digest.digest(), read.warnings)

    @property
    def _threads(self) -> int:
        """As the scan had them, as far as there are so many: sums have an order."""
        return min(self.model.meta.threads, torch.get_num_threads())

    @cached_property
    def _nothing(self) -> Prediction:
        with torch.no_grad():
            found = self._method.predict(torch.zeros(1, *self.model.shape, device=self.device))
        return Prediction(*(value[:0].cpu() for value in found))

    def _read(self, block: Block) -> _Read:
        if block.paths is None:
            assert block.vectors is not None
            return self._vectors(block.vectors)
        workers = decoding_workers(self.options)
        probe = probe_images(block.paths, max_pixels=self.options.max_pixels, workers=workers)
        if self.model.intake.kind == "features" and not self.model.is_tuned:
            return self._features(block.paths, probe)
        channels, height, width = self.model.shape
        pixels = decode_images(
            block.paths,
            probe,
            size=(height, width),
            channels=channels,
            workers=workers,
            memory_limit=NO_LIMIT,
            cache_dir=Path(),
        )
        return _of_pixels(pixels, channels)

    def _vectors(self, values: npt.NDArray[np.float32]) -> _Read:
        is_ok = is_readable(values)
        status = np.where(is_ok, "ok", "unreadable").astype(np.object_)
        reason = np.full(len(values), None, dtype=np.object_)
        reason[~is_ok] = UNREADABLE
        return _Read(self._scaled(values, is_ok), status, reason, values)

    def _features(self, paths: list[Path], probe: Probe) -> _Read:
        self._extractor = self._extractor or pretrained.load_extractor(
            probe, self.model.intake.side, self.device
        )
        found, warnings = embed_stored(paths, probe, self.options, self._extractor)
        x = self._scaled(found.values, found.status == "ok")
        return _Read(x, found.status, found.reason, found.digests, (*found.warnings, *warnings))

    def _scaled(self, values: npt.NDArray[np.float32], is_ok: npt.NDArray[np.bool_]) -> torch.Tensor:
        assert self.model.scales is not None
        return standardised(values, is_ok, *self.model.scales)


def _of_pixels(pixels: Pixels, channels: int) -> _Read:
    """Grey images that are stored as RGB have lost two channels in decoding."""
    data = pixels.data.expand(-1, channels, -1, -1)
    return _Read(data, pixels.status, pixels.reason, pixels.digests)
