"""Result lines sorted into what one table shows: the same data, labels, noise, scale and epochs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from noiseaudit.bench.cells import Cell, cell_of, identity
from noiseaudit.bench.results import Line
from noiseaudit.bench.section import SETTINGS, Section
from noiseaudit.bench.systems import DATASETS, DEFAULT, systems

WITH_ALL_COUNTS = ("table2", "table3")  # tables that show several numbers of labels
SHORT = 8  # characters of a data set's fingerprint in a title


def sections(
    lines: Iterable[Line],
    table: str,
    *,
    scale: str | None = None,
    epochs: int | None = None,
    noise: str | None = None,
) -> list[Section]:
    """The sections of a table, in the paper's order; of a cell that ran twice, the last line counts."""
    wanted = {"scale": scale, "epochs": epochs, "noise": noise}
    kept: dict[object, Line] = {}
    for line in lines:
        if _is_of(table, line) and all(value in (None, line[name]) for name, value in wanted.items()):
            kept[cell_of(line), identity(line, with_score=table == "table3")] = line
    found: dict[_Key, list[Line]] = {}
    for line in sorted(kept.values(), key=lambda line: _order(cell_of(line))):
        found.setdefault(_key(table, line), []).append(line)
    return [
        Section(
            table,
            key.dataset,
            key.noise,
            key.scale,
            key.epochs,
            tuple(members),
            _detail(key, list(found), members),
        )
        for key, members in found.items()
    ]


@dataclass(frozen=True)
class _Key:
    """What runs must share to be compared: not a name alone, which two files have, or one before and after an edit."""

    dataset: str
    data: str  # the data's fingerprint
    noise: str
    scale: str
    epochs: int
    labels: int | None


def _key(table: str, line: Line) -> _Key:
    labels = None if table in WITH_ALL_COUNTS else line["labels"]
    return _Key(line["dataset"], line["data"], line["noise"], line["scale"], line["epochs"], labels)


def _detail(key: _Key, keys: Sequence[_Key], lines: Sequence[Line]) -> str:
    """Fingerprint and number of labels, each only where data sets of this name have several."""
    alike = [other for other in keys if other.dataset == key.dataset]
    text = ""
    if len({other.data for other in alike}) > 1:
        text += f" (data {key.data.removeprefix('sha256:')[:SHORT]})"
    if len({other.labels for other in alike}) > 1:
        counts = sorted({line["labelled"] for line in lines})
        text += f", {' or '.join(f'{count:,}' for count in counts)} labels"
    return text


def _is_of(table: str, line: Line) -> bool:
    """Runs of Table 1 with few labels are part of Table 3, too."""
    if table == "table3" and line["table"] == "table1":
        return line["labels"] is not None
    return bool(line["table"] == table)


def _order(cell: Cell) -> tuple[object, ...]:
    """Data sets and systems as the paper has them, what it has not after them by name."""
    known = [(system.method, system.variant) for system in systems(cell.table, cell.dataset)]
    own = (cell.method, DEFAULT if cell.variant in SETTINGS else cell.variant)
    place = known.index(own) if own in known else len(known)
    dataset = DATASETS.index(cell.dataset) if cell.dataset in DATASETS else len(DATASETS)
    return (
        dataset,
        cell.dataset,
        place,
        cell.method,
        cell.variant,
        cell.changes,
        cell.rate,
        cell.labels or 0,
        cell.seed,
    )
