"""The one order of class names: numeric if all are integers, else by code point."""

from __future__ import annotations

import re
from collections.abc import Iterable

_INTEGER = re.compile(r"-?[0-9]+")


def canonical_order(names: Iterable[str]) -> list[str]:
    """Distinct class names in canonical order. `"01"` and `"1"` are two names; text breaks the tie."""
    distinct = set(names)
    if all(_INTEGER.fullmatch(name) for name in distinct):
        return sorted(distinct, key=lambda name: (int(name), name))
    return sorted(distinct)
