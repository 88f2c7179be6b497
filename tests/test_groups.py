"""Shrunken rates of groups: by hand, against a search over a grid, and at the extremes."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import beta, betabinom

from noiseaudit.groups import Prior, fit_prior, group_rates, shrunken
from noiseaudit.result import AuditResult

MakeAudit = Callable[..., AuditResult]


def test_a_rate_by_hand() -> None:
    # Beta(2, 8) before; 5 of 10 wrong make it Beta(7, 13)
    (rate,) = shrunken(np.array([5.0]), np.array([10]), Prior(0.2, 10))
    assert rate.value == pytest.approx(7 / 20)
    assert (rate.low, rate.high) == pytest.approx(beta.ppf([0.025, 0.975], 7, 13))


def test_few_labels_stay_near_the_prior_and_many_go_their_own_way() -> None:
    wrong, n = np.array([5.0, 500.0, 50_000.0]), np.array([10, 1_000, 100_000])
    few, some, many = (rate.value for rate in shrunken(wrong, n, Prior(0.02, 100)))
    assert (few, some, many) == pytest.approx((7 / 110, 502 / 1_100, 50_002 / 100_100))


def test_the_prior_is_the_most_likely_one() -> None:
    rng = np.random.default_rng(0)
    n = rng.integers(5, 400, 60)
    wrong = rng.binomial(n, rng.beta(3, 27, 60))
    found = fit_prior(wrong.astype(np.float64), n)

    def likelihood(mean: float, strength: float) -> float:
        return float(np.sum(betabinom.logpmf(wrong, n, mean * strength, (1 - mean) * strength)))

    best = likelihood(found.mean, found.strength)
    grid = [likelihood(m, s) for m in np.linspace(0.02, 0.3, 57) for s in np.geomspace(1, n.sum(), 80)]
    assert max(grid) <= best + 1e-9
    assert best - max(grid) < 0.1
    assert found.mean == pytest.approx(0.1, abs=0.02)
    assert 15 < found.strength < 60


def test_fractions_are_counts_as_well() -> None:
    n = np.full(40, 50)
    rates = np.linspace(0.05, 0.45, 40)
    found = fit_prior(n * rates, n)
    assert found.mean == pytest.approx(rates.mean(), abs=0.01)
    spread = found.mean * (1 - found.mean) / (found.strength + 1)  # of the prior
    noise = (rates * (1 - rates) / n).mean()  # that binomial counts would have beside it
    assert spread == pytest.approx(rates.var() - noise, rel=0.25)


def test_one_large_group_does_not_speak_for_fifty_small_ones() -> None:
    n = np.array([10_000, *[20] * 50])
    wrong = np.array([5_000.0, *[0.2] * 50])
    rates = shrunken(wrong, n, fit_prior(wrong, n))
    assert rates[0].value == pytest.approx(0.5, abs=0.01)
    assert all(rate.value is not None and rate.value < 0.05 for rate in rates[1:])


def test_one_group_keeps_its_own_rate() -> None:
    prior = fit_prior(np.array([12.0]), np.array([100]))
    assert (prior.mean, prior.strength) == (0.5, 1)
    (rate,) = shrunken(np.array([12.0]), np.array([100]), prior)
    assert rate.value == pytest.approx(12.5 / 101)
    assert (rate.low, rate.high) == pytest.approx(beta.ppf([0.025, 0.975], 12.5, 88.5))


def test_equal_groups_get_one_rate_whose_interval_stays_open() -> None:
    n, wrong = np.full(8, 100), np.full(8, 10.0)
    prior = fit_prior(wrong, n)
    assert prior.strength == pytest.approx(800 / 0.9, rel=0.01)  # right labels weigh as many as there are
    rates = shrunken(wrong, n, prior)
    assert len({rate.value for rate in rates}) == 1
    assert rates[0].value == pytest.approx(0.1, abs=1e-3)
    assert 0.08 < rates[0].low < 0.09 < 0.11 < rates[0].high < 0.125


def test_a_group_of_one_label_is_not_shamed() -> None:
    n = np.array([1, *[200] * 10])
    wrong = np.array([0.99, *np.linspace(5, 15, 10)])
    one, *others = shrunken(wrong, n, fit_prior(wrong, n))
    assert one.value is not None
    assert one.value < 0.1
    assert one.low < min(rate.value or 0 for rate in others)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_no_wrong_label_and_nothing_but_wrong_ones(share: float) -> None:
    n = np.array([3, 50, 400])
    rates = shrunken(n * share, n, fit_prior(n * share, n))
    for rate in rates:
        assert rate.value == pytest.approx(share, abs=0.005)
        assert 0 <= rate.low <= (rate.value or 0) <= rate.high <= 1
        assert rate.low < rate.high


def test_groups_of_all_or_nothing_are_believed() -> None:
    n = np.full(10, 500)
    wrong = np.array([0.0, 500.0] * 5)
    prior = fit_prior(wrong, n)
    assert prior.strength == pytest.approx(1)
    assert shrunken(wrong, n, prior)[1].low > 0.98


def test_ten_thousand_groups_take_less_than_seconds() -> None:
    rng = np.random.default_rng(1)
    n = rng.integers(1, 50, 10_000)
    wrong = rng.binomial(n, rng.beta(2, 38, len(n))).astype(np.float64)
    started = time.process_time()
    prior = fit_prior(wrong, n)
    rates = shrunken(wrong, n, prior)
    assert time.process_time() - started < 5
    assert prior.mean == pytest.approx(0.05, abs=0.003)
    assert prior.strength == pytest.approx(40, rel=0.25)
    assert all(np.isfinite([rate.low, rate.high]).all() for rate in rates)


def test_the_intervals_hold_the_true_rates() -> None:
    rng = np.random.default_rng(2)
    n, true = rng.integers(5, 300, 2_000), rng.beta(3, 47, 2_000)
    wrong = rng.binomial(n, true).astype(np.float64)
    rates = shrunken(wrong, n, fit_prior(wrong, n))
    held = [rate.low <= t <= rate.high for rate, t in zip(rates, true.tolist(), strict=True)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_an_audits_annotators(make_audit: MakeAudit) -> None:
    names = [None if i % 10 == 0 else f"a{i % 3}" for i in range(300)]
    audit = make_audit(300, annotators=names)
    found = group_rates(audit, "annotator")
    assert found is not None
    frame = audit.to_pandas().assign(who=np.array(names, object)).dropna(subset="p_mislabeled")
    by_name = frame.groupby("who")
    assert {g.name: g.n for g in found.groups} == by_name.size().to_dict()
    assert {g.name: g.wrong for g in found.groups} == pytest.approx(by_name.p_mislabeled.sum().to_dict())
    suspects = by_name.is_label_issue.sum().astype(int).to_dict()
    assert {g.name: g.n_suspects for g in found.groups} == suspects
    lows = [g.rate.low for g in found.groups]
    assert lows == sorted(lows, reverse=True)
    assert found.n_without == frame.who.isna().sum() + audit.to_pandas().p_mislabeled.notna().sum() - len(
        frame
    )
    assert found.column == "annotator"


def test_no_annotator_no_groups(make_audit: MakeAudit) -> None:
    assert group_rates(make_audit(), "annotator") is None
    only_unread = [None] * 57 + ["ann"] * 3
    assert group_rates(make_audit(n_unread=3, batches=only_unread), "batch") is None
