"""Train what was planned on the rows that were read, and score every label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.crossfit import CrossFitted, believe_folds, choose_folds, cross_fit, looks_clean, not_crossed
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.inputs import Kind
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import TrainingDiverged
from noiseaudit.finetune import fine_tune
from noiseaudit.keeper import FIRST_STAGE, NOWHERE, SECOND_STAGE, Keeper, Stage
from noiseaudit.labels.table import LabelTable
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Method, Setup
from noiseaudit.neighbours import Believed
from noiseaudit.part import current_part
from noiseaudit.plan import Plan
from noiseaudit.runtime import training_runtime
from noiseaudit.samples import Samples
from noiseaudit.seeds import derive_seed
from noiseaudit.train import fit


@dataclass(frozen=True, eq=False)
class Learnt:
    """A trained method, and what it makes of the k labels that it was given."""

    method: Method
    given: npt.NDArray[np.int64]  # (k,)
    believed: Believed
    crossed: CrossFitted
    kind: Kind  # of what was trained on last
    folds: int = 0  # trainings that went into it beside the first
    warnings: tuple[str, ...] = ()

    @property
    def epsilon(self) -> npt.NDArray[np.float32] | None:
        """Of the k labels after the last epoch, (k,); None where the method has no Guider."""
        return self.believed.fitted.last.epsilon if self.method.has_guider else None


def learn(
    data: TrainingData,
    plan: Plan,
    on_epoch: Callable[[EpochRecord], None] = lambda record: None,
    on_extra: Callable[[str, EpochRecord], None] = lambda name, record: None,
    on_folds: Callable[[int, float], None] = lambda folds, expected: None,
    keeper: Keeper = NOWHERE,
) -> Learnt:
    """Both stages, where the plan has two, and its folds, whose epochs `on_extra` sees.

    `on_folds` hears of folds that were not planned: how many, and the share of wrong labels that is expected. `keeper`
    has the checkpoints. Raises TrainingDiverged if training fails.
    """
    method, fitted = _train(data, plan, plan.config.seed, plan.batches, on_epoch, keeper.stage(FIRST_STAGE))
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
                stage=keeper.stage(SECOND_STAGE),
            )
    alone = not_crossed(fitted)
    given = data.codes.numpy()[fitted.labelled]
    kind = Kind.IMAGES if plan.tuning else data.inputs.kind  # the second stage sees images
    believed = believe_folds(alone, given, kind)
    folds = plan.folds or folds_called_for(believed, data, plan)
    if not folds:
        return Learnt(method, given, believed, alone, kind)
    if not plan.folds:
        on_folds(folds, float(believed.p_mislabeled.mean()))

    def train(part: TrainingData, number: int) -> Fitted:
        name = f"fold {number} of {folds}"
        seed = derive_seed(plan.config.seed, name)
        batches = plan.batches_of(int((part.codes >= 0).sum()), len(part.codes))
        return _train(part, plan, seed, batches, lambda record: on_extra(name, record), keeper.stage(name))[1]

    try:
        crossed = cross_fit(fitted, data, folds, plan.config.seed, train)
    except TrainingDiverged as error:
        failed = f"a fold failed, so labels are judged by a network that has seen them: {error}"
        return Learnt(method, given, believed, alone, kind, warnings=(failed,))
    return Learnt(method, given, believe_folds(crossed, given, kind), crossed, kind, crossed.folds)


def folds_called_for(believed: Believed, data: TrainingData, plan: Plan) -> int:
    """How many folds the first training's verdict on its labels calls for. All processes do as the first one."""
    labelled = believed.fitted.labelled
    folds: int = current_part().first_ones(
        choose_folds(
            plan.config,
            data.inputs,
            data.codes.numpy()[labelled],
            None if data.trusted is None else data.trusted.numpy()[labelled],
            looks_clean=looks_clean(believed.p_mislabeled, data.inputs, plan.backbone.value),
        )
    )
    return folds


def _train(
    data: TrainingData,
    plan: Plan,
    seed: int,
    batches: BatchPlan,
    on_epoch: Callable[[EpochRecord], None],
    stage: Stage,
) -> tuple[Method, Fitted]:
    """The planned method, trained."""
    with training_runtime(plan.threads):
        setup = Setup(data, plan.backbone.value, seed, plan.device, noise_rate=plan.config.noise_rate)
        method = METHODS[plan.config.method](setup, plan.settings)
        fitted = fit(
            method,
            data,
            batches,
            epochs=plan.epochs,
            seed=seed,
            device=plan.device,
            on_epoch=on_epoch,
            stage=stage,
        )
        return method, fitted


def usable_data(table: LabelTable, samples: Samples) -> TrainingData:
    """The rows that were read."""
    usable = np.flatnonzero(samples.status == "ok")
    codes = torch.from_numpy(table.codes[usable])
    trusted = None if table.trusted is None else torch.from_numpy(table.trusted[usable])
    return TrainingData(
        samples.x, torch.from_numpy(usable), codes, len(table.classes), trusted, samples.originals
    )
