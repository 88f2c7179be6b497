"""Evidence in words: one or a few sentences that a person can check against the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from noiseaudit.classes import shortened
from noiseaudit.percent import percent

COLUMNS = ("given_label", "suggested_label", "p_given", "p_suggested", "p_mislabeled", "evidence")
HALF = 0.5  # what is more probable counts as believed


def records(table: pa.Table, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of an audit's table as dictionaries of `columns`; "why" may be among them."""
    if "why" not in columns:
        return list(table.select(list(columns)).to_pylist())
    rows = table.select(stored(columns)).to_pylist()
    return [{name: why(row) if name == "why" else row[name] for name in columns} for row in rows]


def stored(columns: Sequence[str]) -> list[str]:
    """The columns of an audit that `records` needs for `columns`."""
    if "why" not in columns:
        return list(columns)
    return [*dict.fromkeys([*(name for name in columns if name != "why"), *COLUMNS])]


def why(row: Mapping[str, Any]) -> str | None:
    """Why a row is a suspect, from the COLUMNS of audit.parquet; None where it is not."""
    facts = {fact["kind"]: fact for fact in row["evidence"] or ()}
    if not facts:
        return None
    own, other = shortened(row["given_label"]), shortened(row["suggested_label"])
    sentences = [_first(row, facts, own, other)]
    if pair := facts.get("class_pair"):
        sentences.append(f"About {percent(pair['value'])} of {other} are labelled {own} here.")
    if around := facts.get("labelled_neighbours"):
        sentences.append(f"{round(10 * around['value'])} in 10 labelled images like it are {other}.")
    if same := facts.get("duplicate"):
        sentences.append(f"The same picture, sample {shortened(same['reference'])}, has another label.")
    if same := facts.get("near_duplicate"):
        sentences.append(
            f"Almost the same picture, sample {shortened(same['reference'])}, has another label."
        )
    return " ".join(sentences)


def _first(row: Mapping[str, Any], facts: Mapping[str, Any], own: str, other: str) -> str:
    p_own, p_other = row["p_given"], row["p_suggested"]
    if "unlabelled_neighbours" in facts:
        return (
            f"Unlabelled rows like it look like {other} ({percent(p_other)}) and {own} ({percent(p_own)}); "
            "what the network says of it was learnt by heart."
        )
    if p_own < p_other:
        course = f"; {_course(facts, own)}" if "peak" in facts else ""
        return f"Looks like {other} ({percent(p_other)}) rather than {own} ({percent(p_own)}){course}."
    if row["p_mislabeled"] > HALF:  # the noise between classes outweighs the network
        rule = "" if "class_pair" in facts else f", which is often labelled {own} here"
        return f"Looks like {own} ({percent(p_own)}) or {other} ({percent(p_other)}){rule}."
    return f"Still looks like {own} ({percent(p_own)}); next is {other} ({percent(p_other)})."


def _course(facts: Mapping[str, Any], own: str) -> str:
    """How the network came to the given label."""
    peak, late = facts["peak"], facts.get("learnt_late")
    if late:
        return (
            f"the network first believed {own} in epoch {late['reference']} of {peak['reference']}, "
            f"later than {percent(late['value'])} of all labels"
        )
    if peak["value"] > HALF:
        return (
            f"in the best of {peak['reference']} epochs the probability of {own} was {percent(peak['value'])}"
        )
    return f"in {peak['reference']} epochs the probability of {own} never passed {percent(peak['value'])}"
