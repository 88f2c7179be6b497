"""Fields of options hold what their annotations say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pytest

from noiseaudit.errors import ConfigError
from noiseaudit.field_types import check_types, python_number


@dataclass(frozen=True)
class Options:
    whole: int = 3
    part: float = 0.5
    perhaps: int | None = None
    word: str = "a"
    choice: Literal["a", "b"] = "a"
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types(self, "--{}".format)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("whole", 2.5, "--whole=2.5: not a whole number. The default is 3."),
        ("whole", 2.0, "--whole=2.0: not a whole number. The default is 3."),
        ("whole", True, "--whole=True: not a whole number. The default is 3."),
        ("whole", "2", "--whole='2': not a whole number. The default is 3."),
        ("whole", None, "--whole=None: not a whole number. The default is 3."),
        ("part", None, "--part=None: not a number. The default is 0.5."),
        ("part", False, "--part=False: not a number. The default is 0.5."),
        ("part", 1j, "--part=1j: not a number. The default is 0.5."),
        ("part", np.array([0.5]), "--part=array([0.5]): not a number. The default is 0.5."),
        ("perhaps", 1.0, "--perhaps=1.0: not a whole number. The default is None."),
        ("word", 1, "--word=1: not text. The default is a."),
        ("choice", 1, "--choice=1: not text. The default is a."),
        ("choice", None, "--choice=None: not text. The default is a."),
        ("more", [("a", 1)], "--more=[('a', 1)]: not a mapping of names to values. The default is empty."),
        ("more", "x" * 100, f"--more='{'x' * 59}: not a mapping of names to values. The default is empty."),
    ],
)
def test_another_type_is_named(name: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Options(**{name: value})


def test_what_fits_passes_as_it_is() -> None:
    values = Options(whole=4, part=1, perhaps=5, word="w", choice="b", more={"x": 1})
    assert values == Options(4, 1, 5, "w", "b", {"x": 1})
    assert type(values.part) is int


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.int64(3), int),
        (np.uint8(3), int),
        (np.float32(3), float),
        (Fraction(3), float),
        (3, int),
        (3.0, float),
    ],
)
def test_numbers_become_pythons_own(value: Any, kind: type) -> None:
    assert python_number(value) == 3
    assert type(python_number(value)) is kind
    assert type(Options(part=value).part) is kind


def test_what_is_no_number_is_left_alone() -> None:
    for value in ("3", None, np.bool_(True), True):
        assert python_number(value) is value
