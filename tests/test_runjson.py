"""run.json can be read by whoever reads JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from noiseaudit.runjson import read_run_json, write_run_json
from noiseaudit.runnames import RUN_FILE


def no_number(name: str) -> NoReturn:
    pytest.fail(f"{name} is no JSON")


def test_what_json_has_no_number_for_is_null(tmp_path: Path) -> None:
    run = {
        "cutoff": {"threshold": math.nan},
        "doubt": [-math.inf, 0.5],
        "pair": (math.inf, 1),
        "score": np.float64("nan"),
        "folder": tmp_path,
        "seed": 3,
    }
    write_run_json(tmp_path, run)
    expected = {
        "cutoff": {"threshold": None},
        "doubt": [None, 0.5],
        "pair": [None, 1],
        "score": None,
        "folder": str(tmp_path),
        "seed": 3,
    }
    assert json.loads((tmp_path / RUN_FILE).read_text("utf-8"), parse_constant=no_number) == expected
    assert read_run_json(tmp_path) == expected
