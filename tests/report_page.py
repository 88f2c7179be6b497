"""report.html as a browser reads it, and views to render."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

from noiseaudit.evaluation import evaluate
from noiseaudit.result import AuditResult
from noiseaudit.truth import truth_from_audit
from noiseaudit_reports import ReportView, build_view

MakeAudit = Callable[..., AuditResult]
VOID = {"meta", "img", "br", "link", "input", "hr"}
CHARTS = ("p_mislabeled", "epsilon", "cost", "precision_recall", "reliability")
NO_CHARTS = dict.fromkeys(CHARTS, "<svg></svg>")


class Page(HTMLParser):
    """Elements as (tag, attributes), text by bdi, and a check that every element is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.names: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "bdi":
            self.names.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "bdi" in self.open:
            self.names[-1] += data

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]


def full_view(audit: AuditResult) -> ReportView:
    truth = truth_from_audit(audit)
    warned = {"warnings": ["<b>"]}
    return build_view(audit, warned, evaluate(audit, truth), lambda row: b"\x89PNG", truth=truth)


def groups_view(make_audit: MakeAudit) -> ReportView:
    names = ["\u202eann", "<b>bob</b>", "cy", None]
    return build_view(
        make_audit(400, annotators=[names[i % 7 % 4] for i in range(400)], batches=["b"] * 400),
        thumbnail=lambda row: b"\x89PNG",
    )


def section(html: str, name: str) -> str:
    return html.partition(f'<section aria-labelledby="{name}">')[2].partition("</section>")[0]
