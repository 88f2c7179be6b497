"""What benchmarks/detection.py measures by class, by hand."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def by_class(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    return importlib.import_module("detection_measures").by_class


def test_rare_classes_are_those_with_labels(by_class: Any) -> None:
    """Class 0 has none. 1 to 3 have 2, 3 and 4 labels, 4 has 31: one right label of the nine and one of the 31 are
    flagged, and the wrong ones are, of classes 1 and 4.
    """
    given = np.repeat([1, 2, 3, 4], [2, 3, 4, 31])
    wrong, scores = np.zeros(40, np.bool_), np.full(40, 0.01)
    wrong[[0, 9]] = True
    scores[[0, 9, 2, 10]] = 0.99
    found = by_class(scores, wrong, given)
    assert found["rare_false_flags"] == pytest.approx((1 / 8) / (2 / 38))
    assert found["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)


def test_what_is_not_defined_is_none(by_class: Any) -> None:
    given, none = np.array([0, 0, 1, 1]), np.zeros(4, np.bool_)
    assert by_class(np.full(4, 0.01), none, given) == {
        "macro_f1": None, "oracle_macro_f1": None, "even_macro_f1": None,
        "rare_false_flags": None, "even_rare_false_flags": None,
    }  # fmt: skip
    assert by_class(np.full(4, 0.99), ~none, given)["rare_false_flags"] is None
    many, wrong = (
        np.arange(5).repeat(2),
        np.arange(10) < 6,
    )  # the three rarest classes hold wrong labels alone
    assert by_class(np.full(10, 0.99), wrong, many)["rare_false_flags"] is None
