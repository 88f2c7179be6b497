"""Decisions about another audit, taken over where they hold in this one, too."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.arrays import texts
from noiseaudit.decisions import run_id
from noiseaudit.result import Audited
from noiseaudit.review.log import KEEP_ASKED, Asked, Log

# What each reviewer last said about a sample in any other audit, where they have said nothing of it in this one.
_EARLIER = """
SELECT e.event_id, e.sample_id, e.reviewer, e.decision, e.new_label, e.decided_at, a.sample_id, a.given_label, a.image
FROM events e LEFT JOIN asked a ON a.run_id = e.run_id AND a.sample_id = e.sample_id
WHERE e.decision IS NOT NULL
  AND e.seq IN (SELECT max(seq) FROM events WHERE run_id != ?1 GROUP BY sample_id, reviewer)
  AND NOT EXISTS (SELECT 1 FROM events o WHERE o.run_id = ?1 AND o.reviewer = e.reviewer AND o.sample_id = e.sample_id)
ORDER BY e.seq
"""
_TAKE = (
    "INSERT INTO events (event_id, run_id, sample_id, reviewer, decision, new_label, decided_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
UNKNOWN = "without a record of the label that they are about"
NO_SAMPLE = "about samples that this audit has not"
OTHER_LABEL = "about another given label"
OTHER_IMAGE = "about an image of another name"
NO_CLASS = "for a label that is no class of this audit"


class Earlier(NamedTuple):
    """A decision about another audit."""

    event_id: str
    sample_id: str
    reviewer: str
    decision: str
    new_label: str | None
    decided_at: str
    asked: Asked | None  # None: not known


@dataclass(frozen=True)
class Carried:
    """Decisions about other audits of a database."""

    taken: Sequence[Earlier]  # that hold in this audit
    left: Mapping[str, int]  # why others do not -> how many

    @property
    def n(self) -> int:
        """All of them."""
        return len(self.taken) + sum(self.left.values())


def carry_over(audit: Audited, db: Path) -> Carried:
    """Add to the decisions about `audit` those that `db` holds about other audits, where they hold in this one.

    They do where the sample has the given label and the image, by its name, that it had when it was decided about,
    and the new label is a class. Reviewer and time stay. Where a reviewer has said something of a sample in this audit,
    or taken it back, that stands: doing it twice adds nothing. All are on the disk when this returns. Raises as Log
    does.
    """
    return _carry(audit, db, takes=True)


def can_be_carried(audit: Audited, db: Path) -> Carried:
    """What `carry_over` would do. Raises as Log does."""
    return _carry(audit, db, takes=False)


def _carry(audit: Audited, db: Path, *, takes: bool) -> Carried:
    if not db.is_file():
        return Carried([], {})
    log = Log(db, run_id(audit))
    try:
        with log.reading() as events:
            found = _earlier_ones(events, log.run_id)
        here = samples(audit, {made.sample_id for made in found})  # of a large audit this takes a while
        classes = frozenset(audit.meta.classes)
        judged = [(made, _why_not(made, here.get(made.sample_id), classes)) for made in found]
        taken = [made for made, why in judged if why is None]
        if takes and taken:
            with log.writing() as events:  # nobody else takes the same meanwhile
                still = {*_earlier_ones(events, log.run_id)}
                taken = [made for made in taken if made in still]
                events.executemany(_TAKE, [_event(log.run_id, made) for made in taken])
                events.executemany(KEEP_ASKED, [(log.run_id, *here[made.sample_id]) for made in taken])
    finally:
        log.close()
    return Carried(taken, Counter(why for _, why in judged if why is not None))


def _earlier_ones(events: sqlite3.Connection, run: str) -> list[Earlier]:
    return [_earlier(row) for row in events.execute(_EARLIER, (run,)).fetchall()]


def samples(audit: Audited, names: Collection[str]) -> dict[str, Asked]:
    """Of these samples those that the audit has."""
    wanted, found = texts(sorted(names)), dict[str, Asked]()
    for _, table in audit.tables(list(Asked._fields)) if names else ():
        part = table.filter(pc.is_in(table.column("sample_id").cast(pa.string()), value_set=wanted))
        found |= {row["sample_id"]: Asked(**row) for row in part.select(list(Asked._fields)).to_pylist()}
    return found


def _earlier(row: tuple[Any, ...]) -> Earlier:
    *said, sample_id, given_label, image = row
    asked = None if sample_id is None else Asked(sample_id, given_label, image)
    return Earlier._make([*said, asked])


def _why_not(made: Earlier, here: Asked | None, classes: Collection[str]) -> str | None:
    if here is None:
        return NO_SAMPLE
    if made.asked is None:
        return UNKNOWN
    if made.asked.given_label != here.given_label:
        return OTHER_LABEL
    if made.asked.image != here.image:
        return OTHER_IMAGE
    return None if made.new_label is None or made.new_label in classes else NO_CLASS


def _event(run: str, made: Earlier) -> tuple[str | None, ...]:
    """What was one action stays one, so that it is undone as it was made."""
    action = hashlib.sha256(f"{run} {made.event_id}".encode()).hexdigest()[:24]
    return (
        f"carry-{action}",
        run,
        made.sample_id,
        made.reviewer,
        made.decision,
        made.new_label,
        made.decided_at,
    )
