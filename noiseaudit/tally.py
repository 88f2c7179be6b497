"""What was answered about the drawn rows of each part of an audit, and whether it is enough for figures."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import DataError

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ANSWERS = ("keep", "relabel")  # that say whether the label is right
TOP_UP = 20  # rows that a message says to draw: each part without an answer gets some of them


@dataclass(frozen=True)
class Tally:
    """Rows of each part, (H,)."""

    sizes: Codes
    drawn: Codes
    checked: Codes  # keep or relabel
    wrong: Codes  # relabel
    unclear: Codes  # ambiguous

    @property
    def open(self) -> Codes:
        return self.drawn - self.checked - self.unclear

    @property
    def unjudged(self) -> Flags:
        """Whether every row of the part was drawn and is ambiguous: no more can be learnt of it."""
        return np.asarray(self.unclear == self.sizes)


def new_name() -> str:
    """A name for further rows that no file has yet."""
    names = chain(["more.csv"], (f"more-{number}.csv" for number in count(2)))
    return next(name for name in names if not Path(name).exists())


def tally(sizes: Codes, parts: Codes, kinds: Sequence[str | None]) -> Tally:
    """`parts`: that of each drawn row, (n,); `kinds`: the decision on each, (n,)."""

    def of(*wanted: str) -> Codes:
        chosen = np.array([kind in wanted for kind in kinds], np.bool_)
        return np.bincount(parts[chosen], minlength=len(sizes))

    drawn = np.bincount(parts, minlength=len(sizes))
    return Tally(sizes, drawn, of(*ANSWERS), of("relabel"), of("ambiguous"))


def check_enough(found: Tally, files: Sequence[Path]) -> None:
    """Raise DataError unless something is known of every part whose rows can be judged. `files`: of the answers."""
    n = int(found.checked.sum())
    if found.unjudged.all():
        raise DataError(
            f"all {int(found.sizes.sum())} rows are ambiguous",
            file=_names(files),
            fix="There is nothing to estimate until somebody can judge them.",
        )
    lacking = (found.checked == 0) & ~found.unjudged
    if not lacking.any():
        return
    n_lacking = int(lacking.sum())
    raise DataError(
        f"{n} answer{'s are' if n != 1 else ' is'} too few: rows are drawn from {len(found.sizes)} groups, suspects "
        f"and other labels, each cut in two by p_mislabeled, and {n_lacking} of them "
        f"{'has' if n_lacking == 1 else 'have'} no keep or relabel yet",
        file=_names(files),
        fix=_fix(found, lacking, files),
    )


def _names(files: Sequence[Path]) -> str | None:
    return ", ".join(map(str, dict.fromkeys(files))) or None


def _fix(found: Tally, lacking: Flags, files: Sequence[Path]) -> str:
    """What brings an answer to every part: those that are open, or rows that were not drawn yet."""
    has_open = lacking & (found.open > 0)
    fixes = []
    if has_open.any():
        n = int(found.open.sum())
        fixes.append(
            f"Answer the {n} open {'row' if n == 1 else 'rows'}, with ambiguous where nobody can tell."
        )
    if (lacking & ~has_open).any():
        left = int((found.sizes - found.drawn).sum())
        words = ["--n", str(min(TOP_UP, left))]
        for file in dict.fromkeys(files):
            words += ["--without", str(file)]
        fixes.append(
            f"Draw more rows and answer them: noiseaudit sample AUDIT {shlex.join(words)} --out {new_name()}"
        )
    return " ".join(fixes)
