"""Compute a ReportView from an audit."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from noiseaudit.evaluation import Evaluation
from noiseaudit.expected import Expected, expect
from noiseaudit.manifest import clean_command
from noiseaudit.percent import cutoff_text
from noiseaudit.ranking import Pair, dominant_pair, suspect_pairs
from noiseaudit.result import AuditMeta, AuditResult
from noiseaudit.why import records
from noiseaudit_reports.expectation import expectation
from noiseaudit_reports.text import count, share
from noiseaudit_reports.thumbnails import Thumbnail, Thumbnails
from noiseaudit_reports.view import (
    ClassCount,
    EpsilonHistogram,
    HeatMap,
    Histogram,
    ReportView,
    Suggestion,
    Suspect,
    UnreadGroup,
)

MAX_SUGGESTIONS = 12
MAX_HEAT_MAP_CLASSES = 20
P_EDGES = np.linspace(0, 1, 41)
EPSILON_EDGES = 10.0 ** np.arange(-12, 0.5, 0.5)


def build_view(
    audit: AuditResult,
    run: Mapping[str, Any] | None = None,
    evaluation: Evaluation | None = None,
    thumbnail: Thumbnail | None = None,
    *,
    max_suspects: int = 100,
    run_folder: str = "RUN",
) -> ReportView:
    """`run` is the content of run.json; `run_folder` is what the clean command names."""
    p_mislabeled, epsilon = audit.column("p_mislabeled"), audit.column("epsilon")
    scored = ~np.isnan(p_mislabeled)
    flagged = audit.suspects()
    thumbnails, expected = Thumbnails(thumbnail), expect(audit)
    status = Counter(audit.column("status").tolist())
    n_unread = len(audit) - status["ok"] - status["unlabelled"]
    pairs = tuple(suspect_pairs(audit))
    return ReportView(
        audit=audit,
        finding=_finding(int(flagged.sum()), int(scored.sum())),
        n_rows=len(audit),
        n_scored=int(scored.sum()),
        n_unlabelled=status["unlabelled"],
        n_unread=n_unread,
        n_suspects=int(flagged.sum()),
        expected_wrong=float(p_mislabeled[scored].sum()),
        expectation=expectation(audit, expected, evaluation),
        suspects=_suspects(audit, flagged, thumbnails, max_suspects),
        suggestions=_suggestions(audit, thumbnails),
        pairs=pairs,
        dominant_pair=dominant_pair(audit),
        heat_map=_heat_map(audit.meta.classes, pairs),
        classes=_classes(audit, expected, scored, flagged),
        n_classes=len(audit.meta.classes),
        p_mislabeled=_histogram(p_mislabeled, P_EDGES, scored, flagged),
        epsilon=_epsilon(epsilon, flagged),
        unread=_unread(audit),
        evaluation=evaluation,
        cleaned=_cleaned((run or {}).get("cleaned")),
        clean_command=clean_command(run or {}, Path(run_folder)),
        settings=_settings(audit.meta, run or {}),
        warnings=tuple((run or {}).get("warnings", ())),
    )


def _finding(n_suspects: int, n_scored: int) -> str:
    if n_suspects == 0:
        return f"None of {count(n_scored, 'label')} looks wrong"
    verb = "looks" if n_suspects == 1 else "look"
    return f"{n_suspects:,} of {count(n_scored, 'label')} {verb} wrong ({share(n_suspects, n_scored)})"


def _suspects(
    audit: AuditResult, flagged: np.ndarray[Any, Any], thumbnails: Thumbnails, limit: int
) -> tuple[Suspect, ...]:
    rows = np.flatnonzero(flagged)
    first = rows[np.argsort(audit.column("rank")[rows], kind="stable")][:limit]
    shown = [name for name in Suspect.__dataclass_fields__ if name != "thumbnail"]
    return tuple(
        Suspect(**record, thumbnail=thumbnails.uri(record["row"]))
        for record in records(audit.table.take(first), shown)
    )


def _suggestions(audit: AuditResult, thumbnails: Thumbnails) -> tuple[Suggestion, ...]:
    """The unlabelled rows that the model is surest of."""
    p_suggested = audit.column("p_suggested")
    rows = np.flatnonzero((audit.column("status") == "unlabelled") & ~np.isnan(p_suggested))
    first = rows[np.argsort(-p_suggested[rows], kind="stable")][:MAX_SUGGESTIONS]
    return tuple(
        Suggestion(r["row"], r["sample_id"], r["suggested_label"], r["p_suggested"], thumbnails.uri(r["row"]))
        for r in audit.table.take(first).to_pylist()
    )


def _heat_map(classes: tuple[str, ...], pairs: tuple[Pair, ...]) -> HeatMap | None:
    if not pairs or len(classes) > MAX_HEAT_MAP_CLASSES:
        return None
    counts = {(pair.given_label, pair.suggested_label): pair.count for pair in pairs}
    return HeatMap(classes, tuple(tuple(counts.get((g, s), 0) for s in classes) for g in classes))


def _classes(
    audit: AuditResult, expected: Expected, scored: np.ndarray[Any, Any], flagged: np.ndarray[Any, Any]
) -> tuple[ClassCount, ...]:
    given = audit.column("given_label")
    n, n_suspects = Counter(given[scored].tolist()), Counter(given[flagged].tolist())
    wrong = expected.noise_rate_by_class
    counts = [
        ClassCount(name, n[name], n_suspects[name], wrong[name]) for name in audit.meta.classes if n[name]
    ]
    return tuple(sorted(counts, key=lambda c: -c.n_suspects))


def _histogram(
    values: np.ndarray[Any, Any],
    edges: np.ndarray[Any, Any],
    use: np.ndarray[Any, Any],
    flagged: np.ndarray[Any, Any],
) -> Histogram:
    bounded = np.clip(values, edges[0], edges[-1])
    rows = np.histogram(bounded[use], edges)[0]
    suspects = np.histogram(bounded[use & flagged], edges)[0]
    return Histogram(tuple(edges.tolist()), tuple(rows.tolist()), tuple(suspects.tolist()))


def _epsilon(epsilon: np.ndarray[Any, Any], flagged: np.ndarray[Any, Any]) -> EpsilonHistogram | None:
    if np.isnan(epsilon).all():
        return None
    zero = epsilon == 0
    above = _histogram(epsilon, EPSILON_EDGES, epsilon > 0, flagged)
    return EpsilonHistogram(above, int(zero.sum()), int((zero & flagged).sum()))


def _unread(audit: AuditResult) -> tuple[UnreadGroup, ...]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    columns = (audit.column(name) for name in ("status", "reason", "sample_id"))
    for status, reason, sample_id in zip(*columns, strict=True):
        if status not in ("ok", "unlabelled"):
            groups[status, reason or ""].append(sample_id)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(UnreadGroup(*key, len(names), tuple(names[:3])) for key, names in ordered)


def _cleaned(cleaned: Mapping[str, Any] | None) -> str:
    if cleaned is None:
        return ""
    wrote = f"The scan wrote {cleaned['file']} with {count(cleaned['changed'], 'suspect')} relabelled"
    if not cleaned["protected"]:
        return f"{wrote}."
    spared = count(cleaned["protected"], "suspect")
    return f"{wrote}; {spared} in test or validation splits kept the given label (--include-test)."


def _settings(meta: AuditMeta, run: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the audit depended on; details have a dot in their name.

    Of run.json only the duration: reports travel, hosts and paths do not.
    """
    asked, chosen = meta.config.get("asked", {}), meta.config.get("chosen", meta.config)
    settings = {
        "method": asked.get("method"),
        **_flat(chosen),
        "seed": meta.seed,
        "device": meta.device_type,
        "threads": meta.threads,
        "cut-off": meta.cutoff.rule,
        "cut-off threshold": cutoff_text(meta.cutoff.score, meta.cutoff.threshold),
        "duration": f"{float(run['seconds']):.0f} s" if "seconds" in run else None,
        "noiseaudit": meta.versions.get("noiseaudit"),
        "data fingerprint": meta.data_fingerprint,
        **_flat(asked, "asked."),
        **_flat(meta.versions, "version."),
    }
    known = {name: value for name, value in settings.items() if value is not None}
    return tuple(
        (name, value if isinstance(value, str) else json.dumps(value)) for name, value in known.items()
    )


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in config.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat
