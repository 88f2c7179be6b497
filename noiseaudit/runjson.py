"""`run.json`: what depends on this machine and this moment (clock, host, paths); `audit.parquet` does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noiseaudit.atomic import write_text
from noiseaudit.errors import DataError

RUN_FILE = "run.json"


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
    """Write `run.json` atomically. Raises OutputError if the folder cannot be written."""
    write_text(folder / RUN_FILE, json.dumps(run, indent=2, ensure_ascii=False, default=str) + "\n")
