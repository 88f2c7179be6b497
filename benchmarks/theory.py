"""The paper's explanation of epsilon (section 3.2), checked on MNIST (10,000 images, 30 % symmetric noise), and the
numerical cause of its rule.

NOISEAUDIT_DATA=... python benchmarks/theory.py run --method umn --epochs 120   # a JSON line for each epoch of interest
python benchmarks/theory.py table                                               # writes benchmarks/results/theory.md
"""

from __future__ import annotations

import argparse
import copy
import json
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from theory_table import RESULTS, table
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torchvision.datasets import MNIST

from noiseaudit.config import with_overrides
from noiseaudit.course import EpochRecord
from noiseaudit.data.batches import plan_batches
from noiseaudit.data.training import TrainingData
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.models.classifier import Classifier
from noiseaudit.noise import symmetric
from noiseaudit.objective import label_uncertainty, label_weight
from noiseaudit.runtime import training_runtime
from noiseaudit.train import fit
from noiseaudit.versions import versions

CPU, N, CLASSES, RATE, BATCH = torch.device("cpu"), 10_000, 10, 0.3, 256
LOOK_AT = (5, 10, 20, 40, 80)
DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}


class Loss(nn.Module):
    """-f(epsilon) g'(z_a, y_hat) of one sample, Eq. 6 at the Guider's parameters."""

    def __init__(self, network: Classifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, given: Tensor, weight: Tensor) -> Tensor:
        probs, _ = self.network.predict(x[None])
        return -weight * probs[0].gather(0, given[None])[0]


