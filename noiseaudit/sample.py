"""Which rows a person should check, so that few answers say how good an audit is.

A stratified random sample: suspects and others apart, each in two parts by p_mislabeled, cut where half of the sum of
roots of sqrt(p (1 - p)) lies on either side (after Dalenius and Hodges 1959); rows are shared out in proportion to
size times standard deviation (Neyman 1934), and drawn at random within each part. p_mislabeled only steers the draw:
where it is wrong, the estimates (noiseaudit.estimate) get wider, not biased.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from noiseaudit.decisions import Decision, run_id
from noiseaudit.errors import ConfigError
from noiseaudit.result import AuditResult
from noiseaudit.seeds import derive_seed

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PARTS = 2  # of the suspects, and of the others
LEAST_DOUBT = (
    0.02  # p is held within [LEAST_DOUBT, 1 - LEAST_DOUBT]: no part is so sure that it is not looked at
)
LEAST_ROWS = 2  # drawn of every part


@dataclass(frozen=True)
class Strata:
    """The parts of an audit's scored rows."""

    rows: Codes  # (k,) rows of the audit that have a score
    part: Codes  # (k,) from 0
    sizes: Codes  # (H,) rows of each part
    doubt: Floats  # (H,) sum of sqrt(p (1 - p)) of each
    flagged: Flags  # (H,) whether its rows are suspects


def stratify(audit: AuditResult) -> Strata:
    """The parts, a function of the audit alone. Raises ConfigError if no row has a score."""
    scores = audit.column("p_mislabeled").astype(np.float64)
    rows = np.flatnonzero(~np.isnan(scores))
    if not len(rows):
        raise ConfigError("no row of the audit has a score")
    p, is_flagged = scores[rows], audit.suspects()[rows]
    held = p.clip(LEAST_DOUBT, 1 - LEAST_DOUBT)
    doubt = np.sqrt(held * (1 - held))
    part, flagged = np.zeros(len(rows), np.int64), list[bool]()
    for flag in (True, False):
        members = np.flatnonzero(is_flagged == flag)
        for piece in _pieces(members[np.argsort(p[members], kind="stable")], doubt):
            part[piece] = len(flagged)
            flagged.append(flag)
    return Strata(
        rows, part, np.bincount(part), np.bincount(part, doubt).astype(np.float64), np.array(flagged)
    )


def _pieces(ordered: Codes, doubt: Floats) -> list[Codes]:
    """`ordered` in PARTS pieces of equal sums of the root of doubt, without the empty ones."""
    if not len(ordered):
        return []
    total = np.cumsum(np.sqrt(doubt[ordered]))
    piece = np.minimum((total / total[-1] * PARTS).astype(np.int64), PARTS - 1)
    return [ordered[piece == i] for i in range(PARTS) if (piece == i).any()]


def allocate(strata: Strata, n: int) -> Codes:
    """How many of `n` rows each part gets, (H,): LEAST_ROWS each, the rest by doubt, no more than it has."""
    n = min(n, int(strata.sizes.sum()))
    given = np.minimum(strata.sizes, LEAST_ROWS).astype(np.float64)
    if given.sum() > n:
        raise ConfigError(f"--n {n} is too few", fix=f"It takes {int(given.sum())} rows at least.")
    while (left := n - given.sum()) > 1e-9:
        weight = np.where(given < strata.sizes, strata.doubt, 0.0)
        given = np.minimum(given + left * weight / weight.sum(), strata.sizes)
    whole: Codes = np.floor(given + 1e-9).astype(np.int64)
    rest = np.argsort(-(given - whole), kind="stable")[: n - int(whole.sum())]
    whole[rest] += 1
    return np.asarray(whole)


def draw_sample(
    audit: AuditResult, n: int, seed: int, earlier: Collection[str] = (), unclear: Collection[str] = ()
) -> list[Decision]:
    """`n` rows to check, in random order, none of them among the sample ids of `earlier` draws.

    What was drawn before counts: all draws together are shared out like one of their total size. Those of `earlier`
    that are `unclear`, as nobody could judge them, do not: a part of which nothing is known yet gets further rows.
    sampling_weight is the number of rows that each of all drawn so far from its part stands for; where `earlier` rows
    are of the part, their own weight is from before, and too large now. Raises ConfigError if there are not so many
    rows.
    """
    strata = stratify(audit)
    ids = audit.column("sample_id")[strata.rows]
    drawn = np.isin(ids, list(earlier))
    before = np.bincount(strata.part[drawn], minlength=len(strata.sizes))
    lost = np.bincount(strata.part[drawn & np.isin(ids, list(unclear))], minlength=len(strata.sizes))
    if not 1 <= n <= len(ids) - int(drawn.sum()):
        raise ConfigError(
            f"--n {n} is out of range", fix=f"{len(ids) - int(drawn.sum()):,} rows can be drawn."
        )
    counted, clear = before - lost, dataclasses.replace(strata, sizes=strata.sizes - lost)
    wanted = _topped_up(allocate(clear, n + int(counted.sum())), counted, n, clear.sizes)
    rng = np.random.default_rng(derive_seed(seed, f"sample after {int(before.sum())}"))
    chosen = np.concatenate(
        [
            rng.choice(np.flatnonzero((strata.part == h) & ~drawn), count, replace=False)
            for h, count in enumerate(wanted)
        ]
    )
    weights = strata.sizes / np.maximum(before + wanted, 1)
    run = run_id(audit)
    return [
        Decision(str(ids[i]), run_id=run, sampling_weight=float(weights[strata.part[i]]))
        for i in rng.permutation(chosen)
    ]


def _topped_up(total: Codes, before: Codes, n: int, sizes: Codes) -> Codes:
    """What to add to `before` to come near `total`, n in all."""
    wanted = np.maximum(total - before, 0)
    while wanted.sum() > n:  # some part had more than its share already
        wanted[np.argmax(wanted)] -= 1
    while wanted.sum() < n:
        wanted[np.argmax(sizes - before - wanted)] += 1
    return np.asarray(wanted)
