"""What a decision says of a row's label, however it was written down."""

from __future__ import annotations

import dataclasses
from collections.abc import Set

from noiseaudit.decisions import Decision


def as_shown(decision: Decision, classes: Set[str]) -> Decision:
    """A label copied from suspects.csv may have its apostrophe, too, and one typed by hand blanks around it."""
    if decision.new_label is None:
        return decision
    bare = decision.new_label.strip()
    found = (label for label in (decision.new_label, bare, bare.removeprefix("'")) if label in classes)
    return dataclasses.replace(decision, new_label=next(found, bare or decision.new_label))


def meant(decision: Decision, given: str | None, classes: Set[str]) -> Decision:
    """The decision about a row whose label is `given`: to relabel it to that is to keep it; no other has a label."""
    shown = as_shown(decision, classes)
    if shown.decision == "relabel" and shown.new_label != given:
        return shown
    kind = "keep" if shown.decision == "relabel" else shown.decision
    return dataclasses.replace(shown, decision=kind, new_label=None)


def in_words(decision: Decision) -> str:
    """`kept by Ann`, `relabelled 'cat'`; of a row that was judged."""
    words = {"keep": "kept", "ambiguous": "ambiguous"}
    said = words.get(decision.decision or "", f"relabelled {decision.new_label!r}")
    return f"{said} by {decision.reviewer}" if decision.reviewer else said
