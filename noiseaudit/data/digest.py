"""Hashes of image files: what an audit saw, wherever it lies."""

from __future__ import annotations

import hashlib

import numpy as np

from noiseaudit.data.convert import Bytes


def digest(content: bytes) -> Bytes:
    """SHA-256 of a file's bytes, (32,)."""
    return np.frombuffer(hashlib.sha256(content).digest(), np.uint8)


def no_digests(n: int) -> Bytes:
    """Of n files that were not read, (n, 32): zeros."""
    return np.zeros((n, hashlib.sha256().digest_size), np.uint8)
