"""Table 3: how well the corrupt labels are found."""

from __future__ import annotations

from noiseaudit.bench.paper import UNPUBLISHED, published
from noiseaudit.bench.results import Line
from noiseaudit.bench.sections import Place, Section, in_order, markdown, values_of
from noiseaudit.bench.stats import summary
from noiseaudit.bench.systems import ALL_LABELS, FEW_LABELS

RULES = {
    "epsilon": "epsilon > 0, recorded after the last epoch",
    "step_epsilon": "epsilon > 0, in the last step of each row",
    "default": "noiseaudit's default score and cut-off",
    "own": "the same without neighbours",
}
LEGEND = (
    "F1: mean ± standard deviation over seeds, then recall and precision. Bold: at or above the paper's F1."
)


def detection_section(section: Section) -> str:
    """The paper's rule in both readings and the default score, where 100 rows and where all are labelled."""
    places = section.places()
    parts = [f"### {section.title}\n"]
    rates = sorted({place.rate for place in places})
    for variant in (FEW_LABELS, ALL_LABELS):
        all_labelled = variant == ALL_LABELS
        own = {
            place: lines for place, lines in places.items() if (place.variant == ALL_LABELS) == all_labelled
        }
        if not own:
            continue
        counts = sorted({line["labelled"] for lines in own.values() for line in lines.values()})
        body = [["the paper", *(_paper_detection(section, rate) for rate in rates)]]
        for system in in_order(list(own)):
            for rule, title in RULES.items():
                cells = [_detection_cell(section, own, system, rate, rule) for rate in rates]
                says_more = (
                    cells != body[-1][1:]
                )  # where the neighbours were not asked, the last two are the same
                if says_more and any(cell != UNPUBLISHED for cell in cells):
                    body.append([f"{system}, {title}", *cells])
        labels = ", ".join(f"{count:,}" for count in counts)
        parts += [
            f"{variant} ({labels} labels):\n",
            markdown(["rule", *(f"{rate:.0%}" for rate in rates)], body),
        ]
    return "\n".join([*parts, LEGEND, section.hardware(), ""])


def _paper_detection(section: Section, rate: float) -> str:
    found = [published("table3", section.dataset, name, rate=rate) for name in ("f1", "recall", "precision")]
    f1, recall, precision = (str(entry or UNPUBLISHED) for entry in found)
    return UNPUBLISHED if f1 == UNPUBLISHED else f"{f1} ({recall}, {precision})"


def _detection_cell(
    section: Section, places: dict[Place, dict[int, Line]], system: str, rate: float, rule: str
) -> str:
    lines = next((own for place, own in places.items() if (place.system, place.rate) == (system, rate)), {})
    f1, recall, precision = (
        summary(list(values_of(lines, "final", rule, name).values()))
        for name in ("f1", "recall", "precision")
    )
    if f1.mean is None:
        return UNPUBLISHED
    known = published("table3", section.dataset, "f1", rate=rate)
    text = f1.text(2)
    if known and known.value is not None and section.noise == "symmetric" and f1.mean >= known.value:
        text = f"**{text}**"
    sides = [UNPUBLISHED if part.mean is None else f"{part.mean:.2f}" for part in (recall, precision)]
    return f"{text} ({', '.join(sides)})"
