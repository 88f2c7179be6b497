"""Measure tools on one data set over seeds, with known truth or with planted noise."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import threadpool_limits

from noiseaudit.compare.case import Case, Codes, Floats
from noiseaudit.compare.review import review_curve
from noiseaudit.compare.tools import TOOLS, usable
from noiseaudit.compare.verdict import Verdict
from noiseaudit.config import AuditConfig, one_of
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.noise import BY_CLASS
from noiseaudit.runtime import training_runtime
from noiseaudit.versions import versions

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Question:
    """What is compared: m rows with labels, and which of them are wrong, or how many shall be."""

    data: TrainingData
    backbone: str
    features: str  # for people: what x is
    fingerprint: str  # of labels and images, as an audit has it
    wrong: Bools | None  # (m,); None: plant
    known: Bools | None = None  # (m,) rows whose truth is known; None: all that are labelled
    plant: str = "symmetric"
    rate: float = 0.2
    notes: tuple[str, ...] = ()  # for people: how the truth was read, where that is not plain


def tools_for(question: Question, asked: Sequence[str] | None) -> list[str]:
    """The tools that are asked for, or all that can run. Raises ConfigError for one that is unknown or cannot run."""
    has_vectors = len(question.data.shape) == 1
    if asked is not None and not asked:
        raise ConfigError("--tools names none", fix=f"Name some of {', '.join(TOOLS)}, or leave it out.")
    for name in asked or ():
        one_of("--tools", name, tuple(TOOLS))
        if not usable(TOOLS[name], has_vectors):
            raise _cannot_run(name, has_vectors)
    return [*dict.fromkeys(asked or (name for name, tool in TOOLS.items() if usable(tool, has_vectors)))]


def _cannot_run(name: str, has_vectors: bool) -> ConfigError:
    """What tool `name`, which is not usable, lacks."""
    if TOOLS[name].needs_vectors and not has_vectors:
        needs, fix = "embeddings or features", "Give --backbone pretrained, or --embeddings FILE."
    else:
        needs, fix = "cleanlab, which is not installed", "pip install 'noiseaudit[bench]' brings it."
    return ConfigError(f"--tools {name} cannot run here: it needs {needs}", fix=fix)


def compare(
    question: Question,
    names: Sequence[str],
    seeds: Sequence[int],
    config: AuditConfig,
    device: torch.device,
    on_tool: Callable[[int, str], None] = lambda seed, name: None,
) -> Iterator[dict[str, Any]]:
    """One result for each seed and tool, in this order; `on_tool(seed, name)` before each.

    Raises DataError where none or all of the labels whose truth is known are wrong.
    """
    for seed in seeds:
        data, wrong, known = _posed(question, seed)
        if not wrong[known].any() or wrong[known].all():
            what = "no label is wrong" if not wrong[known].any() else "every label is wrong"
            raise DataError(
                f"{what} among the {known.sum()} whose truth is known, so there is nothing to rank",
                fix="Give another --truth, or a higher --rate.",
            )
        case = Case(data, question.backbone, config, seed, device)
        for name in names:
            on_tool(seed, name)
            verdict, seconds = judged(case, name)
            yield {
                "tool": name, "seed": seed, "epochs": config.epochs, "features": question.features,
                "plant": question.plant if question.wrong is None else None,
                "rate": question.rate if question.wrong is None else None,
                "n": int(known.sum()), "wrong": int(wrong[known].sum()), "seconds": round(seconds, 2),
                "device": device.type, "threads": case.threads, "versions": versions(),
                "data_fingerprint": question.fingerprint, "review": review_curve(verdict, wrong, known),
            } | measured(verdict, wrong, known)  # fmt: skip


def judged(case: Case, name: str) -> tuple[Verdict, float]:
    """What a tool says, and its seconds, with those of shared work that another tool paid for."""
    case.borrowed = 0.0
    started = time.perf_counter()
    with training_runtime(case.threads), threadpool_limits(case.threads):
        verdict = TOOLS[name].judge(case)
    return verdict, time.perf_counter() - started + case.borrowed


def keep(lines: Iterable[dict[str, Any]], out: Path) -> Iterator[dict[str, Any]]:
    """Pass results on, each as soon as it is in OUT.partial, which becomes `out` after the last."""
    partial = out.with_name(f"{out.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        for line in lines:
            print(json.dumps(line), file=file, flush=True)
            yield line
    partial.replace(out)


def measured(verdict: Verdict, wrong: Bools, known: Bools) -> dict[str, float | None]:
    """AP, AUROC, F1 at the tool's cut-off and at the best one, over the rows whose truth is known, all (k,)."""
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    scores, flagged, truth = verdict.scores[known], verdict.flagged[known], wrong[known]
    is_defined, is_ranked = truth.any(), truth.any() and not truth.all()
    return {
        "average_precision": float(average_precision_score(truth, scores)) if is_defined else None,
        "auroc": float(roc_auc_score(truth, scores)) if is_ranked else None,
        "f1": float(f1_score(truth, flagged)) if truth.any() or flagged.any() else None,
        "oracle_f1": best_f1(truth, scores),
        "flagged": float(flagged.sum()),
    }


def best_f1(truth: Bools, scores: Floats) -> float | None:
    """The highest F1 of any cut of the scores that leaves ties together; None where nothing is wrong."""
    if not truth.any():
        return None
    order = np.argsort(-scores, kind="stable")
    hits, ranked = np.cumsum(truth[order]), scores[order]
    f1 = 2 * hits / (np.arange(1, len(truth) + 1) + truth.sum())
    last_of_tie = np.append(ranked[1:] != ranked[:-1], True)
    return float(f1[last_of_tie].max())


def _posed(question: Question, seed: int) -> tuple[TrainingData, Bools, Bools]:
    """The data as this seed has them, and of the labelled rows which are wrong and which are known, (k,)."""
    codes = question.data.codes.numpy()
    labelled = codes >= 0
    known = labelled if question.known is None else question.known & labelled
    if question.wrong is not None:
        return question.data, question.wrong[labelled], known[labelled]
    rng = np.random.default_rng(seed)
    planted: Codes = codes.copy()
    noise = BY_CLASS[question.plant](codes[labelled], question.data.n_classes, question.rate, rng)
    planted[labelled] = noise.labels
    data = TrainingData(
        question.data.x, question.data.usable, torch.from_numpy(planted), question.data.n_classes
    )
    return data, noise.flipped, known[labelled]
