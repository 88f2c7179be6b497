"""One answer for each row that was drawn, where several people judged it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import NamedTuple

from noiseaudit.decisions import Decision
from noiseaudit.errors import DataError
from noiseaudit.meaning import in_words, meant

OPEN = (None, "skip")


class OneEach(NamedTuple):
    """Answers, one a row."""

    answers: list[Decision]  # rows in the order in which they were asked about
    n_agreed: int  # of these, that stand for several answers which agree


class _Judged(NamedTuple):
    """An answer, and what it means of the label that the audit has."""

    made: Decision
    meaning: Decision


def one_each(
    asked: Sequence[Decision],
    given: Mapping[str, str | None],
    classes: Set[str],
    file_of: Mapping[int, Path],
) -> OneEach:
    """One answer a row: it counts once, however many people judged it, and whoever skipped it does not count.

    Answers agree where all say that the given label is right, that it is wrong (whichever they put in its place), or
    that nobody can tell. `given`: the label of each sample in the audit; `file_of`: by the identity of a decision.
    Raises DataError where people contradict each other.
    """
    first, disputes, shared = dict[str, _Judged](), dict[str, tuple[_Judged, _Judged]](), set[str]()
    for made in asked:
        if made.decision in OPEN:
            continue
        name = made.sample_id
        judged = _Judged(made, meant(made, given.get(name), classes))
        other = first.setdefault(name, judged)
        if other is judged:
            continue
        shared.add(name)
        if other.meaning.decision != judged.meaning.decision:
            disputes.setdefault(name, (other, judged))
    if disputes:
        raise _contradicted(disputes, file_of)
    left_open = {made.sample_id: made for made in reversed(asked)}
    answers = {name: first[name].meaning if name in first else left_open[name] for name in _names(asked)}
    return OneEach([*answers.values()], len(shared))


def _names(asked: Sequence[Decision]) -> dict[str, None]:
    return dict.fromkeys(made.sample_id for made in asked)


def _contradicted(disputes: Mapping[str, tuple[_Judged, _Judged]], file_of: Mapping[int, Path]) -> DataError:
    name, pair = next(iter(disputes.items()))
    first, second = (_told(each, file_of.get(id(each.made))) for each in pair)
    rows = f"{len(disputes):,} rows are contradicted, first " if len(disputes) > 1 else ""
    return DataError(
        f"{rows}{name!r} is {first}, and {second}", fix="Agree on one answer, and remove the other."
    )


def _told(judged: _Judged, file: Path | None) -> str:
    """`kept by Ann in checks.csv`, as far as that is known."""
    return f"{in_words(judged.meaning)}{f' in {file}' if file else ''}"
