"""Tables of test errors: Table 1, Table 2 and the high-noise figures of the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from noiseaudit.bench.paper import COMPARABLE_NOISES, UNPUBLISHED, Published, published
from noiseaudit.bench.results import Line
from noiseaudit.bench.section import (
    Place,
    Section,
    is_diverged,
    is_reduced,
    markdown,
    settings_note,
    values_of,
)
from noiseaudit.bench.stats import paired_difference, summary
from noiseaudit.bench.systems import MNIST_TEXT, PAPER_SYSTEMS
from noiseaudit.bench.told import told_note

REFERENCES = ("umn_plus", "umn")  # with the first of them that was run, others are compared in pairs
LOWEST = "†"
_COLUMNS = {(s.method, s.variant): s.column for s in (*PAPER_SYSTEMS, MNIST_TEXT)} | {
    ("umn_plus", PAPER_SYSTEMS[-1].variant): "UMN"
}
_ERROR_LEGEND = (
    "Test error of the Guider (the network itself, where a method has none) in %: mean ± standard deviation over seeds "
    "/ the paper's. Bold: the better of the two. †: our lowest at that rate and number of labels. No mark where runs "
    "diverged, another system has more seeds, or labels are fewer than the paper's. -: not published, or not run."
)
_PAIRS_LEGEND = (
    "over the seeds that both have, with 95 % intervals (paired t). They cover seeds only, and are not corrected for "
    "the number of comparisons. -: fewer than two seeds in common.\n"
)


def error_section(section: Section) -> str:
    """Our errors beside the paper's, and what the systems differ by in pairs."""
    by_labels = section.table == "table2"
    places = section.places()
    columns = sorted({_column(place, by_labels) for place in places})
    rows = {(place.system, place.rate if by_labels else None): place for place in places}
    header = [_labels_text(section, value) if by_labels else f"{value:.0%}" for value in columns]

    def row(system: str, rate: float | None) -> list[str]:
        found = {
            _column(place, by_labels): (place, lines)
            for place, lines in places.items()
            if place.system == system and rate in (None, place.rate)
        }
        name = system if rate is None else f"{system}, {rate:.0%} corrupt"
        return [
            name,
            *(_error_cell(section, *found[c], lowest) if c in found else UNPUBLISHED for c in columns),
        ]

    lowest = _lowest(places)
    body = [row(*key) for key in rows]
    notes = [
        _ERROR_LEGEND,
        *told_note(place.method for place in places),
        *settings_note(section),
        section.hardware(),
    ]
    parts = [f"### {section.title}\n", markdown(["system", *header], body), *notes]
    pairs = _pairs(places, columns, by_labels, list(rows))
    if pairs:
        reference = _reference(places)
        parts += [
            f"\nDifference to {reference} in points, {_PAIRS_LEGEND}",
            markdown(["system", *header], pairs),
        ]
    return "\n".join(parts)


def _error_cell(section: Section, place: Place, lines: dict[int, Line], lowest: dict[Place, bool]) -> str:
    ours = summary(list(_errors(lines).values()))
    theirs = _published(section, place)
    known = theirs.value if theirs else None
    left, right = ours.text(1), str(theirs or UNPUBLISHED)
    if ours.mean is not None and known is not None and place in lowest:
        left, right = (f"**{left}**", right) if ours.mean <= known else (left, f"**{right}**")
    if lowest.get(place):
        left += f" {LOWEST}"
    diverged = sum(is_diverged(line) for line in lines.values())
    return f"{left} / {right}" + (f" ({diverged} diverged)" if diverged else "")


def _published(section: Section, place: Place) -> Published | None:
    column = _COLUMNS.get((place.method, place.variant))
    if column is None or section.noise not in COMPARABLE_NOISES:
        return None
    rate, labels = (None, place.labels) if section.table == "table2" else (place.rate, None)
    return published(section.table, section.dataset, column, rate=rate, labels=labels)


def _pairs(
    places: dict[Place, dict[int, Line]],
    columns: Sequence[float],
    by_labels: bool,
    keys: Sequence[tuple[str, float | None]],
) -> list[list[str]]:
    """A row for each system but the reference; none if there is nothing to compare."""
    reference = _reference(places)
    rows = []
    for system, rate in keys:
        if reference is None or system == reference:
            continue
        cells = []
        for column in columns:
            one, other = (_errors_at(places, name, rate, column, by_labels) for name in (system, reference))
            found = paired_difference(one, other)
            cells.append(found.text(1) if found else UNPUBLISHED)
        if any(cell != UNPUBLISHED for cell in cells):
            rows.append([system if rate is None else f"{system}, {rate:.0%} corrupt", *cells])
    return rows


def _errors_at(
    places: dict[Place, dict[int, Line]], system: str, rate: float | None, column: float, by_labels: bool
) -> dict[int, float]:
    for place, lines in places.items():
        if place.system == system and rate in (None, place.rate) and _column(place, by_labels) == column:
            return _errors(lines)
    return {}


def _errors(lines: dict[int, Line]) -> dict[int, float]:
    """In %, by seed."""
    return {seed: 100 * value for seed, value in values_of(lines, "test_error", "guider").items()}


def _labels_text(section: Section, labels: float) -> str:
    """A column's number of labels, with that of the runs where their scale has fewer."""
    own = {line["labelled"] for line in section.lines if line["labels"] == labels and is_reduced(line)}
    return f"{labels:,.0f} labels" + (f" (here {', '.join(f'{n:,}' for n in sorted(own))})" if own else "")


def _column(place: Place, by_labels: bool) -> float:
    return float(place.labels or 0) if by_labels else place.rate


def _lowest(places: dict[Place, dict[int, Line]]) -> dict[Place, bool]:
    """The places that may be marked, and whether each has the lowest error at its rate and number of labels.

    Runs that diverged or are still to come may be the hard ones: the mean of the others is no fair comparison.
    """
    found = {place: summary(list(_errors(lines).values())) for place, lines in places.items()}
    most: dict[object, int] = {}
    for place, ours in found.items():
        most[place.rate, place.labels] = max(ours.n, most.get((place.rate, place.labels), 1))
    means: dict[object, dict[Place, float]] = {}
    for place, ours in found.items():
        lines = places[place].values()
        whole = ours.n == most[place.rate, place.labels] and not any(
            is_diverged(x) or is_reduced(x) for x in lines
        )
        if whole and ours.mean is not None:
            means.setdefault((place.rate, place.labels), {})[place] = ours.mean
    return {
        place: len(each) > 1 and mean == min(each.values())
        for each in means.values()
        for place, mean in each.items()
    }


def _reference(places: dict[Place, dict[int, Line]]) -> str | None:
    names: Callable[[str], bool] = {place.system for place in places}.__contains__
    return next(filter(names, REFERENCES), None)
