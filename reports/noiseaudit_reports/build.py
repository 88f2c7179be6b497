"""Compute a ReportView from an audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from noiseaudit.compare.stored import Compared
from noiseaudit.cost import cost_curve
from noiseaudit.estimate import Estimate
from noiseaudit.evaluation import Evaluation
from noiseaudit.expected import expect
from noiseaudit.manifest import clean_command, decided_command
from noiseaudit.outputs import decisions_file
from noiseaudit.ranking import dominant_pair, suspect_pairs
from noiseaudit.result import AuditResult
from noiseaudit.reviewed import Reviewed
from noiseaudit.truth import Truth
from noiseaudit_reports.expectation import expectation
from noiseaudit_reports.parts.calibration import calibrated
from noiseaudit_reports.parts.checked import checked as checked_part
from noiseaudit_reports.parts.classes import classes
from noiseaudit_reports.parts.groups import groups
from noiseaudit_reports.parts.next_steps import (
    besides,
    review_command,
    sample_command,
    spoiled,
    unlabelled_command,
)
from noiseaudit_reports.parts.origin import origin
from noiseaudit_reports.parts.pairs import heat_map, strips
from noiseaudit_reports.parts.reviewed import reviewed_text, spoiled_left
from noiseaudit_reports.parts.scores import P_EDGES, epsilon_histogram, histogram
from noiseaudit_reports.parts.settings import settings
from noiseaudit_reports.parts.summary import cleaned, estimate, finding, sureness
from noiseaudit_reports.parts.suspects import suggestions, suspects
from noiseaudit_reports.parts.unread import unread
from noiseaudit_reports.thumbnails import Thumbnail, Thumbnails, budget
from noiseaudit_reports.view import ReportView


def build_view(
    audit: AuditResult,
    run: Mapping[str, Any] | None = None,
    evaluation: Evaluation | None = None,
    thumbnail: Thumbnail | None = None,
    *,
    truth: Truth | None = None,
    compared: Compared | None = None,
    checked: Estimate | None = None,
    reviewed: Reviewed | None = None,
    max_suspects: int = 100,
    run_folder: str = "RUN",
) -> ReportView:
    """`run` is the content of run.json; `run_folder` is what its commands name.

    `truth` is what `evaluation` was made from: with it come the true cost of a review, and calibration.
    `compared` is a comparison on the same data, `checked` what people who checked a random sample of it say,
    `reviewed` how far a review is, of whatever rows people chose.
    """
    run, folder = run or {}, Path(run_folder)
    p_mislabeled = audit.column("p_mislabeled")
    scored, flagged = ~np.isnan(p_mislabeled), audit.suspects()
    n_scored, n_suspects = int(scored.sum()), int(flagged.sum())
    status = Counter(audit.column("status").tolist())
    expected, pairs = expect(audit), tuple(suspect_pairs(audit))
    read = cache(thumbnail) if thumbnail else None  # a suspect may stand in a strip, too
    bytes_in_all = budget(max_suspects)
    thumbnails = Thumbnails(read, bytes_in_all - bytes_in_all // 4)
    by_people = checked_part(expected, checked)
    measured, reliability = calibrated(audit, truth)
    known = evaluation.relabelling if evaluation else None
    return ReportView(
        audit=audit,
        origin=origin(audit.meta, run),
        finding=finding(n_suspects, n_scored),
        estimate=estimate(expected, checked, n_suspects, evaluation) if n_scored else "",
        n_rows=len(audit),
        n_scored=n_scored,
        n_unlabelled=status["unlabelled"],
        n_unread=len(audit) - status["ok"] - status["unlabelled"],
        n_suspects=n_suspects,
        expected_wrong=float(p_mislabeled[scored].sum()),
        sureness=tuple(sureness(expected, evaluation, n_suspects, n_scored)),
        expected=expected,
        expectation=expectation(audit, expected, evaluation, n_scored),
        strips=strips(audit, pairs, Thumbnails(read, bytes_in_all // 4)),
        suspects=suspects(audit, flagged, thumbnails, max_suspects),
        suggestions=suggestions(audit, thumbnails),
        pairs=pairs,
        dominant_pair=dominant_pair(audit),
        heat_map=heat_map(audit.meta.classes, pairs),
        classes=classes(audit, expected, scored, flagged),
        n_classes=len(audit.meta.classes),
        annotators=groups(audit, "annotator"),
        batches=groups(audit, "batch"),
        cost=cost_curve(audit, truth),
        compared=compared,
        p_mislabeled=histogram(p_mislabeled, P_EDGES, scored, flagged),
        epsilon=epsilon_histogram(audit.column("epsilon"), flagged),
        unread=unread(audit),
        checked=by_people,
        evaluation=evaluation,
        calibration=measured,
        reliability=reliability,
        cleaned=cleaned(run.get("cleaned"), folder),
        review_command=review_command(folder),
        decided_command=decided_command(run, folder),
        sample_command=sample_command(folder, n_scored) if n_suspects and not checked else "",
        unlabelled_command=unlabelled_command(folder) if status["unlabelled"] else "",
        clean_command=besides(clean_command(run, folder), decisions_file(folder) if reviewed else None),
        spoiled=spoiled_left(reviewed) if reviewed else spoiled(expected, n_suspects, checked, known),
        reviewed=reviewed,
        reviewed_text=reviewed_text(reviewed),
        settings=settings(audit.meta, run),
        warnings=tuple(run.get("warnings", ())),
    )
