"""What each addition of umn_plus and each ingredient of p_mislabeled is worth, on MNIST (10,000 images, 30 % noise).

NOISEAUDIT_DATA=... python benchmarks/ablation.py run --seeds 0 1 2     # one JSON line a cell, resumable
python benchmarks/ablation.py table                                     # prints benchmarks/results/ablation.md
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import average_precision_score, f1_score
from torchvision.datasets import MNIST

from noiseaudit.config import UMNConfig, with_overrides
from noiseaudit.course import Fitted
from noiseaudit.data.batches import plan_batches
from noiseaudit.data.inputs import SOME_IMAGES, Kind
from noiseaudit.data.training import TrainingData
from noiseaudit.methods.base import Setup
from noiseaudit.methods.umn import UMN
from noiseaudit.methods.umn_plus import UMNPlus
from noiseaudit.noise import asymmetric, symmetric
from noiseaudit.readings import score_readings
from noiseaudit.runtime import training_runtime
from noiseaudit.score import best_classes, fit_noise, p_mislabeled
from noiseaudit.threshold import choose_cutoff
from noiseaudit.train import fit, predict_all
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "ablation.jsonl"
N, CLASSES, RATE, EPOCHS, BATCH, LABELLED_SHARE = 10_000, 10, 0.3, 60, 256, 0.25
NOISE = {"symmetric": symmetric, "asymmetric": asymmetric}
CELLS = [("symmetric", 1.0), ("symmetric", 0.1), ("asymmetric", 1.0)]  # noise and share of labels kept
PAPER = UMN.settings(SOME_IMAGES)
PLUS = UMNPlus.settings(SOME_IMAGES)
AS_SCAN = "as scan has it"
VARIANTS: dict[str, UMNConfig] = {
    "umn_plus": PLUS,
    "without noise_weight": with_overrides(PLUS, {"noise_weight": 0.0}),
    "without jitter": with_overrides(PLUS, {"jitter": 0.0}),
    "without consistency": with_overrides(PLUS, {"consistency_weight": 0.0}),
    "without entropy": with_overrides(PLUS, {"entropy_weight": 0.0}),
    "uniform prior (paper)": with_overrides(PLUS, {"prior": "uniform"}),
    "label KL per sample (paper)": with_overrides(PLUS, {"label_kl": "sample", "label_kl_weight": 1.0}),
    "generative weight 1 (paper)": with_overrides(PLUS, {"generative_weight": 1.0}),
    "generative weight 0": with_overrides(PLUS, {"generative_weight": 0.0}),
    "umn": PAPER,
    "umn, alpha 20": with_overrides(PAPER, {"alpha": 20.0}),
}


def load() -> tuple[torch.Tensor, Any]:
    """Images (N, 1, 28, 28) uint8 and labels (N,)."""
    mnist = MNIST(os.environ["NOISEAUDIT_DATA"], train=True, download=False)
    return mnist.data[:N].unsqueeze(1), mnist.targets[:N].numpy()


def train(x: torch.Tensor, codes: Any, settings: UMNConfig, seed: int) -> tuple[Fitted, Any]:
    """One run on `codes` (N,), -1 where unlabelled; and the Guider's last probabilities, (N, C)."""
    cpu = torch.device("cpu")
    labelled = int((codes >= 0).sum())
    with training_runtime():
        data = TrainingData(x, torch.arange(N), torch.from_numpy(codes), CLASSES)
        method = UMN(Setup(data, "mlp", seed, cpu), settings)
        plan = plan_batches(labelled, N - labelled, BATCH, LABELLED_SHARE)
        fitted = fit(method, data, plan, epochs=EPOCHS, seed=seed, device=cpu, on_epoch=lambda record: None)
        return fitted, predict_all(method, data, cpu).guider.numpy()


