"""Evidence by hand: each kind of fact on a fixture of its own, its sentence, and the kind of issue it makes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.duplicates import conflicts, same_content
from noiseaudit.evidence import Evidence, Grounds, gather, issue_kind
from noiseaudit.score import best_classes, fit_noise
from noiseaudit.why import why

NAMES = ("cat", "dog", "frog")
K = 40  # rows: the first is the suspect, labelled cat, suggested dog


def grounds(**changes: Any) -> Grounds:
    """Row 0 lies far from the others; nothing speaks against it but the Guider."""
    zeros = np.zeros(K, np.float32)
    last = EpochRecord(75, {}, zeros, zeros, zeros, zeros, 0.0)
    probs = np.tile(np.array([[0.1, 0.8, 0.1]], np.float32), (K, 1))
    latent = np.arange(K, dtype=np.float32)[:, None] * 10
    peak, learnt = np.full(K, 0.125, np.float32), np.zeros(K, np.int64)
    given = np.arange(K) % 3
    base = Grounds(
        fitted=Fitted(probs, latent, np.arange(K), peak, learnt, last, zeros),
        given=given,
        suggested=np.where(given == 1, 2, 1),
        classes=NAMES,
        sample_id=np.array([f"id{i}" for i in range(K)], dtype=np.object_),
        conflict=np.full(K, -1),
    )
    return dataclasses.replace(base, **changes)


def facts(of: Grounds) -> dict[str, Evidence]:
    flagged = np.zeros(K, np.bool_)
    flagged[0] = True
    found = gather(of, flagged)
    assert found[1:] == [None] * (K - 1)
    assert found[0]
    return {fact["kind"]: fact for fact in found[0]}


def sentence(of: Grounds, p_given: float = 0.1, p_suggested: float = 0.8, p: float = 0.9) -> str:
    row = {
        "given_label": "cat", "suggested_label": "dog", "p_given": p_given, "p_suggested": p_suggested,
        "p_mislabeled": p, "evidence": [*facts(of).values()],
    }  # fmt: skip
    text = why(row)
    assert text
    return text


def lonely() -> Grounds:
    """No labelled neighbours of row 0 have the suggested label."""
    given = np.zeros(K, np.int64)
    return grounds(given=given, suggested=np.ones(K, np.int64))


def test_the_guiders_doubt() -> None:
    found = facts(lonely())
    assert found == {
        "guider": {"kind": "guider", "value": pytest.approx(0.8), "reference": "dog"},
        "peak": {"kind": "peak", "value": 0.125, "reference": "75"},
    }
    assert (
        sentence(lonely())
        == "Looks like dog (80 %) rather than cat (10 %); in 75 epochs the probability of cat never passed 12 %."
    )


def test_of_a_row_that_nobody_watched_being_learnt_no_course_is_told() -> None:
    """As `score` has it."""
    unwatched = dataclasses.replace(lonely().fitted, peak_p_given=np.full(K, np.nan, np.float32))
    found = dataclasses.replace(lonely(), fitted=unwatched)
    assert set(facts(found)) == {"guider"}
    assert sentence(found) == "Looks like dog (80 %) rather than cat (10 %)."


def test_a_label_that_was_believed_for_a_time_is_not_said_to_have_been_out_of_reach() -> None:
    given = np.zeros(K, np.int64)
    peaked = dataclasses.replace(lonely().fitted, peak_p_given=np.full(K, 0.75, np.float32))
    believed = dataclasses.replace(grounds(given=given, suggested=np.ones(K, np.int64)), fitted=peaked)
    assert sentence(believed).endswith("; in the best of 75 epochs the probability of cat was 75 %.")


def late() -> Grounds:
    """Row 0's label was believed long after all others."""
    learnt = np.full(K, 3)
    learnt[0] = 61
    return dataclasses.replace(lonely(), fitted=dataclasses.replace(lonely().fitted, learnt_epoch=learnt))


