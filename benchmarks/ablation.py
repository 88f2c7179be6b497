"""What each addition of umn_plus and each ingredient of p_mislabeled is worth: on every set the default, and it without
one of them at a time, trained by scan's schedule. Folds are left out; none of these sets has them by default.

CIFAR-10N informed the design (docs/method.md), so its figures are of a development set.

NOISEAUDIT_DATA=... python benchmarks/ablation.py run --seeds 0 1 2 3 4    # one JSON line a training, resumable
python benchmarks/ablation.py table                                        # writes benchmarks/results/ablation.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from ablation_scores import in_other_ways
from ablation_table import table
from detection_sets import CPU, SETS, Set
from few_labels import draw

from noiseaudit.compare.case import Case
from noiseaudit.config import AuditConfig, UMNConfig, with_overrides
from noiseaudit.data.inputs import Inputs
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.runtime import training_runtime
from noiseaudit.train import fit, predict_all
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "ablation.jsonl"
DEFAULT, PAPER = "umn_plus", "umn"
PHOTOGRAPHS = 5_000  # of CIFAR-10


def photographs(seed: int) -> Set:
    """Features of some images with their human labels."""
    return *draw(PHOTOGRAPHS, "aggre", seed), "embeddings"


ON: dict[str, Callable[[int], Set]] = {
    **{name: SETS[name] for name in ("mnist_symmetric_0.3", "mnist_asymmetric_0.3", "mnist_part_0.25")},
    "chars_asymmetric": SETS["chars_asymmetric"],
    "cifar10n_aggre_5000": photographs,
}
EVERYWHERE: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "without noise_weight": {"noise_weight": 0.0},
    "without consistency": {"consistency_weight": 0.0},
    "without entropy": {"entropy_weight": 0.0},
    "uniform prior (paper)": {"prior": "uniform"},
    "label KL per sample (paper)": {"label_kl": "sample", "label_kl_weight": 1.0},
    "generative weight 1 (paper)": {"generative_weight": 1.0},
    "generative weight 0": {"generative_weight": 0.0},
}
OF_IMAGES: dict[str, dict[str, Any]] = {"without jitter": {"jitter": 0.0}}
OF_FEATURES: dict[str, dict[str, Any]] = {
    "without input_dropout": {"input_dropout": 0.0},
    "without noise_power": {"noise_power": 0.0},
}
OF_PAPER: dict[str, dict[str, Any]] = {PAPER: {}, "umn, alpha 20": {"alpha": 20.0}}
SOME = {  # variants that are trained there; on other sets all are
    "mnist_asymmetric_0.3": (DEFAULT, "without noise_weight", PAPER),
    "mnist_part_0.25": (
        DEFAULT, "without noise_weight", "without consistency", "without jitter", "generative weight 0", PAPER,
    ),
}  # fmt: skip


def variants(inputs: Inputs) -> dict[str, tuple[str, UMNConfig]]:
    """Method and settings of each variant for such data."""
    kinds = ((DEFAULT, EVERYWHERE | (OF_IMAGES if inputs.is_image else OF_FEATURES)), (PAPER, OF_PAPER))
    found = {}
    for method, changes in kinds:
        own = METHODS[method].settings(inputs)
        assert isinstance(own, UMNConfig)
        found |= {name: (method, with_overrides(own, change)) for name, change in changes.items()}
    return found


def run(case: Case, truth: Any, method: str, settings: UMNConfig, seed: int) -> dict[str, Any]:
    """Measures of each way to judge the labels by one trained network."""
    plan, epochs = case.schedule(method, case.data.codes.numpy())
    with training_runtime(case.threads):
        trained = METHODS[method](Setup(case.data, case.backbone, seed, CPU), settings)
        fitted = fit(trained, case.data, plan, epochs=epochs, seed=seed, device=CPU, on_epoch=lambda _: None)
        last = predict_all(trained, case.data, CPU).guider.numpy()
    wrong = case.given != truth[case.labelled]
    scores = in_other_ways(fitted, last, case.given, wrong, case.data.inputs.kind)
    return {"epochs": epochs, "noise_known": fitted.noise_known, "scores": scores}


def read() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def run_all(sets: list[str], seeds: list[int]) -> None:
    """Run every cell that has no line yet."""
    for seed in seeds:
        for name in sets:
            data, truth, backbone = ON[name](seed)
            case = Case(data, backbone, AuditConfig(), seed, CPU)
            done = {line["variant"] for line in read() if (line["set"], line["seed"]) == (name, seed)}
            for variant, (method, settings) in variants(data.inputs).items():
                if variant in done or variant not in SOME.get(name, (variant,)):
                    continue
                line = {"set": name, "variant": variant, "seed": seed}
                line |= run(case, truth, method, settings, seed)
                line |= {"threads": torch.get_num_threads(), "versions": versions()}
                with RESULTS.open("a") as file:
                    print(json.dumps(line), file=file)
                print(name, seed, variant, next(iter(line["scores"].values())), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--sets", nargs="+", default=list(ON), choices=list(ON))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    args = parser.parse_args()
    if args.action == "run":
        run_all(args.sets, args.seeds)
    text = table(read())
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
