"""May this output be written? Asked before any work is done, and answered without leaving a trace."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from noiseaudit.errors import OutputError

RUN_FILE = "run.json"


def check_output(out: Path, *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Raise OutputError unless a scan may write to the folder `out`. Leaves no trace.

    `out` may be absent, empty, or, with `force`, an earlier run that holds none of `inputs`.
    """
    if has_content(out):
        _check_replaceable(out, force, inputs)
    elif out.exists() and not out.is_dir():
        raise OutputError("exists and is not a folder", file=out, fix="Choose another --out.")
    check_parent(out)


def check_parent(out: Path) -> None:
    """Raise OutputError unless `out` can be created or replaced where it is."""
    path = out.absolute()
    parent = path.parent if has_content(path) else next(p for p in (path, *path.parents) if p.exists())
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=".noiseaudit-"):
            pass
    except OSError as error:
        raise unwritable(out, error) from error


def check_file(out: Path, *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Raise OutputError unless the file `out` may be written: never over `inputs`, over others by `force`."""
    for path in inputs:
        if os.path.realpath(out) == os.path.realpath(path):
            raise OutputError(
                "is the input file, which is never overwritten", file=out, fix="Choose another --out."
            )
    if out.is_dir():
        raise OutputError("is a folder", file=out, fix="Give --out a file name.")
    if out.exists() and not force:
        raise OutputError("exists", file=out, fix="Give --force to replace it, or choose another --out.")
    if not out.parent.is_dir():
        raise OutputError(
            "its folder does not exist", file=out, fix="Create the folder, or choose another --out."
        )


def has_content(folder: Path) -> bool:
    """Whether `folder` is a folder with something in it. Raises OutputError if it cannot be listed."""
    try:
        return folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(path: Path, error: OSError) -> OutputError:
    """The OutputError for an operating system's refusal."""
    return OutputError(
        f"cannot be written ({error.strerror})",
        file=path,
        fix="Choose another --out or mend its permissions.",
    )


def _check_replaceable(out: Path, force: bool, inputs: Sequence[Path]) -> None:
    if not _is_run(out):
        raise OutputError(
            "the folder exists and is not a noiseaudit run, so even --force does not replace it",
            file=out,
            fix="Choose another --out.",
        )
    if not force:
        raise OutputError(
            "the output folder exists", file=out, fix="Give --force to replace it, or choose another --out."
        )
    for path in inputs:
        if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(out)):
            raise OutputError(
                f"--force would delete the input {path}",
                file=out,
                fix="Choose another --out or move the input.",
            )


def _is_run(folder: Path) -> bool:
    try:
        run = json.loads((folder / RUN_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(run, dict) and run.get("status") in ("incomplete", "complete")
