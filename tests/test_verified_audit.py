"""estimate: figures by hand, and how often the intervals hold the truth."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import betabinom

from noiseaudit.decisions import Decision
from noiseaudit.errors import DataError
from noiseaudit.estimate import PRIOR, Estimate, _population, _range, estimate
from noiseaudit.result import AuditResult
from noiseaudit.sample import allocate, draw_sample, stratify
from tests.conftest import build_audit

AUDIT = build_audit(n=2_007, seed=3)  # 2,000 of them scored
MakeAudit = Callable[..., AuditResult]


def wrong_of(audit: AuditResult) -> dict[str, bool]:
    same = audit.column("given_label") == audit.column("true_label")
    return dict(zip(audit.column("sample_id"), ~same, strict=True))


def answer(drawn: list[Decision], wrong: dict[str, bool]) -> list[Decision]:
    return [
        dataclasses.replace(each, decision="relabel" if wrong[each.sample_id] else "keep", new_label="bird")
        for each in drawn
    ]


def test_all_rows_checked_leave_no_doubt() -> None:
    wrong = wrong_of(AUDIT)
    found = estimate(AUDIT, answer(draw_sample(AUDIT, 2_000, seed=0), wrong))
    scored = AUDIT.column("status") == "ok"
    truth = np.array(list(wrong.values()))[scored]
    flags = (AUDIT.column("is_label_issue") == True)[scored]  # noqa: E712
    hits = (truth & flags).sum()
    for name, value in {
        "noise_rate": truth.mean(),
        "mislabeled": truth.sum(),
        "precision": hits / flags.sum(),
        "recall": hits / truth.sum(),
        "f1": 2 * hits / (flags.sum() + truth.sum()),
    }.items():
        each = getattr(found, name)
        assert (each.value, each.low, each.high) == pytest.approx((value, value, value))
    assert found.is_enough


def test_point_estimates_by_hand(make_audit: MakeAudit) -> None:
    """Each part's share of wrong answers, weighed by the part's size."""
    audit = make_audit(n=407, seed=5)
    parts, wrong = stratify(audit), wrong_of(audit)
    drawn = answer(draw_sample(audit, 80, seed=1), wrong)
    found = estimate(audit, drawn)
    place = {name: i for i, name in enumerate(audit.column("sample_id")[parts.rows])}
    part = parts.part[[place[each.sample_id] for each in drawn]]
    is_wrong = np.array([each.decision == "relabel" for each in drawn])
    expected = np.array([parts.sizes[h] * is_wrong[part == h].mean() for h in range(len(parts.sizes))])
    flagged = expected[parts.flagged].sum()
    assert found.mislabeled.value == pytest.approx(expected.sum())
    assert found.noise_rate.value == pytest.approx(expected.sum() / 400)
    assert found.precision.value == pytest.approx(flagged / parts.sizes[parts.flagged].sum())
    assert found.recall.value == pytest.approx(flagged / expected.sum())
    assert (found.n_answers, found.n_open, found.n_scored) == (80, 0, 400)


def test_the_interval_is_that_of_the_beta_binomial() -> None:
    draws = _population(np.array([500]), np.array([60]), np.array([7]))[:, 0]
    exact = 7 + np.array(betabinom(440, 7 + PRIOR, 53 + PRIOR).ppf([0.025, 0.975]))
    found = _range(500 * 7 / 60, draws)
    assert [found.low, found.high] == pytest.approx(exact, abs=3)


@pytest.mark.parametrize("n", [100, 300])
def test_intervals_hold_the_truth_and_are_narrower_than_a_simple_samples(n: int) -> None:
    """100 audits: between 90 and 99 % of each measure's intervals, up to what 100 draws can tell (3 of them)."""
    wrong = wrong_of(AUDIT)
    truth = estimate(AUDIT, answer(draw_sample(AUDIT, 2_000, seed=0), wrong))
    held = dict.fromkeys(("noise_rate", "precision", "recall"), 0)
    width = dict.fromkeys(held, 0.0)
    for seed in range(100):
        found = estimate(AUDIT, answer(draw_sample(AUDIT, n, seed), wrong))
        for name in held:
            each = getattr(found, name)
            held[name] += each.low <= getattr(truth, name).value <= each.high
            width[name] += each.width / 100
    assert all(87 <= count <= 100 for count in held.values()), held
    flags, rate = truth.n_flagged / 2_000, truth.noise_rate.value or 0
    for name, share in (("noise_rate", 1.0), ("precision", flags), ("recall", rate)):
        assert width[name] < normal_width(getattr(truth, name).value, n * share), (name, width)


