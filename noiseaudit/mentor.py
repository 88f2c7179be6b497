"""Sample weights from losses: the closed-form curriculum and the network of Jiang et al. 2018 ("MentorNet", ICML).

The network is learnt in seconds: first to follow the closed form on made-up samples, then, data-driven, on the digits
that scikit-learn ships, with planted noise, where it is known which labels are right.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from noiseaudit.models.classifier import dense
from noiseaudit.seeds import seeded_init

EPOCH_STEPS = 100  # the epoch is seen as a percentage of the schedule
UNKNOWN = 0  # the label of a sample of another data set; the digits' classes are 1-10
DIGIT_CLASSES = 10
LARGEST_LOSS = 10.0  # of the made-up samples: -log(4.5e-5)
IMITATION_STEPS, DIGITS_STEPS, FIT_BATCH = 300, 300, 512
DIGITS_RATES, DIGITS_EPOCHS, DIGITS_BATCH = (0.1, 0.2, 0.3, 0.4, 0.5), 20, 128


class Features(NamedTuple):
    """What the mentor knows of each sample."""

    loss: Tensor  # (B,)
    difference: Tensor  # (B,), the loss less the moving percentile
    label: Tensor  # (B,), int64: UNKNOWN, or 1 + the class of a digit
    percent: Tensor  # (B,), int64 in 0-99, of the schedule


class Mentor(nn.Module):
    """Embeddings of label and epoch, a bidirectional LSTM of the losses, one tanh layer: a weight in (0, 1).

    A time step of the LSTM is an epoch; only the current one is given, so that no row's past is kept.
    """

    def __init__(self) -> None:
        super().__init__()
        self.label = nn.Embedding(1 + DIGIT_CLASSES, 2)
        self.percent = nn.Embedding(EPOCH_STEPS, 5)
        self.losses = nn.LSTM(2, 10, batch_first=True, bidirectional=True)
        self.hidden = nn.Linear(2 + 5 + 2 * 10, 20)
        self.output = nn.Linear(20, 1)

    def forward(self, features: Features) -> Tensor:
        """Logits of the weights: (B,)."""
        sequence = torch.stack([features.loss, features.difference], 1).unsqueeze(1)  # (B, 1, 2)
        encoded, _ = self.losses(sequence)
        parts = [self.label(features.label), self.percent(features.percent), encoded[:, -1]]
        logits: Tensor = self.output(torch.tanh(self.hidden(torch.cat(parts, 1))))
        return logits.squeeze(1)


def predefined_weights(difference: Tensor, lambda2: float) -> Tensor:
    """The minimiser over v in [0, 1] of `curriculum_objective`: (B,) -> (B,).

    clip(1 - (loss - lambda_1) / lambda_2, 0, 1), and 1 where loss <= lambda_1, 0 elsewhere, if lambda_2 is 0.
    `difference` is loss - lambda_1.
    """
    if lambda2 == 0:
        return (difference <= 0).to(difference.dtype)
    return (1 - difference / lambda2).clamp(0, 1)


def curriculum_objective(weights: Tensor, difference: Tensor, lambda2: float) -> Tensor:
    """v loss + G(v) with G = lambda_2 v^2 / 2 - (lambda_1 + lambda_2) v (section 3.1): (B,)."""
    return weights * (difference - lambda2) + lambda2 * weights**2 / 2


@lru_cache(maxsize=8)
def learn_mentor(seed: int, lambda2: float) -> Mentor:
    """The mentor that learnt from the seed's made-up samples and digits, frozen, on the CPU. Copy before moving it."""
    with seeded_init(seed, "mentor"):
        mentor = Mentor()
        _imitate(mentor, lambda2)
        _learn_from_digits(mentor, lambda2)
    return mentor.requires_grad_(False).eval()


