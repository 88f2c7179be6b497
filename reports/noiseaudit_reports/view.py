"""ReportView: what a report shows, computed once by `build_view` and rendered by the writers."""

from __future__ import annotations

from dataclasses import dataclass

from noiseaudit.calibration import Calibration, Reliability
from noiseaudit.compare.stored import Compared
from noiseaudit.cost import CostCurve
from noiseaudit.estimate import Estimate
from noiseaudit.evaluation import Evaluation
from noiseaudit.expected import Expected
from noiseaudit.groups import Group
from noiseaudit.interval import Range
from noiseaudit.ranking import Pair
from noiseaudit.result import AuditResult
from noiseaudit.reviewed import Reviewed


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


@dataclass(frozen=True)
class ReportView:
    """Plain data. `n_` counts rows: `n_scored` are labelled and read, `n_suspects` of those are flagged."""

    audit: AuditResult
    origin: Origin
    finding: str
    estimate: str  # how many of the suspects are wrong, and how many others: a sentence; "" where nothing was judged
    n_rows: int
    n_scored: int
    n_unlabelled: int
    n_unread: int
    n_suspects: int
    expected_wrong: float  # sum of p_mislabeled over the scored rows
    sureness: tuple[str, ...]  # how sure that is, in plain sentences
    expected: Expected
    expectation: str  # precision, recall and noise rate, as the model sees them
    suspects: tuple[Suspect, ...]  # the first few, most suspicious first
    suggestions: tuple[Suggestion, ...]
    pairs: tuple[Pair, ...]  # most frequent first
    dominant_pair: Pair | None  # holds more than half of the suspects
    strips: tuple[Strip, ...]  # of the first few pairs
    heat_map: HeatMap | None  # None: too many classes, or nothing to show
    classes: tuple[ClassCount, ...]  # most suspects first
    n_classes: int
    annotators: GroupPart | None  # None: the audit has no such column
    batches: GroupPart | None
    cost: CostCurve | None  # None: nothing can be wrong
    compared: Compared | None  # with other tools, on the same data; None: not asked for
    p_mislabeled: Histogram
    epsilon: EpsilonHistogram | None  # None: the method has no epsilon
    unread: tuple[UnreadGroup, ...]
    checked: Checked | None  # None: no answers were given
    evaluation: Evaluation | None
    calibration: (
        Calibration | None
    )  # of p_mislabeled against the truth; None without it, or for a handful of rows
    reliability: tuple[Reliability, ...]
    cleaned: str  # one sentence on the cleaned file of the scan; empty where nothing is known of it
    review_command: str
    decided_command: str  # applies what was decided on the review page
    sample_command: (
        str  # draws rows that tell how good the audit is; "" where some were checked, or there is no suspect
    )
    unlabelled_command: str  # lists all suggestions for rows without a label; "" without such rows
    clean_command: str  # relabels all suspects that were not judged
    spoiled: str  # what that is expected to spoil, a sentence; empty without suspects
    reviewed: Reviewed | None  # None: nobody judged a row yet
    reviewed_text: str  # the same in sentences
    settings: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]

    @property
    def estimated_wrong(self) -> float:
        """How many labels are wrong: as people who checked rows say, else as the audit expects."""
        if self.checked is None:
            return self.expected_wrong
        assert self.checked.found.mislabeled.value is not None
        return self.checked.found.mislabeled.value
