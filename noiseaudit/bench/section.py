"""What one table shows: runs of the same data, labels, noise, scale and epochs, by their place in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from noiseaudit.bench.cells import Cell, cell_of, identity
from noiseaudit.bench.recipes import as_text, recipe
from noiseaudit.bench.results import Line
from noiseaudit.bench.systems import ALL_LABELS, DEFAULT, FEW_LABELS, systems
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.methods import METHODS

SETTINGS = (FEW_LABELS, ALL_LABELS)  # variants of the setting, not of the method
NEARLY = 0.005  # a share of wrong labels is the one that was asked for
OWN_SETTINGS = "(own settings)"
TITLES = {
    "table1": "Table 1: comparison of methods",
    "table2": "Table 2: varying number of labels",
    "table3": "Table 3: finding corrupt labels",
    "high-noise": "High noise (text of section 4.2)",
}


@dataclass(frozen=True)
class Place:
    """Where a run stands in a table, its seed aside."""

    system: str
    method: str
    variant: str
    rate: float
    labels: int | None


@dataclass(frozen=True)
class Section:
    """The runs of one data set, noise, scale, number of epochs and, but in Tables 2 and 3, of labels."""

    table: str
    dataset: str
    noise: str
    scale: str
    epochs: int
    lines: tuple[Line, ...]
    detail: str = ""  # which data and labels, where another section would have the same title

    @property
    def title(self) -> str:
        """With the scale, so that no number is taken for more than it is."""
        return (
            f"{TITLES[self.table]}, {self.dataset}{self.detail}, {self.noise} noise, "
            f"scale {self.scale} ({self.epochs} epochs)"
        )

    def places(self) -> dict[Place, dict[int, Line]]:
        """Lines by place, and by seed in it."""
        found: dict[Place, dict[int, Line]] = {}
        identities: dict[tuple[str, str, int | None], set[str]] = {}
        for line in self.lines:
            identities.setdefault(_name_of(line), set()).add(self.identity(line))
        for line in self.lines:
            cell, several = cell_of(line), len(identities[_name_of(line)]) > 1
            name = system_name(cell) + (f" [settings {self.identity(line)}]" if several else "")
            place = Place(name, cell.method, cell.variant, cell.rate, cell.labels)
            found.setdefault(place, {})[cell.seed] = line
        return found

    def subjects(self) -> set[str]:
        """The methods that the paper's table is about, and those that were run for it; the others are rivals."""
        paper = {system.method for system in systems(self.table, self.dataset)}
        return paper | {line["method"] for line in self.lines if line["table"] == self.table}

    def identity(self, line: Line) -> str:
        """What tells a line from others of its name."""
        return identity(line, with_score=self.table == "table3")

    def hardware(self) -> str:
        """What computed the runs, and which data they read."""
        machines = [line["hardware"] for line in self.lines]
        names = sorted({f"{each['device']} ({each['name']}), {each['precision']}" for each in machines})
        sizes = sorted({(line["rows"], line["test_rows"], line["source"]) for line in self.lines})
        data = "; ".join(
            f"{rows:,} rows, {tests:,} to test on, from {source}" for rows, tests, source in sizes
        )
        cost = [self._cost()] if all("seconds" in line and "versions" in line for line in self.lines) else []
        ran = f"Run on {', '.join(names)}; {data}."
        return " ".join([ran, *cost, *self._about_rates(), *self._about_truth()])

    def _cost(self) -> str:
        """How much was computed, and with which torch."""
        versions = sorted({line["versions"]["torch"] for line in self.lines})
        hours = sum(line["seconds"] for line in self.lines) / 3600
        return f"{len(self.lines)} runs, {hours:.1f} hours in all, torch {', '.join(versions)}."

    def _about_rates(self) -> list[str]:
        """Few labels cannot have every share of them wrong."""
        drawn = {
            (line["rate"], line["corrupted"] / line["labelled"]) for line in self.lines if line["labelled"]
        }
        other = sorted((rate, share) for rate, share in drawn if abs(rate - share) > NEARLY)
        if not other:
            return []
        return ["In truth wrong: " + ", ".join(f"{share:.0%} at {rate:.0%}" for rate, share in other) + "."]

    def _about_truth(self) -> list[str]:
        if {line["source"] for line in self.lines} <= {"torchvision"}:
            return []
        return [
            "The labels of the data set are taken as true, where errors are planted and where systems are tested."
        ]


def _name_of(line: Line) -> tuple[str, str, int | None]:
    cell = cell_of(line)
    return system_name(cell), cell.variant, cell.labels


def system_name(cell: Cell) -> str:
    """A method with its variant, if that is one of the method, and what its settings are if not the searched ones."""
    variant = "" if cell.variant in (DEFAULT, *SETTINGS) else cell.variant
    usual = "" if cell.labels is None else as_text(recipe(cell.dataset, cell.method, cell.variant))
    changes = "" if cell.changes == usual else cell.changes or OWN_SETTINGS
    return " ".join(part for part in (cell.method, variant, changes) if part)


def is_diverged(line: Line) -> bool:
    """Whether the run has no results."""
    return "error" in line


def is_reduced(line: Line) -> bool:
    """Whether the run had fewer labels than its table says, for its scale."""
    return line["labels"] is not None and bool(line["labelled"] < line["labels"])


def settings_note(section: Section) -> list[str]:
    """A line that says how the settings of each system differ from its defaults; none if nothing differs."""
    found: dict[str, str] = {}
    for place, lines in section.places().items():
        line = next(iter(lines.values()))
        known = dataclasses.asdict(METHODS[place.method].settings(SOME_IMAGES)) | {"network": None}
        other = {name: value for name, value in line["settings"].items() if value != known.get(name)}
        other.pop("network", None)  # the variant says it
        if other:
            text = " ".join(f"{name}={value}" for name, value in sorted(other.items()))
            found[place.system] = f"{place.system} ({text})"
    return [f"Settings beside the defaults: {', '.join(found.values())}."] if found else []


def values_of(lines: dict[int, Line], *path: str) -> dict[int, float]:
    """The value at `path` of each line that has it, by seed."""
    found: dict[int, float] = {}
    for seed, line in lines.items():
        value: object = line
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, int | float):
            found[seed] = float(value)
    return found


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table, with an empty line after it."""
    ruled = ["|".join(["", *(" --- " for _ in header), ""]), *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join([f"| {' | '.join(header)} |", *ruled, ""])
