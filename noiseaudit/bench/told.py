"""Which systems were told more than their labels: a table must say so beside their numbers."""

from __future__ import annotations

from collections.abc import Iterable

from noiseaudit.methods import METHODS

TOLD = {  # by an entry of Method.needs; benchmarks know the truth and give it
    "noise_rate": "the true share of wrong labels",
    "trusted": "which labels, a tenth of them, are known to be right",
}


def told_note(methods: Iterable[str]) -> list[str]:
    """A line that names those of `methods` that were told more, and what; none if there are none of them."""
    names = sorted(set(methods))
    parts = [
        f"{', '.join(users)} ({what})"
        for need, what in TOLD.items()
        if (users := [name for name in names if need in METHODS[name].needs])
    ]
    return [f"Told more than their labels: {'; '.join(parts)}."] if parts else []