def test_late_learning() -> None:
    assert facts(late())["learnt_late"] == {"kind": "learnt_late", "value": 39 / 40, "reference": "61"}
    assert sentence(late()) == (
        "Looks like dog (80 %) rather than cat (10 %); "
        "the network first believed cat in epoch 61 of 75, later than 98 % of all labels."
    )
    early = dataclasses.replace(late(), fitted=dataclasses.replace(late().fitted, learnt_epoch=np.full(K, 3)))
    assert "learnt_late" not in facts(early)


def test_a_label_that_was_never_learnt_is_not_late() -> None:
    learnt = np.full(K, 3)
    learnt[0] = 0
    never = dataclasses.replace(lonely(), fitted=dataclasses.replace(lonely().fitted, learnt_epoch=learnt))
    assert "learnt_late" not in facts(never)


def confused() -> Grounds:
    """A third of the dogs are labelled cat, and nothing else is wrong; the Guider knows."""
    true = np.repeat([0, 1, 2], 60)
    given = true.copy()
    given[60:80] = 0
    probs = np.full((180, 3), 0.005, np.float32)
    probs[np.arange(180), true] = 0.99
    order = np.r_[60, np.delete(np.arange(180), 60)]
    true, given, probs = true[order], given[order], probs[order]
    zeros = np.zeros(180, np.float32)
    last = EpochRecord(75, {}, zeros, zeros, zeros, zeros, 0.0)
    far = np.arange(180, dtype=np.float32)[:, None] * 10
    return Grounds(
        fitted=Fitted(probs, far, np.arange(180), zeros, zeros.astype(np.int64), last, zeros),
        given=given,
        suggested=true,
        classes=NAMES,
        sample_id=np.array([str(i) for i in range(180)], dtype=np.object_),
        conflict=np.full(180, -1),
        noise=fit_noise(best_classes(probs, given), 3),
    )


def test_a_rule_between_two_classes() -> None:
    of = confused()
    wrong = of.given != of.suggested
    found = gather(of, wrong)
    pairs = [fact for row in found if row for fact in row if fact["kind"] == "class_pair"]
    assert len(pairs) == 20
    assert {fact["reference"] for fact in pairs} == {"dog"}
    assert pairs[0]["value"] == pytest.approx(1 / 3, abs=0.02)
    row = {
        "given_label": "cat", "suggested_label": "dog", "p_given": 0.005, "p_suggested": 0.99, "p_mislabeled": 0.9,
        "evidence": found[0],
    }  # fmt: skip
    assert "About 33 % of dog are labelled cat here." in str(why(row))


def test_spread_out_noise_is_no_rule() -> None:
    rng = np.random.default_rng(0)
    true = np.repeat([0, 1, 2], 200)
    given = np.where(rng.random(600) < 0.3, (true + rng.integers(1, 3, 600)) % 3, true)
    probs = np.full((600, 3), 0.005, np.float32)
    probs[np.arange(600), true] = 0.99
    zeros = np.zeros(600, np.float32)
    of = dataclasses.replace(
        confused(),
        fitted=Fitted(
            probs, zeros[:, None], np.arange(600), zeros, zeros.astype(np.int64), confused().fitted.last, zeros
        ),
        given=given, suggested=true, conflict=np.full(600, -1), noise=fit_noise(best_classes(probs, given), 3),
    )  # fmt: skip
    found = gather(of, given != true)
    assert not [fact for row in found if row for fact in row if fact["kind"] == "class_pair"]


def test_the_labels_of_neighbours() -> None:
    latent = np.arange(K, dtype=np.float32)[:, None] * 10
    given, suggested = np.zeros(K, np.int64), np.ones(K, np.int64)
    given[1:8] = 1  # of the ten nearest, rows 1 to 10, seven are dogs
    near = dataclasses.replace(
        lonely(), given=given, suggested=suggested, fitted=dataclasses.replace(lonely().fitted, latent=latent)
    )
    assert facts(near)["labelled_neighbours"] == {
        "kind": "labelled_neighbours",
        "value": 0.7,
        "reference": "dog",
    }
    assert sentence(near).endswith(" 7 in 10 labelled images like it are dog.")


