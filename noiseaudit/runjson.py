"""`run.json`: what depends on this machine and this moment (clock, host, paths); `audit.parquet` does not."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noiseaudit.atomic import write_text
from noiseaudit.errors import DataError
from noiseaudit.runnames import RUN_FILE


def read_run_json(folder: Path) -> dict[str, Any] | None:
    """The run's `run.json`; None if there is none. Raises DataError if it is not a JSON object."""
    file = folder / RUN_FILE
    try:
        run = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot be read ({error})", file=file, fix="Scan again.") from error
    if not isinstance(run, dict):
        raise DataError("not a run's description", file=file, fix="Scan again.")
    return run


def run_status(folder: Path) -> str | None:
    """ "incomplete" or "complete", as the run.json of `folder` says; None if it is no run."""
    try:
        status = (read_run_json(folder) or {}).get("status")
    except DataError:
        return None
    return status if status in ("incomplete", "complete") else None


def write_run_json(folder: Path, run: Mapping[str, Any]) -> None:
    """Write `run.json` atomically: strict JSON, so null for NaN and infinity.

    Raises OutputError if the folder cannot be written.
    """
    text = json.dumps(_strict(run), indent=2, ensure_ascii=False, allow_nan=False, default=str)
    write_text(folder / RUN_FILE, f"{text}\n")


def _strict(value: Any) -> Any:
    """`value` with None in place of each number that JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _strict(item) for name, item in value.items()}
    return [_strict(item) for item in value] if isinstance(value, list | tuple) else value
