"""Which runs a table needs: systems, rates, label counts and seeds, at a scale.

Where the paper is silent or contradicts itself, there are variants, each named (those of systems are in systems.py):

- Table 2 does not give its corruption rate: 10 % and 20 % are both run. (Its UMN error at 1,000 labels, 23.9 %, is that
  of Table 1 with 500 labels at 10 %.)
- Table 3 does not say how many labels it had: 100 of them, which are runs of Table 1, and all.

No search of settings was made where no label is left out: there methods always run on their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from noiseaudit.bench.cells import Cell
from noiseaudit.bench.paper import FIGURE2_RATES, HIGH_RATES, LABEL_COUNTS, RATES
from noiseaudit.bench.recipes import as_text, recipe, spelled_once
from noiseaudit.bench.systems import ALL_LABELS, DATASETS, DEFAULT, FEW_LABELS, System, chosen, systems
from noiseaudit.config import one_of
from noiseaudit.errors import ConfigError
from noiseaudit.noise import KINDS

TABLES = ("table1", "table2", "table3", "figure2", "high-noise")
LABELS = {
    "mnist": 100,
    "svhn": 500,
    "cifar10": 4_000,
}  # section 4.2; CIFAR-10's "100 per category" makes 1,000
TABLE2_RATES = (0.1, 0.2)
RECIPES = ("searched", "own")  # noiseaudit.bench.recipes, or every method's own settings


@dataclass(frozen=True)
class Scale:
    """How much of the paper's work is done."""

    epochs: int
    seeds: int
    rows: int | None = None  # of the training set; None = all
    test_rows: int | None = None
    all_labelled_rows: int = 10_000  # of the training set where every row is labelled
    labels_divisor: int = 1  # of the label counts


SCALES = {
    "paper": Scale(epochs=350, seeds=5, all_labelled_rows=50_000),
    "medium": Scale(epochs=60, seeds=3),
    "smoke": Scale(epochs=2, seeds=1, rows=200, test_rows=100, all_labelled_rows=100, labels_divisor=500),
}


@dataclass(frozen=True)
class Choices:
    """What of a grid is wanted; None = all of it."""

    dataset: str | None = None  # one of DATASETS, or the name of the user's own
    methods: Sequence[str] | None = (
        None  # "method" or "method:variant"; of table3, "method:fully-labelled" too
    )
    rates: Sequence[float] | None = None
    seeds: Sequence[int] | None = None
    scale: str = "medium"
    epochs: int | None = None  # None = the scale's
    noise: str = "symmetric"
    recipe: str = "searched"  # one of RECIPES
    settings: Mapping[str, str] = field(
        default_factory=dict
    )  # changes of the methods' own, or of the recipe's


def grid(table: str, choices: Choices) -> list[Cell]:
    """The cells of a table, in order. On a data set of the user's own, every row that has a label keeps it.

    A rate or seed that is given twice counts once. Raises ConfigError for a table, scale, noise, method or data set
    that there is not, for rates outside (0, 1), and for an empty list.
    """
    one_of("TABLE", table, TABLES)
    one_of("--scale", choices.scale, tuple(SCALES))
    one_of("--noise", choices.noise, KINDS)
    one_of("--recipe", choices.recipe, RECIPES)
    scale = SCALES[choices.scale]
    epochs = choices.epochs if choices.epochs is not None else scale.epochs
    seeds = choices.seeds if choices.seeds is not None else range(scale.seeds)
    rates = choices.rates if choices.rates is not None else default_rates(table)
    _check(epochs, seeds, rates, choices.methods)
    return [
        Cell(
            _kept_in(table, variant),
            dataset,
            system.method,
            DEFAULT if variant == FEW_LABELS else variant,
            count,
            choices.noise,
            rate,
            seed,
            choices.scale,
            epochs,
            _changes(choices, dataset, system, count),
        )
        for dataset in _datasets(table, choices.dataset)
        for system in chosen(table, systems(table, dataset), choices.methods)
        for variant, count in _settings(table, dataset, system.variant)
        for rate in dict.fromkeys(rates)
        for seed in dict.fromkeys(seeds)
    ]


def default_rates(table: str) -> tuple[float, ...]:
    """The corruption rates of a table."""
    return {"table2": TABLE2_RATES, "figure2": FIGURE2_RATES, "high-noise": HIGH_RATES}.get(table, RATES)


def _kept_in(table: str, variant: str) -> str:
    """The table whose runs these are: Figure 2, and Table 3 with few labels, are made of runs of Table 1."""
    return "table1" if table == "figure2" or variant == FEW_LABELS else table


def _changes(choices: Choices, dataset: str, system: System, count: int | None) -> str:
    """Changes of a method's own settings, with `count` labels."""
    searched = choices.recipe == "searched" and count is not None
    usual = recipe(dataset, system.method, system.variant) if searched else {}
    return as_text(usual | spelled_once(system.method, choices.settings, usual))


def _settings(table: str, dataset: str, variant: str) -> list[tuple[str, int | None]]:
    """The variants of a system with their label counts."""
    if table == "table2":
        return [(variant, count) for count in LABEL_COUNTS]
    if table == "table3":
        both = [(FEW_LABELS, LABELS.get(dataset, 100)), (ALL_LABELS, None)]
        return [each for each in both if variant not in (FEW_LABELS, ALL_LABELS) or variant == each[0]]
    return [(variant, LABELS.get(dataset))]


def _datasets(table: str, wanted: str | None) -> tuple[str, ...]:
    if wanted is not None:
        return (wanted,)
    return {"table1": DATASETS, "table3": ("mnist",)}.get(table, ("svhn",))


def _check(epochs: int, seeds: Sequence[int], rates: Sequence[float], methods: Sequence[str] | None) -> None:
    lists: dict[str, Sequence[object] | None] = {"--seeds": seeds, "--rates": rates, "--methods": methods}
    for name, values in lists.items():
        if values is not None and not values:
            raise ConfigError(f"{name} is an empty list", fix="Name one or more, or leave it out.")
    if epochs < 1:
        raise ConfigError("--epochs is out of range", fix="It must be 1 or more.")
    if any(seed < 0 for seed in seeds):
        raise ConfigError("--seeds is out of range", fix="Seeds are 0 or more.")
    if any(not 0 < rate < 1 for rate in rates):
        raise ConfigError("--rates is out of range", fix="Each must be above 0 and below 1.")
