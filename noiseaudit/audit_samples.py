"""audit_samples(): from samples that are read to an AuditResult and what training left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.audit_meta import AuditMeta
from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.data.training import TrainingData
from noiseaudit.doubt import doubt_of
from noiseaudit.duplicates import conflicts, same_content
from noiseaudit.errors import TrainingDiverged
from noiseaudit.expected import expect
from noiseaudit.judge import Verdicts, judge
from noiseaudit.keeper import NOWHERE, Keeper
from noiseaudit.labels.table import LabelTable
from noiseaudit.learn import Learnt, learn, usable_data
from noiseaudit.lookalikes import Lookalikes
from noiseaudit.methods.base import Method
from noiseaudit.methods.descent import Descent
from noiseaudit.plan import Plan
from noiseaudit.relabelling import expected_relabelling
from noiseaudit.remarks import (
    about_conflicts,
    about_doubts,
    about_memory,
    about_noise_weight,
    about_relabelling,
    about_self_test,
)
from noiseaudit.result import AuditResult
from noiseaudit.samples import Samples
from noiseaudit.saved_model import Intake, SavedModel, saved_networks
from noiseaudit.selftest import SelfTest, self_test
from noiseaudit.threshold import choose_cutoff
from noiseaudit.unseen import read_unseen


@dataclass(frozen=True, eq=False)
class Audit:
    """An audit and what training left behind."""

    result: AuditResult
    method: Method  # trained
    plan: Plan  # what was chosen, and why
    embeddings: npt.NDArray[np.float32]  # (n, d) final z_a means, NaN where a row was not read
    last: EpochRecord  # the final epoch's dynamics
    scored_ids: list[str]  # sample_id of each row of the dynamics
    model: SavedModel  # to score other rows with
    warnings: tuple[str, ...]


def audit_samples(
    table: LabelTable,
    samples: Samples,
    plan: Plan,
    *,
    on_epoch: Callable[[EpochRecord], None] = lambda record: None,
    on_extra: Callable[[str, EpochRecord], None] = lambda name, record: None,
    on_folds: Callable[[int, float], None] = lambda folds, expected: None,
    keeper: Keeper = NOWHERE,
) -> Audit:
    """Train on samples that are already read, score every label, and put the verdicts together.

    `on_extra` sees the epochs of all trainings but the first, with the training's name: folds and the self-test.
    `on_folds` hears of folds that were not planned: how many, and the share of wrong labels that is expected. `keeper`
    has the checkpoints that all trainings go on from.
    """
    data = usable_data(table, samples)
    learnt = learn(data, plan, on_epoch, on_extra, on_folds, keeper)
    tested, untested = _tested(learnt, data, plan, on_extra, keeper)
    believed, given = learnt.believed, learnt.given
    scores = tested.scale(believed.p_mislabeled) if tested else believed.p_mislabeled
    flagged, cutoff = choose_cutoff(plan.config.cutoff, scores, learnt.epsilon, given)
    rows = np.flatnonzero(samples.status == "ok")[believed.fitted.labelled]
    conflict = conflicts(same_content(samples.x, rows), given)
    verdicts = Verdicts(
        scores,
        flagged,
        learnt.epsilon is not None,
        believed.by_neighbours,
        1 - believed.trust,
        believed.noise if believed.trust == 1 else None,
        conflict,
        Lookalikes(samples.x, rows, given),
    )
    meta = plan.meta(table, samples, cutoff)
    meta.config["chosen"] |= _chosen(learnt, tested)
    result = AuditResult(judge(table, samples.status, samples.reason, believed.fitted, verdicts), meta)
    return Audit(
        result=result,
        method=learnt.method,
        plan=plan,
        embeddings=_embeddings(samples, believed.fitted),
        last=believed.fitted.last,
        scored_ids=scored_ids(table, samples),
        model=_saved(learnt, samples, meta),
        warnings=(
            *table.warnings,
            *samples.warnings,
            *plan.warnings,
            *learnt.warnings,
            *about_relabelling(expected_relabelling(result)),
            *about_memory(believed),
            *about_doubts(believed, scores, given, plan.config.noise_rate),
            *about_noise_weight(plan.config.settings, believed.fitted.noise_known, learnt.folds),
            *about_conflicts(conflict, table.sample_id[rows]),
            *(about_self_test(tested.recall, expect(result).recall.value) if tested else ()),
            *untested,
        ),
    )


def _tested(
    learnt: Learnt,
    data: TrainingData,
    plan: Plan,
    on_extra: Callable[[str, EpochRecord], None],
    keeper: Keeper,
) -> tuple[SelfTest | None, tuple[str, ...]]:
    """The self-test, if it is asked for; a warning where its training fails: the audit stands without it."""
    if not plan.config.self_test:
        return None, ()
    try:
        return self_test(learnt, data, plan, on_extra, keeper), ()
    except TrainingDiverged as error:
        return None, (f"the self-test failed: {error}",)


def _chosen(learnt: Learnt, tested: SelfTest | None) -> dict[str, Any]:
    """What training showed to be best, or to be so, for the audit's record."""
    believed = learnt.believed
    slope = tested.scale.slope if tested else 1.0
    doubt = doubt_of(believed.p_mislabeled, believed.counts, slope)
    found: dict[str, Any] = {
        "folds": learnt.folds,
        "doubt": [*doubt],
        "noise_known": believed.fitted.noise_known,
    }
    if believed.trust < 1:
        found["neighbours"] = {"by_heart": believed.by_heart, "trust": believed.trust}
    if tested:
        found["self_test"] = tested.as_json()
    return found


def _saved(learnt: Learnt, samples: Samples, meta: AuditMeta) -> SavedModel:
    """The networks with the noise behind labels that they have not seen: best as folds had not seen them either."""
    assert isinstance(learnt.method, Descent)
    fitted, crossed = learnt.believed.fitted, learnt.crossed
    probs = crossed.apart if crossed.folds else crossed.fitted.guider_mean[fitted.labelled]
    by_class = None if crossed.folds else learnt.believed.noise
    noise = read_unseen(probs, learnt.given, learnt.kind, noise_known=fitted.noise_known, by_class=by_class)
    return SavedModel(meta, Intake.of(samples), samples.scales, noise, saved_networks(learnt.method))


def scored_ids(table: LabelTable, samples: Samples) -> list[str]:
    """sample_id of each labelled row that was read, in input order: the rows of the dynamics."""
    rows = (samples.status == "ok") & table.is_labelled
    return [str(name) for name in table.sample_id[rows]]


def _embeddings(samples: Samples, fitted: Fitted) -> npt.NDArray[np.float32]:
    full = np.full((len(samples.status), fitted.latent.shape[1]), np.nan, np.float32)
    full[samples.status == "ok"] = fitted.latent
    return full
