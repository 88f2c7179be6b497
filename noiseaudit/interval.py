"""An estimate with its interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """An estimate with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low
