"""report.md: the report for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from noiseaudit.atomic import write_text
from noiseaudit.evaluation import Evaluation, table3
from noiseaudit.percent import cutoff_text, percent
from noiseaudit.ranking import Pair
from noiseaudit_reports.text import count, sentence, share, visible
from noiseaudit_reports.view import ReportView

TOP_SUSPECTS = 20
TOP_PAIRS = 10
ESTIMATE = "the model's own estimate"
_ASCII_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_ACTIVE = re.compile(r"[\\`*_\[\]<>&|~$@#:]|(?<=www)\.", re.IGNORECASE)


def write_markdown(view: ReportView, path: Path) -> None:
    """Write GitHub-flavoured Markdown. Raises OutputError if `path` cannot be written."""
    write_text(path, render_markdown(view))


def render_markdown(view: ReportView) -> str:
    parts = [
        f"# Label audit: {prose(view.finding)}",
        _summary(view),
        f"## Suspects\n\n{_suspects(view)}",
        _pairs(view),
        _evaluation(view.evaluation) if view.evaluation else "",
        _unread(view),
        _next(view),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _next(view: ReportView) -> str:
    written = f". {prose(view.cleaned)}" if view.cleaned else ":"
    return (
        f"## What next\n\nLook at the suspects, then write a cleaned label file{written}"
        f"\n\n    {view.clean_command}"
    )


def name(text: str) -> str:
    """A label or file name as code: no markup, mention or automatic link works in it."""
    shown = visible(text)
    if "|" in shown or "`" in shown:
        return f"<code>{_ASCII_PUNCTUATION.sub(_entity, shown)}</code>"
    return f"`{shown}`"


def prose(text: str) -> str:
    """A sentence that may quote labels: markup, mentions and automatic links in it stay plain text."""
    quoted = _ACTIVE.sub(_entity, sentence(text))
    return quoted.replace("&#64;", "&#64;&#8203;").replace("&#35;", "&#35;&#8203;")


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match.group())};"


def _table(header: Sequence[str], numeric: Sequence[bool], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))


def _summary(view: ReportView) -> str:
    header = ["Rows", "Labels checked", "Unlabelled", "Unread", "Suspects", "Estimated wrong"]
    numbers = [view.n_rows, view.n_scored, view.n_unlabelled, view.n_unread, view.n_suspects]
    cells = [f"{number:,}" for number in numbers] + [f"{view.expected_wrong:,.0f}"]
    cutoff = view.audit.meta.cutoff
    where = name(cutoff_text(cutoff.score, cutoff.threshold, view.n_suspects))
    text = f"Cut-off: {where}. {prose(cutoff.reason)} Estimated wrong is {ESTIMATE}. "
    text += f"It expects {view.expectation}."
    return "\n\n".join([_table(header, [True] * 6, [cells]), text, *_confusion(view.dominant_pair)])


def _confusion(pair: Pair | None) -> list[str]:
    if pair is None:
        return []
    return [
        f"{count(pair.count, 'suspect')}, more than half, are {name(pair.given_label)} → "
        f"{name(pair.suggested_label)}: possibly a systematic confusion, worth a look before cleaning."
    ]


def _suspects(view: ReportView) -> str:
    if not view.suspects:
        return "None."
    header = ["Rank", "Row", "Sample", "Given", "Suggested", "p_mislabeled", "Why"]
    rows = [
        [
            str(s.rank),
            str(s.row),
            name(s.sample_id),
            name(s.given_label),
            name(s.suggested_label) if s.suggested_label is not None else "",
            prose(percent(s.p_mislabeled)),
            prose(s.why or ""),
        ]
        for s in view.suspects[:TOP_SUSPECTS]
    ]
    table = _table(header, [True, True, False, False, False, True, False], rows)
    hidden = view.n_suspects - len(rows)
    return f"{table}\n\n{count(hidden, 'more suspect')} in suspects.csv." if hidden else table


def _pairs(view: ReportView) -> str:
    if not view.pairs:
        return ""
    rows = [
        [name(p.given_label), name(p.suggested_label), f"{p.count:,}", prose(share(p.count, view.n_suspects))]
        for p in view.pairs[:TOP_PAIRS]
    ]
    table = _table(["Given", "Suggested", "Suspects", "Share"], [False, False, True, True], rows)
    return f"## Most confused classes\n\n{table}"


def _evaluation(evaluation: Evaluation) -> str:
    header, *rows = table3(evaluation)
    table = _table(header, [False, *[True] * (len(header) - 1)], rows)
    without = f"; {count(evaluation.n_without_truth, 'row')} without truth left out"
    return (
        f"## Against the truth\n\n{table}\n\n{count(evaluation.n_with_truth, 'row')}, 95% intervals"
        f"{without if evaluation.n_without_truth else ''}."
        + "".join(f" {prose(note)}" for note in evaluation.notes)
    )


def _unread(view: ReportView) -> str:
    if not view.unread:
        return ""
    rows = [[g.status, prose(g.reason), f"{g.count:,}", name(g.examples[0])] for g in view.unread]
    return "## Images not read\n\n" + _table(
        ["Status", "Reason", "Rows", "First"], [False, False, True, False], rows
    )
