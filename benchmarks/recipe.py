"""The search for settings on MNIST with 100 labels (Table 1 of the paper), dead ends included.

Every method gets the same number of configurations, encoder, perturbations, labelled rows, steps and one validation
set: the last 10,000 training images, which Table 1 leaves out. One noise rate decides; test images are never read.
The configuration with the lowest error of the Guider (the Learner where there is none) at the end is taken.

NOISEAUDIT_DATA=... python benchmarks/recipe.py run     # 30 epochs; a JSON line each, resumable
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

from noiseaudit.bench.draw import choose_trusted
from noiseaudit.config import with_overrides
from noiseaudit.course import Course, EpochRecord
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.training import TrainingData
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.noise import symmetric
from noiseaudit.plan import versions
from noiseaudit.runtime import training_runtime
from noiseaudit.train import Alone, fit_all

RESULTS = Path(__file__).parent / "results" / "recipe.jsonl"
CPU, TRAIN, CLASSES, LABELS, RATE = torch.device("cpu"), 50_000, 10, 100, 0.3
SEEN = {"jitter": 1.0, "input_noise": 0.3}  # by all methods
RATES_OF_LEARNING: list[dict[str, Any]] = [
    {}, {"learning_rate": 3e-3}, {"learning_rate": 3e-4}, {"learning_rate": 1e-4},
    {"lr_decay_start": 0.5}, {"lr_decay_start": 0.0},
]  # fmt: skip
SEARCH: dict[str, list[dict[str, Any]]] = {
    "supervised": RATES_OF_LEARNING,  # which has nothing else to choose
    "reweight": RATES_OF_LEARNING,
    "mean_teacher": [{}, {"guider_switch": 1.0}, {"consistency_weight": 30.0}, {"consistency_weight": 300.0},
                     {"consistency_weight": 300.0, "guider_switch": 1.0},
                     {"consistency_weight": 1000.0, "guider_switch": 1.0}],
    "mislabeled_vae": [{}, {"alpha": 5.0}, {"alpha": 20.0}, {"generative_weight": 0.05},
                       {"generative_weight": 0.05, "alpha": 5.0}, {"generative_weight": 0.05, "alpha": 20.0}],
    "mentornet": [{}, {"lambda2": 0.3}, {"burn_in": 0.05}, {"burn_in": 0.05, "burn_in_dropout": 0.2},
                  {"mentor": "learned"}, {"mentor": "learned", "burn_in": 0.05}],
    "joint_optimization": [{}, {"labels": "hard"}, {"alpha": 5.0, "beta": 0.8}, {"alpha": 1.2, "beta": 0.3},
                           {"relabel_from": 0.05}, {"second_stage": 1.0}],
    "umn": [{}, {"alpha": 5.0}, {"alpha": 20.0}, {"generative_weight": 0.05, "alpha": 5.0},
            {"label_kl": "batch", "label_kl_weight": 20.0, "alpha": 5.0}, {"alpha": 50.0}],
    "umn_plus": [{}, {"alpha": 5.0}, {"alpha": 2.0}, {"alpha": 5.0, "prior": "uniform"},
                 {"alpha": 5.0, "prior": "uniform", "consistency_weight": 100.0},
                 {"alpha": 5.0, "prior": "uniform", "entropy_weight": 1.0}],
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
    settings = with_overrides(kind.settings("mlp"), SEEN | overrides)
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


def table() -> str:
    """Markdown: the Guider's validation error along the way, each configuration's mean over seeds."""
    lines = read_results()
    text = ["| method | settings | epochs | n | error at a third | two thirds | end | corrupt found / doubted, of 30 |",
            "|---" * 8 + "|"]  # fmt: skip
    keys = {(line["method"], json.dumps(line["settings"]), line["epochs"]): None for line in lines}
    for method, settings, epochs in keys:
        own = [
            line for line in lines
            if (line["method"], json.dumps(line["settings"]), line["epochs"]) == (method, settings, epochs)
        ]  # fmt: skip
        curve = np.mean([[guider for _, guider in line["validation_error"]] for line in own], axis=0)
        marks = [f"{curve[max(0, round(share * epochs) - 1)]:.1f} %" for share in (1 / 3, 2 / 3, 1)]
        found = " / ".join(f"{np.mean([line[key] for line in own]):.1f}" for key in ("found", "doubted"))
        shown = settings.strip("{}").replace('"', "") or "as they are"
        text.append(f"| {method} | {shown} | {epochs} | {len(own)} | {' | '.join(marks)} | {found} |")
    return "\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--method", nargs="+", default=list(SEARCH), choices=list(SEARCH))
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    args = parser.parse_args()
    if args.action == "run":
        done = [(r["method"], r["settings"], r["epochs"], r["seed"]) for r in read_results()]
        wanted = [(name, each, seed) for name in args.method for each in SEARCH[name] for seed in args.seeds]
        for name, overrides, seed in wanted:
            if (name, overrides, args.epochs, seed) not in done:
                line = run(name, overrides, args.epochs, seed)
                with RESULTS.open("a") as file:
                    print(json.dumps(line), file=file)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
