"""Probabilities and shares as people read them."""

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


def score_text(score: str, value: float) -> str:
    """A value of the column `score`: p_mislabeled as a percentage, epsilon with four digits."""
    return percent(value) if score == "p_mislabeled" else f"{value:.4g}"
