"""Plant label noise in a label file, and write down the truth beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.atomic import write_text
from noiseaudit.config import one_of
from noiseaudit.errors import ConfigError
from noiseaudit.labels.delimited import csv_line
from noiseaudit.labels.edit import edit_label_file
from noiseaudit.labels.table import LabelTable
from noiseaudit.noise import BY_CLASS, KINDS, Corruption, asymmetric, instance_dependent, wrong_share

TRUTH_COLUMNS = ("sample_id", "image", "true_label", "given_label", "is_corrupted")
Features = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class CorruptionSummary:
    """What `corrupt_labels` wrote: the noisy label file, and which labels it made wrong."""

    out: Path
    truth: Path
    rate: float  # as asked
    expected_rate: float  # of wrong labels: less where own classes are drawn
    n_rows: int
    n_labelled: int
    n_corrupted: int

    @property
    def realised_rate(self) -> float:
        """Share of the labelled rows whose label was changed."""
        return self.n_corrupted / self.n_labelled

    @property
    def is_off(self) -> bool:
        """The realised rate is more than a tenth of the expected one away from it."""
        return abs(self.realised_rate - self.expected_rate) > 0.1 * self.expected_rate


def corrupt_labels(
    table: LabelTable,
    *,
    kind: str,
    rate: float,
    seed: int,
    out: Path,
    pairs: Mapping[str, str] | None = None,
    features: Features | None = None,
) -> CorruptionSummary:
    """Write the table's file to `out` with planted noise, and `<out>.truth.csv` with one line per label.

    kind: "symmetric", "uniform", "asymmetric" (class c -> c + 1, or `pairs` of class names) or "instance" (needs
    `features`, (n, d)); see noiseaudit.noise. rate: share of labelled rows, in (0, 1). Unlabelled rows stay
    as they are.

    Raises ConfigError if an option is out of range, does not go with `kind` or leaves every label as it is,
    DataError and OutputError as edit_label_file does.
    """
    if table.source is None:
        raise ConfigError("labels made in memory have no file to corrupt", fix="Read them with read_labels.")
    _check_options(kind, rate, seed, pairs, features)
    corruption = _corrupt(table, kind, rate, np.random.default_rng(seed), pairs, features)
    names = table.classes
    changed: dict[int, str | None] = {
        int(row): names[corruption.labels[row]] for row in np.flatnonzero(corruption.flipped)
    }
    if not changed:
        raise _nothing_corrupted(table, kind, rate, pairs)
    edit_label_file(table.source, out, labels=changed)
    truth = out.with_name(out.name + ".truth.csv")
    write_text(truth, _truth_csv(table, changed))
    expected = wrong_share(kind, len(names), rate)
    n_labelled = int(table.is_labelled.sum())
    return CorruptionSummary(out, truth, rate, expected, len(table), n_labelled, len(changed))


def _check_options(
    kind: str, rate: float, seed: int, pairs: Mapping[str, str] | None, features: Features | None
) -> None:
    if kind not in KINDS:
        raise ConfigError(f"--kind {kind!r} is unknown", fix=f"Choose one of {', '.join(KINDS)}.")
    if not 0 < rate < 1:
        raise ConfigError(
            f"--rate {rate} is out of range", fix="Give a share above 0 and below 1, such as 0.2."
        )
    if seed < 0:
        raise ConfigError(f"--seed {seed} is negative", fix="Give 0 or more.")
    if pairs is not None and kind != "asymmetric":
        raise ConfigError(f"class pairs do not go with --kind {kind}", fix="Use --kind asymmetric.")
    if (features is not None) != (kind == "instance"):
        raise ConfigError("features are for --kind instance, which needs them", fix="Give both or neither.")


def _corrupt(
    table: LabelTable,
    kind: str,
    rate: float,
    rng: np.random.Generator,
    pairs: Mapping[str, str] | None,
    features: Features | None,
) -> Corruption:
    n_classes = len(table.classes)
    if features is not None:
        return instance_dependent(table.codes, features, n_classes, rate, rng)
    if pairs is not None:  # which go with asymmetric alone
        return asymmetric(table.codes, n_classes, rate, rng, _pair_codes(pairs, table.classes))
    return BY_CLASS[kind](table.codes, n_classes, rate, rng)


def _pair_codes(pairs: Mapping[str, str], classes: tuple[str, ...]) -> dict[int, int]:
    codes = {name: code for code, name in enumerate(classes)}
    for name in (*pairs, *pairs.values()):
        if name not in codes:
            one_of("--pair", name, classes)
    for name, target in pairs.items():
        if name == target:
            raise ConfigError(f"--pair maps {name!r} to itself")
    return {codes[name]: codes[target] for name, target in pairs.items()}


def _nothing_corrupted(
    table: LabelTable, kind: str, rate: float, pairs: Mapping[str, str] | None
) -> ConfigError:
    sizes = Counter(label for label in table.given_label if label is not None)
    largest = max(n for label, n in sizes.items() if pairs is None or label in pairs)
    by_chance = {"instance": "no row was drawn", "uniform": "all that were drawn drew their own class"}
    if kind == "instance" or (kind == "uniform" and round(rate * largest)):
        return ConfigError(
            f"--rate {rate} corrupts no label of {int(table.is_labelled.sum())}: {by_chance[kind]}",
            fix="Give a higher --rate or another --seed.",
        )
    return ConfigError(
        f"--rate {rate} corrupts no label: it is less than half a label in every class, even of {largest}",
        # round(rate * n) is 1 above rate = 0.5 / n; three digits of 0.505 / n stay above it.
        fix=f"Give --rate {0.505 / largest:.3g} or more.",
    )


def _truth_csv(table: LabelTable, changed: Mapping[int, str | None]) -> str:
    lines = [csv_line(TRUTH_COLUMNS)]
    for row in np.flatnonzero(table.is_labelled).tolist():
        image = None if table.image is None else table.image[row]
        label = table.given_label[row]
        lines.append(csv_line([table.sample_id[row], image, label, changed.get(row, label), row in changed]))
    return "".join(lines)
