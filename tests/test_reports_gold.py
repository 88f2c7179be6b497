"""Reports compared with gold files. `NOISEAUDIT_UPDATE_GOLD=1 pytest tests/test_reports_gold.py` rewrites them.

Charts are left out of the HTML: matplotlib's SVG differs between versions (test_reports_charts.py checks them).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.evaluation import evaluate
from noiseaudit.result import AuditResult
from noiseaudit.truth import truth_from_audit
from noiseaudit_reports import ReportView, build_view, write_suspects_csv
from noiseaudit_reports.html import render_html
from noiseaudit_reports.json_file import render_json
from noiseaudit_reports.markdown import render_markdown
from noiseaudit_reports.thumbnails import Thumbnail

GOLD = Path(__file__).parent / "gold"
CLASSES = ["cat", "=dog", "<b>frog</b>", "a|b", "two\nlines"]
ANNOTATORS = ["\u202eann", "<i>bob</i>", None]
CHARTS = {
    name: f'<svg class="chart">{name}</svg>'
    for name in ("p_mislabeled", "epsilon", "cost", "precision_recall", "reliability")
}


def viewed(
    audit: AuditResult, run: Mapping[str, Any] | None = None, thumbnail: Thumbnail | None = None
) -> ReportView:
    truth = truth_from_audit(audit)
    return build_view(audit, run, evaluate(audit, truth), thumbnail, truth=truth, run_folder="run")


def html(audit: AuditResult, folder: Path) -> bytes:
    run = {
        "seconds": 12.3,
        "paths": {"data": "labels.csv"},
        "warnings": ["'NA' is read as a class name"],
        "cleaned": {"file": "cleaned.csv", "changed": 9, "protected": 1},
    }
    return render_html(viewed(audit, run, lambda row: b"\x89PNG" if row % 3 else None), CHARTS).encode()


def markdown(audit: AuditResult, folder: Path) -> bytes:
    return render_markdown(viewed(audit)).encode()


def report_json(audit: AuditResult, folder: Path) -> bytes:
    return render_json(viewed(audit)).encode()


def suspects(audit: AuditResult, folder: Path) -> bytes:
    write_suspects_csv(audit, folder / "suspects.csv")
    return (folder / "suspects.csv").read_bytes()


@pytest.mark.parametrize(
    ("name", "render"),
    [
        ("report.html", html),
        ("report.md", markdown),
        ("report.json", report_json),
        ("suspects.csv", suspects),
    ],
)
def test_gold(
    name: str,
    render: Callable[[AuditResult, Path], bytes],
    make_audit: Callable[..., AuditResult],
    tmp_path: Path,
) -> None:
    images = [f"shots/@{i}_<i>.png" for i in range(60)]
    annotators = [ANNOTATORS[i % 7 % 3] for i in range(60)]
    batches = [f"batch {i // 30}" for i in range(60)]
    audit = make_audit(60, CLASSES, images=images, annotators=annotators, batches=batches)
    got = render(audit, tmp_path)
    if os.environ.get("NOISEAUDIT_UPDATE_GOLD") == "1":
        (GOLD / name).write_bytes(got)
    assert got.decode() == (GOLD / name).read_bytes().decode()
