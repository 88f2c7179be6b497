"""The self-test: a second training on the same data with a few more wrong labels, whose places are known.

How many of these are flagged says how many of the others are, as far as the planted ones are like them
(noiseaudit.planting). They also calibrate p_mislabeled. Let it be right but for an offset and a slope of its log-odds,

    p'(s) = 1 / (1 + exp(-(offset + slope log(p / (1 - p)))))

Wrong labels are spread over the scores s in proportion to p'(s), and the planted ones, which are like them, too. So
offset and slope maximise the likelihood of the m planted labels' scores,

    sum_planted log p'(s) - m log sum p'(s)

with normal priors about 0 for the offset and the logarithm of the slope: few labels, or a clear case, change little.
The second training counts the planted labels as wrong, so the last sum is over all labels where the scale of its own
scores is wanted, which is applied to the first training; and over the others where it is asked at which score the
others, by themselves, would be cut, which is where the planted ones are counted. Nothing else of it is kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize
from scipy.special import log_expit, logit, logsumexp

from noiseaudit.course import EpochRecord
from noiseaudit.data.training import TrainingData
from noiseaudit.keeper import NOWHERE, Keeper
from noiseaudit.learn import Learnt, learn
from noiseaudit.metrics import Interval, proportion
from noiseaudit.odds import moved
from noiseaudit.plan import Plan
from noiseaudit.planting import plant
from noiseaudit.seeds import derive_seed
from noiseaudit.threshold import choose_cutoff

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

SHARE, FEWEST, MOST = 0.02, 20, 1_000  # planted labels: of all, and within these bounds
MOST_SHARE = 0.1  # but never more of the labels than this
CERTAIN = 30.0  # log-odds beyond it are one and the same in a fit
OFFSET_DEVIATION, LOG_SLOPE_DEVIATION = 1.0, 0.5  # of the priors
BOUNDS = [(-5.0, 5.0), (np.log(0.1), np.log(3.0))]  # of the offset and the logarithm of the slope


class Scale(NamedTuple):
    """A correction of log-odds."""

    offset: float
    slope: float

    def __call__(self, p: Floats) -> Floats:
        """p' of p, both (n,); the order stays."""
        return moved(p, self.offset, self.slope)


AS_IT_IS = Scale(0.0, 1.0)


@dataclass(frozen=True)
class SelfTest:
    """What came of the planted labels."""

    planted: int
    found: int  # flagged
    recall: Interval  # found / planted, Wilson's interval
    preference: float  # gamma of noiseaudit.planting
    scale: Scale

    def as_json(self) -> dict[str, Any]:
        """For the audit's metadata."""
        return dataclasses.asdict(self) | {"scale": self.scale._asdict()}


def self_test(
    learnt: Learnt,
    data: TrainingData,
    plan: Plan,
    on_extra: Callable[[str, EpochRecord], None] = lambda name, record: None,
    keeper: Keeper = NOWHERE,
) -> SelfTest:
    """Plant labels into `data`, on which `learnt` was trained, and train as that was once more."""
    believed = learnt.believed
    assert believed.noise is not None
    labelled = believed.fitted.labelled
    rng = np.random.default_rng(derive_seed(plan.config.seed, "self-test"))
    allowed = np.ones(len(labelled), np.bool_) if data.trusted is None else ~data.trusted.numpy()[labelled]
    planted = plant(
        believed.fitted.guider_mean[labelled],
        learnt.given,
        np.where(allowed, believed.p_mislabeled, 1.0),
        believed.noise,
        how_many(len(labelled)),
        rng,
    )
    codes = data.codes.clone()
    codes[torch.from_numpy(labelled[planted.rows])] = torch.from_numpy(planted.labels)
    again = learn(
        dataclasses.replace(data, codes=codes),
        # The planted labels must not decide whether there are folds.
        dataclasses.replace(
            plan, folds=learnt.folds, config=dataclasses.replace(plan.config, folds=learnt.folds)
        ),
        lambda record: on_extra("self-test", record),
        lambda name, record: on_extra(f"self-test, {name}", record),
        keeper=keeper.within("self-test"),
    )
    is_planted = np.zeros(len(labelled), np.bool_)
    is_planted[planted.rows] = True
    scores = again.believed.p_mislabeled
    # Labels learnt by heart have a score of another kind, and each training decides whether they are.
    same_kind = again.believed.trust == believed.trust
    scale = fit_scale(scores[is_planted], scores) if same_kind else AS_IT_IS
    found = count_found(plan.config.cutoff, scores, again.epsilon, again.given, is_planted)
    return SelfTest(len(planted.rows), found, proportion(found, len(planted.rows)), planted.preference, scale)


def count_found(
    rule: str, scores: Floats, epsilon: npt.NDArray[np.float32] | None, given: Codes, is_planted: Flags
) -> int:
    """Planted labels beyond the cut-off that `rule` gives the others: they neither use up a budget nor raise a rate."""
    others = ~is_planted
    calibrated = fit_scale(scores[is_planted], scores[others])(scores)
    cut = choose_cutoff(rule, calibrated[others], None if epsilon is None else epsilon[others], given[others])
    if cut.cutoff.score == "epsilon":
        assert epsilon is not None
        return int((epsilon[is_planted] > 0).sum())
    if not cut.flagged.any():
        return 0
    least = np.full(given.max() + 1, np.inf)  # of each class
    np.minimum.at(least, given[others][cut.flagged], calibrated[others][cut.flagged])
    if rule != "even":
        least[:] = least.min()
    return int((calibrated[is_planted] >= least[given[is_planted]]).sum())


def how_many(n_labels: int) -> int:
    """Labels to plant among so many."""
    return int(min(np.clip(round(SHARE * n_labels), FEWEST, MOST), MOST_SHARE * n_labels))


def fit_scale(planted: Floats, among: Floats) -> Scale:
    """Offset and slope from the p_mislabeled of planted labels, (m,), and of those that they are among, (n,)."""
    inside, outside = log_odds(planted), log_odds(among)

    def misfit(parameters: Floats) -> float:
        offset, log_slope = parameters
        slope = np.exp(log_slope)
        gain = log_expit(offset + slope * inside).sum()
        total = logsumexp(log_expit(offset + slope * outside))
        prior = (offset / OFFSET_DEVIATION) ** 2 + (log_slope / LOG_SLOPE_DEVIATION) ** 2
        return float(len(inside) * total - gain + prior / 2)

    offset, log_slope = minimize(misfit, [0.0, 0.0], method="Nelder-Mead", bounds=BOUNDS).x
    return Scale(float(offset), float(np.exp(log_slope)))


def log_odds(p: Floats) -> Floats:
    """log(p / (1 - p)), finite, (n,)."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.clip(logit(p), -CERTAIN, CERTAIN))
