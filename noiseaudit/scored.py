"""From what a finished model says of other rows to their audit."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.audit_meta import AuditMeta, Cutoff
from noiseaudit.course import Fitted, epoch_record
from noiseaudit.data.fingerprint import fingerprint
from noiseaudit.doubt import Doubt, doubt_of
from noiseaudit.judge import Verdicts, judge
from noiseaudit.labels.table import LabelTable
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Prediction
from noiseaudit.result import AuditResult
from noiseaudit.saved_model import SavedModel
from noiseaudit.score_blocks import Scores
from noiseaudit.threshold import choose_cutoff
from noiseaudit.unseen import score_unseen
from noiseaudit.versions import versions

NOT_OF_SCORES = ("self_test", "neighbours")  # what a scan chose for the scores of its own rows
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """What came of all blocks, for n rows, m of which were read."""

    status: npt.NDArray[np.object_]  # (n,)
    reason: npt.NDArray[np.object_]  # (n,)
    prediction: Prediction  # of the m rows
    digests: npt.NDArray[np.uint8]  # (blocks, 32)
    warnings: tuple[str, ...]


def gather(
    scores: Iterable[Scores],
    n_rows: int,
    *,
    on_rows: Callable[[int, int], None],
    refused: Callable[[int, str], Exception] | None = None,
) -> Found:
    """All blocks together, whatever order they come in.

    Raises what `refused`, if given, makes of the first row that was not read and of the reason: blocks before its own
    may still be out, so which row is first goes by the order of the blocks.
    """
    parts, done = list[Scores](), 0
    for part in scores:
        parts.append(part)
        done += len(part.status)
        on_rows(done, n_rows)
        bad = np.flatnonzero(part.status != "ok")
        if refused and len(bad):
            raise refused(part.first + int(bad[0]), part.reason[bad[0]])
    parts.sort(key=lambda part: part.first)
    status, reason = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("status", "reason")
    )
    predictions = zip(*(part.prediction for part in parts), strict=True)
    return Found(
        status,
        reason,
        Prediction(*(torch.cat(values) for values in predictions)),
        np.stack([np.frombuffer(part.digest, np.uint8) for part in parts]),
        tuple(dict.fromkeys(warning for part in parts for warning in part.warnings)),
    )


def audit_scores(
    table: LabelTable, model: SavedModel, found: Found, cutoff: str, *, device: torch.device
) -> tuple[AuditResult, Floats]:
    """The audit of rows that were scored, and their latent means (n, d), NaN where a row was not read."""
    usable = np.flatnonzero(found.status == "ok")
    codes = torch.from_numpy(table.codes[usable])
    labelled = (codes >= 0).nonzero().flatten()
    last = epoch_record(model.epochs, {}, found.prediction, codes, labelled, None, 0.0)
    probs, rows = found.prediction.guider.numpy(), labelled.numpy()
    given = codes.numpy()[rows]
    scored = score_unseen(model.noise, probs[rows], given)
    has_epsilon = METHODS[model.method].has_guider
    flagged, cut = choose_cutoff(cutoff, scored.p, last.epsilon if has_epsilon else None, given)
    unknown = np.full(len(rows), np.nan, np.float32)
    fitted = Fitted(
        guider_mean=probs,
        latent=found.prediction.latent.numpy(),
        labelled=rows,
        peak_p_given=unknown,
        learnt_epoch=np.zeros(len(rows), np.int64),
        last=last,
        step_epsilon=unknown,
    )
    verdicts = Verdicts(scored.p, flagged, has_epsilon, noise=model.noise.by_class)
    doubt = doubt_of(scored.p, scored.counts) if len(rows) else Doubt()
    meta = _meta(table, model, found, cut, doubt, device)
    latent = np.full((len(table), fitted.latent.shape[1]), np.nan, np.float32)
    latent[usable] = fitted.latent
    return AuditResult(judge(table, found.status, found.reason, fitted, verdicts), meta), latent


def _meta(
    table: LabelTable, model: SavedModel, found: Found, cut: Cutoff, doubt: Doubt, device: torch.device
) -> AuditMeta:
    chosen = {name: value for name, value in model.chosen.items() if name not in NOT_OF_SCORES}
    trained_on = {"data_fingerprint": model.meta.data_fingerprint, "model": model_hash(model)}
    config = {
        "asked": model.meta.config["asked"] | {"cutoff": cut.rule},
        "chosen": chosen | {"folds": 0, "doubt": [*doubt]},
        "scored_by": trained_on,
    }
    return dataclasses.replace(
        model.meta,
        class_type=table.class_type,
        config=config,
        versions=versions(),
        device_type=device.type,
        cutoff=cut,
        data_fingerprint=fingerprint(table, found.digests),
    )


def model_hash(model: SavedModel) -> str:
    """`sha256:...` of the networks."""
    digest = hashlib.sha256()
    for name, value in sorted(model.networks.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value.numpy()).tobytes())
    return f"sha256:{digest.hexdigest()}"
