"""The peer's input: out-of-sample probabilities by 5-fold cross-validation of the same encoder and classifier."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.model_selection import StratifiedKFold
from torch import Tensor, nn

from noiseaudit.config import UMNConfig
from noiseaudit.data.perturb import Draws, jitter_images
from noiseaudit.models.classifier import dense
from noiseaudit.models.mlp import build_mlp
from noiseaudit.runtime import training_runtime

FOLDS = 5
BATCH = 256


def load(images: Path) -> Tensor:
    """(n, 1, 28, 28) in [0, 1]."""
    arrays = [np.asarray(Image.open(path)) for path in sorted(images.iterdir())]
    return torch.from_numpy(np.stack(arrays)).unsqueeze(1).float() / 255


def make_classifier(shape: Sequence[int], n_classes: int) -> nn.Module:
    """UMN's encoder (its mean half) and classifier, as one network."""
    config = UMNConfig()
    encoder, _ = build_mlp(tuple(shape), config.hidden, config.latent_a)
    return nn.Sequential(encoder, dense(2 * config.latent_a, config.hidden, n_classes))


class Predicted(NamedTuple):
    """Out-of-sample probabilities (n, C) after so many epochs, and what they alone would have taken."""

    epochs: int
    probs: np.ndarray[Any, Any]
    seconds: float


def cross_validated_probabilities(
    x: Tensor, labels: np.ndarray[Any, Any], epochs: Sequence[int], jitter: float, seed: int
) -> Iterator[Predicted]:
    """Of images (n, 1, H, W) in [0, 1], at each of the epoch counts, trained by cross-entropy with Adam."""
    y = torch.from_numpy(labels)
    n_classes = int(labels.max()) + 1
    found = {count: np.zeros((len(labels), n_classes)) for count in epochs}
    seconds = dict.fromkeys(epochs, 0.0)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(np.zeros(len(labels)), labels)
    with training_runtime():
        for fold, (train, held_out) in enumerate(folds):
            started, predicting = time.perf_counter(), 0.0  # earlier predictions are not of this count
            torch.manual_seed(seed * FOLDS + fold)
            network = make_classifier(x.shape[1:], n_classes)
            adam = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
            draws = torch.Generator().manual_seed(seed * FOLDS + fold)
            for epoch in range(1, max(epochs) + 1):
                for rows in torch.from_numpy(train)[torch.randperm(len(train), generator=draws)].split(BATCH):
                    seen = jitter_images(x[rows], jitter, Draws(draws, len(rows))) if jitter else x[rows]
                    adam.zero_grad()
                    F.cross_entropy(network(seen), y[rows]).backward()
                    adam.step()
                if epoch in found:
                    asked = time.perf_counter()
                    with torch.no_grad():
                        found[epoch][held_out] = network(x[held_out]).softmax(1).numpy()
                    answered = time.perf_counter()
                    seconds[epoch] += answered - started - predicting
                    predicting += answered - asked
    yield from (Predicted(count, probs, seconds[count]) for count, probs in found.items())
