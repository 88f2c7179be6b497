"""Reports of an audit: one view, computed once, and the writers that render it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from noiseaudit_reports.build import build_view
from noiseaudit_reports.html import write_html
from noiseaudit_reports.json_file import write_json
from noiseaudit_reports.markdown import write_markdown
from noiseaudit_reports.suspects import write_suspects, write_suspects_csv
from noiseaudit_reports.view import ReportView

__all__ = [
    "WRITERS",
    "ReportView",
    "build_view",
    "write_html",
    "write_json",
    "write_markdown",
    "write_suspects_csv",
]

WRITERS: Mapping[str, Callable[[ReportView, Path], None]] = {
    "html": write_html,
    "markdown": write_markdown,
    "json": write_json,
    "suspects": write_suspects,
}
