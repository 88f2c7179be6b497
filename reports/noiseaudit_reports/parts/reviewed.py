"""How far the suspects were judged by people, in words."""

from __future__ import annotations

from noiseaudit.reviewed import Reviewed
from noiseaudit_reports.parts.next_steps import MODELS
from noiseaudit_reports.text import count


def reviewed_text(found: Reviewed | None) -> str:
    """Sentences; "" where nobody judged a row. They claim nothing about rows that nobody judged."""
    if found is None:
        return ""
    parts = [
        (found.n_relabelled, "relabelled"),
        (found.n_filled, "given a first label"),
        (found.n_kept, "kept"),
        (found.n_ambiguous, "ambiguous"),
        (found.n_disputed, "judged differently by different people"),
    ]
    said = ", ".join(f"{n:,} {what}" for n, what in parts if n)
    skipped = f" {_were(found.n_skipped, 'row')} skipped." if found.n_skipped else ""
    n_left = found.n_suspects_left
    not_yet = f"{count(n_left, 'suspect')} {'is' if n_left == 1 else 'are'} not judged yet"
    left = not_yet if n_left else "no suspect is left"
    return (
        f"{_were(found.n_judged, 'row')} judged by people so far: {said}; {left}.{skipped} "
        "The judged rows were not drawn at random, so they do not tell how many of the others are wrong."
    )


def spoiled_left(found: Reviewed) -> str:
    """`spoiled` of the suspects that nobody judged; "" where none is left."""
    if not found.n_suspects_left:
        return ""
    right = round(found.right_left)
    number = f"about {count(right, 'right label')}" if right else "fewer than one right label"
    return f"Of {count(found.n_suspects_left, 'suspect')} it is expected to spoil {number}, {MODELS}."


def _were(number: int, noun: str) -> str:
    return f"{count(number, noun)} {'was' if number == 1 else 'were'}"
