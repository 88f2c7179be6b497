"""What the tables compare: methods, and their variants where the paper is silent or contradicts itself.

`supervised` S-1 (conv13), S-2 (ResNet-101) and mlp-784 use the networks of the text. Table 1 has S-1 and S-2
in its MNIST rows too, where the text compares with a network of 784 hidden units, so MNIST has all three; "shared" is
the network of the other methods. Reweight on MNIST is "-" in Table 1: run, but without a number to compare with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from noiseaudit.config import one_of
from noiseaudit.errors import ConfigError
from noiseaudit.methods import METHODS

DATASETS = ("mnist", "svhn", "cifar10")
DEFAULT, FEW_LABELS, ALL_LABELS = "default", "100-labels", "fully-labelled"


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
SHARED_NETWORK = ("shared", None)  # that of the other methods
NETWORKS = {  # of the variants of `supervised`: its `network`, and its backbone (None: the data set's)
    "S-1": ("paper", "conv13"),
    "S-2": ("paper", "resnet101"),
    "mlp-784": ("paper", "mlp"),
    "shared": SHARED_NETWORK,
}


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


def chosen(table: str, found: list[System], wanted: Sequence[str] | None) -> list[System]:
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
