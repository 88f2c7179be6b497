"""Files that no command writes over, not even by --force: an audit and its run.json, and what the scan read."""

from __future__ import annotations

from pathlib import Path

from noiseaudit.errors import DataError
from noiseaudit.manifest import run_folder, saved_run
from noiseaudit.runnames import AUDIT_FILE, RUN_FILE


def never_written(audit: Path, *read: Path | None) -> list[Path]:
    """For `check_file`; `audit` is a run folder or an audit.parquet, `read` what the command reads besides."""
    folder = run_folder(audit)
    try:
        paths = saved_run(audit).get("paths")
    except DataError:  # nothing says what was scanned
        paths = None
    named = paths.values() if isinstance(paths, dict) else ()
    scanned = [Path(text) for text in named if isinstance(text, str)]
    return [audit, folder / AUDIT_FILE, folder / RUN_FILE, *scanned, *(path for path in read if path)]
