"""Limits on what is read."""

from __future__ import annotations

DEFAULT_MAX_PIXELS = 50_000_000  # larger images are refused undecoded
DEFAULT_MAX_MEMORY = 4 * 2**30  # bytes of decoded pixels; above it they live in a memory-mapped file
DEFAULT_MAX_MEMORY_TEXT = "4GiB"  # the same, as people write it
