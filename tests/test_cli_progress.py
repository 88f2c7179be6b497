"""How a scan reports its progress."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from noiseaudit_cli.progress import ScanProgress

LOSSES = {"loss": 1.5, "reconstruction": 0.25, "conditional": 2.0, "entropy": 9.0}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _watched(
    monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, *, epochs: int, quiet: bool = False
) -> str:
    plan: Any = SimpleNamespace(
        config=SimpleNamespace(method="umn"),
        backbone=SimpleNamespace(value="mlp", reason="small [8x8] images"),
        device=SimpleNamespace(type="cpu"),
        batches=SimpleNamespace(steps=7),
        epochs=epochs,
    )
    nothing: Any = None
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        with ScanProgress(quiet=quiet) as progress:
            progress.on_plan(nothing, nothing, plan)
            for epoch in range(1, epochs + 1):
                record: Any = SimpleNamespace(
                    epoch=epoch, losses=LOSSES, p_given_guider=np.array([0.25, 0.75])
                )
                progress.on_epoch(record)
    return stderr.getvalue()


def test_a_log_gets_ten_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *lines = _watched(monkeypatch, io.StringIO(), epochs=50).splitlines()
    assert first == "Training umn with backbone mlp (small [8x8] images) on cpu: 50 epochs of 7 steps."
    assert [line.split()[1] for line in lines] == [f"{epoch}/50" for epoch in range(5, 51, 5)]
    assert (
        lines[-1]
        == "epoch 50/50  loss 1.5  reconstruction 0.25  conditional 2  believes 50% of labels  0 s left"
    )


def test_a_short_training_gets_a_line_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _watched(monkeypatch, io.StringIO(), epochs=3).splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["1/3", "2/3", "3/3"]


def test_a_terminal_gets_a_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _watched(monkeypatch, Terminal(), epochs=2)
    assert "2/2" in text
    assert "loss 1.5" in text
    assert "epoch 2/2" not in text


@pytest.mark.parametrize("stderr", [io.StringIO(), Terminal()])
def test_quiet(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO) -> None:
    assert _watched(monkeypatch, stderr, epochs=2, quiet=True) == ""
