"""Text from label files, made safe to look at. Escaping for HTML or Markdown comes after, in the writers."""

from __future__ import annotations

import re
import unicodedata

from noiseaudit.classes import MAX_LENGTH, shortened
from noiseaudit.cost import SHARES, CostCurve, Milestone
from noiseaudit.interval import Range
from noiseaudit.percent import counted, percent

_LONG_WORD = re.compile(rf"\S{{{MAX_LENGTH + 1},}}")
# Joiners of emoji and scripts as well, because labels differ by them; lone surrogates are bytes that are no text.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_DECIMAL = re.compile(r"(?<![\w.])-?\d+\.\d{5,}(?:e[-+]?\d+)?(?![\w.])")
_PERCENTAGE = re.compile(r"([<>] )?\d+(\.\d+)? %")


def visible(name: str) -> str:
    """Control, format (direction, zero-width, tag) and line-breaking characters, and bytes that are no text, become
    visible signs; a very long name is cut.
    """
    shown = whole(shortened(name))
    return shown if shown.strip() else "␣" * len(shown)


def whole(text: str) -> str:
    """`visible` for a path or command, of which nothing may be cut."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_sign(char) if unicodedata.category(char) in _HIDDEN else char for char in text)


def sentence(text: str) -> str:
    """`visible` for text of many words: all of them are shown, and a very long one is cut."""
    return whole(_LONG_WORD.sub(lambda match: shortened(match.group()), text))


def unbroken(text: str) -> str:
    """`text` whose percentages stay on one line."""
    return _PERCENTAGE.sub(lambda match: match.group().replace(" ", "\N{NO-BREAK SPACE}"), text)


def rounded(text: str) -> str:
    """`text` whose long decimal numbers have three significant digits, or all before the point."""
    return _DECIMAL.sub(lambda match: _short(float(match.group())), text)


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 row`, `1,797 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(part: float, whole: int) -> str:
    """A percentage to two digits, 0 % or 100 % only where it is exact. An en dash where there is no whole."""
    if not whole:
        return "–"
    return f"{100 * part // whole} %" if part in (0, whole) else percent(part / whole)


def range_text(found: Range) -> str:
    """`4.2 % (3.1 % to 5.5 %)`, of a share that is defined."""
    assert found.value is not None
    return f"{percent(found.value)} ({percent(found.low)} to {percent(found.high)})"


def counted_range(found: Range) -> str:
    """`range_text` of what was counted: none and all are possible."""
    assert found.value is not None
    return f"{counted(found.value)} ({counted(found.low)} to {counted(found.high)})"


def steps(cost: CostCurve) -> list[tuple[Milestone, str]]:
    """Numbers of images, rising, each with what it takes them to find."""
    named = [(step, f"{100 * part:.0f} %") for step, part in zip(cost.milestones, SHARES, strict=True)]
    if cost.at_cutoff:
        named.append((cost.at_cutoff, f"all suspects: {percent(cost.at_cutoff.share)}"))
    return sorted(named, key=lambda step: step[0].reviewed)


def _short(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.3g}"


def _sign(char: str) -> str:
    return "↵" if char == "\n" else f"⟨U+{ord(char):04X}⟩"
