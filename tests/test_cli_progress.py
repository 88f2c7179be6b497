"""How a scan reports its progress."""

from __future__ import annotations

import io
import itertools
import re
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from noiseaudit_cli import progress
from noiseaudit_cli.progress import ScanProgress

LOSSES = {"loss": 1.5, "reconstruction": 0.25, "conditional": 2.0, "entropy": 9.0}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _watched(
    monkeypatch: pytest.MonkeyPatch,
    stderr: io.StringIO,
    *,
    epochs: int,
    upto: int | None = None,
    quiet: bool = False,
    self_test: bool = False,
    folds: int = 0,
    columns: int = 120,
) -> str:
    plan = _plan(epochs, self_test=self_test, folds=folds)
    nothing: Any = None
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        with ScanProgress(quiet=quiet) as watcher:
            watcher.on_plan(nothing, nothing, plan)
            for epoch in range(1, (upto or epochs) + 1):
                watcher.on_epoch(_record(epoch))
            for name in [f"fold {fold} of {folds}" for fold in range(1, folds + 1)] + [
                "self-test"
            ] * self_test:
                for epoch in range(1, epochs + 1):
                    watcher.on_extra(name, _record(epoch))
    return stderr.getvalue()


def _plan(epochs: int, *, self_test: bool, folds: int) -> Any:
    return SimpleNamespace(
        config=SimpleNamespace(method="umn", self_test=self_test),
        backbone=SimpleNamespace(value="mlp", reason="small [8x8] images"),
        device=SimpleNamespace(type="cpu"),
        batches=SimpleNamespace(steps=7),
        epochs=epochs,
        all_epochs=epochs,
        tuning=None,
        folds=folds,
    )


def _plain(text: str) -> str:
    """Without a terminal's commands."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def _record(epoch: int) -> Any:
    return SimpleNamespace(epoch=epoch, losses=LOSSES, p_given_guider=np.array([0.25, 0.75]), seconds=1.0)


def test_a_log_gets_its_first_epoch_and_ten_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *lines = _watched(monkeypatch, io.StringIO(), epochs=50).splitlines()
    assert first == "Training umn with backbone mlp (small [8x8] images) on cpu: 50 epochs of 7 steps."
    assert [line.split()[1] for line in lines] == [f"{epoch}/50" for epoch in (1, *range(5, 51, 5))]
    assert lines[-1] == "epoch 50/50  loss 1.5  agrees with 50% of labels  0 s left"


def test_a_short_training_gets_a_line_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _watched(monkeypatch, io.StringIO(), epochs=3).splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["1/3", "2/3", "3/3"]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(1.2, "59 s"), (2.4, "2 min"), (10, "8 min"), (146, "119 min"), (150, "2.0 h"), (1000, "13.6 h")],
)
@pytest.mark.parametrize("stderr", [io.StringIO, Terminal])
def test_one_epoch_is_enough_to_say_how_long_the_rest_takes(
    monkeypatch: pytest.MonkeyPatch, stderr: type[io.StringIO], seconds: float, expected: str
) -> None:
    """On a terminal too: 49 more epochs, each as long as the first."""
    times = itertools.count(0.0, seconds)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(times)))
    text = _watched(monkeypatch, stderr(), epochs=50, upto=1)
    assert f"{expected} left" in text.split("steps.")[1]


def test_a_terminal_gets_a_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _plain(_watched(monkeypatch, Terminal(), epochs=2))
    assert "epoch 2/2" in text
    assert "loss 1.5" in text
    assert "epoch 2/2  loss" not in text


@pytest.mark.parametrize("columns", [60, 80, 119])
def test_a_narrow_terminal_keeps_the_epoch_the_bar_and_the_time(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    times = itertools.count(0.0, 90.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(times)))
    text = _watched(monkeypatch, Terminal(), epochs=42, upto=12, columns=columns)
    line = " ".join(_plain(text).split("steps.")[1].split())
    assert re.search(r"epoch 12/42 [━╸╺ ]{10,} 45 min left", line), line
    assert "loss" not in line
    assert "…" not in line


def test_features_have_a_phase_and_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first report, of what was kept, begins the time."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    for stderr, expected in (
        (Terminal(), r"computing features +600/1000"),
        (io.StringIO(), "features of 600 of"),
    ):
        times = iter([0.0, 0.0, 50.0])
        with monkeypatch.context() as patch:
            patch.setattr(progress, "time", SimpleNamespace(monotonic=lambda times=times: next(times)))
            patch.setattr(sys, "stderr", stderr)
            with ScanProgress(quiet=False) as watcher:
                watcher.on_features(100, 1000)
                watcher.on_features(600, 1000)
        assert re.search(expected + r".*40 s left", _plain(stderr.getvalue()), re.DOTALL)


@pytest.mark.parametrize("stderr", [io.StringIO(), Terminal()])
def test_quiet(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO) -> None:
    assert _watched(monkeypatch, stderr, epochs=2, quiet=True) == ""


def test_a_second_stage_is_timed_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its epochs, 3 and 4 of 4, take far longer than the first two."""
    times = iter([0.0, 0.0, 0.0, 100.0, 100.0, 200.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(times)))
    stderr = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        watcher = ScanProgress(quiet=False)
        watcher._epochs, watcher._of_features = 4, 2
        for epoch in range(1, 5):
            watcher.on_epoch(SimpleNamespace(**vars(_record(epoch)) | {"seconds": 100.0}))  # type: ignore[arg-type]
    left = [line.split("  ")[-1] for line in stderr.getvalue().splitlines()]
    assert left == ["the second stage follows"] * 2 + ["2 min left", "0 s left"]