def test_unlabelled_neighbours() -> None:
    asked = dataclasses.replace(lonely(), asked=np.ones(K, np.bool_), neighbours_weight=0.75)
    assert facts(asked)["unlabelled_neighbours"]["value"] == 0.75
    assert sentence(asked).startswith("Unlabelled rows like it look like dog (80 %) and cat (10 %); ")


def test_the_same_picture_under_another_label() -> None:
    conflict = np.full(K, -1)
    conflict[0] = 17
    twice = dataclasses.replace(lonely(), conflict=conflict)
    assert facts(twice)["duplicate"] == {"kind": "duplicate", "value": 0.0, "reference": "id17"}
    assert sentence(twice).endswith(" The same picture, sample id17, has another label.")


@pytest.mark.parametrize(
    ("p_given", "p_suggested", "kinds", "expected"),
    [
        (0.1, 0.8, ["guider"], "mislabeled"),
        (0.3, 0.6, ["guider"], "ambiguous"),
        (0.1, 0.49, ["guider"], "unsure"),
        (0.1, 0.5, ["guider"], "mislabeled"),
        (0.49, 0.1, ["guider"], "unsure"),
        (0.3, 0.4, ["guider"], "ambiguous"),
        (0.3, 0.6, ["guider", "class_pair"], "class_pair"),
        (0.3, 0.6, ["class_pair", "duplicate"], "duplicate_conflict"),
    ],
)
def test_kinds_of_issue(p_given: float, p_suggested: float, kinds: list[str], expected: str) -> None:
    found = [Evidence(kind=kind, value=0.5, reference=None) for kind in kinds]
    assert issue_kind(p_given, p_suggested, found) == expected


def test_why_of_a_row_that_is_no_suspect() -> None:
    assert why({"evidence": None}) is None


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_equal_content_has_equal_numbers(dtype: torch.dtype) -> None:
    x = torch.randint(0, 200, (50, 1, 3, 4), generator=torch.Generator().manual_seed(0)).to(dtype)
    x[30], x[41] = x[7], x[7]
    x[12, 0, 2, 3] = x[11, 0, 2, 3] + 1
    x[12, 0, :2], x[12, 0, 2, :3] = x[11, 0, :2], x[11, 0, 2, :3]
    rows = np.arange(5, 50)
    groups = same_content(x, rows)
    same = {tuple((np.flatnonzero(groups == group) + 5).tolist()) for group in groups}
    assert (7, 30, 41) in same
    assert len(same) == 43


def test_deceiving_hashes_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noiseaudit.duplicates._hashes", lambda values: np.zeros(len(values), np.uint64))
    x = torch.tensor([[1.0], [2.0], [1.0], [3.0]])
    groups = same_content(x, np.arange(4))
    assert groups[0] == groups[2]
    assert len(set(groups.tolist())) == 3


def test_conflicts_by_hand() -> None:
    groups = np.array([0, 1, 0, 2, 0, 1, 3])
    given = np.array([5, 6, 5, 7, 8, 6, 5])
    assert conflicts(groups, given).tolist() == [4, -1, 4, -1, 0, -1, -1]


def test_conflicts_are_those_of_every_pair() -> None:
    rng = np.random.default_rng(0)
    groups, given = rng.integers(0, 30, 80), rng.integers(0, 3, 80)
    expected = [
        next((j for j in range(80) if groups[j] == groups[i] and given[j] != given[i]), -1) for i in range(80)
    ]
    assert conflicts(groups, given).tolist() == expected
    assert conflicts(np.arange(3), np.zeros(3, np.int64)).tolist() == [-1] * 3
    assert conflicts(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []
