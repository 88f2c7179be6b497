"""What instance-dependent corruption looks at: small grey images, or embeddings."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import ConfigError
from noiseaudit.labels.table import LabelTable

SIDE = 16  # pixels: enough to tell images apart, and small enough to project a million of them
MEMORY_LIMIT = 4 * 2**30  # bytes of decoded pixels; above it they live in a temporary file


def instance_features(
    table: LabelTable, *, images: Path | None, embeddings: Path | None
) -> npt.NDArray[np.float32]:
    """(n, d): each row's embedding, or its image as 16 x 16 grey values in [0, 1]; zero where unreadable.

    Raises ConfigError unless exactly one of `images` and `embeddings` is given, DataError if it is unusable.
    """
    if embeddings is not None and images is None:
        from noiseaudit.data.embeddings import load_embeddings

        return load_embeddings(embeddings, table)
    if images is None or embeddings is not None:
        raise ConfigError("instance-dependent corruption needs --images or --embeddings, not both")
    from noiseaudit.data.load import load_images

    file = table.source.path if table.source else images
    with tempfile.TemporaryDirectory() as cache:
        pixels = load_images(
            table, images, image_size=SIDE, memory_limit=MEMORY_LIMIT, cache_dir=Path(cache), file=file
        )
        grey = pixels.data.float().mean(dim=1).flatten(1) / 255
    return np.asarray(grey.numpy(), dtype=np.float32)
