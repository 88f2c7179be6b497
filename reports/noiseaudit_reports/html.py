"""report.html: one self-contained file, no script, no network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from noiseaudit.atomic import write_text
from noiseaudit.evaluation import table3
from noiseaudit.percent import counted, cutoff_text, percent
from noiseaudit_reports.beside import beside
from noiseaudit_reports.charts import charts
from noiseaudit_reports.text import count, rounded, sentence, share, steps, unbroken, visible, whole
from noiseaudit_reports.view import ReportView

TOP_PAIRS = 15
TOP_CLASSES = 50
TOP_GROUPS = 30
MAIN_SETTINGS = frozenset(
    {
        "method", "backbone", "backbone_reason", "epochs", "seed", "device", "threads", "cut-off",
        "cut-off threshold", "duration", "noiseaudit", "data fingerprint",
    }
)  # fmt: skip


def write_html(view: ReportView, path: Path) -> None:
    """Write the report. Raises OutputError if `path` cannot be written."""
    write_text(path, render_html(view, charts(view)))


def render_html(view: ReportView, svg: Mapping[str, str]) -> str:
    """`svg`: the charts by name, as `charts(view)` gives them; they are the only text not escaped."""
    environment = Environment(
        loader=PackageLoader("noiseaudit_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "sentence": sentence, "unbroken": unbroken, "whole": whole}
    environment.filters |= {"rounded": rounded}
    environment.globals |= {"count": count, "share": share, "percent": percent, "counted": counted}
    environment.globals |= {"cutoff_text": cutoff_text}
    return environment.get_template("report.html.jinja").render(
        view=view,
        svg=svg,
        table3=table3(view.evaluation) if view.evaluation else None,
        contents=_contents(view),
        half=view.cost.milestones[0] if view.cost and view.cost.milestones else None,
        steps=steps(view.cost) if view.cost else [],
        beside=beside(view.compared) if view.compared else None,
        strips=[strip for strip in view.strips if any(example.thumbnail for example in strip.examples)],
        main_settings=MAIN_SETTINGS,
        top_groups=TOP_GROUPS,
        pairs=view.pairs[:TOP_PAIRS],
        classes=view.classes[:TOP_CLASSES],
        most_in_cell=max((max(row) for row in view.heat_map.counts), default=0) if view.heat_map else 0,
    )


def _contents(view: ReportView) -> list[tuple[str, str]]:
    """The parts that there are: id and name."""
    parts = (
        ("suspects", "Suspects", True),
        ("classes", "Classes", True),
        ("pairs", "Pairs", bool(view.pairs)),
        ("annotators", "Annotators", view.annotators is not None),
        ("batches", "Batches", view.batches is not None),
        ("cost", "Cost", bool(view.cost or view.compared)),
        ("sure", "Trust", True),
        ("truth", "Truth", view.evaluation is not None),
        ("scores", "Scores", True),
        ("unread", "Unread", bool(view.unread)),
        ("unlabelled", "Unlabelled", bool(view.suggestions)),
        ("settings", "Settings", True),
    )
    return [(place, name) for place, name, is_there in parts if is_there]
