"""Train what was planned on the rows that were read, and score every label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.course import EpochRecord
from noiseaudit.data.training import TrainingData
from noiseaudit.finetune import fine_tune
from noiseaudit.labels.table import LabelTable
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Method, Setup
from noiseaudit.neighbours import Believed, believe
from noiseaudit.plan import Plan
from noiseaudit.runtime import training_runtime
from noiseaudit.samples import Samples
from noiseaudit.train import fit


@dataclass(frozen=True, eq=False)
class Learnt:
    """A trained method, and what it makes of the k labels that it was given."""

    method: Method
    given: npt.NDArray[np.int64]  # (k,)
    believed: Believed

    @property
    def epsilon(self) -> npt.NDArray[np.float32] | None:
        """Of the k labels after the last epoch, (k,); None where the method has no Guider."""
        return self.believed.fitted.last.epsilon if self.method.has_guider else None


def learn(
    data: TrainingData, plan: Plan, on_epoch: Callable[[EpochRecord], None] = lambda record: None
) -> Learnt:
    """Both stages, where the plan has two. Raises TrainingDiverged if training fails."""
    with training_runtime(plan.threads):
        method = build_method(data, plan)
        fitted = fit(
            method,
            data,
            plan.batches,
            epochs=plan.epochs,
            seed=plan.config.seed,
            device=plan.device,
            on_epoch=on_epoch,
        )
    if plan.tuning:
        with training_runtime():
            fitted = fine_tune(
                method,
                data,
                plan.tuning,
                fitted,
                epochs_before=plan.epochs,
                seed=plan.config.seed,
                device=plan.device,
                on_epoch=on_epoch,
            )
    given = data.codes.numpy()[fitted.labelled]
    return Learnt(method, given, believe(fitted, given))


def build_method(data: TrainingData, plan: Plan) -> Method:
    """The planned method, untrained."""
    config = plan.config
    setup = Setup(data, plan.backbone.value, config.seed, plan.device, noise_rate=config.noise_rate)
    return METHODS[config.method](setup, plan.settings)


def usable_data(table: LabelTable, samples: Samples) -> TrainingData:
    """The rows that were read."""
    usable = np.flatnonzero(samples.status == "ok")
    codes = torch.from_numpy(table.codes[usable])
    trusted = None if table.trusted is None else torch.from_numpy(table.trusted[usable])
    return TrainingData(
        samples.x, torch.from_numpy(usable), codes, len(table.classes), trusted, samples.originals
    )
