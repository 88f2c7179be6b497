"""One line each: where, what is wrong, how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.errors import (
    ConfigError,
    DataError,
    InputError,
    NoiseAuditError,
    OutputError,
    TrainingDiverged,
)


def test_a_message_names_place_problem_and_fix() -> None:
    error = DataError(
        "no such image", file=Path("a/b.csv"), row=3, line=5, column="image", fix="Check the path."
    )
    assert str(error) == "a/b.csv, line 5, row 3, column 'image': no such image. Check the path."


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DataError("is empty"), "is empty"),
        (DataError("is empty.", fix="Fill it."), "is empty. Fill it."),
        (DataError("two\nlines\r\nhere", file="x\ny.csv"), "x y.csv: two lines here"),
        (DataError("first row", row=0), "row 0: first row"),
    ],
)
def test_messages_are_one_line(error: DataError, text: str) -> None:
    assert str(error) == text


def test_the_tree_and_its_exit_codes() -> None:
    for kind in (DataError, ConfigError, OutputError):
        assert issubclass(kind, InputError)
        assert kind.exit_code == 2
    assert issubclass(InputError, NoiseAuditError)
    assert issubclass(TrainingDiverged, NoiseAuditError)
    assert not issubclass(TrainingDiverged, InputError)
    assert TrainingDiverged.exit_code == NoiseAuditError.exit_code == 1
