"""Whether the probabilities can be trusted, in Markdown."""

from __future__ import annotations

from collections.abc import Callable

from noiseaudit.calibration import Calibration
from noiseaudit.interval import Range
from noiseaudit_reports.markdown_text import prose, table
from noiseaudit_reports.text import counted_range, range_text
from noiseaudit_reports.view import ReportView
from noiseaudit_reports.view_parts import Checked, CheckedShare


def trust(view: ReportView) -> str:
    """The section."""
    parts = [
        "## Can the probabilities be trusted?",
        "Precision is the share of the suspects that are really wrong, recall "
        "the share of all wrong labels that are suspects, the noise rate the share of all labels that are wrong. The "
        f"model expects {view.expectation}.",
        _checked(view.checked) if view.checked else "",
        _calibration(view.calibration) if view.calibration else "",
    ]
    return "\n\n".join(filter(None, parts))


def _checked(found: Checked) -> str:
    rows = [
        [
            share.name.capitalize(),
            _range(share.measured, counted_range),
            _range(share.expected, range_text),
            _meet(share),
        ]
        for share in found.shares
    ]
    header = ["Share", "Checked by people", "Expected by the audit", "Intervals meet"]
    return f"{table(header, [False, True, True, False], rows)}\n\n{prose(found.basis)}"


def _meet(share: CheckedShare) -> str:
    if share.measured.value is None or share.expected.value is None:
        return "–"
    return "no" if share.is_contradicted else "yes"


def _range(found: Range, text: Callable[[Range], str]) -> str:
    return "–" if found.value is None else prose(text(found))


def _calibration(found: Calibration) -> str:
    ratio = "–" if found.count_ratio is None else f"{found.count_ratio:.3f}"
    rows = [
        ["Expected for each truly wrong label", ratio, "1"],
        ["Calibration error (ECE)", f"{found.ece:.4f}", "0"],
        ["Brier score", f"{found.brier:.4f}", f"{found.best_brier:.4f}"],
        ["Log loss", f"{found.log_loss:.4f}", f"{found.best_log_loss:.4f}"],
    ]
    return table(["Calibration", "Value", "Best for this order"], [False, True, True], rows)
