"""Probabilities, shares and cut-offs as people read them."""

from __future__ import annotations


def percent(share: float) -> str:
    """`share` in [0, 1] to two digits, as `93 %` or `4.2 %`, and never as none or all.

    What a model estimates is never certain: beyond the ends it is `< 0.1 %` or `> 99.9 %`.
    """
    if share < 0.001:
        return "< 0.1 %"
    if share > 0.999:
        return "> 99.9 %"
    decimals = 0 if 0.1 <= round(share, 2) <= 0.99 else 1
    return f"{100 * share:.{decimals}f} %"


def counted(share: float) -> str:
    """`percent` of what was counted, which can be none or all, unlike an estimate of a model."""
    return f"{100 * share:.0f} %" if share in (0, 1) else percent(share)


def cutoff_text(score: str, threshold: float, n_flagged: int | None = None) -> str:
    """Where the column `score` is cut: `p_mislabeled 0.5123`; and that no row is flagged, where that is known.

    Four digits, or as many as a threshold just below 1 needs to be told from 1.
    """
    shown = next(text for n in range(4, 18) if (float(text := f"{threshold:.{n}g}") == 1) == (threshold == 1))
    return f"{score} {shown}{', no row is flagged' if n_flagged == 0 else ''}"
