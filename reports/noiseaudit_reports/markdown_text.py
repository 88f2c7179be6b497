"""Labels, sentences and tables in GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from noiseaudit_reports.text import sentence, visible

_ASCII_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_ACTIVE = re.compile(r"[\\`*_\[\]&|~$@#]|<(?! )|:(?=\S)|(?<=www)\.", re.IGNORECASE)


def name(text: str) -> str:
    """A label or file name as code: no markup, mention or automatic link works in it."""
    shown = visible(text)
    if "|" in shown or "`" in shown:
        return f"<code>{_ASCII_PUNCTUATION.sub(_entity, shown)}</code>"
    return f"`{shown}`"


def prose(text: str) -> str:
    """A sentence that may quote labels: markup, mentions and automatic links in it stay plain text.

    It must not begin a line, where a `>` would quote; within one, `>`, and a colon or `<` before a space, do nothing.
    """
    quoted = _ACTIVE.sub(_entity, sentence(text))
    return quoted.replace("&#64;", "&#64;&#8203;").replace("&#35;", "&#35;&#8203;")


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match.group())};"


def table(header: Sequence[str], numeric: Sequence[bool], rows: Iterable[Sequence[str]]) -> str:
    """`numeric`: the columns that are aligned to the right."""
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))
