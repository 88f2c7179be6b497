"""noiseaudit demo: the whole way, on real scans with planted errors."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from noiseaudit_cli.options import option

EXAMPLES = """
noiseaudit demo
noiseaudit demo --out /tmp/digits --seed 7
"""


def demo(
    context: typer.Context,
    out: Annotated[Path, option(metavar="DIR", help="Folder for everything the demo writes.")] = Path(
        "noiseaudit-demo"
    ),
    seed: Annotated[int, option(min=0, metavar="N", help="Seed of the planted errors and of the scan.")] = 0,
    force: Annotated[bool, option("--force", help="Replace the folder of an earlier demo.")] = False,
) -> None:
    """Try everything on 1,797 scanned digits: plant wrong labels, scan, rank, evaluate, clean, report.

    Every command line is shown before it runs, so that it can be repeated on other data.
    """
    from noiseaudit.demo import IMAGES, nothing_left_of_failure, prepare_demo
    from noiseaudit.runnames import REPORTS
    from noiseaudit_cli.console import say

    was_there = out.is_dir()
    labels = prepare_demo(out, force=force)
    images, noisy, run = out / IMAGES, out / "noisy.csv", out / "run"
    commands = (
        ["corrupt", labels, "--kind", "symmetric", "--rate", "0.2", "--seed", seed, "--out", noisy],
        ["scan", noisy, "--images", images, "--out", run, "--seed", seed],
        ["rank", run, "--top", 10],
        ["evaluate", run, "--truth", f"{noisy}.truth.csv"],
        ["clean", run, "--policy", "relabel", "--out", out / "cleaned.csv"],
        ["report", run, "--truth", f"{noisy}.truth.csv"],
    )
    with nothing_left_of_failure(out, run / REPORTS["html"], was_there=was_there):
        for command in commands:
            _run(context, [str(word) for word in command])
    say(f"\nOpen {run / 'report.html'} in a browser.")


def _run(context: typer.Context, words: list[str]) -> None:
    from noiseaudit_cli.console import say

    say(f"\n$ noiseaudit {shlex.join(words)}")
    code = context.find_root().command.main(words, prog_name="noiseaudit", standalone_mode=False)
    if code:
        raise typer.Exit(code)
