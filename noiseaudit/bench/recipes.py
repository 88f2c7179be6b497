"""The settings that methods are compared with: the same perturbations, and what a search of equal size chose for each.

benchmarks/recipe.py is the search: MNIST with 100 labels, 30 % of them wrong, by the error on rows of the training set
that the tables leave out; benchmarks/results/recipe.md has its results. It searched the network that methods share: for
methods that CHOSEN does not name, other networks and other data sets, the perturbations alone differ from the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping

from noiseaudit.bench.systems import NETWORKS, SHARED_NETWORK
from noiseaudit.config import with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.methods import METHODS

SEEN = {
    "input_noise": "0.3",
    "jitter": "1.0",
}  # by all methods, where there is no other choice: the search's, too
CHOSEN: dict[str, dict[str, dict[str, str]]] = {
    "mnist": {
        "joint_optimization": {"relabel_from": "0.05"},
        "mean_teacher": {"guider_switch": "1.0"},
        "mentornet": {"burn_in": "0.05", "learning_rate": "0.0001"},
        "mislabeled_vae": {"learning_rate": "0.003"},
        "reweight": {"learning_rate": "0.003"},
        "supervised": {"learning_rate": "0.00003"},
        "umn": {"learning_rate": "0.003"},
        "umn_plus": {"alpha": "5.0", "generative_weight": "1.0", "prior": "uniform"},
    },
}


def recipe(dataset: str, method: str, variant: str) -> dict[str, str]:
    """Changes of a method's own settings, as `--set` takes them."""
    is_searched = NETWORKS.get(variant, SHARED_NETWORK) == SHARED_NETWORK
    return SEEN | (CHOSEN.get(dataset, {}).get(method, {}) if is_searched else {})


def spelled_once(method: str, changes: Mapping[str, str], usual: Mapping[str, str]) -> dict[str, str]:
    """`changes` so that 3e-3 and 0.003 are one setting, and in the words of `usual` where they say the same.

    Raises ConfigError for what is no setting of the method, or no value of it.
    """
    defaults = METHODS[method].settings(SOME_IMAGES)
    asked, known = with_overrides(defaults, changes), with_overrides(defaults, usual)
    texts = {name: _text(getattr(asked, name)) for name in changes}
    same = {name for name in texts if name in usual and getattr(asked, name) == getattr(known, name)}
    return {name: usual[name] if name in same else text for name, text in texts.items()}


def _text(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def as_text(changes: Mapping[str, str]) -> str:
    """Changed settings as a cell has them."""
    return " ".join(f"{name}={value}" for name, value in sorted(changes.items()))
