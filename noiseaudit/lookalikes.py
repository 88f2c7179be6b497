"""Near duplicates: rows that show almost the same, by what the network saw of them.

Images are compared by a perceptual hash of 64 bits (pHash, of the lowest frequencies): at most BITS of them differ.
benchmarks/lookalikes.py measures how many pictures stored once more are found, and how many different ones are taken
for one. Vectors, frozen features among them, are compared by their angle, with a limit on the safe side: 999 in 1,000
images of CIFAR-10 have features with no other at a cosine above 0.82, and half of their mirror images pass 0.89.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

Codes = npt.NDArray[np.int64]

BITS, HASH_BITS = 4, 64
COSINE = 0.9


class Lookalikes:
    """How far apart k rows of x are, where they are alike."""

    def __init__(self, x: torch.Tensor, rows: Codes) -> None:
        """`x` is (n, channels, H, W) uint8 or (n, d) float32; `rows` are those of the k."""
        self._x, self._rows = x.numpy(), rows
        self._hashes: dict[int, npt.NDArray[np.bool_]] = {}

    def distance(self, one: int, other: int) -> float | None:
        """Share of the hash that differs, or 1 - cosine, of two of the k rows; None where they are not alike."""
        if self._x.ndim == 2:
            a, b = self._x[self._rows[one]], self._x[self._rows[other]]
            lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
            cosine = float(a @ b) / lengths if lengths else 0.0
            return max(0.0, 1 - cosine) if cosine >= COSINE else None
        bits = int((self._hash(one) != self._hash(other)).sum())
        return bits / HASH_BITS if bits <= BITS else None

    def _hash(self, place: int) -> npt.NDArray[np.bool_]:
        if place not in self._hashes:
            self._hashes[place] = perceptual_hash(self._x[self._rows[place]])
        return self._hashes[place]


def perceptual_hash(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """pHash of an image (1 or 3, H, W): (HASH_BITS,)."""
    import imagehash  # slow to import
    from PIL import Image

    image = Image.fromarray(
        pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
    )
    return np.asarray(imagehash.phash(image).hash, np.bool_).ravel()
