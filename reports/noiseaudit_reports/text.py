"""Text from label files, made safe to look at. Escaping for HTML or Markdown comes after, in the writers."""

from __future__ import annotations

import re

from noiseaudit.percent import percent

MAX_LENGTH = 160
_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
_PERCENTAGE = re.compile(r"([<>] )?\d+(\.\d+)? %")


def visible(text: str) -> str:
    """Control, direction and zero-width characters become visible signs; very long text is cut."""
    if len(text) > MAX_LENGTH:
        text = text[: MAX_LENGTH - 1] + "…"
    text = _HIDDEN.sub(_sign, text)
    return text if text.strip() else "␣" * len(text)


def unbroken(text: str) -> str:
    """`text` whose percentages stay on one line."""
    return _PERCENTAGE.sub(lambda match: match.group().replace(" ", "\N{NO-BREAK SPACE}"), text)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 row`, `1,797 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(part: float, whole: int) -> str:
    """A percentage to two digits, 0 % or 100 % only where it is exact. An en dash where there is no whole."""
    if not whole:
        return "–"
    return f"{100 * part // whole} %" if part in (0, whole) else percent(part / whole)


def _sign(match: re.Match[str]) -> str:
    return "↵" if match.group() == "\n" else f"⟨U+{ord(match.group()):04X}⟩"
