"""What an audit warns of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from noiseaudit.audit import run_audit
from noiseaudit.config import AuditConfig
from noiseaudit.errors import ConfigError
from noiseaudit.metrics import proportion
from noiseaudit.remarks import about_conflicts, about_doubts, about_noise_weight, about_self_test


def doubts(p: float, other: int, noise_rate: float | None = None, trust: float = 1.0) -> tuple[str, ...]:
    """Of 100 labels of class 0 with this p_mislabeled, of which the network prefers class 1 for the first `other`."""
    probs = np.where(np.arange(100)[:, None] < other, [0.4, 0.6], [0.6, 0.4]).astype(np.float32)
    fitted: Any = SimpleNamespace(guider_mean=probs, labelled=np.arange(100))
    believed: Any = SimpleNamespace(fitted=fitted, trust=trust)
    return about_doubts(believed, np.full(100, p), np.zeros(100, np.int64), noise_rate)


def test_a_network_that_contradicts_the_probabilities() -> None:
    """As cross entropy leaves it, which has learnt part of the wrong labels by heart."""
    (text,) = doubts(0.03, 21)
    assert text.startswith(
        "the network prefers another class for 21 % of the labels, but p_mislabeled expects only 3.0 %"
    )
    assert doubts(0.18, 21) == ()
    assert doubts(0.01, 5) == ()  # too few to speak of
    assert doubts(0.03, 21, trust=0.5) == ()  # another warning speaks of that


def test_a_noise_rate_that_is_not_found() -> None:
    (text,) = doubts(0.30, 30, 0.2)
    assert "expects 30 % of the labels to be wrong, and --noise-rate said 20 %: --cutoff rate=0.2" in text
    assert doubts(0.25, 25, 0.2) == ()


def test_the_papers_rule_is_refused_early_where_there_is_no_guider() -> None:
    with pytest.raises(ConfigError, match="--method supervised has no Guider, so no epsilon"):
        run_audit("no-such-file.csv", config=AuditConfig(method="supervised", cutoff="epsilon"))


def test_conflicts_name_their_samples_once_and_not_all() -> None:
    names = np.array([f"s{i}" for i in range(10)], object)
    conflict = np.array([1, 0, 3, 2, 5, 4, 7, 6, -1, -1])
    (text,) = about_conflicts(conflict, names)
    assert text.startswith("8 labelled rows have the same content")
    assert text.endswith(": s0 and s1, s2 and s3, s4 and s5, ...")
    assert about_conflicts(np.full(10, -1), names) == ()


def test_a_self_test_that_finds_less_than_expected() -> None:
    """5 of 20 found is 11 to 47 %."""
    (text,) = about_self_test(proportion(5, 20), 0.98)
    assert "expects to have found 98 % of the wrong labels, and the self-test found 25 %" in text
    assert about_self_test(proportion(5, 20), 0.46) == ()
    assert about_self_test(proportion(0, 0), 0.9) == ()
    assert about_self_test(proportion(5, 20), None) == ()


def test_a_weight_that_did_nothing_is_named_if_it_was_asked_for() -> None:
    (text,) = about_noise_weight({"noise_weight": "40"}, noise_known=False, folds=0)
    assert text.startswith("--set noise_weight had no effect: the network was too weak")
    (text,) = about_noise_weight({"noise_weight": "40"}, noise_known=False, folds=5)
    assert text.startswith(
        "--set noise_weight had no effect in at least one of the networks of the folds: it was too"
    )
    assert about_noise_weight({"noise_weight": 40.0}, noise_known=True, folds=5) == ()
    assert about_noise_weight({"noise_weight": "0"}, noise_known=False, folds=0) == ()
    assert about_noise_weight({"alpha": "2"}, noise_known=False, folds=0) == ()
