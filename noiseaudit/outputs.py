"""May this output be written? Asked before any work is done, and answered without leaving a trace."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from noiseaudit.errors import OutputError
from noiseaudit.runjson import read_run_json, run_status
from noiseaudit.runnames import CACHE, LOCK_FILE, PROBE, RUN_FILE

DECISIONS_FILE = "decisions.sqlite"  # beside an audit; of people, so a new run in its place keeps it
HOW_TO_GO_ON = "the same command with --resume goes on, with --force it starts again"
RESTART = "start again with --force"


def decisions_file(folder: Path) -> Path:
    """Where a review of the run in `folder` leaves what was decided."""
    return (folder / DECISIONS_FILE).with_suffix(".csv")


def check_output(out: Path, *, force: bool, resume: bool = False, inputs: Sequence[Path] = ()) -> None:
    """Raise OutputError unless a scan may write to the folder `out`. Leaves no trace.

    `out` may be absent, empty, or, with `force` or `resume`, an earlier run that holds none of `inputs`.
    """
    if has_content(out):
        _check_run(out, may_be_there=force or resume)
        if force or run_status(out) == "incomplete":
            _check_holds_none(out, inputs)
    elif out.exists() and not out.is_dir():
        raise OutputError("exists and is not a folder", file=out, fix="Choose another --out.")
    check_parent(out)


def check_parent(out: Path) -> None:
    """Raise OutputError unless `out` can be created or replaced where it is."""
    path = out.absolute()
    goes_on = run_status(path) == "incomplete"
    parent = (
        path.parent
        if has_content(path) and not goes_on
        else next(p for p in (path, *path.parents) if p.exists())
    )
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=PROBE):
            pass
    except OSError as error:
        raise unwritable(out, error) from error


def check_file(
    out: Path,
    *,
    force: bool,
    inputs: Sequence[Path] = (),
    option: str = "--out",
    answered: str | None = None,
) -> None:
    """Raise OutputError unless the file `out` may be written: never over `inputs`, over others by `force`.

    `option` is the one that names it. Answers of people are not replaced either, unless the caller puts such a file
    aside (`noiseaudit.answers.put_aside`): then `answered` says what to do instead of --force.
    """
    for path in inputs:
        if os.path.realpath(out) == os.path.realpath(path):
            raise OutputError(
                "is the input file, which is never overwritten", file=out, fix=f"Choose another {option}."
            )
    if out.is_dir():
        raise OutputError("is a folder", file=out, fix=f"Give {option} a file name.")
    if out.exists() and (found := _answers_in(out)) and (answered is None or not force):
        raise OutputError(f"holds {found}", file=out, fix=answered or f"Choose another {option}.")
    if out.exists() and not force:
        raise OutputError("exists", file=out, fix=f"Give --force to replace it, or choose another {option}.")
    if not out.parent.is_dir():
        raise OutputError(
            "its folder does not exist", file=out, fix=f"Create the folder, or choose another {option}."
        )


def _answers_in(path: Path) -> str:
    from noiseaudit.answers import answers_in  # only where a file is in the way: it loads the readers

    return answers_in(path)


def has_content(folder: Path) -> bool:
    """Whether `folder` is a folder with something in it, beside what a killed scan may have begun with.

    Raises OutputError if it cannot be listed.
    """
    try:
        return folder.is_dir() and not all(_is_leftover(path.name) for path in folder.iterdir())
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(path: Path, error: OSError) -> OutputError:
    """The OutputError for an operating system's refusal."""
    return OutputError(
        f"cannot be written ({error.strerror})",
        file=path,
        fix="Choose another --out or mend its permissions.",
    )


def _is_leftover(name: str) -> bool:
    is_cut_off = name.startswith(f".{RUN_FILE}.") and name.endswith(".tmp")
    return name == LOCK_FILE or name.startswith((CACHE, PROBE)) or is_cut_off


def _check_run(out: Path, *, may_be_there: bool) -> None:
    status = run_status(out)
    if status is None:
        raise OutputError(
            "the folder exists and is not a noiseaudit run, so even --force does not replace it",
            file=out,
            fix="Choose another --out.",
        )
    if may_be_there:
        return
    if status == "incomplete":
        can_go_on = (read_run_json(out) or {}).get("fix") != RESTART
        go_on = "Give --resume to go on with it, or --force to start again."
        raise OutputError(
            f"holds a {'scan' if can_go_on else 'run'} that was cut off or is at work",
            file=out,
            fix=go_on if can_go_on else "Give --force to start again.",
        )
    raise OutputError(
        "the output folder exists", file=out, fix="Give --force to replace it, or choose another --out."
    )


def _check_holds_none(out: Path, inputs: Sequence[Path]) -> None:
    for path in inputs:
        if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(out)):
            raise OutputError(
                f"the scan would delete the input {path}",
                file=out,
                fix="Choose another --out or move the input.",
            )
