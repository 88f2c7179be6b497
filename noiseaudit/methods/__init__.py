"""Methods: one file each, independent of one another. A new one is a file and a line here."""

from __future__ import annotations

from noiseaudit.methods.base import Method
from noiseaudit.methods.umn import UMN
from noiseaudit.methods.umn_plus import UMNPlus

METHODS: dict[str, type[Method]] = {
    "umn": UMN,
    "umn_plus": UMNPlus,
}
