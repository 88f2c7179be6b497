"""Labels learnt by heart are noticed, and then the unlabelled rows around them are asked, by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from noiseaudit import neighbours
from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.neighbours import (
    Believed,
    believe,
    choose_witnesses,
    mistakes,
    neighbour_counts,
    neighbours_mean,
    reliability,
    share_by_heart,
)
from tests.scoring import score_labels

Probs = npt.NDArray[np.float32]
CAT, DOG = (0.9, 0.1), (0.2, 0.8)


def probs(*rows: tuple[float, float]) -> Probs:
    return np.array(rows, np.float32)


def fitted(mean: Probs, latent: npt.ArrayLike, labelled: list[int]) -> Fitted:
    k = len(labelled)
    zeros = np.zeros(k, np.float32)
    last = EpochRecord(1, {}, zeros, zeros, zeros, zeros, 0.0)
    place = np.array(latent, np.float32)[:, None]
    return Fitted(mean, place, np.array(labelled), zeros, zeros.astype(np.int64), last, zeros)


def two_groups(own: Probs, places: list[float], around: int = 40) -> Fitted:
    """Labelled rows at 0, among cats, or at 100, among dogs; `around` unlabelled rows of each."""
    mean = np.concatenate([own, np.tile(probs(CAT), (around, 1)), np.tile(probs(DOG), (around, 1))])
    spread = np.linspace(-1, 1, around)
    return fitted(mean, [*places, *spread, *(100 + spread)], list(range(len(own))))


def repeated(n: int, *, wrong: int) -> tuple[Fitted, npt.NDArray[np.int64]]:
    """`n` rows labelled cat that the network calls so, `wrong` of them among dogs."""
    places = [100.0] * wrong + [0.0] * (n - wrong)
    return two_groups(np.tile(probs((0.95, 0.05)), (n, 1)), places), np.zeros(n, np.int64)


def test_the_share_learnt_by_heart_by_hand() -> None:
    given = np.zeros(7, np.int64)
    own = probs(CAT, CAT, CAT, CAT, CAT, DOG, DOG)
    around = probs(CAT, DOG, DOG, DOG, DOG, DOG, CAT)
    # The neighbourhood doubts 5 rows, of which the network repeats 4, and supports one against it.
    assert share_by_heart(own, around, given) == pytest.approx((4 - 1) / 5)
    assert share_by_heart(own[:4], around[:4], given[:4]) == 1
    assert share_by_heart(own[:3], around[:3], given[:3]) == 0  # two may be chance
    assert share_by_heart(around, own, given) == 0
    assert share_by_heart(own, own, given) == 0


def test_the_nearest_unlabelled_rows_are_averaged() -> None:
    mean = np.zeros((14, 2), np.float32)
    mean[:, 0] = np.arange(14) / 14
    run = fitted(mean, [0.0, 11.0, *range(1, 13)], [0, 1])
    witnesses = choose_witnesses(run)
    assert witnesses is not None
    assert witnesses.tolist() == list(range(2, 14))
    found = neighbours_mean(run, witnesses, run.labelled, np.array([5, 3]))
    # Rows 2 to 6 lie at 1 to 5; rows 11, 12 and 13 at 10, 11 and 12.
    assert found[:, 0] == pytest.approx([np.mean([2, 3, 4, 5, 6]) / 14, np.mean([11, 12, 13]) / 14])
    itself = neighbours_mean(run, witnesses, np.array([4]), np.array([2]))
    assert itself[0, 0] == pytest.approx(np.mean([3, 5]) / 14)
    assert (neighbours_mean(run, witnesses, run.labelled, np.array([0, 1]))[0] == 0).all()


def test_how_many_are_asked_goes_by_the_class() -> None:
    """A tenth of the rows that look like it, 5 to 50; none of a class of fewer than 10."""
    sizes = {0: 1_000, 1: 300, 2: 20, 3: 9}
    classes = np.repeat(list(sizes), list(sizes.values()))
    run = fitted(np.eye(4, dtype=np.float32)[classes], np.zeros(len(classes)), [0])
    counts = neighbour_counts(run, np.arange(len(classes)), np.array([0, 1, 2, 3, 0]))
    assert counts.tolist() == [50, 30, 5, 0, 50]


def test_mistakes_are_those_of_the_neighbours_on_unlabelled_rows() -> None:
    """5 dogs stand among 50 cats: their neighbourhood calls them cats."""
    mean = np.concatenate([probs(CAT), np.tile(probs(CAT), (50, 1)), np.tile(probs(DOG), (45, 1))])
    place = [0.0, *np.linspace(-1, 1, 50), *np.linspace(-0.5, 0.5, 5), *np.linspace(90, 91, 40)]
    run = fitted(mean, place, [0])
    witnesses = choose_witnesses(run)
    assert witnesses is not None
    assert mistakes(run, witnesses) == pytest.approx(5 / 95)
    given = np.zeros(10, np.int64)
    around = probs(*[CAT] * 6, *[DOG] * 4)
    assert reliability(around, given, 0.1) == pytest.approx(1 - 0.1 * 10 / 4)
    assert reliability(around, given, 0.5) == 0
    assert reliability(around[:6], given[:6], 0.1) == 0


def test_too_few_unlabelled_rows_are_not_asked() -> None:
    mean = np.full((9, 2), 0.5, np.float32)
    assert choose_witnesses(fitted(mean, [0.0] * 9, [0, 1])) is None
    assert choose_witnesses(fitted(mean, [0.0] * 9, [0])) is not None
    assert choose_witnesses(fitted(mean, [0.0] * 9, [])) is None
    run = fitted(mean, [0.0] * 9, list(range(9)))
    believed = believe(run, np.zeros(9, np.int64))
    assert (believed.fitted, believed.by_heart, believed.trust) == (run, 0, 1)
    assert (believed.p_mislabeled == score_labels(mean, np.zeros(9, np.int64))).all()


def test_many_unlabelled_rows_are_sampled_without_a_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    """Classes in turn: every tenth row would be of one class alone."""
    monkeypatch.setattr(neighbours, "MOST_WITNESSES", 100)
    mean = np.eye(10, dtype=np.float32)[np.arange(1_000) % 10]
    run = fitted(mean, np.arange(1_000), [0, 1])
    witnesses = choose_witnesses(run)
    assert witnesses is not None
    assert len(witnesses) == 100
    assert (np.diff(witnesses) > 0).all()
    assert len(set((witnesses % 10).tolist())) == 10
    again = choose_witnesses(run)
    assert again is not None
    assert (again == witnesses).all()


def test_a_network_that_learnt_wrong_labels_by_heart_is_not_asked() -> None:
    run, given = repeated(10, wrong=4)
    believed = believe(run, given)
    assert (believed.by_heart, believed.trust) == (1, 0)
    assert believed.p_mislabeled == pytest.approx([0.8] * 4 + [0.1] * 6)
    assert believed.fitted.guider_mean[:10] == pytest.approx(probs(*[DOG] * 4, *[CAT] * 6))
    assert (believed.fitted.guider_mean[10:] == run.guider_mean[10:]).all()
    assert run.guider_mean[0, 0] == np.float32(0.95)
    assert believed.by_neighbours.all()


def unchanged(believed: Believed, run: Fitted, given: npt.NDArray[np.int64]) -> bool:
    same = score_labels(run.guider_mean[run.labelled], given)
    return believed.fitted is run and believed.trust == 1 and bool((believed.p_mislabeled == same).all())


def test_a_network_that_did_not_is_believed() -> None:
    run, given = repeated(10, wrong=4)
    run.guider_mean[:4] = probs(DOG)
    assert unchanged(believe(run, given), run, given)
    few, given = repeated(10, wrong=2)
    assert unchanged(believe(few, given), few, given)


def test_neighbours_that_are_often_mistaken_are_not_believed() -> None:
    """The same rows, but every other unlabelled dog looks like a cat to the network: a doubt says little."""
    run, given = repeated(20, wrong=4)
    run.guider_mean[60:100:2] = probs((0.6, 0.4))
    found = believe(run, given)
    assert found.by_heart == 1
    assert unchanged(found, run, given)


def test_a_class_too_rare_to_ask_is_left_to_the_network() -> None:
    run, given = repeated(10, wrong=4)
    mean = np.concatenate([run.guider_mean, probs((0.0, 0.0))])
    three = np.column_stack([mean, np.zeros(len(mean), np.float32)])
    three[-1] = (0.05, 0.05, 0.9)  # one labelled row of a third class, which no unlabelled row looks like
    rare = fitted(three, [*run.latent[:, 0], 100.0], [*range(10), len(mean) - 1])
    labels = np.array([*given, 2])
    believed = believe(rare, labels)
    assert believed.trust == 0
    assert believed.by_neighbours.tolist() == [True] * 10 + [False]
    assert believed.p_mislabeled[-1] == score_labels(rare.guider_mean[rare.labelled], labels)[-1]
    assert (believed.fitted.guider_mean[-1] == three[-1]).all()


def test_in_between_both_count() -> None:
    """Of 24 doubtful labels three are repeated: by heart 0.125, half the way from 0.05 to 0.2."""
    own = probs(*[(0.95, 0.05)] * 3, *[(0.1, 0.9)] * 21)
    run = two_groups(own, [100.0] * 24, around=60)
    given = np.zeros(24, np.int64)
    believed = believe(run, given)
    assert believed.by_heart == 0.125
    assert believed.trust == pytest.approx(0.5)
    assert believed.p_mislabeled == pytest.approx(0.5 * score_labels(own, given) + 0.5 * 0.8, abs=1e-6)
    assert believed.fitted.guider_mean[0] == pytest.approx([0.575, 0.425])
