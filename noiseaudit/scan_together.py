"""scan() in several processes, started by `torchrun` or `accelerate launch` (extra `distributed`).

The first process scans as ever. The others do the same into folders of their own, which are removed, and say nothing.
Before training each learns whether all could read data and options; what fails on several is said by the first of them.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch.distributed as dist

from noiseaudit.choose import DENSE_BACKBONES
from noiseaudit.course import EpochRecord
from noiseaudit.distributed import GRAIN, Shared, launched_processes, launched_rank, others_present
from noiseaudit.errors import ConfigError, EndedElsewhere, NoiseAuditError, TrainingDiverged
from noiseaudit.labels.table import LabelTable
from noiseaudit.methods import METHODS
from noiseaudit.part import taking
from noiseaudit.plan import Plan
from noiseaudit.result import AuditResult
from noiseaudit.runnames import CACHE
from noiseaudit.samples import Samples
from noiseaudit.scan import Watcher, WriteReports, scan
from noiseaudit.scan_options import ScanOptions

LONGEST_WAIT = timedelta(hours=24)  # for a process that still reads images


def scan_together(options: ScanOptions, watcher: Watcher, write_reports: WriteReports) -> dict[str, Any]:
    """scan() by all processes of the launcher; each returns the content of run.json.

    Raises ConfigError without the extra, and for what cannot be shared; EndedElsewhere where another process failed;
    and what scan() raises.
    """
    check_installed()
    rank, count = launched_rank(), launched_processes()
    with _group(options.config.device), taking(Shared(rank, count)):
        synced = _Synced(watcher if rank == 0 else Silent(), rank)
        try:
            if rank == 0:
                info = scan(options, synced, write_reports)
                synced.end()
                return info
            with tempfile.TemporaryDirectory(prefix=CACHE, dir=_roomy(options.out)) as folder:
                return scan(dataclasses.replace(options, out=Path(folder) / "run"), synced, no_reports)
        except TrainingDiverged as error:  # the losses are the same on all
            if rank == 0:
                raise
            raise EndedElsewhere(str(error), told=True) from error
        except NoiseAuditError as error:
            synced.fail(error)
            raise


def _roomy(out: Path) -> Path | None:
    """Where decoded images fit: beside the output, as those of the first process; None: where temporary files go."""
    parent = next(path for path in out.absolute().parents if path.exists())
    return parent if os.access(parent, os.W_OK) else None


def check_installed() -> None:
    """Raise ConfigError unless the extra is there."""
    if importlib.util.find_spec("accelerate") is None:
        raise ConfigError(
            "a scan in several processes needs Accelerate", fix="pip install 'noiseaudit[distributed]'"
        )


def check_plan(plan: Plan, count: int) -> None:
    """Raise ConfigError for a plan that `count` processes cannot carry out as one would."""
    method, backbone = plan.config.method, plan.backbone.value
    if not METHODS[method].can_be_shared:
        able = [name for name, kind in METHODS.items() if kind.can_be_shared]
        raise ConfigError(
            f"--method {method} cannot be trained by several processes",
            fix=f"Choose {' or '.join(able)}, or start one process.",
        )
    if backbone not in DENSE_BACKBONES or plan.tuning:
        what = "--fine-tune" if plan.tuning else f"--backbone {backbone}"
        raise ConfigError(
            f"{what} cannot be trained by several processes: each would normalise by its own part of a batch",
            fix="Start one process, or use --backbone pretrained or mlp without --fine-tune.",
        )
    rows = plan.batches.labelled + plan.batches.unlabelled
    if rows < 2 * GRAIN * count:
        raise ConfigError(
            f"batches of {rows} rows are too small for {count} processes",
            fix=f"Start fewer, or give --batch-size {2 * GRAIN * count} or more.",
        )


@contextmanager
def _group(device: str) -> Iterator[None]:
    """The process group, and this process's device as torch's current one."""
    from accelerate import PartialState

    state = PartialState(cpu=device == "cpu", timeout=LONGEST_WAIT)
    try:
        yield
    finally:
        state.destroy_process_group()


class _Synced:
    """A Watcher that lets training begin when all processes can."""

    def __init__(self, watcher: Watcher, rank: int) -> None:
        self._watcher, self._rank, self._is_training = watcher, rank, False
        self.on_table, self.on_features = watcher.on_table, watcher.on_features
        self.on_epoch, self.on_extra = watcher.on_epoch, watcher.on_extra
        self.on_folds, self.on_note, self.on_restored = watcher.on_folds, watcher.on_note, watcher.on_restored

    def on_plan(self, table: LabelTable, samples: Samples, plan: Plan) -> None:
        check_plan(plan, launched_processes())
        self._exchange(None)
        self._is_training = True
        self._watcher.on_plan(table, samples, plan)

    def fail(self, error: NoiseAuditError) -> None:
        """Tell the others, if they wait to hear it; they see by themselves that a process is gone later."""
        if not self._is_training and not isinstance(error, EndedElsewhere):
            self._exchange(error.exit_code)

    def end(self) -> None:
        """Tell the others that there was nothing to train: the run was finished before."""
        if not self._is_training:
            self._exchange(0)

    def _exchange(self, code: int | None) -> None:
        """Tell all others the exit code that this process ends with, if it does, and hear theirs."""
        codes: list[int | None] = [None] * launched_processes()
        with others_present():
            dist.all_gather_object(codes, code)
        ended = [rank for rank, other in enumerate(codes) if other is not None]
        if ended and ended[0] != self._rank:
            first = codes[ended[0]]
            assert first is not None
            raise EndedElsewhere("another process of this run ended", told=True, exit_code=first)


class Silent:
    """A Watcher that says nothing."""

    def on_table(self, table: LabelTable) -> None: ...

    def on_features(self, done: int, total: int) -> None: ...

    def on_plan(self, table: LabelTable, samples: Samples, plan: Plan) -> None: ...

    def on_epoch(self, record: EpochRecord) -> None: ...

    def on_extra(self, name: str, record: EpochRecord) -> None: ...

    def on_folds(self, folds: int, expected: float) -> None: ...

    def on_note(self, text: str) -> None: ...

    def on_restored(self, name: str, done: int, epochs: int) -> None: ...


def no_reports(result: AuditResult, run: dict[str, Any], folder: Path) -> None:
    """Write none."""
