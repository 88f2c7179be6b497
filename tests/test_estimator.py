"""NoiseAuditClassifier: scikit-learn's own conformance checks, and what it adds."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from noiseaudit import estimator
from noiseaudit.estimator import NoiseAuditClassifier

CHECKS = [*estimator_checks_generator(NoiseAuditClassifier(epochs=20, folds=0, random_state=0))]


@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=[check.func.__name__ for _, check in CHECKS])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_passes_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def noisy_digits() -> tuple[Any, Any, Any]:
    """Vectors (600, 64), labels as letters of which a fifth are wrong, and which."""
    digits = load_digits()
    rng = np.random.default_rng(0)
    names = np.array(list("jihgfedcba"))  # not in the order of the digits
    wrong = rng.random(600) < 0.2
    shift = rng.integers(1, 10, 600)
    return digits.data[:600], names[(digits.target[:600] + wrong * shift) % 10], wrong


@pytest.mark.slow
def test_finds_wrong_labels_and_predicts_their_right_ones(noisy_digits: tuple[Any, Any, Any]) -> None:
    x, y, wrong = noisy_digits
    model = NoiseAuditClassifier(epochs=30, folds=2, random_state=0).fit(x, y)
    assert list(model.classes_) == list("abcdefghij")
    assert average_precision_score(wrong, model.p_mislabeled_) > 0.9
    right = np.array(list("jihgfedcba"))[load_digits().target[:600]]
    assert np.mean(model.predict(x) == right) > 0.9
    assert np.mean(model.suggested_label_[model.is_label_issue_] == right[model.is_label_issue_]) > 0.9
    assert model.is_label_issue_.dtype == np.bool_
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1, atol=1e-5)


def test_the_example_in_the_docstring_runs() -> None:
    found = doctest.testmod(estimator)
    assert found.attempted > 5
    assert found.failed == 0


def test_a_numpy_integer_is_a_seed_like_any_other(noisy_digits: tuple[Any, Any, Any]) -> None:
    x, y, _ = noisy_digits
    audits = [
        NoiseAuditClassifier(epochs=1, random_state=seed).fit(x, y).audit_ for seed in (3, np.int64(3), 4)
    ]
    assert [type(audit.meta.seed) for audit in audits] == [int] * 3
    assert [audit.meta.seed for audit in audits] == [3, 3, 4]
    assert audits[0].table.equals(audits[1].table)
    assert not audits[0].table.equals(audits[2].table)


@pytest.mark.parametrize("name", ["is_labelled", "is_trusted"])
@pytest.mark.parametrize(
    "flags",
    [
        [True, False], np.ones((600, 1), np.bool_), np.arange(600), np.array(["False"] * 600), np.full(600, -1),
    ],
    ids=["short", "2-D", "places", "text", "signs"],
)  # fmt: skip
def test_flags_are_bool_and_as_long_as_y(noisy_digits: tuple[Any, Any, Any], name: str, flags: Any) -> None:
    x, y, _ = noisy_digits
    shape = re.escape(str(np.shape(flags)))
    with pytest.raises(
        ValueError, match=rf"{name} must be an array of bool of shape \(600,\), got .* {shape}"
    ):
        NoiseAuditClassifier(epochs=1).fit(x, y, **{name: flags})


@pytest.mark.parametrize("kind", ["text", "None", "NaN", "list", "series"])
def test_unlabelled_rows_are_not_looked_at(noisy_digits: tuple[Any, Any, Any], kind: str) -> None:
    x, letters, _ = noisy_digits
    labelled = np.arange(600) % 3 > 0
    y = np.searchsorted(list("abcdefghij"), letters)
    if kind == "text":
        y = letters
    fillers: dict[str, Any] = {
        "text": np.where(labelled, y, "zzz"),
        "None": np.where(labelled, y.astype(object), None),
        "NaN": np.where(labelled, np.searchsorted(list("abcdefghij"), letters), np.nan),
        "list": [code if known else "" for code, known in zip(y.tolist(), labelled, strict=True)],
        "series": pd.Series(y, index=range(600, 0, -1)).where(labelled),
    }
    one = NoiseAuditClassifier(epochs=2, random_state=0).fit(x, y, is_labelled=labelled)
    two = NoiseAuditClassifier(epochs=2, random_state=0).fit(x, fillers[kind], is_labelled=labelled)
    np.testing.assert_array_equal(one.p_mislabeled_, two.p_mislabeled_)
    assert two.classes_.tolist() == one.classes_.tolist() == np.unique(y).tolist()
    assert np.isnan(one.p_mislabeled_[~labelled]).all()
    assert not np.isnan(one.p_mislabeled_[labelled]).any()
    assert set(two.suggested_label_) <= set(y)
    assert not one.is_label_issue_[~labelled].any()


@pytest.mark.parametrize("missing", [np.nan, None])
def test_a_labelled_row_needs_a_label(noisy_digits: tuple[Any, Any, Any], missing: Any) -> None:
    x, letters, _ = noisy_digits
    y = letters.astype(object)
    y[[5, 7]] = missing
    labelled = np.arange(600) != 7
    with pytest.raises(ValueError, match=r"contains NaN|holds None"):
        NoiseAuditClassifier(epochs=1).fit(x, y, is_labelled=labelled)
