"""Runs as the tests of the run folder need them: finished, failing, interrupted, cut off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from noiseaudit.runfolder import RunFolder


def finished(out: Path, note: str = "first", seed: int | None = None, **options: Any) -> None:
    with RunFolder(out, **options) as run:
        if seed is not None:
            run.same_as({"--seed": seed})
        (run.start() / "audit.parquet").write_text(note)
        run.finish({"note": note})


def failing(out: Path, error: BaseException, seed: int | None = None, **options: Any) -> None:
    with RunFolder(out, **options) as run:
        if seed is not None:
            run.same_as({"--seed": seed})
        (run.start() / "audit.parquet").write_text("half")
        (run.path / "dynamics.parquet").mkdir(exist_ok=True)
        raise error


def interrupted(out: Path, facts: dict[str, Any] | None = None, **options: Any) -> None:
    """A run with a checkpoint and half a file that Ctrl-C ended."""
    with pytest.raises(KeyboardInterrupt):
        cut_off(out, KeyboardInterrupt(), facts or {}, **options)


def cut_off(out: Path, error: BaseException, facts: dict[str, Any], **options: Any) -> None:
    with RunFolder(out, **options) as run:
        run.same_as(facts)
        run.start()
        (run.checkpoints / "training").write_text("epoch 3")
        (run.checkpoints / ".training.x.tmp").write_text("half")
        (run.path / "audit.parquet").write_text("half")
        raise error


def with_data(out: Path, asked: dict[str, Any], found: dict[str, Any]) -> None:
    with RunFolder(out, resume=True) as run:
        run.same_as(asked)
        run.start()
        run.same_as(found)
