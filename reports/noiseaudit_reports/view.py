"""ReportView: what a report shows, computed once by `build_view` and rendered by the writers."""

from __future__ import annotations

from dataclasses import dataclass

from noiseaudit.calibration import Calibration, Reliability
from noiseaudit.compare.stored import Compared
from noiseaudit.cost import CostCurve
from noiseaudit.evaluation import Evaluation
from noiseaudit.expected import Expected
from noiseaudit.ranking import Pair
from noiseaudit.result import AuditResult
from noiseaudit.reviewed import Reviewed
from noiseaudit_reports.view_parts import (
    Checked,
    ClassCount,
    EpsilonHistogram,
    GroupPart,
    HeatMap,
    Histogram,
    Origin,
    Strip,
    Suggestion,
    Suspect,
    UnreadGroup,
)


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
