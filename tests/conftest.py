"""Synthetic audits shared by the tests."""

from __future__ import annotations

import os

# Read when torch starts, here and in subprocesses: pytest-xdist runs a worker per core, and threads would contend.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["NOISEAUDIT_SCAN_FEATURE_CACHE"] = "none"  # the user's cache is none of the tests' business
os.environ["NOISEAUDIT_SCORE_FEATURE_CACHE"] = "none"

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import settings

from noiseaudit.audit_meta import AuditMeta, Cutoff
from noiseaudit.classes import canonical_order
from noiseaudit.result import SCHEMA, AuditResult

settings.register_profile("noiseaudit", deadline=None)  # a busy machine is no error
settings.load_profile("noiseaudit")


def build_audit(
    n: int = 60,
    classes: Sequence[str] = ("cat", "dog", "frog"),
    *,
    noise_rate: float = 0.2,
    n_unlabelled: int = 4,
    n_unread: int = 3,
    seed: int = 0,
    has_epsilon: bool = True,
    has_truth: bool = True,
    images: Sequence[str] | None = None,
    annotators: Sequence[str | None] | None = None,
    batches: Sequence[str | None] | None = None,
    cutoff: float = 0.5,
) -> AuditResult:
    """n rows; the last `n_unread` are missing images, the `n_unlabelled` before them have no label.

    Corrupt rows score high but not perfectly; `true_label` is set on every row if `has_truth`.
    """
    rng = np.random.default_rng(seed)
    names = canonical_order(classes)
    n_classes = len(names)
    n_scored = n - n_unlabelled - n_unread
    status = ["ok"] * n_scored + ["unlabelled"] * n_unlabelled + ["missing"] * n_unread
    true = rng.integers(n_classes, size=n)
    corrupted = rng.random(n) < noise_rate
    given = np.where(corrupted, (true + rng.integers(1, n_classes, size=n)) % n_classes, true)
    p_mislabeled = np.clip(np.where(corrupted, 0.8, 0.1) + rng.normal(0, 0.18, n), 0.001, 0.999)
    scored = np.arange(n) < n_scored
    issue = scored & (p_mislabeled >= cutoff)
    other = np.where(true == given, (given + 1) % n_classes, true)
    suggested = np.where(issue, other, true)
    order = np.lexsort((np.arange(n_scored), -p_mislabeled[:n_scored]))
    rank = np.empty(n_scored, dtype=np.int64)
    rank[order] = np.arange(1, n_scored + 1)
    epsilon = np.where(corrupted | (rng.random(n) < 0.4), rng.beta(0.4, 8, n), 0.0)
    k = min(n_classes, 10)

    def on(mask: np.ndarray[Any, Any], values: Sequence[Any]) -> list[Any]:
        return [value if keep else None for keep, value in zip(mask, values, strict=True)]

    read = np.array([s != "missing" for s in status])
    labelled = np.array([s != "unlabelled" for s in status])
    paths = list(images) if images is not None else [f"images/{i:05d}.png" for i in range(n)]
    table = pa.table(
        {
            "row": np.arange(n),
            "sample_id": paths,
            "image": paths,
            "given_label": on(labelled, [names[i] for i in given]),
            "is_labelled": labelled,
            "status": status,
            "reason": on(~read, ["no such file"] * n),
            "epsilon": on(scored & has_epsilon, epsilon.tolist()),
            "p_given": on(scored, (1 - p_mislabeled).tolist()),
            "suggested_label": on(read, [names[i] for i in suggested]),
            "p_suggested": on(read, np.clip(p_mislabeled, 0.4, 0.99).tolist()),
            "p_mislabeled": on(scored, p_mislabeled.tolist()),
            "is_label_issue": on(scored, issue.tolist()),
            "rank": [*rank.tolist(), *([None] * (n - n_scored))],
            "top_labels": on(read, [names[:k]] * n),
            "top_probs": on(read, [[1.0 / k] * k] * n),
            "true_label": on(np.full(n, has_truth), [names[i] for i in true]),
            "issue_kind": on(issue, ["mislabeled"] * n),
            "evidence": on(
                issue,
                [
                    [
                        {"kind": "guider", "value": 0.75, "reference": names[s]},
                        {"kind": "peak", "value": 0.25, "reference": "30"},
                    ]
                    for s in suggested
                ],
            ),
            "split": [None] * n,
            "annotator": annotators or [None] * n,
            "batch": batches or [None] * n,
        },
        schema=SCHEMA,
    )
    meta = AuditMeta(
        classes=tuple(names),
        class_type="string",
        config={
            "asked": {"method": "umn", "epochs": None},
            "chosen": {"backbone": "mlp", "epochs": 40, "settings": {"alpha": 20.0}},
        },
        versions={"noiseaudit": "0.1.0", "torch": "2.6.0"},
        seed=seed,
        device_type="cpu",
        threads=2,
        cutoff=Cutoff("auto", "p_mislabeled", cutoff, "Rows from 0.5 up maximise the expected F1."),
        data_fingerprint="sha256:" + "0" * 64,
    )
    return AuditResult(table, meta)


def written(audit: AuditResult, folder: Path) -> Path:
    """`folder`, made to hold the audit as a run does."""
    folder.mkdir()
    audit.write(folder / "audit.parquet")
    return folder


@pytest.fixture
def make_audit() -> Callable[..., AuditResult]:
    """`build_audit`: call it with the sizes and names that a test needs."""
    return build_audit