def gradients(network: Classifier, x: Tensor, given: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Of each sample's loss: the gradient's norm over encoder and classifier, (n,), and its last layer, (n, P)."""
    module = Loss(network)
    values = {
        name: value.detach() for name, value in module.named_parameters()
        if name.startswith(("network.encoder", "network.classifier"))
    }  # fmt: skip
    single = grad(lambda p, x, g, w: functional_call(module, p, (x, g, w)))
    norms, last = [], []
    for rows in torch.arange(len(x)).split(200):
        found = vmap(single, in_dims=(None, 0, 0, 0))(values, x[rows], given[rows], weight[rows])
        norms.append(sum(value.flatten(1).square().sum(1) for value in found.values()).sqrt())
        last.append(found["network.classifier.2.weight"].flatten(1))
    return torch.cat(norms), torch.cat(last)


def alignment(vectors: Tensor) -> float:
    """Length of the mean of unit vectors: 1 = all one direction, 0 = none. Rows of length 0 are left out."""
    lengths = vectors.norm(dim=1, keepdim=True)
    kept = (lengths > 0).squeeze(1)
    return float((vectors[kept] / lengths[kept]).mean(0).norm()) if kept.any() else float("nan")


def separation(wrong: Any, score: Any) -> float:
    return float(roc_auc_score(wrong, np.nan_to_num(score, posinf=np.finfo(np.float64).max)))


def correlations(a: Any, b: Any, wrong: Any) -> dict[str, float]:
    """Spearman's, over all rows, the clean and the corrupt ones."""
    return {
        name: float(spearmanr(a[rows], b[rows]).statistic)
        for name, rows in (("all", slice(None)), ("clean", ~wrong), ("corrupt", wrong))
    }


def in_dtype(network: Classifier, x: Tensor, dtype: torch.dtype) -> Tensor:
    """Probabilities (n, C) with weights, activations and softmax in `dtype`."""
    cast = copy.deepcopy(network).to(dtype)
    with torch.no_grad():
        mean = cast.encoder(x.to(dtype))[:, : cast.latent_a]
        return torch.as_tensor(cast.classifier(mean).softmax(1))


def rule(network: tuple[Classifier, Classifier], x: Tensor, given: Tensor, wrong: Any) -> dict[str, Any]:
    """The rule epsilon > 0 with the same weights in three precisions, and why epsilon is 0 where it is."""
    found = {}
    for name, dtype in DTYPES.items():
        learner, guider = (in_dtype(each, x, dtype).gather(1, given[:, None])[:, 0] for each in network)
        epsilon = (guider - learner).abs()
        flagged = (epsilon > 0).numpy()
        hits = int((flagged & wrong).sum())
        found[name] = {
            "flagged": float(flagged.mean()),
            "recall": hits / int(wrong.sum()),
            "precision": hits / max(1, int(flagged.sum())),
            "saturated at 1": int(((epsilon == 0) & (guider == 1)).sum()),
            "underflowed to 0": int(((epsilon == 0) & (guider == 0)).sum()),
            "equal in between": int(((epsilon == 0) & (guider > 0) & (guider < 1)).sum()),
        }
    return found


def look(
    method: Descent[Any, Any], record: EpochRecord, x: Tensor, given: Tensor, wrong: Any
) -> dict[str, Any]:
    """What one epoch says about the paper's claims."""
    with torch.no_grad():
        learner, guider = method.learner.predict(x)[0].double(), method.guider.predict(x)[0].double()
    epsilon = label_uncertainty(guider, learner, given)
    weight = label_weight(epsilon, CLASSES, method.values.epsilon_min).float()
    weighted, last = gradients(method.guider, x, given, weight)
    plain, _ = gradients(method.guider, x, given, torch.ones_like(weight))
    log_ratio = guider.clamp_min(1e-300).log() - learner.clamp_min(1e-300).log()
    alternatives = {
        "epsilon": epsilon,
        "squared difference": (guider - learner).square().sum(1),
        "KL(Guider || Learner)": (guider * log_ratio).sum(1),
        "gradient norm": plain.double(),
        "gradient norm, weighted by f": weighted.double(),
        "1 - g' (Guider's doubt)": 1 - guider.gather(1, given[:, None])[:, 0],
    }
    eps = epsilon.numpy()
    return {
        "epoch": record.epoch,
        "spearman, gradient norm": correlations(eps, plain.numpy(), wrong),
        "spearman, gradient norm weighted by f": correlations(eps, weighted.numpy(), wrong),
        "auroc": {name: separation(wrong, value.numpy()) for name, value in alternatives.items()},
        "alignment of gradients": {"clean": alignment(last[~wrong]), "corrupt": alignment(last[wrong])},
        "rule": rule((method.learner, method.guider), x, given, wrong),
    }


class Oscillation:
    """theta - theta' after each epoch: its length, and its cosine with the one before.

    1 is a drift in one direction; 0 or less is what an oscillation about theta' would show.
    """

    def __init__(self) -> None:
        self.before: Tensor | None = None

    def __call__(self, method: Descent[Any, Any]) -> dict[str, float]:
        theta, average = (
            torch.cat([p.detach().flatten() for p in each.parameters()])
            for each in (method.learner, method.guider)
        )
        gap = theta - average
        cosine = (
            float(torch.cosine_similarity(gap, self.before, dim=0))
            if self.before is not None
            else float("nan")
        )
        self.before = gap
        return {
            "distance": float(gap.norm()),
            "relative distance": float(gap.norm() / average.norm()),
            "cosine": cosine,
        }


def run(
    name: str, epochs: int, seed: int, overrides: list[str], write: Callable[[dict[str, Any]], None]
) -> None:
    """Train once and write a line for each epoch of LOOK_AT and the last."""
    mnist = MNIST(os.environ["NOISEAUDIT_DATA"], train=True, download=False)
    truth = mnist.targets[:N].numpy()
    noisy = symmetric(truth, CLASSES, RATE, np.random.default_rng(seed)).labels
    given, wrong = torch.from_numpy(noisy), noisy != truth
    data = TrainingData(mnist.data[:N].unsqueeze(1), torch.arange(N), given, CLASSES)
    kind = METHODS[name]
    settings = with_overrides(kind.settings(data.inputs), dict(item.split("=", 1) for item in overrides))
    with training_runtime():
        method = kind(Setup(data, "mlp", seed, CPU), settings)
        assert isinstance(method, Descent)
        oscillation, x = Oscillation(), data.batch(torch.arange(N), CPU).x

        def on_epoch(record: EpochRecord) -> None:
            gap = oscillation(method)
            if record.epoch not in (*LOOK_AT, epochs):
                return
            with torch.enable_grad():
                line = look(method, record, x, given, wrong)
            write({"method": name, "settings": overrides, "seed": seed, "epochs": epochs, **line,
                   "theta - theta'": gap, "versions": versions(), "cores": os.cpu_count()})  # fmt: skip
            print(record.epoch, line["auroc"], gap, flush=True)

        plan = plan_batches(N, 0, BATCH, 0.25)
        fit(method, data, plan, epochs=epochs, seed=seed, device=CPU, on_epoch=on_epoch)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--method", default="umn")
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", dest="overrides", nargs="*", default=[], metavar="NAME=VALUE")
    args = parser.parse_args()
    if args.action == "run":
        with RESULTS.open("a") as file:
            run(
                args.method, args.epochs, args.seed, args.overrides,
                lambda line: print(json.dumps(line), file=file, flush=True),
            )  # fmt: skip
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
