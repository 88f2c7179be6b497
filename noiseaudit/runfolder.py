"""The run folder: says it is incomplete while a scan works, and is moved into place only when it is whole.

`run.json` holds what depends on this machine and this moment (clock, host, paths); `audit.parquet` does not.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from noiseaudit.atomic import write_text
from noiseaudit.errors import DataError
from noiseaudit.outputs import RUN_FILE, check_output, has_content, unwritable

RESTART = "start again with --force"


class RunFolder:
    """A scan's output folder, as a context manager.

    `with RunFolder(out) as run: run.start(); ...; run.finish(info)`. Entering checks `out` and creates
    nothing; `start` creates `path`, where all files go; `finish` completes `run.json` and, if an older run is
    replaced, swaps the new folder in. An error removes what was made, not an empty folder that was there.
    Ctrl-C leaves a new folder that says it is incomplete, but never touches the run that --force was about to
    replace.
    """

    def __init__(self, out: Path, *, force: bool = False, inputs: Sequence[Path] = ()) -> None:
        """`inputs` are files and folders that the scan reads, which `out` must not contain."""
        self.out = Path(os.path.realpath(out))
        self.force = force
        self.inputs = tuple(inputs)
        self.path = self.out
        self._created: Path | None = None
        self._was_there = False
        self._header: dict[str, Any] = {}
        self._clock = 0.0

    def __enter__(self) -> Self:
        check_output(self.out, force=self.force, inputs=self.inputs)
        self._clock = time.monotonic()
        self._header = {"started": _now(), "host": platform.node()}
        return self

    def start(self) -> Path:
        """Create the folder with a `run.json` that says it is incomplete; a second call changes nothing.

        Raises OutputError if it cannot be written.
        """
        if self._created is not None:
            return self.path
        if has_content(self.out):
            self.path = self.out.with_name(f".{self.out.name}.{os.getpid()}.new")
        self._was_there = self.path.exists()
        self._created = _first_missing(self.path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error
        write_run_json(self.path, {"status": "incomplete", "fix": RESTART, **self._header})
        return self.path

    def finish(self, info: Mapping[str, Any]) -> None:
        """Write the complete `run.json` (status, times, host, then `info`) and move the folder into place."""
        times = {"finished": _now(), "seconds": round(time.monotonic() - self._clock, 3)}
        write_run_json(self.start(), {"status": "complete", **self._header, **times, **info})
        if self.path != self.out:
            _swap(self.path, self.out)
        self._created = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or self._created is None:
            return
        if isinstance(error, KeyboardInterrupt):
            error.add_note(f"{self.out} is incomplete: {RESTART}" if self.path == self.out else RESTART)
        if not isinstance(error, KeyboardInterrupt) or self.path != self.out:
            _remove(self._created, keep_folder=self._was_there)


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


def write_run_json(folder: Path, run: Mapping[str, Any]) -> None:
    """Write `run.json` atomically. Raises OutputError if the folder cannot be written."""
    write_text(folder / RUN_FILE, json.dumps(run, indent=2, ensure_ascii=False, default=str) + "\n")


def _first_missing(path: Path) -> Path:
    """The topmost folder that creating `path` creates; `path` itself if it is there already."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    return missing[-1] if missing else path


def _remove(folder: Path, *, keep_folder: bool) -> None:
    if not keep_folder:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _swap(new: Path, out: Path) -> None:
    """Put `new` in the place of `out`; the old folder is deleted only when the new one stands."""
    old = new.with_suffix(".old")
    try:
        os.rename(out, old)
        os.rename(new, out)
    except OSError as error:
        if old.exists() and not out.exists():
            os.rename(old, out)
        raise unwritable(out, error) from error
    shutil.rmtree(old, ignore_errors=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
