"""What an audit expects of itself: by hand, against simulation, and at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest

from noiseaudit.expected import as_json, contradicted, expect, found_and_missed, sentence, wrong_rows
from noiseaudit.interval import Range
from tests.conftest import build_audit


def test_the_number_of_wrong_rows_by_hand() -> None:
    found = wrong_rows(np.array([0.5, 0.5, 0.9, 0.1]))
    assert found.value == pytest.approx(2.0)
    reach = 1.96 * (0.25 + 0.25 + 0.09 + 0.09) ** 0.5
    assert (found.low, found.high) == pytest.approx((2 - reach, 2 + reach), abs=1e-3)


def test_intervals_stay_inside_what_can_be() -> None:
    found = wrong_rows(np.array([0.9, 0.2]))
    assert found.low >= 0
    assert found.high == 2.0
    assert (wrong_rows(np.array([1.0, 0.0])).low, wrong_rows(np.array([1.0, 0.0])).high) == (1.0, 1.0)


def test_without_doubt_the_intervals_cover_what_is_drawn_from_the_probabilities() -> None:
    audit = build_audit(400, seed=3)
    audit.meta.config["chosen"] = {"doubt": [0.0, 0.0]}
    expected, p = expect(audit), audit.column("p_mislabeled")
    scored = ~np.isnan(p)
    flagged = audit.suspects()[scored]
    rng = np.random.default_rng(0)
    covered = {"precision": 0, "recall": 0, "noise_rate": 0}
    draws = 2000
    for _ in range(draws):
        wrong = rng.random(scored.sum()) < p[scored]
        values = {
            "precision": wrong[flagged].mean(),
            "recall": wrong[flagged].sum() / wrong.sum(),
            "noise_rate": wrong.mean(),
        }
        for name, value in values.items():
            found = getattr(expected, name)
            covered[name] += found.low <= value <= found.high
    for name, times in covered.items():
        assert 0.93 <= times / draws <= 0.975, (name, times)


def test_doubt_widens_the_intervals_to_those_of_moved_probabilities() -> None:
    audit = build_audit(60)
    p, flagged = audit.column("p_mislabeled"), audit.suspects()
    ends = []
    for low, high in ((-1.0, 0.5), (0.0, 0.0)):
        audit.meta.config["chosen"] = {"doubt": [low, high]}
        ends.append(expect(audit))
    wide, narrow = ends
    scored = p[~np.isnan(p)]
    down, up = (wrong_rows(scored / (scored + (1 - scored) * np.exp(-by))) for by in (-1.0, 0.5))
    assert (wide.mislabeled.low, wide.mislabeled.high) == pytest.approx((down.low, up.high))
    assert wide.noise_rate.high == pytest.approx(up.high / len(scored))
    assert wide.precision.low < narrow.precision.low < np.mean(p[flagged]) < narrow.precision.high
    assert wide.recall.low < narrow.recall.low
    assert wide.precision.value == narrow.precision.value


def test_of_one_class_the_odds_may_be_off_by_two_more() -> None:
    audit = build_audit(60)
    audit.meta.config["chosen"] = {"doubt": [-math.log(3), 0.0]}
    p = audit.column("p_mislabeled")
    cats = p[(audit.column("given_label") == "cat") & ~np.isnan(p)]
    down, up = (wrong_rows(cats * by / (cats * by + 1 - cats)) for by in (1 / 6, 2))
    found = expect(audit).noise_rate_by_class["cat"]
    assert (found.low, found.high) == pytest.approx((down.low / len(cats), up.high / len(cats)))


def test_the_values_are_means_of_the_probabilities() -> None:
    audit = build_audit(60)
    p, flagged = audit.column("p_mislabeled"), audit.suspects()
    expected = expect(audit)
    assert expected.precision.value == pytest.approx(p[flagged].mean())
    assert expected.recall.value == pytest.approx(np.nansum(p[flagged]) / np.nansum(p))
    assert expected.noise_rate.value == pytest.approx(np.nanmean(p))
    assert expected.mislabeled.value == pytest.approx(np.nansum(p))
    dogs = audit.column("given_label") == "dog"
    assert expected.noise_rate_by_class["dog"].value == pytest.approx(np.nanmean(p[dogs]))


def test_a_class_whose_name_numpy_would_shorten() -> None:
    audit = build_audit(60, classes=("cat", "\0"))
    p, given = audit.column("p_mislabeled"), audit.column("given_label")
    rows = [i for i, name in enumerate(given) if name == "\0" and not np.isnan(p[i])]
    assert expect(audit).noise_rate_by_class["\0"].value == pytest.approx(p[rows].mean())


def test_what_is_measured_contradicts_intervals_that_it_does_not_touch() -> None:
    expected = expect(build_audit(200))
    rate, recall = expected.noise_rate, expected.recall
    measured = {
        "noise_rate": Range(0.9, rate.high + 1e-9, 1.0),
        "recall": Range(0.1, 0.0, recall.low),
        "precision": Range(None, 0.0, 0.0),
    }
    assert contradicted(expected, measured) == ["noise_rate"]
    assert contradicted(expected, {"recall": Range(0.1, 0.0, recall.low - 1e-9)}) == ["recall"]


@pytest.mark.parametrize(
    ("n_suspects", "precision", "n_wrong", "said"),
    [
        (395, 0.711, 407.2, "about 281 of these are wrong, and about 126 more that it did not flag."),
        (3950, 0.711, 4072, "about 2,808 of these are wrong, and about 1,264 more that it did not flag."),
        (12, 0.934, 11.6, "about 11 of these are wrong, and about 1 more that it did not flag."),
        (20, 0.6, 12.3, "about 12 of these are wrong, and hardly any that it did not flag."),
        (12, 0.999, 12.3, "nearly all of these are wrong, and hardly any that it did not flag."),
        (1, 0.999, 1.3, "about 1 of these is wrong, and hardly any that it did not flag."),
        (9, 0.01, 4.2, "hardly any of these are wrong, and about 4 that it did not flag."),
        (3, 0.5, 1.4, "about 1 of these is wrong, and hardly any that it did not flag."),
        (0, None, 12.3, "about 12 are wrong that it did not flag."),
        (0, None, 0.8, "about 1 is wrong that it did not flag."),
        (0, None, 0.2, "hardly any are wrong that it did not flag."),
    ],
)
def test_what_was_found_and_missed_adds_up(
    n_suspects: int, precision: float | None, n_wrong: float, said: str
) -> None:
    assert found_and_missed(n_suspects, precision, n_wrong) == f"By the model's own estimate {said}"


def test_found_and_missed_agree_with_precision_recall_and_noise_rate() -> None:
    audit = build_audit(400)
    expected, n = expect(audit), int(audit.suspects().sum())
    wrong, precision, recall = expected.mislabeled.value, expected.precision.value, expected.recall.value
    assert wrong is not None
    assert precision is not None
    assert recall is not None
    numbers = found_and_missed(n, precision, wrong).split("about ")[1:]
    found, missed = (int(number.split()[0]) for number in numbers)
    assert found / n == pytest.approx(precision, abs=0.5 / n)
    assert found + missed == round(wrong)
    assert found / (found + missed) == pytest.approx(recall, abs=1 / wrong)


def test_nothing_flagged_and_a_class_that_was_not_judged() -> None:
    audit = build_audit(60, cutoff=2.0)
    found = as_json(expect(audit))
    assert found["precision"] == {"value": None, "low": 0.0, "high": 1.0}
    assert found["recall"]["value"] == 0
    text = sentence(found, 2_000)
    assert text.startswith("no precision, recall 0 %, noise rate ")
    assert text.endswith(", if p_mislabeled is about right")
    assert sentence(found, 999) == f"{text} (with 999 labels it may be too sure, and miscount)"
    rare = build_audit(6, classes=[f"class {i}" for i in range(40)], n_unlabelled=0, n_unread=0)
    values = [each.value for each in expect(rare).noise_rate_by_class.values()]
    assert values.count(None) >= 34
