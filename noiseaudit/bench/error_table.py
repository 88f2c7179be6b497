"""Tables of test errors: Table 1, Table 2 and the high-noise figures of the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from noiseaudit.bench.paper import UNPUBLISHED, Published, published
from noiseaudit.bench.results import Line
from noiseaudit.bench.sections import Place, Section, is_diverged, markdown, values_of
from noiseaudit.bench.stats import paired_difference, summary
from noiseaudit.bench.systems import MNIST_TEXT, PAPER_SYSTEMS

REFERENCES = ("umn_plus", "umn")  # with the first of them that was run, others are compared in pairs
LOWEST = "†"
_COLUMNS = {(s.method, s.variant): s.column for s in (*PAPER_SYSTEMS, MNIST_TEXT)} | {
    ("umn_plus", PAPER_SYSTEMS[-1].variant): "UMN"
}
_ERROR_LEGEND = (
    "Test error of the Guider (the network itself, where a method has none) in %: mean ± standard deviation over seeds "
    "/ the paper's. Bold: the better of the two. †: our lowest in the column. -: not published, or not run."
)


def error_section(section: Section) -> str:
    """Our errors beside the paper's, and what the systems differ by in pairs."""
    by_labels = section.table == "table2"
    places = section.places()
    columns = sorted({_column(place, by_labels) for place in places})
    rows = {(place.system, place.rate if by_labels else None): place for place in places}
    header = [f"{value:,.0f} labels" if by_labels else f"{value:.0%}" for value in columns]

    def row(system: str, rate: float | None) -> list[str]:
        found = {
            _column(place, by_labels): (place, lines)
            for place, lines in places.items()
            if place.system == system and rate in (None, place.rate)
        }
        name = system if rate is None else f"{system}, {rate:.0%} corrupt"
        return [
            name,
            *(_error_cell(section, *found[c], best[c]) if c in found else UNPUBLISHED for c in columns),
        ]

    best = {column: _lowest(places, column, by_labels) for column in columns}
    body = [row(*key) for key in rows]
    parts = [f"### {section.title}\n", markdown(["system", *header], body), _ERROR_LEGEND, section.hardware()]
    pairs = _pairs(places, columns, by_labels, list(rows))
    if pairs:
        reference = _reference(places)
        parts += [
            f"Difference to {reference} in points, over the seeds that both have, with 95 % intervals (paired t):\n",
            markdown(["system", *header], pairs),
        ]
    return "\n".join(parts)


def _error_cell(section: Section, place: Place, lines: dict[int, Line], best: float | None) -> str:
    ours = summary([100 * value for value in _errors(lines).values()])
    theirs = _published(section, place)
    known = theirs.value if theirs else None
    left, right = ours.text(1), str(theirs or UNPUBLISHED)
    if ours.mean is not None and known is not None:
        left, right = (f"**{left}**", right) if ours.mean <= known else (left, f"**{right}**")
    if ours.mean is not None and best is not None and ours.mean <= best:
        left += f" {LOWEST}"
    diverged = sum(is_diverged(line) for line in lines.values())
    return f"{left} / {right}" + (f" ({diverged} diverged)" if diverged else "")


def _published(section: Section, place: Place) -> Published | None:
    column = _COLUMNS.get((place.method, place.variant))
    if column is None or section.noise != "symmetric":
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
        rows.append([system if rate is None else f"{system}, {rate:.0%} corrupt", *cells])
    return rows


def _errors_at(
    places: dict[Place, dict[int, Line]], system: str, rate: float | None, column: float, by_labels: bool
) -> dict[int, float]:
    for place, lines in places.items():
        if place.system == system and rate in (None, place.rate) and _column(place, by_labels) == column:
            return {seed: 100 * value for seed, value in _errors(lines).items()}
    return {}


def _errors(lines: dict[int, Line]) -> dict[int, float]:
    return values_of(lines, "test_error", "guider")


def _column(place: Place, by_labels: bool) -> float:
    return float(place.labels or 0) if by_labels else place.rate


def _lowest(places: dict[Place, dict[int, Line]], column: float, by_labels: bool) -> float | None:
    means: list[float] = []
    for place, lines in places.items():
        mean = summary([100 * value for value in _errors(lines).values()]).mean
        if _column(place, by_labels) == column and mean is not None:
            means.append(mean)
    return min(means, default=None)


def _reference(places: dict[Place, dict[int, Line]]) -> str | None:
    names: Callable[[str], bool] = {place.system for place in places}.__contains__
    return next(filter(names, REFERENCES), None)
