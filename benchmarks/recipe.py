"""The search for settings on MNIST with 100 labels (Table 1 of the paper), dead ends included.

Every method gets the same number of configurations, encoder, perturbations, labelled rows, steps and one validation
set: the last 10,000 training images, which Table 1 leaves out. One noise rate decides; test images are never read.
Six configurations of each method are trained for 30 epochs, ten more for 12, and the best of these for 30, too: of the
seven, the one with the lowest error at the end is taken (of the Guider, or the Learner where there is none).

NOISEAUDIT_DATA=... python benchmarks/recipe.py run     # a JSON line each, resumable
python benchmarks/recipe.py table                           # writes benchmarks/results/recipe.md
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision.datasets import MNIST

from noiseaudit.bench import recipes
from noiseaudit.bench.draw import choose_trusted
from noiseaudit.config import with_overrides
from noiseaudit.course import Course, EpochRecord
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.training import TrainingData
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.noise import symmetric
from noiseaudit.runtime import training_runtime
from noiseaudit.train import Alone, fit_all
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "recipe.jsonl"
CPU, TRAIN, CLASSES, LABELS, RATE = torch.device("cpu"), 50_000, 10, 100, 0.3
SEEN = {name: float(value) for name, value in recipes.SEEN.items()}
FIRST, SECOND = 30, 12  # epochs of the two rounds
Changes = dict[str, Any]


def each(name: str, *values: Any, **common: Any) -> list[Changes]:
    """One setting at several values."""
    return [common | {name: value} for value in values]


OPTIMISER = [{}, *each("learning_rate", 3e-3, 3e-4, 1e-4), *each("lr_decay_start", 0.5, 0.0)]
MORE_OPTIMISER = [
    *each("learning_rate", 1e-2, 2e-3, 5e-4, 3e-5), *each("lr_decay_start", 0.25, 0.75), {"beta2": 0.999},
    *each("learning_rate", 3e-3, 3e-4, 1e-4, lr_decay_start=0.0),
]  # fmt: skip
STEADY = {"guider_switch": 1.0}
PLUS = {"alpha": 5.0, "prior": "uniform"}
ROUNDS: dict[str, tuple[list[Changes], list[Changes]]] = {
    "supervised": (OPTIMISER, MORE_OPTIMISER),  # there is nothing else to choose
    "reweight": (OPTIMISER, MORE_OPTIMISER),
    "mean_teacher": (
        [{}, STEADY, *each("consistency_weight", 30.0, 300.0), *each("consistency_weight", 300.0, 1000.0, **STEADY)],
        [*each("consistency_weight", 50.0, 150.0, 200.0, **STEADY), *each("rampup", 0.05, 0.5, **STEADY),
         *each("learning_rate", 3e-3, 3e-4, **STEADY), *each("guider_decay_early", 0.97, 0.995, **STEADY),
         {"lr_decay_start": 0.5, **STEADY}],
    ),
    "mislabeled_vae": (
        [{}, *each("alpha", 5.0, 20.0), *each("generative_weight", 0.05),
         *each("alpha", 5.0, 20.0, generative_weight=0.05)],
        [*each("alpha", 0.5, 2.0), *each("label_kl_weight", 0.0, 0.1, 0.3), *each("generative_weight", 0.3, 3.0),
         {"label_kl_weight": 0.1, "alpha": 2.0}, {"learning_rate": 3e-3}, {"lr_decay_start": 0.5}],
    ),
    "mentornet": (
        [{}, {"lambda2": 0.3}, {"burn_in": 0.05}, {"burn_in": 0.05, "burn_in_dropout": 0.2}, {"mentor": "learned"},
         {"mentor": "learned", "burn_in": 0.05}],
        [*each("learning_rate", 3e-3, 3e-4, 1e-4, burn_in=0.05), *each("lr_decay_start", 0.5, 0.0, burn_in=0.05),
         *each("lambda2", 0.3, 3.0, burn_in=0.05), {"burn_in": 0.0}, {"burn_in": 0.05, "dropout": 0.0},
         {"burn_in": 0.05, "percentile_decay": 0.5}],
    ),
    "joint_optimization": (
        [{}, {"labels": "hard"}, {"alpha": 5.0, "beta": 0.8}, {"alpha": 1.2, "beta": 0.3}, {"relabel_from": 0.05},
         {"second_stage": 1.0}],
        [*each("learning_rate", 3e-3, 3e-4, 1e-4), *each("lr_decay_start", 0.5, 0.0),
         {"alpha": 0.4, "beta": 0.2}, {"alpha": 2.4, "beta": 1.6}, {"average_epochs": 3},
         {"relabel_from": 0.05, "second_stage": 1.0}, {"labels": "hard", "relabel_from": 0.05}],
    ),
    "umn": (
        [{}, *each("alpha", 5.0, 20.0), {"generative_weight": 0.05, "alpha": 5.0},
         {"label_kl": "batch", "label_kl_weight": 20.0, "alpha": 5.0}, {"alpha": 50.0}],
        [*each("alpha", 0.3, 0.5, 2.0), *each("generative_weight", 0.3, 3.0), *each("label_kl_weight", 0.0, 0.1),
         STEADY, {"lr_decay_start": 0.5}, {"learning_rate": 3e-3}],
    ),
    "umn_plus": (
        [{}, *each("alpha", 5.0, 2.0), PLUS, {**PLUS, "consistency_weight": 100.0}, {**PLUS, "entropy_weight": 1.0}],
        [*each("generative_weight", 0.3, 1.0, 3.0, **PLUS), {**PLUS, "lr_decay_start": 0.3},
         *each("generative_weight", 0.05, 0.3, prior="uniform", alpha=2.0),
         {**PLUS, "generative_weight": 1.0, "rampup": 0.08}, {**PLUS, "generative_weight": 1.0, "entropy_weight": 0.0},
         {**PLUS, "generative_weight": 1.0, "guider_switch": 0.5},
         {"prior": "uniform", "generative_weight": 1.0, "alpha": 20.0, "consistency_weight": 200.0,
          "label_kl_weight": 80.0}],
    ),
}  # fmt: skip


def plan_for(uses_unlabelled: bool) -> BatchPlan:
    """The paper's batches (section 4.2), and as many steps an epoch for methods that see labelled rows only."""
    steps = -(-(TRAIN - LABELS) // 95)
    return BatchPlan(5, 95, steps) if uses_unlabelled else BatchPlan(LABELS, 0, steps)


def problem(seed: int) -> tuple[TrainingData, TrainingData, Any]:
    """Training rows, validation rows with their true labels, and which of the training rows are corrupt."""
    mnist = MNIST(os.environ["NOISEAUDIT_DATA"], train=True, download=False)
    x, truth = mnist.data.unsqueeze(1), mnist.targets.numpy()
    draws = np.random.default_rng(seed)
    labelled = np.concatenate(
        [
            draws.choice(np.flatnonzero(truth[:TRAIN] == c), LABELS // CLASSES, replace=False)
            for c in range(CLASSES)
        ]
    )
    codes = np.full(TRAIN, -1)
    codes[labelled] = symmetric(truth[labelled], CLASSES, RATE, draws).labels
    wrong = (codes >= 0) & (codes != truth[:TRAIN])
    trusted = np.zeros(TRAIN, np.bool_)
    trusted[labelled] = choose_trusted(truth[labelled], wrong[labelled], draws)
    train = TrainingData(
        x[:TRAIN], torch.arange(TRAIN), torch.from_numpy(codes), CLASSES, torch.from_numpy(trusted)
    )
    held_out = TrainingData(x[TRAIN:], torch.arange(len(x) - TRAIN), mnist.targets[TRAIN:], CLASSES)
    return train, held_out, wrong


def run(name: str, overrides: dict[str, Any], epochs: int, seed: int) -> dict[str, Any]:
    """Train one configuration."""
    kind, started = METHODS[name], time.perf_counter()
    train, held_out, wrong = problem(seed)
    settings = with_overrides(kind.settings(train.inputs), SEEN | overrides)
    curve: list[list[float]] = []

    def on_epoch(_: int, record: EpochRecord) -> None:
        assert record.test_error
        curve.append([round(100 * error, 2) for error in record.test_error])
        print(name, overrides, seed, record.epoch, curve[-1], flush=True)

    with training_runtime(1):
        method = kind(Setup(train, "mlp", seed, CPU, noise_rate=RATE), settings)
        course = Course(train, plan_for(kind.uses_unlabelled), epochs=epochs, seed=seed)
        (fitted,) = fit_all(Alone(method), [course], device=CPU, on_epoch=on_epoch, test=held_out)
    given = train.codes[fitted.labelled].numpy()
    doubted = fitted.guider_mean[fitted.labelled].argmax(1) != given
    hits = int((doubted & wrong[fitted.labelled]).sum())
    return {
        "method": name, "settings": overrides, "seen": SEEN, "rate": RATE, "epochs": epochs, "seed": seed,
        "validation_error": curve, "found": hits, "doubted": int(doubted.sum()), "corrupt": int(wrong.sum()),
        "seconds": round(time.perf_counter() - started, 1), "cores": os.cpu_count(), "versions": versions(),
    }  # fmt: skip


def read_results() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def best(
    method: str, epochs: int, configurations: list[Changes] | None = None, seed: int = 0
) -> dict[str, Any]:
    """The line with the lowest error at the end, of those with so many epochs and of this seed."""
    lines = [
        line for line in read_results()
        if (line["method"], line["epochs"], line["seed"]) == (method, epochs, seed)
        and (configurations is None or line["settings"] in configurations)
    ]  # fmt: skip
    return min(lines, key=lambda line: float(line["validation_error"][-1][1]))


def search(method: str, seed: int) -> None:
    """Both rounds of a method, and the best of the second at the length of the first."""

    def once(overrides: Changes, epochs: int) -> None:
        done = [(r["method"], r["settings"], r["epochs"], r["seed"]) for r in read_results()]
        if (method, overrides, epochs, seed) not in done:
            line = run(method, overrides, epochs, seed)
            with RESULTS.open("a") as file:
                print(json.dumps(line), file=file)

    for epochs, configurations in zip((FIRST, SECOND), ROUNDS[method], strict=True):
        for overrides in configurations:
            once(overrides, epochs)
    once(best(method, SECOND, ROUNDS[method][1], seed)["settings"], FIRST)


def table() -> str:
    """Markdown: each configuration's error on the validation rows along the way, and which one was taken."""
    text = ["| method | settings | epochs | error at a third | two thirds | end | corrupt found / doubted, of 30 |",
            "|---" * 7 + "|"]  # fmt: skip
    for method in ROUNDS:
        own = [line for line in read_results() if (line["method"], line["seed"]) == (method, 0)]
        taken = best(method, FIRST) if len(own) == sum(map(len, ROUNDS[method])) + 1 else None
        for line in own:
            curve, epochs = [guider for _, guider in line["validation_error"]], line["epochs"]
            marks = [f"{curve[max(0, round(share * epochs) - 1)]:.1f} %" for share in (1 / 3, 2 / 3, 1)]
            shown = ", ".join(f"{name} {value}" for name, value in line["settings"].items()) or "as they are"
            name = f"**{method}**" if line == taken else method
            found = f"{line['found']} / {line['doubted']}"
            text.append(f"| {name} | {shown} | {epochs} | {' | '.join(marks)} | {found} |")
    return "\n".join(text) + "\n\nBold: taken; none where the search is not complete.\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--method", nargs="+", default=list(ROUNDS), choices=list(ROUNDS))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.action == "run":
        for method in args.method:
            search(method, args.seed)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
