"""Class names: their one order (numeric if all are integers, else by code point), and how text quotes them."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_LENGTH = 160  # characters of a name that people are shown
_INTEGER = re.compile(r"-?[0-9]+")
_NINES_COMPLEMENT = str.maketrans("0123456789", "9876543210")


def canonical_order(names: Iterable[str]) -> list[str]:
    """Distinct class names in canonical order. `"01"` and `"1"` are two names; text breaks the tie."""
    distinct = set(names)
    if all(_INTEGER.fullmatch(name) for name in distinct):
        return sorted(distinct, key=_numeric_key)
    return sorted(distinct)


def _numeric_key(name: str) -> tuple[int, str, str]:
    """Sorts as (int(name), name) does; int() itself refuses text of more than 4,300 digits."""
    digits = name.lstrip("-").lstrip("0")
    if name.startswith("-"):
        return -len(digits), digits.translate(_NINES_COMPLEMENT), name
    return len(digits), digits, name


def shortened(name: str) -> str:
    """A name as text for people quotes it: a very long one loses its end."""
    return name if len(name) <= MAX_LENGTH else name[: MAX_LENGTH - 1] + "…"
