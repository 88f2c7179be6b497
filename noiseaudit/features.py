"""What instance-dependent corruption looks at: small grey images, or embeddings."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.data.limits import DEFAULT_MAX_MEMORY
from noiseaudit.errors import ConfigError
from noiseaudit.labels.table import LabelTable

Features = npt.NDArray[np.float32]
SIDE = 16  # pixels: enough to tell images apart, and small enough to project a million of them


def instance_features(table: LabelTable, *, images: Path | None, embeddings: Path | None) -> Features:
    """(n, d): each row's embedding, or its image as 16 x 16 grey values; standardised, zero where unreadable.

    Columns have mean 0 and standard deviation 1 over the readable rows; constant columns are zero.

    Raises ConfigError unless exactly one of `images` and `embeddings` is given, DataError if it is unusable.
    """
    if embeddings is not None and images is None:
        from noiseaudit.data.embeddings import is_readable, load_embeddings

        values = load_embeddings(embeddings, table)
        return _standardised(values, is_readable(values))
    if images is not None and embeddings is not None:
        raise ConfigError("--images and --embeddings are both given", fix="Give one of them.")
    if images is None:
        raise ConfigError(
            "instance-dependent corruption needs features", fix="Give --images or --embeddings."
        )
    from noiseaudit.data.load import find_images, load_images

    found = find_images(table, images, file=table.source.path if table.source else images)
    with tempfile.TemporaryDirectory() as cache:
        pixels = load_images(found, image_size=SIDE, memory_limit=DEFAULT_MAX_MEMORY, cache_dir=Path(cache))
        grey = pixels.data.float().mean(dim=1).flatten(1).numpy()
    return _standardised(grey, pixels.is_ok)


def _standardised(values: Features, is_readable: npt.NDArray[np.bool_]) -> Features:
    from noiseaudit.samples import column_scales

    mean, deviation = column_scales(values[is_readable])
    scaled: Features = np.where(is_readable[:, None], (values - mean) / deviation, 0).astype(np.float32)
    # The mean of a constant column may be off by a rounding error.
    scaled[:, (values[is_readable] == values[is_readable][0]).all(axis=0)] = 0
    return scaled
