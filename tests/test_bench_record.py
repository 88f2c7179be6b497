"""What is recorded of a run: both readings of the paper's rule, what epsilon 0 comes from, and the default score."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from noiseaudit.bench.draw import Draw
from noiseaudit.bench.record import Recorder, epsilon_rule, measures, zeros
from noiseaudit.course import EpochRecord, Fitted

CORRUPTED = np.array([True, True, False, False, False])
DRAW = Draw(np.arange(5), np.array([1, 0, 0, 1, 0]), CORRUPTED, np.zeros(5, np.bool_))


def record(epoch: int, epsilon: list[float], p_given: list[float]) -> EpochRecord:
    given = np.array(p_given, np.float32)
    return EpochRecord(
        epoch, {}, np.array(epsilon, np.float32), given, given, given, 0.25, (0.5, 0.1 * epoch)
    )


def fitted(last: EpochRecord, step_epsilon: list[float]) -> Fitted:
    wrong = np.where(CORRUPTED, 0.02, 0.97)
    probs = np.zeros((5, 2), np.float32)
    probs[np.arange(5), DRAW.given], probs[np.arange(5), 1 - DRAW.given] = wrong, 1 - wrong
    learnt = np.zeros(5, np.int64)
    return Fitted(probs, probs, np.arange(5), wrong, learnt, last, np.array(step_epsilon, np.float32))


def undecided(last: EpochRecord) -> Fitted:
    return dataclasses.replace(fitted(last, [0.0] * 5), guider_mean=np.full((5, 2), 0.5, np.float32))


def test_the_default_score_is_measured_at_twelve_epochs_at_most() -> None:
    assert Recorder(DRAW, has_guider=True, epochs=60).measured == set(range(5, 61, 5))
    assert Recorder(DRAW, has_guider=True, epochs=350).measured >= {30, 59, 350}
    assert len(Recorder(DRAW, has_guider=True, epochs=350).measured) == 12
    assert Recorder(DRAW, has_guider=True, epochs=2).measured == {1, 2}


def test_flags_by_hand() -> None:
    found = measures(CORRUPTED, np.array([True, False, True, True, False]))
    assert found == {"recall": 0.5, "precision": pytest.approx(1 / 3, abs=1e-6), "f1": 0.4, "flagged": 3}
    assert measures(CORRUPTED, np.zeros(5, np.bool_)) == {
        "recall": 0.0, "precision": None, "f1": 0.0, "flagged": 0,
    }  # fmt: skip
    assert measures(~CORRUPTED & CORRUPTED, CORRUPTED)["recall"] is None


def test_the_rule_is_above_zero_and_a_row_in_no_step_is_not_flagged() -> None:
    epsilon = np.array([1e-45, np.nan, 0.0, 0.3, 0.0], np.float32)
    assert epsilon_rule(CORRUPTED, epsilon) == {"recall": 0.5, "precision": 0.5, "f1": 0.5, "flagged": 2}


def test_saturation_and_underflow_are_counted_apart() -> None:
    epsilon = np.array([0.0, 0.0, 0.0, 0.0, 0.1], np.float32)
    p_given = np.array([1.0, 1.0, 0.0, 0.4, 1.0], np.float32)
    assert zeros(epsilon, p_given) == {"saturated": 2, "underflown": 1, "equal": 1}


def test_a_line_has_the_curves_and_the_end() -> None:
    recorder = Recorder(DRAW, has_guider=True, epochs=2)
    last = record(2, [0.2, 0.0, 0.0, 0.0, 0.1], [0.5, 0.0, 1.0, 1.0, 0.5])
    recorder.on_epoch(record(1, [0.1] * 5, [0.5] * 5), lambda: undecided(last))
    recorder.on_epoch(last, lambda: fitted(last, [0.0] * 5))
    line = recorder.line(fitted(last, [0.1, 0.1, 0.0, 0.0, 0.0]))
    assert line["curve"] == {"learner": [0.5, 0.5], "guider": [0.1, 0.2]}
    assert line["test_error"] == {"learner": 0.5, "guider": 0.2}
    assert line["seconds"] == 0.5
    assert line["epsilon_curve"]["recall"] == [1.0, 0.5]
    assert line["epsilon_curve"]["precision"] == [0.4, 0.5]
    assert line["epsilon_curve"]["saturated"] == [0, 2]
    assert line["epsilon_curve"]["underflown"] == [0, 1]
    assert line["default_curve"]["epoch"] == [1, 2]
    assert line["default_curve"]["f1"] == [
        pytest.approx(4 / 7, abs=1e-6),
        1.0,
    ]  # at first all five are flagged
    assert line["final"]["epsilon"]["f1"] == 0.5
    assert line["final"]["step_epsilon"]["f1"] == 1.0
    assert line["final"]["default"] == {
        "recall": 1.0, "precision": 1.0, "f1": 1.0, "flagged": 2, "average_precision": 1.0,
    }  # fmt: skip


def test_a_method_without_a_guider_has_no_epsilon() -> None:
    recorder = Recorder(DRAW, has_guider=False, epochs=1)
    last = record(1, [0.0] * 5, [0.5] * 5)
    recorder.on_epoch(last, lambda: fitted(last, [np.nan] * 5))
    line = recorder.line(fitted(last, [np.nan] * 5))
    assert line["epsilon_curve"] is None
    assert set(line["final"]) == {"default", "own"}


def learnt_by_heart() -> tuple[Draw, Fitted, EpochRecord]:
    """Four labels of eight are wrong and repeated by the network; the twenty unlabelled rows around say otherwise."""
    wrong = np.repeat([False, True], 4)
    trusted = np.array([True, *[False] * 7])
    draw = Draw(np.arange(8), np.zeros(8, np.int64), wrong, trusted)
    probs = np.array([*[[0.9, 0.1]] * 8, *[[0.9, 0.1]] * 20, *[[0.1, 0.9]] * 20], np.float32)
    place = np.array([*[0.0] * 4, *[9.0] * 4, *[0.0] * 20, *[9.0] * 20], np.float32)[:, None]
    last = record(1, [0.0] * 8, [0.5] * 8)
    nothing = np.full(8, np.nan, np.float32)
    zeros = np.zeros(8, np.int64)
    return draw, Fitted(probs, place, np.arange(8), zeros.astype(np.float32), zeros, last, nothing), last


def test_the_score_without_neighbours_stands_beside_it() -> None:
    draw, run, last = learnt_by_heart()
    recorder = Recorder(draw, has_guider=True, epochs=1)
    recorder.on_epoch(last, lambda: run)
    final = recorder.line(run)["final"]
    assert (final["default"]["f1"], final["default"]["average_precision"]) == (1, 1)
    assert final["own"]["average_precision"] == 0.5


def test_labels_that_the_method_was_told_are_not_counted() -> None:
    draw, run, last = learnt_by_heart()
    draw = dataclasses.replace(draw, given=np.array([1, *draw.given[1:]]))  # doubted, but it is trusted
    flagged = []
    for knows in (True, False):
        recorder = Recorder(draw, has_guider=True, epochs=1, knows_trusted=knows)
        recorder.on_epoch(last, lambda: run)
        flagged.append(recorder.line(run)["final"]["default"]["flagged"])
    assert flagged == [4, 5]