def test_the_time_left_holds_the_self_tests_training(monkeypatch: pytest.MonkeyPatch) -> None:
    times = itertools.count(0.0, 10.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(times)))
    lines = _watched(monkeypatch, io.StringIO(), epochs=2, self_test=True).splitlines()[1:]
    assert [line.split("  ")[0] for line in lines] == [
        f"{name} {epoch}/2" for name in ("epoch", "self-test, epoch") for epoch in (1, 2)
    ]
    assert [line.split("  ")[-1] for line in lines] == ["30 s left", "20 s left", "11 s left", "0 s left"]


def test_folds_are_announced_and_get_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    times = itertools.count(0.0, 10.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(times)))
    first, *lines = _watched(monkeypatch, io.StringIO(), epochs=2, folds=3).splitlines()
    assert first.endswith("2 epochs of 7 steps, then 3 times more, each without the labels of one part.")
    assert [line.split("  ")[0] for line in lines] == [
        "epoch 1/2",
        "epoch 2/2",
        *(f"fold {fold} of 3, epoch 2/2" for fold in (1, 2, 3)),
    ]
    assert [line.split("  ")[-1] for line in lines] == [
        "1 min left",
        "1 min left",
        "42 s left",
        "21 s left",
        "0 s left",
    ]


def test_folds_that_training_calls_for_are_announced_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two epochs of the first training, then three folds and a self-test that has as many: 16 in all, 10 s each."""
    clock, stderr = itertools.count(0.0, 10.0), io.StringIO()
    plan = _plan(2, self_test=True, folds=0)
    nothing: Any = None
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        patch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        with ScanProgress(quiet=False) as watcher:
            watcher.on_plan(nothing, nothing, plan)
            watcher.on_epoch(_record(1))
            watcher.on_folds(3, 0.002)
            for number in (1, 2, 3):
                watcher.on_extra(f"fold {number} of 3", _record(2))
    lines = stderr.getvalue().splitlines()
    assert lines[2] == (
        "Few labels look wrong (0.2 %): training 3 times more, each without the labels of one part, so that no network "
        "only repeats them (--folds 0 leaves this out)."
    )
    assert [line.split("  ")[-1] for line in lines[1:2]] == [
        "30 s left"
    ]  # of itself and the self-test's first
    assert lines[-1].startswith("fold 3 of 3, epoch 2/2")
    assert "44 s left" in lines[-1]  # 4 x 2 epochs of the self-test, at (10 + 1) / 2 s


def test_a_resumed_scan_says_where_it_goes_on_and_takes_its_own_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four trainings of 10 epochs: one was done, one had 6. Each epoch takes a second of this process."""
    plan = _plan(10, self_test=True, folds=1)
    nothing: Any = None
    clock, stderr = itertools.count(100.0), io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        patch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        with ScanProgress(quiet=False) as watcher:
            watcher.on_plan(nothing, nothing, plan)
            watcher.on_restored("training", 10, 10)
            watcher.on_restored("fold 1 of 1", 10, 10)
            watcher.on_restored("self-test, training", 6, 10)
            watcher.on_extra("self-test", _record(7))
            watcher.on_note("That was it.")
    _, *lines = stderr.getvalue().splitlines()
    assert lines[:3] == [
        "training: was done before",
        "fold 1 of 1: was done before",
        "self-test, training: goes on after epoch 6/10",
    ]
    assert lines[3].startswith("self-test, epoch 7/10  loss 1.5")
    assert lines[3].endswith("  13 s left")  # 3 epochs of it and 10 of its fold
    assert lines[4] == "That was it."
