"""The gate: its small language, its measures, and what it leaves for a pipeline."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.errors import ConfigError
from noiseaudit.estimate import estimate
from noiseaudit.evaluation import evaluate
from noiseaudit.expected import expect
from noiseaudit.gate import Check, Comparison, check_names, class_measure, parse_check, run_checks
from noiseaudit.gate_measures import (
    BY_CHECKS,
    BY_TRUTH,
    CHECKED_MEASURES,
    LACKING,
    MEASURES,
    TRUTH_MEASURES,
    WITH_INTERVALS,
    measures,
)
from noiseaudit.truth import truth_from_audit
from tests.checks import as_expected
from tests.conftest import build_audit

VALUES = {"a": 0.5, "b": 3, "c": None}


def holds(text: str) -> bool:
    (result,) = run_checks([parse_check(text)], VALUES)
    return result.failed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 0.4", True),
        ("a>0.5", False),
        ("a >= 0.5", True),
        ("a < .6", True),
        ("a <= 5e-1", True),
        ("a == 50%", True),
        ("a == 50 %", True),
        ("a != 0.5", False),
        ("b > -1", True),
        ("b == +3", True),
        ("a > 1 or b > 2", True),
        ("a > 1 and b > 2", False),
        ("a > 1 and b > 2 or a > 0", True),
        ("a > 0 or b > 9 and a > 9", True),
        ("c > 0", False),
        ("c <= 0", False),
        ("c != 0 or a > 0", True),
    ],
)
def test_what_holds(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "`the end` where the name of a measure is due"),
        ("a", "`the end` where one of < <= > >= == != is due"),
        ("a >", "`the end` where a number is due"),
        ("a > b", "`b` where a number is due"),
        ("0.5 < a", "`0.5` where the name of a measure is due"),
        ("a > 1 a", "`a` where `and`, `or` or the end is due"),
        ("a > 1 and", "`the end` where the name of a measure is due"),
        ("and > 1", "`and` where the name of a measure is due"),
        ("a > 0 < 1", "`<` where `and`, `or` or the end is due"),
        ("a = 1", "cannot read '= 1'"),
        ("(a > 1)", "cannot read '(a > 1)'"),
        ("__import__('os').system('x') > 1", "cannot read \"('os').system"),
        ("a > 1; b", "cannot read '; b'"),
        ('x["a > 1', "cannot read '[\"a > 1'"),
        (r'x["\q"] > 1', 'cannot read the class "\\q"'),
        ("a > ١", "cannot read '١'"),
    ],
)
def test_what_is_no_check(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_check(text)
    assert problem in str(error.value)
    assert "As in 'noise_rate > 0.05'" in str(error.value)


@given(st.text(max_size=20))
def test_nothing_but_a_check_or_an_error_comes_of_any_text(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_check(text), Check)


@given(st.text(min_size=1), st.floats(allow_nan=False, allow_infinity=False))
def test_every_class_can_be_named(label: str, number: float) -> None:
    name = class_measure(label)
    assert parse_check(f"{name} > {number!r}").any_of == ((Comparison(name, ">", number),),)


def test_single_quotes_name_a_class_as_it_stands() -> None:
    assert parse_check("class_noise_rate['a\\b \"c\"'] > 1").names == [class_measure('a\\b "c"')]


def test_a_wrong_name_is_corrected() -> None:
    known = [*measures(build_audit())]
    with pytest.raises(
        ConfigError, match=r"no measure noise_rat\. Did you mean noise_rate\? There are max_class"
    ):
        check_names([parse_check("noise_rat > 1")], known, LACKING)
    with pytest.raises(ConfigError, match=r'Did you mean class_noise_rate\["frog"\]\?'):
        check_names([parse_check('class_noise_rate["forg"] > 1')], known, LACKING)
    with pytest.raises(ConfigError, match=r"precision_low needs known labels\. Give --truth FILE"):
        check_names([parse_check("precision_low < 1")], known, LACKING)
    with pytest.raises(
        ConfigError, match=r"checked_recall needs rows that people checked\. Give --checked FILE"
    ):
        check_names([parse_check("checked_recall < 1")], known, LACKING)
    with pytest.raises(ConfigError, match=r"no measure precision_low\."):
        check_names([parse_check("precision_low < 1")], known)


def test_the_measures_are_the_audits() -> None:
    audit = build_audit(60, n_unlabelled=4, n_unread=3)
    found, expected = measures(audit), expect(audit)
    p = audit.column("p_mislabeled")
    scored = p[~np.isnan(p)]
    assert found["noise_rate"] == pytest.approx(scored.mean())
    assert found["n_mislabeled"] == pytest.approx(scored.sum())
    assert (found["noise_rate_low"], found["noise_rate_high"]) == (
        expected.noise_rate.low, expected.noise_rate.high,
    )  # fmt: skip
    assert found["expected_precision"] == pytest.approx(p[audit.suspects()].mean())
    n = int(audit.suspects().sum())
    assert found["n_suspects"] == n
    assert found["suspects_share"] == n / 53
    names = ("n_rows", "n_labelled", "n_unlabelled", "n_missing", "n_unreadable", "n_classes")
    assert [found[name] for name in names] == [60, 56, 4, 3, 0, 3]
    given_labels = audit.column("given_label")
    rates = {label: p[(given_labels == label) & ~np.isnan(p)].mean() for label in audit.classes}
    for label, rate in rates.items():
        assert found[class_measure(label)] == pytest.approx(rate)
    assert found["max_class_noise_rate"] == pytest.approx(max(rates.values()))
    limits = {f"{name}_{end}" for name in WITH_INTERVALS for end in ("low", "high")}
    assert found.keys() == {*MEASURES} | limits | {class_measure(label) for label in audit.classes}


def test_measures_by_truth() -> None:
    audit = build_audit()
    evaluation = evaluate(audit, truth_from_audit(audit))
    found = measures(audit, evaluation)
    rule = evaluation.rules[-1]
    for name in TRUTH_MEASURES:
        limits = getattr(rule, name)
        assert (found[name], found[f"{name}_low"], found[f"{name}_high"]) == (
            limits.value, limits.low, limits.high,
        )  # fmt: skip
    assert {*BY_TRUTH} <= found.keys()


def test_measures_by_people() -> None:
    audit = build_audit(407)
    by_people = estimate(audit, as_expected(audit))
    found = measures(audit, checked=by_people)
    for name in CHECKED_MEASURES:
        limits = getattr(by_people, name.removeprefix("checked_"))
        assert (found[name], found[f"{name}_low"], found[f"{name}_high"]) == (
            limits.value, limits.low, limits.high,
        )  # fmt: skip
    assert found["n_answers"] == 120
    assert {*BY_CHECKS} == found.keys() - measures(audit).keys()
    none = build_audit(207, cutoff=1.1)
    undefined = measures(none, checked=estimate(none, as_expected(none, 50)))
    assert undefined["checked_precision"] is undefined["checked_precision_high"] is None


def test_nothing_judged_is_undefined() -> None:
    found = measures(build_audit(6, n_unlabelled=4, n_unread=2))
    assert found["noise_rate"] is found["noise_rate_high"] is found["suspects_share"] is None
    assert found["max_class_noise_rate"] is None
