"""Rows whose x are the same, byte for byte, and which of them have another label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

Codes = npt.NDArray[np.int64]

CHUNK_BYTES = 64 * 2**20  # that are looked at together: x may lie on disk


def same_content(x: torch.Tensor, rows: Codes) -> Codes:
    """A number for each of m `rows` of x (n, ...), (m,): equal where all of x is equal, and only there."""
    values = x.numpy()
    size = max(1, values[:1].nbytes)
    hashes = np.concatenate(
        [_hashes(values[part]) for part in np.array_split(rows, max(1, len(rows) * size // CHUNK_BYTES))]
    )
    _, groups = np.unique(hashes, return_inverse=True)
    groups = groups.astype(np.int64)
    order = np.argsort(groups, kind="stable")
    repeats = order[1:][groups[order[1:]] == groups[order[:-1]]]
    first = dict(
        zip(groups[order[::-1]].tolist(), order[::-1].tolist(), strict=True)
    )  # the first of each group
    for row in repeats:  # a hash can deceive
        if not np.array_equal(values[rows[row]], values[rows[first[int(groups[row])]]]):
            groups[row] = len(rows) + row
    return groups


def conflicts(groups: Codes, given: Codes) -> Codes:
    """For each of k labelled rows the first with the same content and another label, -1 if there is none: (k,)."""
    found = np.full(len(groups), -1)
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    for members in np.split(order, starts[1:]):
        if len(members) < 2 or len(np.unique(given[members])) < 2:
            continue
        for row in members:
            found[row] = members[given[members] != given[row]][0]
    return found


def _hashes(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint64]:
    """64 bits for each row: a random linear combination of its bytes, modulo 2^64."""
    table = np.ascontiguousarray(values).reshape(len(values), -1).view(np.uint8)
    weights = np.random.default_rng(0).integers(0, 2**63, table.shape[1], dtype=np.uint64) * 2 + 1
    hashed: npt.NDArray[np.uint64] = table.astype(np.uint64) @ weights
    return hashed
