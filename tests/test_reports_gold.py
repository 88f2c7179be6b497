"""Reports compared with gold files. `NOISEAUDIT_UPDATE_GOLD=1 pytest tests/test_reports_gold.py` rewrites them.

Charts are left out of the HTML: matplotlib's SVG differs between versions (test_reports_charts.py checks them).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from noiseaudit.evaluation import evaluate
from noiseaudit.result import AuditResult
from noiseaudit.truth import truth_from_audit
from noiseaudit_reports import build_view, write_suspects_csv
from noiseaudit_reports.html import render_html
from noiseaudit_reports.markdown import render_markdown

GOLD = Path(__file__).parent / "gold"
CLASSES = ["cat", "=dog", "<b>frog</b>", "a|b", "two\nlines"]
CHARTS = {
    name: f'<svg class="chart">{name}</svg>' for name in ("p_mislabeled", "epsilon", "precision_recall")
}


def html(audit: AuditResult, folder: Path) -> bytes:
    evaluation = evaluate(audit, truth_from_audit(audit))
    run = {
        "seconds": 12.3,
        "paths": {"data": "labels.csv"},
        "warnings": ["'NA' is read as a class name"],
        "cleaned": {"file": "cleaned.csv", "changed": 9, "protected": 1},
    }
    view = build_view(audit, run, evaluation, lambda row: b"\x89PNG" if row % 3 else None, run_folder="run")
    return render_html(view, CHARTS).encode()


def markdown(audit: AuditResult, folder: Path) -> bytes:
    evaluation = evaluate(audit, truth_from_audit(audit))
    return render_markdown(build_view(audit, None, evaluation, run_folder="run")).encode()


def suspects(audit: AuditResult, folder: Path) -> bytes:
    write_suspects_csv(audit, folder / "suspects.csv")
    return (folder / "suspects.csv").read_bytes()


@pytest.mark.parametrize(
    ("name", "render"), [("report.html", html), ("report.md", markdown), ("suspects.csv", suspects)]
)
def test_gold(
    name: str,
    render: Callable[[AuditResult, Path], bytes],
    make_audit: Callable[..., AuditResult],
    tmp_path: Path,
) -> None:
    images = [f"shots/@{i}_<i>.png" for i in range(60)]
    got = render(make_audit(60, CLASSES, images=images), tmp_path)
    if os.environ.get("NOISEAUDIT_UPDATE_GOLD") == "1":
        (GOLD / name).write_bytes(got)
    assert got.decode() == (GOLD / name).read_bytes().decode()
