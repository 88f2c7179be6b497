"""report.md: the report for a pull request."""

from __future__ import annotations

from pathlib import Path

from noiseaudit.atomic import write_text
from noiseaudit.evaluation import Evaluation, table3
from noiseaudit.interval import Range
from noiseaudit.percent import cutoff_text, percent
from noiseaudit.ranking import Pair
from noiseaudit_reports.markdown_cost import review_costs
from noiseaudit_reports.markdown_text import name, prose, table
from noiseaudit_reports.markdown_trust import trust
from noiseaudit_reports.text import count, range_text, share, whole
from noiseaudit_reports.view import ReportView
from noiseaudit_reports.view_parts import Checked, GroupPart, Origin

TOP_SUSPECTS = 20
TOP_PAIRS = 10
TOP_GROUPS = 10


def write_markdown(view: ReportView, path: Path) -> None:
    """Write GitHub-flavoured Markdown. Raises OutputError if `path` cannot be written."""
    write_text(path, render_markdown(view))


def render_markdown(view: ReportView) -> str:
    parts = [
        f"# Label audit: {prose(view.finding)}",
        prose(view.estimate),
        _origin(view.origin),
        _summary(view),
        _next(view),
        f"## Suspects\n\n{_suspects(view)}",
        _pairs(view),
        _groups(view.annotators, "annotator", "annotators"),
        _groups(view.batches, "batch", "batches"),
        review_costs(view),
        trust(view),
        _evaluation(view.evaluation) if view.evaluation else "",
        _unread(view),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _origin(origin: Origin) -> str:
    said = [
        f"Labels {name(origin.labels)}" if origin.labels else "",
        f"images {name(origin.images)}" if origin.images else "",
        f"scanned {origin.date}" if origin.date else "",
        f"noiseaudit {prose(origin.version)}" if origin.version else "",
    ]
    return " · ".join(part for part in said if part)


def _next(view: ReportView) -> str:
    cleaned = f" {prose(view.cleaned)}" if view.cleaned else ""
    if not view.n_suspects:
        nothing = f"There is nothing to clean: no label is above the cut-off.{cleaned}"
        return "\n\n".join(["## What next", nothing, *_first_labels(view)])
    steps = [
        f"{_look(view)}\n\n    {whole(view.review_command)}",
        "Write a label file in which what you decided is changed, and nothing else:"
        f"\n\n    {whole(view.decided_command)}",
    ]
    if view.sample_command:
        steps.append(
            "To know how good the audit is, not what it expects of itself, check some labels drawn at random:"
            f"\n\n    {whole(view.sample_command)}"
        )
    steps += _first_labels(view)
    if view.spoiled:
        which = "the others" if view.reviewed else "all suspects"
        steps.append(
            f"Last choice, relabelling {which} without looking. **{prose(view.spoiled)}**{cleaned}"
            f"\n\n    {whole(view.clean_command)}"
        )
    return "## What next\n\n" + "\n\n".join(steps)


def _first_labels(view: ReportView) -> list[str]:
    """What becomes of rows without a label, where there are some."""
    if not view.unlabelled_command:
        return []
    have = "has" if view.n_unlabelled == 1 else "have"
    return [
        f"{count(view.n_unlabelled, 'row')} without a label {have} a suggested one: confirm them on the page of "
        f"`noiseaudit review` (Filters, Rows: without a label), or list them:\n\n    {whole(view.unlabelled_command)}"
    ]


def _look(view: ReportView) -> str:
    if view.reviewed is None:
        return (
            "Look at the suspects, most suspicious first, and decide on a local page. It needs an extra, from a copy "
            "of the repository: `pip install '.[review]'`."
        )
    if not view.reviewed.n_suspects_left:
        return "All suspects are judged. To look at them again:"
    return f"Go on with the review; {count(view.reviewed.n_suspects_left, 'suspect')} left:"


def _summary(view: ReportView) -> str:
    wrong = f"Estimated wrong in all{', by people' if view.checked else ''}"
    header = ["Rows", "Labels checked", "Unlabelled", "Unread", "Suspects", wrong]
    numbers = [view.n_rows, view.n_scored, view.n_unlabelled, view.n_unread, view.n_suspects]
    cells = [f"{number:,}" for number in numbers] + [f"{view.estimated_wrong:,.0f}"]
    cutoff = view.audit.meta.cutoff
    where = name(cutoff_text(cutoff.score, cutoff.threshold, view.n_suspects))
    text = f"Cut-off: {where}. {prose(cutoff.reason)} "
    text += " ".join(prose(said) for said in view.sureness)
    people = _people(view.checked) if view.checked else []
    review = [prose(view.reviewed_text)] if view.reviewed_text else []
    return "\n\n".join(
        [table(header, [True] * 6, [cells]), *review, *people, text, *_confusion(view.dominant_pair)]
    )


def _people(checked: Checked) -> list[str]:
    verdict = prose(checked.verdict)
    return [f"{prose(checked.said)} {f'**{verdict}**' if checked.contradicted else verdict}"]


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
    listed = table(header, [True, True, False, False, False, True, False], rows)
    hidden = view.n_suspects - len(rows)
    return f"{listed}\n\n{count(hidden, 'more suspect')} in suspects.csv." if hidden else listed


def _pairs(view: ReportView) -> str:
    if not view.pairs:
        return ""
    rows = [
        [name(p.given_label), name(p.suggested_label), f"{p.count:,}", prose(share(p.count, view.n_suspects))]
        for p in view.pairs[:TOP_PAIRS]
    ]
    listed = table(["Given", "Suggested", "Suspects", "Of all suspects"], [False, False, True, True], rows)
    return f"## Most confused classes\n\n{listed}"


def _groups(part: GroupPart | None, noun: str, plural: str) -> str:
    if part is None or part.typical is None:
        return ""
    rows = [
        [name(g.name), _range(g.rate), f"{g.n:,}", f"{g.n_suspects:,}", f"{g.wrong:,.1f}"]
        for g in part.groups[:TOP_GROUPS]
    ]
    header = [noun.capitalize(), "Shrunken rate", "Labels (n)", "Suspects", "Number estimated wrong"]
    above = f"{part.n_above:,} of {part.n_groups:,} {'is' if part.n_above == 1 else 'are'} clearly above it."
    hidden = part.n_groups - len(rows)
    return "\n\n".join(
        [
            f"## {plural.capitalize()}",
            f"Few labels prove little, so each rate, with its 95 % interval, is drawn towards what is typical here, "
            f"{prose(percent(part.typical))}, the more the fewer labels there are and the less "
            "their scores tell. The intervals assume that p\\_mislabeled is right on average over all labels. Where "
            f"it is not, all rates are off in one direction: compare them with each other, not with a limit. {above}",
            table(header, [False, *[True] * 4], rows),
            *([f"{count(hidden, f'more {noun}', f'more {plural}')} in report.json."] if hidden else []),
        ]
    )


def _range(found: Range) -> str:
    return "–" if found.value is None else prose(range_text(found))


def _evaluation(evaluation: Evaluation) -> str:
    header, *rows = table3(evaluation)
    listed = table(header, [False, *[True] * (len(header) - 1)], rows)
    without = f"; {count(evaluation.n_without_truth, 'row')} without truth left out"
    return (
        f"## Against the truth\n\n{listed}\n\n{count(evaluation.n_with_truth, 'row')}, 95% intervals"
        f"{without if evaluation.n_without_truth else ''}."
        + "".join(f" {prose(note)}" for note in evaluation.notes)
    )


def _unread(view: ReportView) -> str:
    if not view.unread:
        return ""
    rows = [[g.status, prose(g.reason), f"{g.count:,}", name(g.examples[0])] for g in view.unread]
    return "## Images not read\n\n" + table(
        ["Status", "Reason", "Rows", "First"], [False, False, True, False], rows
    )
