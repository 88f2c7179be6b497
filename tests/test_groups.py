"""Shrunken rates of groups: by hand, by how often their intervals hold the truth, and at the extremes."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import beta, norm

from noiseaudit.groups import group_rates, shrunken
from noiseaudit.known_counts import known_counts
from noiseaudit.result import AuditResult

MakeAudit = Callable[..., AuditResult]
Floats = npt.NDArray[np.float64]


def test_hard_scores_are_counts() -> None:
    places = np.repeat([0, 1, 2], [10, 40, 5])
    p = np.concatenate([np.repeat([1.0, 0.0], [3, 7]), np.repeat([1.0, 0.0], [4, 36]), np.zeros(5)])
    wrong, right = known_counts(p, places, 3, float(p.mean()))
    assert wrong == pytest.approx([3, 4, 0], abs=1e-3)
    assert right == pytest.approx([7, 36, 5], abs=1e-3)


def test_scores_that_are_all_the_same_count_for_nothing() -> None:
    wrong, right = known_counts(np.full(100, 0.1), np.arange(100) % 4, 4, 0.1)
    assert wrong + right == pytest.approx(np.zeros(4), abs=1e-9)


def test_soft_scores_count_for_less_and_are_drawn_apart() -> None:
    """Against a search for the most likely rate; a group's mean score is nearer to that of all than its rate is."""
    p, places, _ = drawn(np.array([0.05, 0.4, 0.2]), np.array([400, 400, 400]), 0.2, 2.0, 0)
    pi = float(p.mean())
    wrong, right = known_counts(p, places, 3, pi)
    assert (wrong + right < 300).all()
    for group in range(3):
        own = p[places == group]

        def loss(t: float, own: Floats = own) -> float:
            return -float(np.log(t * own / pi + (1 - t) * (1 - own) / (1 - pi)).sum())

        best = minimize_scalar(loss, bounds=(1e-6, 1 - 1e-6), method="bounded").x
        assert wrong[group] / (wrong + right)[group] == pytest.approx(best, abs=0.01)
        assert abs(best - pi) > abs(own.mean() - pi)


def drawn(
    true: Floats, n: npt.NDArray[np.integer], pi: float, apart: float | None, seed: int
) -> tuple[Floats, npt.NDArray[np.integer], Floats]:
    """Scores calibrated where a share of `pi` is wrong, from a normal reading whose means lie `apart` (AUC
    Phi(apart / sqrt 2)); None: the truth itself. With each row's group, and the truth."""
    rng = np.random.default_rng(seed)
    places = np.repeat(np.arange(len(n)), n)
    truth = (rng.random(len(places)) < true[places]).astype(np.float64)
    if apart is None:
        return truth, places, truth
    reading = rng.normal(truth * apart)
    odds = pi / (1 - pi) * np.exp(apart * reading - apart**2 / 2)
    return odds / (1 + odds), places, truth


@pytest.mark.parametrize(
    ("a", "b", "apart", "least", "width"),
    [
        (4, 16, None, 0.9, (0.08, 0.15)),
        (4, 16, float(norm.ppf(0.92) * np.sqrt(2)), 0.9, (0.12, 0.2)),
        (2, 18, float(norm.ppf(0.8) * np.sqrt(2)), 0.87, (0.12, 0.25)),
        (2, 18, 0.0, 0.95, (0.3, 0.7)),  # scores that tell nothing: wide
    ],
)
def test_the_intervals_hold_the_true_rates(
    a: int, b: int, apart: float | None, least: float, width: tuple[float, float]
) -> None:
    rng = np.random.default_rng(1)
    held, widths = [], []
    for seed in range(40):
        n, true = rng.integers(50, 301, 20), rng.beta(a, b, 20)
        p, places, _ = drawn(true, n, a / (a + b), apart, seed)
        _, rates = shrunken(*known_counts(p, places, 20, float(p.mean())), float(p.mean()))
        held += [rate.low <= t <= rate.high for rate, t in zip(rates, true.tolist(), strict=True)]
        widths += [rate.width for rate in rates]
    assert least <= np.mean(held)
    assert width[0] < np.mean(widths) < width[1]


