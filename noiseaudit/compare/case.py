"""What every tool of a comparison is given: one data set with its labels, and one training recipe for networks."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.choose import choose_batch_size, choose_epochs, choose_threads
from noiseaudit.config import AuditConfig
from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.data.batches import BatchPlan, plan_batches
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import DataError
from noiseaudit.folds import spread_folds
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.train import fit

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Value = TypeVar("Value")

FOLDS = 5


@dataclass
class Case:
    """m rows, k of them labelled. Networks of all tools have one encoder, and what they see is perturbed alike.

    Each is trained as long as `scan` would train it: the default number of steps, or the epochs that are asked for; a
    tool may take a share of it.
    """

    data: TrainingData
    backbone: str
    config: AuditConfig  # batch size and epochs
    seed: int
    device: torch.device
    borrowed: float = 0.0  # seconds of shared work that the tool at hand used and another paid for
    _shared: dict[str, tuple[Any, float]] = field(default_factory=dict)

    @property
    def labelled(self) -> Codes:
        """Which of the m rows: (k,)."""
        return np.flatnonzero(self.data.codes.numpy() >= 0)

    @property
    def given(self) -> Codes:
        """(k,)"""
        codes: Codes = self.data.codes.numpy()[self.labelled]
        return codes

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """x of the labelled rows as vectors, (k, d): embeddings as they are, pixels in [0, 1]."""
        rows = torch.from_numpy(self.labelled)
        x: npt.NDArray[np.float32] = self.data.batch(rows, torch.device("cpu")).x.flatten(1).numpy()
        return x

    @property
    def threads(self) -> int:
        """Of the CPU, as `scan` takes them. Tools with little to share out would wait for their own threads."""
        batches = self.schedule("umn_plus", self.data.codes.numpy())[0]
        hidden = METHODS["umn_plus"].settings(self.data.inputs).hidden
        return choose_threads(
            self.backbone, batches.labelled + batches.unlabelled, self.data.n_classes, hidden
        )

    def shared(self, name: str, make: Callable[[], Value]) -> Value:
        """`make()`, once for all tools; the time it took counts for each tool that uses it."""
        if name not in self._shared:
            started = time.perf_counter()
            self._shared[name] = make(), time.perf_counter() - started
        else:
            self.borrowed += self._shared[name][1]
        value: Value = self._shared[name][0]
        return value

    def train(
        self,
        method: str,
        codes: Codes,
        n_classes: int | None = None,
        *,
        stream: int = 0,
        epochs: int | None = None,
        on_epoch: Callable[[EpochRecord], None] = lambda record: None,
    ) -> Fitted:
        """A method's default settings on other labels, (m,), -1 = hidden. `stream` tells trainings of a seed apart."""
        kind, data = METHODS[method], self.data
        altered = TrainingData(data.x, data.usable, torch.from_numpy(codes), n_classes or data.n_classes)
        plan, own_epochs = self.schedule(method, codes)
        seed, ours = self.seed + 1_000_003 * stream, METHODS["umn_plus"].settings(data.inputs)
        settings = dataclasses.replace(
            kind.settings(data.inputs),
            input_noise=ours.input_noise,
            input_dropout=ours.input_dropout,
            jitter=ours.jitter,
        )
        return fit(
            kind(Setup(altered, self.backbone, seed, self.device), settings),
            altered,
            plan,
            epochs=epochs or own_epochs,
            seed=seed,
            device=self.device,
            on_epoch=on_epoch,
        )

    def schedule(self, method: str, codes: Codes) -> tuple[BatchPlan, int]:
        """Batches and epochs of a method on other labels, (m,), as `scan` chooses them."""
        n_labelled = int((codes >= 0).sum())
        n_unlabelled = len(codes) - n_labelled if METHODS[method].uses_unlabelled else 0
        rows = n_labelled + n_unlabelled
        batch_size = choose_batch_size(self.config, rows)
        plan = plan_batches(n_labelled, n_unlabelled, batch_size, self.config.min_labelled_share)
        return plan, choose_epochs(self.config, plan.steps, self.data.shape, rows)

    def folds(self) -> list[Codes]:
        """The labelled rows in at most FOLDS parts, indices into (k,)."""
        rows, rng = self.data.usable.numpy()[self.labelled], np.random.default_rng((self.seed, FOLDS))
        return spread_folds(self.data.x, rows, self.given, FOLDS, rng)

    def out_of_fold(self) -> Floats:
        """Class probabilities of each labelled row from a network that did not see its label: (k, C)."""
        return self.shared("out of fold", self._out_of_fold)

    def _out_of_fold(self) -> Floats:
        probs, folds = np.zeros((len(self.given), self.data.n_classes)), self.folds()
        if len(folds) < 2:
            raise DataError("all labelled rows have the same content, so none can be held out")
        for fold, held_out in enumerate(folds):
            codes = self.data.codes.numpy().copy()
            codes[self.labelled[held_out]] = -1
            fitted = self.train("supervised", codes, stream=fold + 1)
            probs[held_out] = fitted.guider_mean[self.labelled[held_out]]
        probs /= probs.sum(axis=1, keepdims=True)
        return probs
