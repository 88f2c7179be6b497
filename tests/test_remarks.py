"""What an audit warns of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from noiseaudit.audit import run_audit
from noiseaudit.config import AuditConfig
from noiseaudit.errors import ConfigError
from noiseaudit.remarks import about_doubts


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
