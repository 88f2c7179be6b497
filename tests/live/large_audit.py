"""An audit of 60,000 rows with 500 suspects, annotators and batches, for the report's check in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image, ImageDraw

from noiseaudit.audit_meta import AuditMeta, Cutoff
from noiseaudit.result import SCHEMA, AuditResult

N, N_SUSPECTS, N_UNLABELLED, N_UNREAD = 60_000, 500, 40, 30
CLASSES = ["bird", "boat", "car", "cat", "deer", "dog", "frog", "horse", "lorry", "\u202eenalp"]
ANNOTATORS = [
    "ana",
    "ben@example.com",
    "chloé",
    "dmitri",
    "emeka",
    "fatima",
    "عربي",
    "<b>hao</b>",
    "ines" + 56 * "x",  # breaks nowhere by itself
    "jo",
]


def large_audit(*, has_truth: bool) -> AuditResult:
    """N rows, N_SUSPECTS of them flagged, with probabilities that are right and annotators who differ."""
    rng = np.random.default_rng(0)
    wrong_like = rng.random(N) < 0.012
    p = np.where(wrong_like, rng.beta(2.5, 1.6, N), rng.beta(0.4, 160, N))
    is_wrong = rng.random(N) < p
    true = rng.integers(len(CLASSES), size=N)
    other = np.where(rng.random(N) < 0.5, true ^ 1, (true + rng.integers(1, len(CLASSES), N)) % len(CLASSES))
    given = np.where(is_wrong, other, true)
    suggested = np.where(is_wrong, true, np.where(wrong_like, other, true))
    scored = np.arange(N) < N - N_UNLABELLED - N_UNREAD
    threshold = float(np.sort(p[scored])[-N_SUSPECTS])
    flagged = scored & (p >= threshold)
    rank = np.zeros(N, np.int64)
    rank[np.argsort(-np.where(scored, p, -1), kind="stable")] = np.arange(1, N + 1)
    status = np.where(scored, "ok", np.where(np.arange(N) < N - N_UNREAD, "unlabelled", "missing")).astype(
        object
    )
    names = np.array(CLASSES, object)
    labelled, read = status != "unlabelled", status != "missing"
    images = [f"photos/{i:05d}.jpg" for i in range(N)]

    def on(mask: npt.NDArray[np.bool_], values: Any) -> list[Any]:
        every = np.broadcast_to(np.asarray(values), N).tolist()
        return [value if keep else None for keep, value in zip(mask, every, strict=True)]

    def evidence(label: str) -> list[dict[str, Any]]:
        return [
            {"kind": "guider", "value": 0.75, "reference": label},
            {"kind": "peak", "value": 0.2, "reference": "30"},
        ]

    columns = {
        "row": np.arange(N), "sample_id": images, "image": images, "given_label": on(labelled, names[given]),
        "is_labelled": labelled, "status": status, "reason": on(~read, "no such file"),
        "epsilon": on(scored, np.where(p > 0.002, p * rng.random(N), 0.0)), "p_given": on(scored, 1 - p),
        "suggested_label": on(read, names[suggested]), "p_suggested": on(read, np.clip(p, 0.3, 0.99)),
        "p_mislabeled": on(scored, p), "is_label_issue": on(scored, flagged), "rank": on(scored, rank),
        "top_labels": [CLASSES[:3] if r else None for r in read],
        "top_probs": [[0.5, 0.3, 0.2] if r else None for r in read],
        "true_label": on(np.full(N, has_truth), names[true]), "issue_kind": on(flagged, "mislabeled"),
        "evidence": [evidence(CLASSES[s]) if f else None for f, s in zip(flagged, suggested, strict=True)],
        "split": [None] * N, "annotator": annotators(p, rng), "batch": [f"2024-{i // 2000 + 1:02d}" for i in range(N)],
    }  # fmt: skip
    meta = AuditMeta(
        tuple(sorted(CLASSES)), "string", {"asked": {"method": "umn_plus"}, "chosen": {"epochs": 30}},
        {"noiseaudit": "0.1.0"}, 0, "cpu", 2,
        Cutoff("auto", "p_mislabeled", threshold, "Rows from there up maximise the expected F1."), "sha256:" + "0" * 64,
    )  # fmt: skip
    return AuditResult(pa.table(columns, schema=SCHEMA), meta)


def annotators(p: npt.NDArray[np.float64], rng: np.random.Generator) -> list[str | None]:
    """The second has thrice the wrong labels of others, the last ten labels, and some rows name none."""
    shares = np.array([1.0] * (len(ANNOTATORS) - 1))
    usual = rng.choice(len(shares), N, p=shares / shares.sum())
    who = np.where((p > 0.2) & (rng.random(N) < 0.2), 1, usual)
    who[rng.choice(np.flatnonzero(p < 0.1), 8, replace=False)] = len(ANNOTATORS) - 1
    who[rng.choice(np.flatnonzero(p > 0.7), 2, replace=False)] = len(ANNOTATORS) - 1
    named = rng.random(N) > 0.01
    return [ANNOTATORS[i] if is_named else None for i, is_named in zip(who, named, strict=True)]


def draw(audit: AuditResult, folder: Path) -> None:
    """A photograph, so to speak, of each row that the report may show."""
    (folder / "photos").mkdir(parents=True)
    shown = np.flatnonzero(audit.suspects() | (audit.column("status") == "unlabelled"))
    for row in shown.tolist():
        rng = np.random.default_rng(row)
        ground = np.linspace(rng.integers(60, 230, 3), rng.integers(60, 230, 3), 240)[:, None]
        pixels = np.clip(ground + rng.normal(0, 9, (240, 320, 3)), 0, 255).astype(np.uint8)
        image = Image.fromarray(pixels)
        x, y, size = (float(rng.integers(*ends)) for ends in ((20, 160), (20, 100), (60, 130)))
        ImageDraw.Draw(image).ellipse(
            (x, y, x + size, y + size), fill=tuple(rng.integers(0, 255, 3).tolist())
        )
        image.save(folder / "photos" / f"{row:05d}.jpg")
