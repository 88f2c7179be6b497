"""The run folder: says it is incomplete while a scan works, and is moved into place only when it is whole.

A scan that is cut off leaves its folder, in which `--resume` goes on; wrong input leaves nothing.
"""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from noiseaudit.errors import CutOff, Damaged, OtherRun, OutputError, TrainingDiverged
from noiseaudit.folders import drop_halves, empty, first_missing, remove_empty
from noiseaudit.identity import check_same
from noiseaudit.lock import RunLock
from noiseaudit.outputs import HOW_TO_GO_ON, RESTART, check_output, has_content, unwritable
from noiseaudit.runfiles import EDITABLE, editable_files, is_of_scan
from noiseaudit.runjson import read_run_json, run_status, write_run_json
from noiseaudit.runnames import CHECKPOINTS, DYNAMICS_FOLDER, LOCK_FILE
from noiseaudit.swap import REPLACES, beside, may_replace, replaced_by, settle, swap

IDENTITY = "identity"  # of run.json


class RunFolder:
    """A scan's output folder, as a context manager.

    `with RunFolder(out) as run: run.start(); ...; run.finish(info)`. Entering checks `out` and creates
    nothing; `start` creates `path`, where all files go; `finish` completes `run.json` and, if an older run is
    replaced, swaps the new folder in. Wrong input removes what was made, not an empty folder that was there, and
    nothing of a run that is gone on from. An interrupt or a disk that fails leaves the folder, for `resume`. The run
    that --force is about to replace is not touched before the new one is whole.
    """

    def __init__(
        self,
        out: Path,
        *,
        force: bool = False,
        resume: bool = False,
        inputs: Sequence[Path] = (),
        can_go_on: bool = True,
    ) -> None:
        """`inputs` are files and folders that are read, which `out` must not contain; `can_go_on`: by `resume`."""
        self.out = Path(os.path.realpath(out))
        self.force, self.resume, self.inputs = force, resume, tuple(inputs)
        self.can_go_on = can_go_on
        self.path = self.out
        self.before: dict[str, Any] | None = None  # run.json of the run that is gone on from, or is finished
        self._identity: dict[str, Any] = {}
        self._header: dict[str, Any] = {}
        self._created: Path | None = None  # by `start`; the topmost folder
        self._was_there = False
        self._lock: RunLock | None = None
        self._clock = 0.0

    @property
    def is_finished(self) -> bool:
        """Whether `resume` found a run that is whole: nothing may be written then."""
        return self.before is not None and self.before["status"] == "complete"

    @property
    def checkpoints(self) -> Path:
        """The folder for them, once started."""
        return self.path / CHECKPOINTS

    def __enter__(self) -> Self:
        if not self.out.name:
            raise OutputError("cannot be the folder of a run", file=self.out, fix="Choose another --out.")
        settle(self.out)
        check_output(self.out, force=self.force, resume=self.resume, inputs=self.inputs)
        self._clock = time.monotonic()
        self._header = {"started": _now(), "host": platform.node(), "pid": os.getpid()}
        if self.resume:
            self._find_before()
        if self.before is None and has_content(self.out):
            self.path = beside(self.out, "new")
            if run_status(self.out) == "incomplete":
                RunLock(self.out).release()  # nobody may be at work in what is to be replaced
        return self

    def _find_before(self) -> None:
        """Look for an interrupted run, else for a finished one; the former is locked."""
        new = beside(self.out, "new")
        places = [new, self.out] if may_replace(new, self.out) else [self.out]
        interrupted = [place for place in places if run_status(place) == "incomplete"]
        if interrupted:
            self.path = interrupted[0]
            self._lock = RunLock(self.path)
            self.before = read_run_json(self.path)
            assert self.before is not None
            self._header |= {name: self.before[name] for name in ("started", REPLACES) if name in self.before}
        elif run_status(self.out) == "complete":
            self.before = read_run_json(self.out)

    def same_as(self, facts: Mapping[str, Any]) -> None:
        """Take in what makes this run what it is. Raises OtherRun where the run that is gone on from differs."""
        self._identity |= facts
        if self.before is not None:
            try:
                check_same(self.before.get(IDENTITY), facts, self.out)
            except OtherRun:
                if not self._takes_the_finished():
                    raise
        if self._created is not None:
            self._say_incomplete()

    def _takes_the_finished(self) -> bool:
        """Turn from an interrupted run that was to replace a finished one, and differs, to the finished one.

        Returns whether there is one that is like this run.
        """
        if self._created is not None or self.path == self.out or run_status(self.out) != "complete":
            return False
        finished = read_run_json(self.out)
        assert finished is not None
        try:
            check_same(finished.get(IDENTITY), self._identity, self.out)
        except OtherRun:
            return False
        self._release()
        self.path, self.before, self._lock = self.out, finished, None
        return True

    def start(self) -> Path:
        """Create the folder with a `run.json` that says it is incomplete; a second call changes nothing.

        Raises OutputError if it cannot be written, or another process came first.
        """
        if self._created is not None:
            return self.path
        was_there, created = self.path.exists(), first_missing(self.path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error
        self._lock = self._lock or RunLock(self.path)
        if self.before is None and self.path == self.out:  # it was empty before
            check_output(self.path, force=False)
        self._was_there, self._created = was_there and self.before is None, created
        if self.before is not None:
            drop_halves(self.path, (CHECKPOINTS, DYNAMICS_FOLDER))
        else:
            empty(self.path, keep={LOCK_FILE})
            if self.path != self.out:
                self._header[REPLACES] = replaced_by(self.out)
        self._say_incomplete()
        self.checkpoints.mkdir(exist_ok=True)
        return self.path

    def _say_incomplete(self) -> None:
        identity = (self.before or {}).get(IDENTITY, {}) | self._identity
        status = {"status": "incomplete", "fix": HOW_TO_GO_ON if self.can_go_on else RESTART}
        write_run_json(self.path, {**status, **self._header, IDENTITY: identity})

    def finish(self, info: Mapping[str, Any]) -> None:
        """Write the complete `run.json` (status, times, host, then `info`) and move the folder into place."""
        times = {"finished": _now(), "seconds": round(time.monotonic() - self._clock, 3)}
        header = {name: value for name, value in self._header.items() if name != "pid"}
        files = editable_files(self.start())
        run = {"status": "complete", **header, **times, **info, EDITABLE: files, IDENTITY: self._identity}
        write_run_json(self.path, run)
        self._created = None
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        if self.path != self.out:
            assert self._lock is not None
            swap(self.path, self.out, self._lock)
        self._release()

    def tidy(self) -> None:
        """Remove what a finished run may have been cut off from removing."""
        shutil.rmtree(self.out / CHECKPOINTS, ignore_errors=True)
        if (self.out / LOCK_FILE).exists():
            RunLock(self.out).release()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                self._leave(error)
        finally:
            self._release()

    def _leave(self, error: BaseException) -> None:
        """Keep the folder and tell how to go on, or remove it. Raises CutOff in place of a disk's failure."""
        if isinstance(error, OtherRun) or (self._created is None and not self._goes_on):
            return
        if self._is_kept(error):
            if isinstance(error, OSError | OutputError):
                what = f"{self.out}: {error.strerror or error}" if isinstance(error, OSError) else f"{error}"
                raise CutOff(f"{what.rstrip('.')}; {HOW_TO_GO_ON}") from error
            if isinstance(error, Damaged):  # and nothing can go on there
                return
            error.add_note(f"{self.out} is incomplete: {HOW_TO_GO_ON}")
        elif self._created is not None:
            theirs = {path.name for path in self.path.iterdir() if not is_of_scan(path.name)}
            empty(self.path, keep={LOCK_FILE, *theirs})
            self._release()
            remove_empty(self.path, self._created, keep=self._was_there)

    @property
    def _goes_on(self) -> bool:
        return self.before is not None and not self.is_finished

    def _is_kept(self, error: BaseException) -> bool:
        """Whether the same command with --resume can come further than this one."""
        if not self.can_go_on or isinstance(error, TrainingDiverged) or run_status(self.path) is None:
            return False
        cut_off = isinstance(error, KeyboardInterrupt | OSError)
        return cut_off or self._goes_on or has_content(self.checkpoints)

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
