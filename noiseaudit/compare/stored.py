"""A file that `compare` wrote, as one curve a tool: the share of the wrong labels that a review in its order finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noiseaudit.compare.stored_lines import Line, read_lines
from noiseaudit.cost import points, reached
from noiseaudit.errors import DataError

OURS = "noiseaudit"
GRID = points(10_000, most=200) / 10_000  # shares of the images: fine where a review begins


@dataclass(frozen=True)
class Reviewed:
    """A tool, its figures as means over its seeds."""

    tool: str  # as in the file: writers make it safe
    n_seeds: int
    found: tuple[float, ...]  # share of the wrong labels, after each of the comparison's `reviewed`: (g,)
    images: tuple[float, ...]  # to look at until each of cost.SHARES of the wrong labels is found: (s,)


@dataclass(frozen=True)
class Compared:
    """Tools on the same labels. `n` labels take part and `wrong` of them are: means over seeds, which may differ."""

    plant: str | None  # the kind of errors that were planted; None: the truth was known
    rate: float | None  # their share
    n: float
    wrong: float
    reviewed: tuple[float, ...]  # shares of the images, from 0 to 1: (g,)
    tools: tuple[Reviewed, ...]  # noiseaudit before others, these as in the file


def read_compared(file: Path, fingerprint: str) -> Compared:
    """The tools of a comparison on the data of this fingerprint, an audit's.

    Raises DataError, which names the line, if the file is not one that `compare` wrote in one go, or is of other data.
    """
    lines = read_lines(file)
    if lines[0]["data_fingerprint"] != fingerprint:
        raise DataError(
            "compares tools on other labels or images than those of the audit",
            file=file,
            fix="Run `noiseaudit compare` on what was scanned, with the same columns; no comparison fits a scan with "
            "--trusted.",
        )
    return averaged(lines)


def averaged(lines: Sequence[Line]) -> Compared:
    """The checked lines of one comparison."""
    names = sorted(dict.fromkeys(line["tool"] for line in lines), key=lambda name: name != OURS)
    return Compared(
        plant=lines[0]["plant"],
        rate=lines[0]["rate"],
        n=float(np.mean([line["n"] for line in lines])),
        wrong=float(np.mean([line["wrong"] for line in lines])),
        reviewed=tuple(GRID.tolist()),
        tools=tuple(_tool(name, [line for line in lines if line["tool"] == name]) for name in names),
    )


def _tool(name: str, lines: Sequence[Line]) -> Reviewed:
    curves = [(np.array(line["review"]["reviewed"]), np.array(line["review"]["found"])) for line in lines]
    shares = [np.interp(GRID, reviewed / reviewed[-1], found / found[-1]) for reviewed, found in curves]
    images = [reviewed[reached(found)] for reviewed, found in curves]
    return Reviewed(
        name,
        len(lines),
        tuple(np.mean(shares, axis=0).tolist()),
        tuple(np.mean(images, axis=0).tolist()),
    )
