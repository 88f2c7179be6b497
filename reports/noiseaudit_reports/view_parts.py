"""The parts of a report's view: one dataclass for each table, chart or row."""

from __future__ import annotations

from dataclasses import dataclass

from noiseaudit.estimate import Estimate
from noiseaudit.groups import Group
from noiseaudit.interval import Range
from noiseaudit.ranking import Pair


@dataclass(frozen=True)
class Suspect:
    """A flagged row. Labels and names are as in the audit: writers make them safe."""

    rank: int
    row: int
    sample_id: str
    given_label: str
    suggested_label: str | None
    p_mislabeled: float
    p_given: float
    p_suggested: float
    epsilon: float | None
    issue_kind: str | None
    why: str | None
    annotator: str | None
    batch: str | None
    thumbnail: str | None  # a data: URI


@dataclass(frozen=True)
class Suggestion:
    """An unlabelled row and the label that the model would give it."""

    row: int
    sample_id: str
    suggested_label: str
    p_suggested: float
    thumbnail: str | None


@dataclass(frozen=True)
class Example:
    """A suspect in few words."""

    rank: int
    row: int
    sample_id: str
    p_mislabeled: float
    thumbnail: str | None


@dataclass(frozen=True)
class Strip:
    """The most suspicious examples of a pair."""

    pair: Pair
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class HeatMap:
    """Suspects by given label (rows) and suggested label (columns), in the classes' order."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class ClassCount:
    """Scored labels of a class, and the suspects among them."""

    name: str
    n: int
    n_suspects: int
    wrong: Range  # estimated share of its labels


@dataclass(frozen=True)
class GroupPart:
    """Annotators or batches, the highest lower end of a rate's interval first."""

    typical: (
        float | None
    )  # mean rate of all groups, to which each is drawn; None: only one, nothing to compare
    prior_strength: float | None  # labels of known truth that weigh as much as what groups have in common
    groups: tuple[Group, ...]  # the first thousand
    n_groups: int
    n_above: int  # whose whole interval lies above `typical`
    n_without: int  # scored labels that name no group


@dataclass(frozen=True)
class Histogram:
    """Rows and suspects between consecutive edges; one edge more than bars."""

    edges: tuple[float, ...]
    rows: tuple[int, ...]
    suspects: tuple[int, ...]


@dataclass(frozen=True)
class EpsilonHistogram:
    """epsilon by half decades, and the rows whose epsilon is exactly zero."""

    above_zero: Histogram  # edges are powers of ten; the first bar also holds anything smaller
    zero_rows: int
    zero_suspects: int


@dataclass(frozen=True)
class UnreadGroup:
    """Rows whose image could not be used, by status and reason, with the first few names."""

    status: str
    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class CheckedShare:
    """A share as people found it and as the audit expected it."""

    name: str
    meaning: str
    measured: Range
    expected: Range
    is_contradicted: bool  # the two intervals do not meet


@dataclass(frozen=True)
class Checked:
    """Rows that `noiseaudit sample` drew and people answered."""

    found: Estimate
    contradicted: tuple[str, ...]  # shares by their names in `found`
    said: str  # in plain words
    verdict: str  # whether that contradicts what the audit expected
    shares: tuple[CheckedShare, ...]
    basis: str  # what the figures rest on, a few sentences


@dataclass(frozen=True)
class Origin:
    """What was scanned, and when; None where nothing says so."""

    labels: str | None  # name of the label file or folder
    images: str | None  # name of the folder
    date: str | None  # of the scan, YYYY-MM-DD in UTC
    version: str | None  # of noiseaudit