def scores(fitted: Fitted, last: Any, given: Any, wrong: Any) -> dict[str, dict[str, float]]:
    """AP and F1 of every way to turn the Guider's probabilities into suspects."""
    found: dict[str, dict[str, float]] = {}
    for name, probs in (("last epoch", last), ("averaged", fitted.guider_mean)):
        q = probs[fitted.labelled]
        doubt = 1 - q[np.arange(len(given)), given].astype(np.float64)
        found[f"{name}: 1 - q, argmax differs"] = _metrics(wrong, doubt, q.argmax(1) != given)
        candidates = best_classes(q, given)
        for label, temperature in (("T", 1.0), ("T and tau", None)):
            score = p_mislabeled(candidates, fit_noise(candidates, CLASSES, temperature), CLASSES)
            found[f"{name}: {label}, expected F1"] = _metrics(
                wrong, score, choose_cutoff("auto", score, None).flagged
            )
    q = fitted.guider_mean[fitted.labelled]
    score = score_readings(q, given, Kind.IMAGES, noise_known=fitted.noise_known).p
    found[AS_SCAN] = _metrics(wrong, score, choose_cutoff("auto", score, None).flagged)
    return found


def _metrics(wrong: Any, score: Any, flagged: Any) -> dict[str, float]:
    return {"ap": float(average_precision_score(wrong, score)), "f1": float(f1_score(wrong, flagged))}


def run(seeds: list[int]) -> None:
    """Run every cell that has no line yet."""
    done = {(r["variant"], r["noise"], r["labels"], r["seed"]) for r in read_results()}
    x, truth = load()
    for seed in seeds:
        for noise, kind in NOISE.items():
            noisy = kind(truth, CLASSES, RATE, np.random.default_rng(seed)).labels
            for share in (share for of, share in CELLS if of == noise):
                hidden = np.random.default_rng(seed).permutation(N)[round(share * N) :]
                codes = noisy.copy()
                codes[hidden] = -1
                for variant, settings in VARIANTS.items():
                    if (variant, noise, share, seed) in done:
                        continue
                    fitted, last = train(x, codes, settings, seed)
                    wrong = (noisy != truth)[fitted.labelled]
                    line = {"variant": variant, "noise": noise, "labels": share, "seed": seed, "epochs": EPOCHS,
                            "scores": scores(fitted, last, codes[fitted.labelled], wrong),
                            "cores": os.cpu_count(), "versions": versions()}  # fmt: skip
                    with RESULTS.open("a") as file:
                        file.write(json.dumps(line) + "\n")
                    print(
                        variant,
                        noise,
                        share,
                        seed,
                        line["scores"][AS_SCAN],
                        flush=True,
                    )


def read_results() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def table() -> str:
    """Two Markdown tables: by variant at the default score, by score at the default variant. Means over seeds."""
    results = read_results()
    titles = " | ".join(f"{noise}, {share:.0%} labelled: AP / F1" for noise, share in CELLS)
    text = [f"{EPOCHS} epochs, n = {len({r['seed'] for r in results})} seeds, means.", ""]
    text += [f"| settings | {titles} |", "|---" * (len(CELLS) + 1) + "|"]
    text += [_row(results, name, name, AS_SCAN) for name in VARIANTS]
    text += ["", f"| score, `umn_plus` | {titles} |", "|---" * (len(CELLS) + 1) + "|"]
    text += [_row(results, name, "umn_plus", name) for name in (results[0]["scores"] if results else ())]
    return "\n".join(text) + "\n"


def _row(results: list[dict[str, Any]], title: str, variant: str, score: str) -> str:
    cells = []
    for noise, share in CELLS:
        rows = [
            r["scores"][score]
            for r in results
            if (r["variant"], r["noise"], r["labels"]) == (variant, noise, share)
        ]
        cells.append(
            " / ".join(f"{np.mean([row[key] for row in rows]):.3f}" for key in ("ap", "f1")) if rows else "-"
        )
    return f"| {title} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = parser.parse_args()
    if args.action == "run":
        run(args.seeds)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
