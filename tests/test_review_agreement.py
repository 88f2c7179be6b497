"""How far reviewers agree, by values computed by hand."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from noiseaudit.review.agreement import ALPHA, KAPPA, Agreement, agreement, agreement_text, agreements
from noiseaudit.review.board import Said

KEEP, SKIP, UNCLEAR = Said("keep", None), Said("skip", None), Said("ambiguous", None)
DOG = Said("relabel", "dog")
GIVEN: dict[int, str | None] = dict.fromkeys(range(20), "cat")


def test_nobody_twice() -> None:
    answers = {0: {"ann": KEEP}, 1: {"bob": DOG}, 2: {"ann": KEEP, "bob": SKIP}}
    found = agreement(answers, GIVEN)
    assert (found.n_rows, found.share, found.measure, found.value) == (0, None, None, None)


def test_kappa_of_two() -> None:
    """10 rows: both keep 4, both relabel 3, Ann alone relabels 2, Bob alone 1.

    Equal: 7 of 10. Ann keeps 5 and relabels 5; Bob keeps 6 and relabels 4. By chance .5 x .6 + .5 x .4 = .5.
    """
    both = [(KEEP, KEEP)] * 4 + [(DOG, DOG)] * 3 + [(DOG, KEEP)] * 2 + [(KEEP, DOG)]
    found = agreement({row: {"ann": a, "bob": b} for row, (a, b) in enumerate(both)}, GIVEN)
    assert (found.n_reviewers, found.n_rows, found.measure) == (2, 10, KAPPA)
    assert found.share == pytest.approx(0.7)
    assert found.value == pytest.approx((0.7 - 0.5) / 0.5)


def test_to_relabel_to_what_is_given_is_to_keep() -> None:
    rows = [(KEEP, Said("relabel", "cat")), (DOG, DOG), (UNCLEAR, UNCLEAR)]
    found = agreement({row: {"ann": a, "bob": b} for row, (a, b) in enumerate(rows)}, GIVEN)
    assert found.share == 1.0
    assert found.value == pytest.approx(1.0)


def test_rows_without_a_label_are_apart() -> None:
    """Of the labelled rows half of the answers are equal; that all agree about the others changes nothing."""
    labelled = {0: {"ann": KEEP, "bob": KEEP}, 1: {"ann": KEEP, "bob": DOG}}
    others = {2: {"ann": DOG, "bob": DOG}, 3: {"ann": UNCLEAR, "bob": UNCLEAR}}
    given = {0: "cat", 1: "cat", 2: None, 3: None}
    found, unlabelled = agreements(labelled | others, given)
    assert found == agreement(labelled, given)
    assert (found.n_rows, found.share) == (2, 0.5)
    assert unlabelled == Agreement(2, 2, 1.0, KAPPA, 1.0)


def test_one_kind_of_answer_is_no_measure() -> None:
    found = agreement({row: {"ann": KEEP, "bob": KEEP} for row in range(5)}, GIVEN)
    assert (found.n_rows, found.share, found.measure, found.value) == (5, 1.0, KAPPA, None)


def test_alpha_of_three_with_gaps() -> None:
    """Rows: (keep, keep, keep), (keep, dog, -), (-, dog, dog), (dog, dog, keep).

    10 values: keep 5, dog 5. Observed disagreement: row 2 has 2 ordered unequal pairs / (2 - 1), row 4 has 4 / (3 - 1),
    so 4 / 10. Expected: 2 x 5 x 5 / (10 x 9). Alpha is 1 - 0.4 / (50 / 90) = 0.28.
    """
    rows = [
        {"a": KEEP, "b": KEEP, "c": KEEP},
        {"a": KEEP, "b": DOG, "c": SKIP},
        {"b": DOG, "c": DOG},
        {"a": DOG, "b": DOG, "c": KEEP},
        {"a": DOG},
    ]
    found = agreement(dict(enumerate(rows)), GIVEN)
    assert (found.n_reviewers, found.n_rows, found.measure) == (3, 4, ALPHA)
    assert found.value == pytest.approx(0.28)
    assert found.share == pytest.approx(
        5 / 8
    )  # pairs of answers: 3 + 1 + 1 + 3, of which 3 + 0 + 1 + 1 are equal


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Agreement(0, 0, None), ""),
        (
            Agreement(2, 1, 1.0, KAPPA),
            "100 % of answers equal on 1 row that several of 2 reviewers judged, Cohen's kappa not defined",
        ),
        (
            Agreement(3, 1_200, 0.625, ALPHA, 0.28),
            "62 % of answers equal on 1,200 rows that several of 3 reviewers judged, Krippendorff's alpha 0.280",
        ),
    ],
)
def test_in_words(found: Agreement, text: str) -> None:
    assert agreement_text(found) == text


@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_that_of_its_package(seed: int) -> None:
    package = pytest.importorskip("krippendorff", reason="comes with the extra `dev`")
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 6, 60)
    table = np.where(rng.random((4, 60)) < 0.6, truth, rng.integers(0, 6, (4, 60))).astype(float)
    table[rng.random((4, 60)) < 0.3] = np.nan
    answers = {
        row: {f"r{i}": Said("relabel", str(int(v))) for i, v in enumerate(values) if not np.isnan(v)}
        for row, values in enumerate(table.T)
    }
    found = agreement(answers, dict.fromkeys(range(60), "cat"))
    assert found.value == pytest.approx(package.alpha(table, level_of_measurement="nominal"))


def test_many_labels_take_little_memory() -> None:
    """2,000 rows and 1,000 labels: 16 GB as rows by labels by labels."""
    answers = {row: {name: Said("relabel", str(row % 1_000)) for name in "ab"} for row in range(2_000)}
    answers[0]["c"] = Said("relabel", "1")
    tracemalloc.start()
    try:
        found = agreement(answers, dict.fromkeys(range(2_000), "cat"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.measure == ALPHA
    assert found.value == pytest.approx(1, abs=0.001)
    assert peak < 20e6
