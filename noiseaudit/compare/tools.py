"""The tools: each from a Case to a score for every labelled row, high = suspicious, and the rows it would flag."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noiseaudit.compare.case import Case, Floats
from noiseaudit.compare.dynamics import aum, small_loss
from noiseaudit.compare.verdict import Verdict
from noiseaudit.course import Fitted
from noiseaudit.crossfit import CrossFitted, believe_folds, choose_folds, cross_fit, looks_clean, not_crossed
from noiseaudit.data.training import TrainingData
from noiseaudit.threshold import choose_cutoff

Codes = npt.NDArray[np.int64]

NEIGHBOURS = 10
INVERSE_PENALTIES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)  # scikit-learn's C, tried for logistic regression


class Tool(NamedTuple):
    """A way to find wrong labels."""

    judge: Callable[[Case], Verdict]
    about: str
    package: str | None = None  # that it needs, besides noiseaudit's own
    needs_vectors: bool = False


def noiseaudit(case: Case) -> Verdict:
    """What `scan` does by default."""
    crossed = cross_fitted(case, _umn_plus(case))
    scores = _p_mislabeled(case, crossed)
    return Verdict(scores, choose_cutoff("auto", scores, None).flagged)


def cross_fitted(case: Case, fitted: Fitted) -> CrossFitted:
    """`fitted` with the folds that `scan` would add."""
    data, epochs = case.data, case.schedule("umn_plus", case.data.codes.numpy())[1]
    alone = not_crossed(fitted)
    clean = looks_clean(_p_mislabeled(case, alone), data.inputs, case.backbone)
    folds = choose_folds(case.config, data.inputs, case.given, looks_clean=clean)
    if not folds:
        return alone

    def train(part: TrainingData, number: int) -> Fitted:
        return case.train("umn_plus", part.codes.numpy(), stream=number, epochs=epochs)

    return cross_fit(fitted, data, folds, case.seed, train)


def _p_mislabeled(case: Case, crossed: CrossFitted) -> Floats:
    return believe_folds(crossed, case.given, case.data.inputs.kind).p_mislabeled


def guider(case: Case) -> Verdict:
    """One minus the Guider's probability of the given label; flagged where another class has more."""
    probs, given = _umn_plus(case).guider_mean[case.labelled], case.given
    return Verdict(1 - probs[np.arange(len(given)), given].astype(np.float64), probs.argmax(1) != given)


def cleanlab_network(case: Case) -> Verdict:
    """Confident learning on out-of-fold probabilities of the same encoder."""
    return _confident_learning(case.out_of_fold(), case)


def cleanlab_logistic(case: Case) -> Verdict:
    """Confident learning on out-of-fold logistic regression, its penalty chosen by log loss on the given labels."""
    return _confident_learning(case.shared("logistic", lambda: _logistic(case)), case)


def knn_vote(case: Case) -> Verdict:
    """Share of the nearest labelled rows, weighed by similarity, that have another label.

    Flagged where one other label has more votes than the given one.
    """
    from sklearn.neighbors import KNeighborsClassifier

    n, x, given = len(case.given), case.vectors, case.given
    k = min(NEIGHBOURS, n - 1)
    index = KNeighborsClassifier(k + 1, metric="cosine").fit(x, given)
    distance, found = index.kneighbors(x)
    weight = np.where(found == np.arange(n)[:, None], 0, np.maximum(2 - distance, 0))
    votes = np.zeros((n, case.data.n_classes))
    np.add.at(votes, (np.arange(n)[:, None], given[found]), weight)
    shares = votes / np.maximum(votes.sum(axis=1, keepdims=True), 1e-12)
    own = shares[np.arange(n), given]
    return Verdict(1 - own, shares.max(axis=1) > own)


TOOLS = {
    "noiseaudit": Tool(noiseaudit, "scan's default: umn_plus, p_mislabeled, cut-off auto"),
    "guider": Tool(guider, "the same network's Guider alone: 1 - p(given), argmax"),
    "cleanlab": Tool(
        cleanlab_network, "find_label_issues on 5-fold probabilities of the encoder", "cleanlab"
    ),
    "cleanlab_logistic": Tool(
        cleanlab_logistic,
        "find_label_issues on 5-fold logistic regression, its penalty tuned",
        "cleanlab",
        needs_vectors=True,
    ),
    "aum": Tool(
        aum, "area under the margin with threshold samples (Pleiss et al. 2020), margins after each epoch"
    ),
    "small_loss": Tool(
        small_loss, "loss averaged over the epochs, mixture of two normals (after Li et al. 2020)"
    ),
    "knn": Tool(knn_vote, f"vote of the {NEIGHBOURS} nearest rows"),
}


def usable(tool: Tool, has_vectors: bool) -> bool:
    """Whether the tool's package is there and the data is of its kind; `has_vectors`: x are not images."""
    is_there = tool.package is None or importlib.util.find_spec(tool.package) is not None
    return is_there and (has_vectors or not tool.needs_vectors)


def _umn_plus(case: Case) -> Fitted:
    return case.shared("umn_plus", lambda: case.train("umn_plus", case.data.codes.numpy()))


def _confident_learning(probs: Floats, case: Case) -> Verdict:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    quality = get_label_quality_scores(case.given, probs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a class is rare; `scan` says so, too
        flagged: npt.NDArray[np.bool_] = find_label_issues(case.given, probs, n_jobs=1)
    return Verdict(1 - np.asarray(quality, np.float64), np.asarray(flagged, np.bool_))


def _logistic(case: Case) -> Floats:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    x, given, best, least = case.vectors, case.given, None, np.inf
    for penalty in INVERSE_PENALTIES:
        probs = np.zeros((len(given), case.data.n_classes))
        for held_out in case.folds():
            rest = np.setdiff1d(np.arange(len(given)), held_out)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # near enough after so many steps
                if len(np.unique(given[rest])) < 2:
                    probs[held_out, given[rest][0]] = 1
                    continue
                model = LogisticRegression(C=penalty, max_iter=200).fit(x[rest], given[rest])
            probs[np.ix_(held_out, model.classes_)] = model.predict_proba(x[held_out])
        loss = -np.log(np.maximum(probs[np.arange(len(given)), given], 1e-12)).mean()
        if loss < least:
            best, least = probs, loss
    assert best is not None
    return best
