"""When rows that cannot be used stop a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from noiseaudit.data.enough import check_enough
from noiseaudit.errors import DataError


def check(ok: list[bool], *, strict: bool = False, column: str | None = "image") -> None:
    check_enough(
        np.array(ok, dtype=np.bool_),
        np.array([None if good else f"reason {i}" for i, good in enumerate(ok)], dtype=object),
        np.array([f"name{i}" for i in range(len(ok))], dtype=object),
        what="scans",
        strict=strict,
        file=Path("labels.csv"),
        column=column,
        fix="Look again.",
    )


@pytest.mark.parametrize("ok", [[True], [True, False], [False, True, True, False]])
def test_half_of_them_may_be_bad(ok: list[bool]) -> None:
    check(ok)


def test_more_than_half_stops_with_three_examples() -> None:
    with pytest.raises(DataError) as caught:
        check([False, True, False, False, True, False, False])
    assert str(caught.value) == (
        "labels.csv, column 'image': 5 of 7 scans cannot be read (row 0 'name0': reason 0; "
        "row 2 'name2': reason 2; row 3 'name3': reason 3). Look again."
    )


def test_strict_stops_at_the_first() -> None:
    check([True, True], strict=True)
    with pytest.raises(DataError) as caught:
        check([True, False, False], strict=True, column=None)
    assert str(caught.value) == (
        "labels.csv, row 1: 'name1': reason 1. Mend it, or leave out --strict to go on without it."
    )
