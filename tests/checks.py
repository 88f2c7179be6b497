"""Rows that `sample` drew, with answers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from noiseaudit.decisions import Decision, write_decisions
from noiseaudit.result import AuditResult
from noiseaudit.sample import draw_sample


def as_expected(audit: AuditResult, n: int = 120) -> list[Decision]:
    """`n` drawn rows of which as many are wrong as the audit expects, up to chance."""
    rng = np.random.default_rng(0)
    p = dict(zip(audit.column("sample_id"), audit.column("p_mislabeled"), strict=True))
    return [_answer(each, rng.random() < p[each.sample_id]) for each in draw_sample(audit, n, seed=0)]


def all_wrong(audit: AuditResult, n: int = 120) -> list[Decision]:
    """As of people for whom no label is right."""
    return [_answer(each, True) for each in draw_sample(audit, n, seed=0)]


def _answer(drawn: Decision, is_wrong: bool) -> Decision:
    kind, label = ("relabel", "bird") if is_wrong else ("keep", None)
    return dataclasses.replace(drawn, decision=kind, new_label=label)


def write_checks(path: Path, decisions: list[Decision]) -> Path:
    write_decisions(path, decisions)
    return path
