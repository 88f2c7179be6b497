"""Table 3: how well the corrupt labels are found."""

from __future__ import annotations

from collections.abc import Sequence

from noiseaudit.bench.paper import COMPARABLE_NOISES, UNPUBLISHED, published
from noiseaudit.bench.results import Line
from noiseaudit.bench.section import Place, Section, is_diverged, markdown, settings_note, values_of
from noiseaudit.bench.stats import Summary, summary
from noiseaudit.bench.systems import ALL_LABELS, FEW_LABELS
from noiseaudit.bench.told import told_note

RULES = {
    "epsilon": "epsilon > 0, recorded after the last epoch",
    "step_epsilon": "epsilon > 0, in the last step of each row",
    "default": "noiseaudit's default score and cut-off",
    "own": "the same without neighbours",
}
LEGEND = (
    "F1: mean ± standard deviation over seeds, then mean recall and precision, with their own n where it is another "
    "(precision is undefined where nothing is flagged). Bold: at or above the paper's F1, unless runs diverged."
)
Runs = dict[Place, dict[int, Line]]


def detection_section(section: Section) -> str:
    """The paper's rule in both readings and the default score, where few rows and where all are labelled."""
    rates = sorted({place.rate for place in section.places()})
    parts = [f"### {section.title}\n"]
    for title, all_labelled in ((FEW_LABELS, False), (ALL_LABELS, True)):
        runs = {
            place: lines
            for place, lines in section.places().items()
            if (place.labels is None) == all_labelled
        }
        if runs:
            counts = sorted({line["labelled"] for lines in runs.values() for line in lines.values()})
            parts += [
                f"{title} ({', '.join(f'{count:,}' for count in counts)} labels):\n",
                markdown(["rule", *(f"{rate:.0%}" for rate in rates)], _rows(section, runs, rates)),
            ]
    notes = [LEGEND, *told_note(line["method"] for line in section.lines), *settings_note(section)]
    return "\n".join([*parts, *notes, section.hardware(), ""])


def _rows(section: Section, runs: Runs, rates: Sequence[float]) -> list[list[str]]:
    """The paper's row, then one for each system and rule that has a result; of its rivals, the default score alone.

    Where the neighbours were not asked, the score without them is the default score: it is not shown twice.
    """
    body = [["the paper", *(_paper_detection(section, rate) for rate in rates)]]
    own = section.subjects()
    methods = {place.system: place.method for place in runs}
    for system, method in sorted(methods.items(), key=lambda item: item[1] not in own):
        rules = RULES if method in own else {"default": RULES["default"]}
        cells = {
            rule: [_detection_cell(section, runs, system, rate, rule) for rate in rates] for rule in rules
        }
        for rule, title in rules.items():
            repeats = rule == "own" and cells["own"] == cells["default"]
            if not repeats and any(cell != UNPUBLISHED for cell in cells[rule]):
                body.append([f"{system}, {title}", *cells[rule]])
    return body


def _paper_detection(section: Section, rate: float) -> str:
    found = [published("table3", section.dataset, name, rate=rate) for name in ("f1", "recall", "precision")]
    f1, recall, precision = (str(entry or UNPUBLISHED) for entry in found)
    return UNPUBLISHED if f1 == UNPUBLISHED else f"{f1} ({recall}, {precision})"


def _detection_cell(section: Section, runs: Runs, system: str, rate: float, rule: str) -> str:
    lines = next((own for place, own in runs.items() if (place.system, place.rate) == (system, rate)), {})
    f1, recall, precision = (
        summary(list(values_of(lines, "final", rule, name).values()))
        for name in ("f1", "recall", "precision")
    )
    if f1.mean is None:
        return UNPUBLISHED
    known = published("table3", section.dataset, "f1", rate=rate)
    text, diverged = f1.text(2), sum(is_diverged(line) for line in lines.values())
    comparable = section.noise in COMPARABLE_NOISES and not diverged
    if known and known.value is not None and comparable and f1.mean >= known.value:
        text = f"**{text}**"
    sides = f"{_side(recall, f1.n)}, {_side(precision, f1.n)}"
    return f"{text} ({sides})" + (f" ({diverged} diverged)" if diverged else "")


def _side(part: Summary, n: int) -> str:
    if part.mean is None:
        return UNPUBLISHED
    return f"{part.mean:.2f}" + ("" if part.n == n else f" [n={part.n}]")
