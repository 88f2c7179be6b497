"""The settings that methods are compared with: the same perturbations, and what a search of equal size chose for each.

benchmarks/recipe.py is the search: MNIST with 100 labels, 30 % of them wrong, by the error on rows of the training set
that the tables leave out; benchmarks/results/recipe.md has its every result. Methods that CHOSEN does not name, and
all on other data sets, differ from their defaults in the perturbations alone.
"""

from __future__ import annotations

from collections.abc import Mapping

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


def recipe(dataset: str, method: str) -> dict[str, str]:
    """Changes of a method's own settings, as `--set` takes them."""
    return SEEN | CHOSEN.get(dataset, {}).get(method, {})


def as_text(changes: Mapping[str, str]) -> str:
    """Changed settings as a cell has them."""
    return " ".join(f"{name}={value}" for name, value in sorted(changes.items()))
