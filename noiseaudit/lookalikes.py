"""Near duplicates: rows that show almost the same, by what the network saw of them.

Images are compared by a perceptual hash of 64 bits (pHash, of the lowest frequencies), vectors by their angle. Two rows
are taken for near duplicates where little differs and that stands out: it is at most STANDS_OUT of the median over the
row's neighbours. Without this, all digits 1 would be near duplicates of one another, and all rows of few
dimensions. Where most neighbours are copies themselves, such as frames of one video, they say nothing of what is
usual; then the median over rows of the other's class counts, in which copies are fewer, and which is small where the
class is dense. A class that is copies by half and more looks like a dense one: nothing is named in it.
benchmarks/lookalikes.py measures the first condition on images.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.seeds import derive_seed

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BITS, HASH_BITS = 4, 64
FARTHEST_VECTOR = 0.1  # 1 - cosine
STANDS_OUT, STANDS_OUT_VECTOR = 0.15, 0.1  # of the median over neighbours
LEAST_DIMENSIONS = 8  # of vectors: in fewer, some are near one another by chance
CLASS_ROWS = 50  # of a class, that show how far apart its rows are


class Lookalikes:
    """How far apart k rows of x are."""

    def __init__(self, x: torch.Tensor, rows: Codes, given: Codes) -> None:
        """`x` is (n, channels, H, W) uint8 or (n, d) float32; `rows` are those of the k, (k,), with labels `given`."""
        self._x, self._rows, self._is_vector = x.numpy(), rows, x.ndim == 2
        self._given, self._of_class = given, dict[int, Codes]()
        self._hashes: dict[int, npt.NDArray[np.bool_]] = {}

    def near_duplicate(self, row: int, neighbours: Codes, allowed: Flags) -> tuple[int, float] | None:
        """The nearest `allowed` one of `neighbours`, (m,) both, and how far it is; None if it is no near duplicate."""
        if not allowed.any() or (self._is_vector and self._x.shape[1] < LEAST_DIMENSIONS):
            return None
        distances = np.array([self.distance(row, other) for other in neighbours.tolist()])
        best = int(np.where(allowed, distances, np.inf).argmin())
        limit, share = (
            (FARTHEST_VECTOR, STANDS_OUT_VECTOR) if self._is_vector else (BITS / HASH_BITS, STANDS_OUT)
        )
        if distances[best] > limit:
            return None
        usual = float(np.median(distances))
        if distances[best] > share * usual:
            in_class = self._usual_in_class(row, int(neighbours[best]))
            # Neighbours of which most are no copies know better: they lie where the row lies.
            if usual > share * in_class or distances[best] > share * in_class:
                return None
        return int(neighbours[best]), float(distances[best])

    def _usual_in_class(self, row: int, other: int) -> float:
        """The median distance of `row` from up to CLASS_ROWS rows of the class of `other`; 0 if it has none."""
        label = int(self._given[other])
        if label not in self._of_class:
            rows = np.flatnonzero(self._given == label)
            rng = np.random.default_rng(derive_seed(0, f"lookalikes {label}"))
            self._of_class[label] = rng.permutation(rows)[:CLASS_ROWS]
        distances = [self.distance(row, place) for place in self._of_class[label].tolist() if place != row]
        return float(np.median(distances)) if distances else 0.0

    def distance(self, one: int, other: int) -> float:
        """Share of the hash that differs, or 1 - cosine, of two of the k rows."""
        if self._is_vector:
            a, b = self._x[self._rows[one]], self._x[self._rows[other]]
            lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
            return max(0.0, 1 - float(a @ b) / lengths) if lengths else 1.0
        return int((self._hash(one) != self._hash(other)).sum()) / HASH_BITS

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
