"""Text that a spreadsheet would run as a formula, behind an apostrophe in files that people open in one."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def shielded(text: str) -> str:
    """`text` with an apostrophe before it where a spreadsheet would run it, or where it looks so shielded already."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def bare(text: str) -> str:
    """The text whose `shielded` form is `text`."""
    return text[1:] if text.startswith("'") and shielded(text[1:]) == text else text