def test_few_labels_stay_near_the_prior_and_many_go_their_own_way() -> None:
    n = np.array([5.0, *[200.0] * 20, 50_000.0])
    wrong = np.array([5.0, *np.linspace(2, 18, 20), 25_000.0])
    prior, rates = shrunken(wrong, n - wrong, 0.05)
    assert 0.05 < prior.mean < 0.2
    assert rates[0].value is not None
    assert rates[0].value < 0.7
    assert rates[-1].value == pytest.approx(0.5, abs=0.001)


def test_the_prior_is_that_of_the_rates() -> None:
    rng = np.random.default_rng(0)
    n = rng.integers(5, 400, 300)
    wrong = rng.binomial(n, rng.beta(3, 27, 300)).astype(np.float64)
    prior, _ = shrunken(wrong, n - wrong, 0.5)
    assert prior.mean == pytest.approx(0.1, abs=0.01)
    assert prior.strength == pytest.approx(30, rel=0.3)


def test_one_large_group_does_not_speak_for_fifty_small_ones() -> None:
    n = np.array([10_000, *[20] * 50])
    wrong = np.array([5_000.0, *[0.2] * 50])
    _, rates = shrunken(wrong, n - wrong, 0.45)
    assert rates[0].value == pytest.approx(0.5, abs=0.01)
    assert all(rate.value is not None and rate.value < 0.05 for rate in rates[1:])


def test_one_group_keeps_its_own_rate(make_audit: MakeAudit) -> None:
    found = group_rates(make_audit(300, annotators=["ann"] * 300), "annotator")
    assert found is not None
    (group,) = found.groups
    a, b = group.wrong + 0.5, group.n - group.wrong + 0.5
    assert group.rate.value == pytest.approx(a / (a + b))
    assert (group.rate.low, group.rate.high) == pytest.approx(beta.ppf([0.025, 0.975], a, b))


def test_equal_groups_get_one_rate_whose_interval_stays_open() -> None:
    n, wrong = np.full(8, 100), np.full(8, 10.0)
    _, rates = shrunken(wrong, n - wrong, 0.1)
    assert len({rate.value for rate in rates}) == 1
    assert rates[0].value == pytest.approx(0.1, abs=1e-3)
    assert 0.05 < rates[0].low < 0.09 < 0.11 < rates[0].high < 0.15


def test_a_group_of_one_label_is_not_shamed() -> None:
    n = np.array([1, *[200] * 10])
    wrong = np.array([0.99, *np.linspace(5, 15, 10)])
    _, (one, *others) = shrunken(wrong, n - wrong, 0.05)
    assert one.value is not None
    assert one.value < 0.15
    assert one.low < min(rate.value or 0 for rate in others)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_no_wrong_label_and_nothing_but_wrong_ones(share: float) -> None:
    n = np.array([3, 50, 400])
    wrong, right = known_counts(np.full(453, share), np.repeat(np.arange(3), n), 3, share)
    assert wrong.tolist() == (n * share).tolist()
    _, rates = shrunken(wrong, right, share)
    for rate in rates:
        assert rate.value == pytest.approx(share, abs=0.005)
        assert 0 <= rate.low <= (rate.value or 0) <= rate.high <= 1
        assert rate.low < rate.high


def test_groups_of_all_or_nothing_are_believed() -> None:
    n = np.full(10, 500)
    wrong = np.array([0.0, 500.0] * 5)
    assert shrunken(wrong, n - wrong, 0.5)[1][1].low > 0.98


def test_ten_thousand_groups_take_seconds() -> None:
    rng = np.random.default_rng(1)
    n = rng.integers(1, 50, 10_000)
    p, places, _ = drawn(rng.beta(2, 38, len(n)), n, 0.05, None, 0)
    started = time.process_time()
    prior, rates = shrunken(*known_counts(p, places, len(n), float(p.mean())), float(p.mean()))
    assert time.process_time() - started < 5
    assert prior.mean == pytest.approx(0.05, abs=0.003)
    assert prior.strength == pytest.approx(40, rel=0.25)
    assert all(np.isfinite([rate.low, rate.high]).all() for rate in rates)


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
