"""What an audit warns of."""

from __future__ import annotations

import numpy as np
import pytest

from noiseaudit.audit import run_audit
from noiseaudit.config import AuditConfig
from noiseaudit.errors import ConfigError
from noiseaudit.remarks import about_doubts


def flags(n: int) -> np.ndarray:
    """The first n of 100."""
    return np.arange(100) < n


def test_a_network_that_contradicts_the_probabilities() -> None:
    """As cross entropy leaves it, which has learnt part of the wrong labels by heart."""
    (text,) = about_doubts(np.full(100, 0.03), flags(21), None)
    assert text.startswith(
        "the network prefers another class for 21 % of the labels, but p_mislabeled expects only 3.0 %"
    )
    assert about_doubts(np.full(100, 0.18), flags(21), None) == ()
    assert about_doubts(np.full(100, 0.01), flags(5), None) == ()  # too few to speak of


def test_a_noise_rate_that_is_not_found() -> None:
    (text,) = about_doubts(np.full(100, 0.30), flags(30), 0.2)
    assert "expects 30 % of the labels to be wrong, and --noise-rate said 20 %: --cutoff rate=0.2" in text
    assert about_doubts(np.full(100, 0.25), flags(25), 0.2) == ()


def test_the_papers_rule_is_refused_early_where_there_is_no_guider() -> None:
    with pytest.raises(ConfigError, match="--method supervised has no Guider, so no epsilon"):
        run_audit("no-such-file.csv", config=AuditConfig(method="supervised", cutoff="epsilon"))
