"""Rows whose x are the same, byte for byte, and which of them have another label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

Codes = npt.NDArray[np.int64]

CHUNK_BYTES = 8 * 2**20  # that are looked at together, eightfold while they are: x may lie on disk


def same_content(x: torch.Tensor, rows: Codes) -> Codes:
    """A number for each of m `rows` of x (n, ...), (m,): equal where all of x is equal, and only there."""
    values = x.numpy()
    size = max(1, values[:1].nbytes)
    hashes = np.concatenate(
        [_hashes(values[part]) for part in np.array_split(rows, max(1, len(rows) * size // CHUNK_BYTES))]
    )
    _, index, groups = np.unique(hashes, return_index=True, return_inverse=True)
    first = index[groups]
    for row in np.flatnonzero(first != np.arange(len(rows))):  # a hash can deceive
        if not np.array_equal(values[rows[row]], values[rows[first[row]]]):
            groups[row] = len(rows) + row
    return groups.astype(np.int64)


def conflicts(groups: Codes, given: Codes) -> Codes:
    """For each of k labelled rows the first with the same content and another label, -1 if there is none: (k,)."""
    found = np.full(len(groups), -1)
    repeated = np.flatnonzero(np.bincount(groups)[groups] > 1)
    order = repeated[np.argsort(groups[repeated], kind="stable")]
    for members in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        differs = given[members] != given[members[:1]]
        if differs.any():
            found[members] = np.where(differs, members[0], members[differs.argmax()])
    return found


def _hashes(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """64 bits for each row: a random linear combination of its bytes, modulo 2^64."""
    table = np.ascontiguousarray(values).reshape(len(values), -1).view(np.uint8)
    weights = np.random.default_rng(0).integers(0, 2**63, table.shape[1], dtype=np.uint64) * 2 + 1
    hashed: npt.NDArray[np.uint64] = table.astype(np.uint64) @ weights
    return hashed