def test_intervals_are_as_wide_as_they_must_be_where_scores_are_too_sure() -> None:
    """120 audits whose wrong labels are half as far from a coin's as p_mislabeled says.

    Twice the interval would miss none (1 in 10,000); and its mean width is that of a stratified sample's standard
    error (Cochran 1977), with the true shares.
    """
    p = AUDIT.column("p_mislabeled").astype(float)
    wrong = dict(
        zip(AUDIT.column("sample_id"), np.random.default_rng(0).random(len(p)) < (p + 0.5) / 2, strict=True)
    )
    parts, n = stratify(AUDIT), 200
    is_wrong = np.array([wrong[name] for name in AUDIT.column("sample_id")[parts.rows]])
    counts, asked = np.bincount(parts.part, is_wrong), allocate(parts, n)
    share, found, every = counts / parts.sizes, counts[parts.flagged].sum(), counts.sum()
    spread = parts.sizes**2 * (1 - asked / parts.sizes) * share * (1 - share) / asked
    n_flagged = parts.sizes[parts.flagged].sum()
    truth = {"noise_rate": every / 2_000, "precision": found / n_flagged, "recall": found / every}
    error = {
        "noise_rate": np.sqrt(spread.sum()) / 2_000,
        "precision": np.sqrt(spread[parts.flagged].sum()) / n_flagged,
        "recall": np.sqrt((spread * (parts.flagged - found / every) ** 2).sum()) / every,  # of a ratio
    }
    ranges = [estimate(AUDIT, answer(draw_sample(AUDIT, n, seed), wrong)) for seed in range(120)]
    for name, value in truth.items():
        each = [getattr(one, name) for one in ranges]
        held = sum(one.low <= value <= one.high for one in each)
        assert 107 <= held <= 119, (name, held)  # of 95 % each bound fails in 3 of 1,000 such tests
        assert np.mean([one.width for one in each]) / (2 * 1.96 * error[name]) == pytest.approx(1, abs=0.1), (
            name
        )
        assert abs(np.mean([one.value for one in each]) - value) < 3 * error[name] / np.sqrt(120), name


def normal_width(share: float, n: float) -> float:
    """Of the interval of a share from n random rows (Wilson 1927)."""
    z = 1.959964
    return float(2 * z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))


def test_open_and_ambiguous_rows_and_rows_that_were_not_drawn_are_left_out() -> None:
    drawn = answer(draw_sample(AUDIT, 120, seed=0), wrong_of(AUDIT))
    plain = estimate(AUDIT, drawn)
    more = [
        *drawn,
        dataclasses.replace(drawn[0], sample_id="images/01500.png", decision="ambiguous"),
        dataclasses.replace(drawn[0], sample_id="images/01501.png", decision=None),
        dataclasses.replace(drawn[0], sample_id="images/01502.png", decision="skip"),
        Decision("images/00001.png", "relabel", "dog"),
    ]
    names = {each.sample_id for each in drawn}
    assert not names & {"images/01500.png", "images/01501.png", "images/01502.png"}
    found = estimate(AUDIT, more)
    assert (found.n_answers, found.n_ambiguous, found.n_open, found.n_not_drawn) == (120, 1, 2, 1)
    assert found.precision == plain.precision


def test_enough_follows_the_width() -> None:
    drawn = answer(draw_sample(AUDIT, 120, seed=0), wrong_of(AUDIT))
    found: Estimate = estimate(AUDIT, drawn, width=0.1)
    widest = max(found.precision.width, found.recall.width)
    assert widest > 0.1
    assert found.more_answers == int(np.ceil(120 * ((widest / 0.1) ** 2 - 1)))
    assert estimate(AUDIT, drawn, width=1.0).is_enough
    rest = len(AUDIT.column("rank")[AUDIT.column("rank") > 0]) - 120
    assert estimate(AUDIT, drawn, width=0.001).more_answers == rest  # no more than there are


def test_no_suspects_have_no_precision(make_audit: MakeAudit) -> None:
    audit = make_audit(n=207, cutoff=1.1)
    found = estimate(audit, answer(draw_sample(audit, 50, seed=0), wrong_of(audit)))
    assert found.precision.value is None
    assert (found.precision.low, found.precision.high) == (0, 1)
    assert found.recall.value == 0


def test_a_row_that_one_person_left_open_is_the_others() -> None:
    """Two people share the rows of a review: what Ann skips, Bob answers."""
    drawn = answer(draw_sample(AUDIT, 100, seed=0), wrong_of(AUDIT))
    asked = [dataclasses.replace(row, decision=None, new_label=None) for row in drawn]
    skipped = [dataclasses.replace(row, decision="skip", reviewer="Ann") for row in asked[:40]]
    found = estimate(AUDIT, drawn)
    assert estimate(AUDIT, [*skipped, *drawn]) == estimate(AUDIT, [*asked, *drawn, *skipped]) == found
    assert estimate(AUDIT, [*asked[:9], *skipped[:9], *drawn[9:]]).n_open == 9


def test_answers_that_cannot_be_used() -> None:
    drawn = answer(draw_sample(AUDIT, 100, seed=0), wrong_of(AUDIT))
    with pytest.raises(DataError, match="about another audit"):
        estimate(AUDIT, [dataclasses.replace(drawn[0], run_id="0" * 12), *drawn[1:]])
    other = [dataclasses.replace(drawn[0], sampling_weight=None, reviewer=name) for name in ("Ann", "Bob")]
    assert estimate(AUDIT, [*drawn, *other]).n_not_drawn == 2  # left out, and so none is counted twice
    with pytest.raises(DataError, match="'nobody' has no score"):
        estimate(AUDIT, [dataclasses.replace(drawn[0], sample_id="nobody"), *drawn[1:]])
    with pytest.raises(
        DataError, match="none of the 100 answers is about a row that `noiseaudit sample` drew"
    ):
        estimate(AUDIT, [dataclasses.replace(each, sampling_weight=None) for each in drawn])
    with pytest.raises(DataError, match=r"0 answers are too few: .* 4 of them have no keep or relabel yet"):
        estimate(AUDIT, [dataclasses.replace(each, decision=None) for each in drawn])
