"""One review: an audit, its images, and what people decide about it; what the server's routes are about."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from noiseaudit.data.limits import DEFAULT_MAX_PIXELS
from noiseaudit.decisions import run_id
from noiseaudit.labels.table import Source
from noiseaudit.manifest import run_folder, saved_run
from noiseaudit.result import AuditResult, read_audit
from noiseaudit.review.agreement import Agreement, agreements
from noiseaudit.review.board import Board
from noiseaudit.review.drawn import Drawn, find_drawn
from noiseaudit.review.export import Written, write_log
from noiseaudit.review.log import Answer, Asked, Log
from noiseaudit.review.queue import Filter, Queue, Rows, in_state
from noiseaudit.review.similar import Similar, read_embeddings
from noiseaudit.row_pictures import row_pictures
from noiseaudit_review.images import Images

MOST_LISTS = 24  # that are kept; a page whose list is gone asks for it again


@dataclass(frozen=True)
class Places:
    """The files of a review."""

    audit: Path
    db: Path
    export: Path
    images: Path | None = None
    source: Source | None = None  # the scanned data set, if it moved
    rows: Path | None = None  # of `noiseaudit sample`: these are asked about, and no suspects


class Listed(NamedTuple):
    """Rows of a list."""

    rows: Rows
    settles: bool  # they are those that reviewers contradict each other about: whoever asks settles them


@dataclass
class Review:
    """Everything the routes need. Make it with `open_review`, and close its log."""

    audit: AuditResult
    places: Places
    log: Log
    board: Board
    queue: Queue
    similar: Similar
    images: Images
    reviewer: str = ""
    drawn: Drawn | None = None
    notes: list[str] = field(default_factory=list)  # what became of files that exports met, a line each
    _lists: OrderedDict[int, Listed] = field(default_factory=OrderedDict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def class_places(self) -> Mapping[str, int]:
        """The number of each class."""
        return {name: place for place, name in enumerate(self.queue.classes)}

    @property
    def is_blind(self) -> bool:
        """Whether nothing is told of what the audit thinks of a row: it would sway the answers."""
        return self.drawn is not None

    def make_list(self, wanted: Filter, reviewer: str) -> dict[str, int]:
        """Keep the rows that `wanted` admits now, so that places in them stay: the number of the list, how many they
        are, and the place of the first that the reviewer has not answered, 0 where there is none.
        """
        self.board.refresh()
        if self.drawn is None:
            rows = self.queue.rows(wanted, self.board, reviewer)
        else:
            rows = self.drawn.rows[in_state(wanted.state, self.board, reviewer)[self.drawn.rows]]
        with self._lock:
            number = next(self._numbers)
            self._lists[number] = Listed(rows, wanted.state == "disputed")
            while len(self._lists) > MOST_LISTS:
                self._lists.popitem(last=False)
        is_open = ~self.board.answered(reviewer)[rows]
        return {"list": number, "total": len(rows), "first": int(is_open.argmax()) if len(rows) else 0}

    def page(self, number: int, start: int, count: int) -> Listed | None:
        """`count` rows of a list from place `start` on; None if it is not kept any more."""
        with self._lock:
            found = self._lists.get(number)
            if found is None:
                return None
            self._lists.move_to_end(number)
        return found._replace(rows=found.rows[start : start + count])

    def unanswered(self, number: int, start: int, reviewer: str) -> dict[str, int | None] | None:
        """How many rows of a list the reviewer has not answered, and the place of the first from `start` on, or else of
        the first; None where there is none. None in all if the list is not kept any more.
        """
        self.board.refresh()
        with self._lock:
            found = self._lists.get(number)
        if found is None:
            return None
        places = np.flatnonzero(~self.board.answered(reviewer)[found.rows])
        after = places[places >= start]
        first = after if len(after) else places
        return {"n": len(places), "next": int(first[0]) if len(first) else None}

    def agreements(self) -> tuple[Agreement, Agreement]:
        """How far reviewers agree now, about rows with a label, and about those without."""
        self.board.refresh()
        answers = self.board.all_answers()
        given = self.audit.table.column("given_label")
        return agreements(answers, {row: given[row].as_py() for row in answers})

    def asked(self, answers: Sequence[Answer]) -> list[Asked]:
        """The samples of answers as the audit has them."""
        names, images = self.queue.classes, self.audit.table.column("image")
        rows = [self.board.row(answer.sample_id) for answer in answers]
        given = (int(self.queue.given[row]) for row in rows)
        labels = [names[code] if code >= 0 else None for code in given]
        return [
            Asked(answer.sample_id, label, images[row].as_py())
            for answer, row, label in zip(answers, rows, labels, strict=True)
        ]

    def export(self) -> Written:
        """Write the decisions that hold now to `places.export`."""
        drawn = None if self.drawn is None else self.drawn.decisions
        written = write_log(self.log, self.places.export, drawn, self.audit)
        self.notes += written.notes
        return written


def open_review(places: Places, reviewer: str = "") -> Review:
    """Read an audit and open its log. Raises DataError, ConfigError or OutputError."""
    audit = read_audit(places.audit)
    audit = AuditResult(audit.table.combine_chunks(), audit.meta)
    run: Mapping[str, Any] = saved_run(places.audit)
    queue = Queue(audit)
    embeddings = read_embeddings(run_folder(places.audit), len(audit))
    pictures = row_pictures(audit, run, places.images, places.source)
    drawn = None if places.rows is None else find_drawn(places.rows, audit, run_id(audit))
    rows = None if drawn is None else drawn.rows
    log = Log(places.db, run_id(audit))
    return Review(
        audit=audit,
        places=places,
        log=log,
        board=Board(audit, log, rows),
        queue=queue,
        similar=Similar(audit, queue, embeddings, rows),
        images=Images(pictures, run.get("max_pixels", DEFAULT_MAX_PIXELS)),
        reviewer=reviewer,
        drawn=drawn,
    )


def rows_once(rows: Sequence[int]) -> bool:
    """Whether no row is named twice."""
    return len(set(rows)) == len(rows)