def _imitate(mentor: Mentor, lambda2: float) -> None:
    """Minimise the curriculum's objective over made-up losses, labels and epochs."""
    optimiser = torch.optim.Adam(mentor.parameters(), lr=1e-2)
    for _ in range(IMITATION_STEPS):
        features = made_up_features(FIT_BATCH)
        weights = mentor(features).sigmoid()
        loss = curriculum_objective(weights, features.difference, lambda2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def made_up_features(n: int) -> Features:
    """Losses, small ones more often, and thresholds anywhere; labels and epochs tell nothing."""
    losses = LARGEST_LOSS * torch.rand(n) ** 2
    thresholds = LARGEST_LOSS * torch.rand(n) ** 2
    labels = torch.randint(1 + DIGIT_CLASSES, (n,))
    return Features(losses, losses - thresholds, labels, torch.randint(EPOCH_STEPS, (n,)))


def _learn_from_digits(mentor: Mentor, lambda2: float) -> None:
    """Weight 1 for right labels, 0 for wrong ones, from the losses of students at several noise rates."""
    features, is_right = digit_samples(lambda2)
    label = torch.where(torch.rand(len(is_right)) < 0.5, features.label, UNKNOWN)
    features = features._replace(label=label)  # so that it can do without
    optimiser = torch.optim.Adam(mentor.parameters(), lr=3e-3)
    for _ in range(DIGITS_STEPS):
        rows = torch.randint(len(is_right), (FIT_BATCH,))
        logits = mentor(Features(*(part[rows] for part in features)))
        optimiser.zero_grad()
        F.binary_cross_entropy_with_logits(logits, is_right[rows]).backward()
        optimiser.step()


def digit_samples(lambda2: float) -> tuple[Features, Tensor]:
    """What students of the predefined curriculum made of the digits, and 1.0 where the label was right: (N,) each."""
    from sklearn.datasets import load_digits

    pixels, truth = load_digits(return_X_y=True)
    x = torch.from_numpy(pixels.astype(np.float32) / 16)
    classes = torch.from_numpy(truth.astype(np.int64))
    runs = [_teach(x, classes, rate, lambda2) for rate in DIGITS_RATES]
    features = [Features(*map(torch.cat, zip(*steps, strict=True))) for steps, _ in runs]
    together = Features(*map(torch.cat, zip(*features, strict=True)))
    return together, torch.cat([right for _, right in runs])


def _teach(x: Tensor, truth: Tensor, rate: float, lambda2: float) -> tuple[list[Features], Tensor]:
    """Train one student on labels of which `rate` are wrong; the features of its every step, and which were right."""
    is_wrong = torch.rand(len(truth)) < rate
    moved = (truth + torch.randint(1, DIGIT_CLASSES, truth.shape)) % DIGIT_CLASSES
    given = torch.where(is_wrong, moved, truth)
    student = dense(x.shape[1], 64, DIGIT_CLASSES)
    optimiser = torch.optim.Adam(student.parameters(), lr=3e-3)
    threshold: Tensor | None = None
    seen, right = [], []
    for epoch in range(DIGITS_EPOCHS):
        percent = epoch * EPOCH_STEPS // DIGITS_EPOCHS
        for rows in torch.randperm(len(x)).split(DIGITS_BATCH):
            losses = F.cross_entropy(student(x[rows]), given[rows], reduction="none")
            threshold = moving_percentile(threshold, losses.detach(), 1 - rate, decay=0.9)
            difference = losses.detach() - threshold
            seen.append(
                Features(losses.detach(), difference, given[rows] + 1, torch.full_like(rows, percent))
            )
            right.append((~is_wrong[rows]).float())
            optimiser.zero_grad()
            (predefined_weights(difference, lambda2) * losses).mean().backward()
            optimiser.step()
    return seen, torch.cat(right)


def moving_percentile(before: Tensor | None, losses: Tensor, share: float, decay: float) -> Tensor:
    """decay before + (1 - decay) q, q being the `share` quantile of the batch's losses (B,); q itself at first."""
    quantile = torch.quantile(losses, share)
    return quantile if before is None else torch.lerp(quantile, before, decay)
