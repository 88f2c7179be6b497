"""Versions of what computes the result."""

from __future__ import annotations

import importlib.metadata
import platform

RECORDED_VERSIONS = ("noiseaudit", "torch", "torchvision", "numpy", "scipy", "pyarrow", "pillow", "imagehash")


def versions() -> dict[str, str]:
    """Versions of what computes the result."""
    found = {name: importlib.metadata.version(name) for name in RECORDED_VERSIONS}
    return {"python": platform.python_version(), **found}
