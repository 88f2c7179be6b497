"""Which runs a table needs: systems, rates, label counts and seeds, at a scale.

Where the paper is silent or contradicts itself, there are variants, each named:

- `supervised` S-1 (13 convolutions), S-2 (ResNet-101) and mlp-784 use the networks of the text. Table 1 has S-1 and S-2
  in its MNIST rows too, where the text compares with a network of 784 hidden units, so MNIST has all three; "shared" is
  the network of the other methods.
- Table 2 does not give its corruption rate: 10 % and 20 % are both run. (Its UMN error at 1,000 labels, 23.9 %, is that
  of Table 1 with 500 labels at 10 %.)
- Table 3 does not say how many labels it had: 100 of them, and all.
- Reweight on MNIST is "-" in Table 1: run, but without a number to compare with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from noiseaudit.bench.cells import Cell
from noiseaudit.bench.paper import FIGURE2_RATES, HIGH_RATES, LABEL_COUNTS, RATES
from noiseaudit.config import one_of
from noiseaudit.errors import ConfigError
from noiseaudit.methods import METHODS

TABLES = ("table1", "table2", "table3", "figure2", "high-noise")
DATASETS = ("mnist", "svhn", "cifar10")
LABELS = {
    "mnist": 100,
    "svhn": 500,
    "cifar10": 4_000,
}  # section 4.2; CIFAR-10's "100 per category" makes 1,000
TABLE2_RATES = (0.1, 0.2)
DEFAULT, FEW_LABELS, ALL_LABELS = "default", "100-labels", "fully-labelled"
NOISES = ("symmetric", "asymmetric", "instance")


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
class System:
    """A method as one column of a table."""

    method: str
    variant: str = DEFAULT
    column: str | None = None  # of the paper's Table 1; None: not in the paper


PAPER_SYSTEMS = (
    System("supervised", "S-1", "S-1"),
    System("supervised", "S-2", "S-2"),
    System("mean_teacher", column="MT"),
    System("mislabeled_vae", column="M-VAE"),
    System("mentornet", column="MN"),
    System("reweight", column="RW"),
    System("joint_optimization", column="JO"),
    System("umn", column="UMN"),
)
MNIST_TEXT = System("supervised", "mlp-784", "S-1")  # the text's network, beside the table's S-1
NETWORKS = {  # of the variants of `supervised`: its `network`, and its backbone (None: the data set's)
    "S-1": ("paper", "conv13"),
    "S-2": ("paper", "resnet101"),
    "mlp-784": ("paper", "mlp"),
    "shared": ("shared", None),
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
    settings: Mapping[str, str] = field(default_factory=dict)  # changes of the methods' own


def grid(table: str, choices: Choices, labels: int | None = None) -> list[Cell]:
    """The cells of a table, in order. `labels` is the number of labels on a data set of the user's own, None = all.

    Raises ConfigError for a table, scale, noise, method or data set that there is not, and for rates outside (0, 1).
    """
    one_of("TABLE", table, TABLES)
    one_of("--scale", choices.scale, tuple(SCALES))
    one_of("--noise", choices.noise, NOISES)
    scale = SCALES[choices.scale]
    epochs = choices.epochs if choices.epochs is not None else scale.epochs
    seeds = choices.seeds if choices.seeds is not None else range(scale.seeds)
    _check(epochs, seeds, choices.rates)
    changes = " ".join(f"{name}={value}" for name, value in sorted(choices.settings.items()))
    own_table = "table1" if table == "figure2" else table  # Figure 2 is drawn from runs of Table 1
    return [
        Cell(
            own_table,
            dataset,
            system.method,
            variant,
            count,
            choices.noise,
            rate,
            seed,
            choices.scale,
            epochs,
            changes,
        )
        for dataset in _datasets(table, choices.dataset)
        for system in _chosen(table, systems(table, dataset), choices.methods)
        for variant, count in _settings(table, dataset, system.variant, labels)
        for rate in (choices.rates if choices.rates is not None else default_rates(table))
        for seed in seeds
    ]


def systems(table: str, dataset: str) -> list[System]:
    """What a table compares on a data set: what the paper does, then what it does not."""
    if table == "table3":
        names: Iterable[str] = ("umn",)
    elif table in ("table2", "high-noise"):
        names = ("mentornet", "umn")
    else:
        names = {system.method: None for system in PAPER_SYSTEMS}
    found = [system for system in PAPER_SYSTEMS if system.method in names]
    if table in ("table1", "figure2"):
        if dataset not in DATASETS:
            found = [system for system in found if system.method != "supervised"]
        if dataset == "mnist":
            found.insert(0, MNIST_TEXT)
        found.append(System("supervised", "shared"))
        found += [System(name) for name in METHODS if name not in names]
    else:
        found.append(System("umn_plus"))
    return found


def default_rates(table: str) -> tuple[float, ...]:
    """The corruption rates of a table."""
    return {"table2": TABLE2_RATES, "figure2": FIGURE2_RATES, "high-noise": HIGH_RATES}.get(table, RATES)


def _settings(table: str, dataset: str, variant: str, labels: int | None) -> list[tuple[str, int | None]]:
    """The variants of a system with their label counts."""
    if table == "table2":
        return [(variant, count) for count in LABEL_COUNTS]
    if table == "table3":
        both = [(FEW_LABELS, LABELS.get(dataset, 100)), (ALL_LABELS, None)]
        return [each for each in both if variant not in (FEW_LABELS, ALL_LABELS) or variant == each[0]]
    return [(variant, LABELS.get(dataset, labels))]


def _datasets(table: str, wanted: str | None) -> tuple[str, ...]:
    if wanted is not None:
        return (wanted,)
    return {"table1": DATASETS, "table3": ("mnist",)}.get(table, ("svhn",))


def _chosen(table: str, found: list[System], wanted: Sequence[str] | None) -> list[System]:
    """The wanted systems of a table; a method that the table has not is added as it is."""
    if wanted is None:
        return found
    chosen: list[System] = []
    for name in wanted:
        method, _, variant = name.partition(":")
        one_of("--methods", method, tuple(METHODS))
        own = [s for s in found if s.method == method and (not variant or s.variant == variant)]
        if not own and table == "table3" and variant in (FEW_LABELS, ALL_LABELS):
            own = [System(method, variant)]
        if variant and not own:
            known = [f"{s.method}:{s.variant}" for s in found if s.method == method]
            raise ConfigError(
                f"--methods {name}: no such variant", fix=f"There is {', '.join(known) or method}."
            )
        chosen += own or [System(method, "shared" if method == "supervised" else DEFAULT)]
    return list(dict.fromkeys(chosen))


def _check(epochs: int, seeds: Sequence[int], rates: Sequence[float] | None) -> None:
    if epochs < 1:
        raise ConfigError("--epochs is out of range", fix="It must be 1 or more.")
    if any(seed < 0 for seed in seeds):
        raise ConfigError("--seeds is out of range", fix="Seeds are 0 or more.")
    if any(not 0 < rate < 1 for rate in rates or ()):
        raise ConfigError("--rates is out of range", fix="Each must be above 0 and below 1.")
