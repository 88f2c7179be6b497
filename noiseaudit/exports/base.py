"""What every export format is: how it is written, what it needs, and what it says it did."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from noiseaudit.decided import Decided
from noiseaudit.exports.pictures import Pictures
from noiseaudit.result import AuditResult
from noiseaudit.why import records

NOBODY = Decided()


@dataclass(frozen=True)
class ExportOptions:
    """What a user may ask of an export; each format says which of these it takes."""

    everything: bool = False  # all rows, not only the suspects
    pictures: Pictures | None = None  # where the images are; None if nobody knows
    document_root: Path | None = None  # the folder that another program serves files from
    copy: bool = False  # images, instead of links to them
    policy: str | None = None  # of noiseaudit.clean
    decided: Decided = field(default_factory=Decided)
    include_test: bool = False
    run: Path | None = None  # of the audit, for the commands in a README


@dataclass(frozen=True)
class Exported:
    """What was written."""

    rows: int
    notes: tuple[str, ...] = ()  # for people, one line each: what was left out, and why


@dataclass(frozen=True)
class Format:
    """A format: `write` fills a file, or, without `kinds`, an empty folder."""

    title: str  # one line for people
    write: Callable[[AuditResult, Path, ExportOptions], Exported]
    kinds: tuple[str, ...] = ()  # suffixes of the file
    takes: frozenset[str] = frozenset()  # the ExportOptions that change what it writes
    columns: tuple[str, ...] = ()  # of an audit, that it is made from; empty: all


def import_command(options: ExportOptions, file: str, tool: str) -> str:
    """What reads the answers back, for a README."""
    run = shlex.quote(str(options.run.absolute())) if options.run else "RUN"
    return f"noiseaudit import {file} --from {tool} --audit {run} --out decisions.csv"


def rows_to_review(
    audit: AuditResult, everything: bool, decided: Decided = NOBODY
) -> tuple[list[int], tuple[str, ...]]:
    """Rows to show to a person, most suspicious first, those without a rank last; and what was left out.

    Suspects, or all rows whose image was read, but for those that people `decided` about. Rows of every split are
    among them: a person may judge those, too.
    """
    readable = np.isin(audit.column("status").astype(str), ("ok", "unlabelled"))
    wanted = (readable if everything else audit.suspects()).copy()
    judged = [row for row in decided.rows if wanted[row]]
    wanted[judged] = False
    notes = (f"Left out because people judged them: {len(judged):,}.",) if judged else ()
    rank = audit.column("rank").astype(np.float64)
    rows = np.flatnonzero(wanted)
    order = np.argsort(np.nan_to_num(rank[rows], nan=np.inf), kind="stable")
    return rows[order].tolist(), (*notes, *(left_out(~readable) if everything else ()))


def records_of(audit: AuditResult, rows: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
    """`rows` of an audit as dictionaries of `columns` ("why" may be among them), in this order."""
    return records(audit.table.take(pa.array(rows, pa.int64())), columns)


def left_out(unread: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    """The note about rows whose image could not be read."""
    count = int(unread.sum())
    return (f"Left out because the image could not be read: {count:,}.",) if count else ()
