"""How bench reports its progress and the time that is left."""

from __future__ import annotations

import pytest

from noiseaudit_cli.bench_progress import BenchProgress


def test_the_time_left_counts_what_other_processes_finish(capsys: pytest.CaptureFixture[str]) -> None:
    line = {
        "table": "table1", "dataset": "mnist", "method": "umn", "variant": "default", "rate": 0.1, "seed": 0,
        "scale": "smoke", "epochs": 2, "changes": "",
    }  # fmt: skip
    with BenchProgress(quiet=False) as progress:
        progress.on_start(3, 1, 4)
        progress.on_line({**line, "error": "training became infinite or NaN"})
        progress.on_line({**line, "test_error": {"guider": 0.125}})
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "3 runs, 1 of them done before."
    assert said[1].startswith(
        "2/3  table1 mnist umn default rate 0.1 seed 0, scale smoke (2 epochs): training became"
    )
    assert "test error 12.5%  0 s left" in said[2]


def test_a_stack_that_trains_again_run_by_run_is_not_counted_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with BenchProgress(quiet=False) as progress:
        progress.on_start(2, 0, 4)
        for _ in range(7):  # 3 epochs of the stack of two, then 4 by themselves
            progress.on_epoch()
    said = capsys.readouterr().err
    assert "100 % of all epochs  0 s left" in said
    assert not any(f"{share} %" in said for share in (125, 150, 175))
    assert "-" not in said
