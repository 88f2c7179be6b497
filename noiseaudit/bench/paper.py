"""What Sun et al., BMVC 2021, published: Tables 1 to 3 and the figures of section 4.2's text, as data.

Test errors in percent; recall, precision and F1 as shares. Where the paper prints "-", the value is None; where it
gives no deviation, std is None.
"""

from __future__ import annotations

from dataclasses import dataclass

SYSTEMS = ("S-1", "S-2", "MT", "M-VAE", "MN", "RW", "JO", "UMN")  # the columns of Table 1
RATES = (0.1, 0.2, 0.3, 0.4, 0.5)
HIGH_RATES = (0.6, 0.7, 0.8)
LABEL_COUNTS = (1_000, 2_000, 3_000, 10_000, 20_000)  # of Table 2
FIGURE2_RATES = (0.2, 0.3, 0.4)
UNPUBLISHED = "-"
COMPARABLE_NOISES = (
    "symmetric",
    "uniform",
)  # "uniform corruption" is all it says: the own class may be drawn, or not


@dataclass(frozen=True)
class Published:
    """One number of the paper."""

    table: str
    dataset: str
    column: str  # the system, or for Table 3 the measure
    rate: float | None  # of corrupted labels; None: the paper does not say (Table 2)
    labels: int | None  # None: the paper does not say (Table 3)
    value: float | None  # None: "-"
    std: float | None = None

    def __str__(self) -> str:
        if self.value is None:
            return UNPUBLISHED
        return f"{self.value:g}" if self.std is None else f"{self.value:g} ± {self.std:g}"


# S-1, S-2, MT, M-VAE, MN, RW, JO, UMN, and the deviation of UMN; a row a rate.
_TABLE1: dict[str, tuple[int, tuple[tuple[float | None, ...], ...]]] = {
    "mnist": (
        100,
        (
            (29.4, 29.5, 6.6, 4.3, 25.6, None, 10.1, 2.5, 0.14),
            (36.2, 36.6, 11.7, 2.7, 39.7, None, 18.1, 2.8, 0.37),
            (41.1, 43.0, 14.6, 7.4, 45.8, None, 26.7, 5.3, 3.9),
            (51.3, 49.0, 17.9, 9.9, 57.7, None, 29.5, 5.8, 3.8),
            (57.5, 59.4, 34.4, 28.0, 65.3, None, 55.3, 18.0, 12.0),
        ),
    ),
    "svhn": (
        500,
        (
            (34.9, 32.0, 18.0, 26.1, 29.1, 27.3, 26.6, 23.9, 0.2),
            (46.3, 46.0, 45.5, 35.2, 42.1, 39.0, 33.3, 30.5, 0.3),
            (61.4, 58.9, 53.0, 37.2, 53.8, 51.9, 42.3, 30.9, 0.6),
            (61.8, 60.5, 63.9, 40.1, 59.1, 53.7, 56.6, 37.1, 0.9),
            (65.1, 63.3, 65.9, 48.3, 62.0, 57.9, 65.1, 43.2, 1.4),
        ),
    ),
    "cifar10": (
        4_000,
        (
            (43.2, 41.3, 39.2, 41.2, 41.2, 39.4, 40.3, 37.8, 0.5),
            (46.3, 44.7, 42.1, 43.9, 42.4, 41.9, 42.5, 39.8, 0.8),
            (52.9, 50.0, 47.8, 51.4, 51.6, 49.9, 46.7, 43.5, 0.5),
            (57.1, 56.9, 52.2, 52.1, 54.1, 53.9, 48.7, 43.5, 1.2),
            (63.3, 61.3, 65.4, 56.3, 57.1, 58.3, 55.4, 51.9, 1.7),
        ),
    ),
}
_TABLE2 = {"UMN": (23.9, 18.1, 16.3, 14.8, 13.2), "MN": (30.5, 27.9, 25.1, 18.3, 11.2)}
_TABLE3 = {
    "recall": (1.0, 0.85, 0.71, 0.85, 0.8),
    "precision": (0.32, 0.55, 0.71, 0.79, 0.7),
    "f1": (0.48, 0.67, 0.71, 0.82, 0.75),
}
_HIGH_NOISE = {"UMN": (49.1, 53.1, 54.5), "MN": (67.1, 70.0, 71.2)}
_HIGH_NOISE_LABELS = _TABLE1["svhn"][0]


def _table1() -> list[Published]:
    found = []
    for dataset, (labels, rows) in _TABLE1.items():
        for rate, row in zip(RATES, rows, strict=True):
            for column, value in zip(SYSTEMS, row[: len(SYSTEMS)], strict=True):
                std = row[-1] if column == "UMN" else None
                found.append(Published("table1", dataset, column, rate, labels, value, std))
    return found


PUBLISHED: tuple[Published, ...] = (
    *_table1(),
    *(
        Published("table2", "svhn", column, None, labels, value)
        for column, values in _TABLE2.items()
        for labels, value in zip(LABEL_COUNTS, values, strict=True)
    ),
    *(
        Published("table3", "mnist", column, rate, None, value)
        for column, values in _TABLE3.items()
        for rate, value in zip(RATES, values, strict=True)
    ),
    *(
        Published("high-noise", "svhn", column, rate, _HIGH_NOISE_LABELS, value)
        for column, values in _HIGH_NOISE.items()
        for rate, value in zip(HIGH_RATES, values, strict=True)
    ),
)


def published(
    table: str, dataset: str, column: str, *, rate: float | None = None, labels: int | None = None
) -> Published | None:
    """The paper's number in a place; None if there is no such place. Without `rate` or `labels`, any."""
    for entry in PUBLISHED:
        same = (entry.table, entry.dataset, entry.column) == (table, dataset, column)
        if same and rate in (None, entry.rate) and labels in (None, entry.labels):
            return entry
    return None
