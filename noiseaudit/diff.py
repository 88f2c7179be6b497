"""What changed between two audits: rows, labels, suspects, scores, expectations and settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.decisions import run_id
from noiseaudit.expected import expect
from noiseaudit.interval import Range
from noiseaudit.parquet import to_numpy
from noiseaudit.result import AuditResult

COLUMNS = ("sample_id", "given_label", "p_mislabeled", "is_label_issue")
NEWLY = ("sample_id", "given_label", "suggested_label", "p_mislabeled")  # of a row that has become a suspect


@dataclass(frozen=True)
class Setting:
    """One of an audit's settings or versions that is not the same; None where there is none."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Difference:
    """From an audit to another; rows are matched by sample_id."""

    runs: tuple[str, str]
    n_rows: tuple[int, int]
    n_common: int
    n_added: int
    n_removed: int
    n_relabelled: int  # of the common rows: another label
    n_labelled: int  # a label where there was none
    n_unlabelled: int  # none where there was one
    n_suspects: tuple[int, int]
    newly_suspect: pa.Table  # NEWLY of those of the common rows that were no suspects, most suspicious first
    n_added_suspects: int
    no_longer_suspect: pa.ChunkedArray  # sample_id of common rows
    n_removed_suspects: int
    jaccard: float | None  # of the two sets of suspects; None: both are empty
    rank_correlation: float | None  # Spearman's, of p_mislabeled over n_scored rows; None: undefined
    n_scored: int  # common rows with a score in both
    noise_rate: tuple[Range, Range]  # as each audit expects
    settings: tuple[Setting, ...]

    @property
    def n_new_suspects(self) -> int:
        """Suspects that were none before, added rows among them."""
        return int(self.newly_suspect.num_rows) + self.n_added_suspects

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: all samples by name."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return fields | {
            "newly_suspect": self.newly_suspect.to_pylist(),
            "no_longer_suspect": self.no_longer_suspect.to_pylist(),
            "noise_rate": [dataclasses.asdict(rate) for rate in self.noise_rate],
            "settings": [dataclasses.asdict(setting) for setting in self.settings],
            "n_new_suspects": self.n_new_suspects,
        }


def difference(before: AuditResult, after: AuditResult) -> Difference:
    """What changed from `before` to `after`."""
    place = pc.index_in(after.table.column("sample_id"), value_set=_ids(before))
    common = pc.is_valid(place)
    old = before.table.select(COLUMNS).take(place.drop_null())
    new = after.table.filter(common)
    was, now = _flags(old), _flags(new)
    n_suspects = (_count(_flags(before.table)), _count(_flags(after.table)))
    n_both = _count(pc.and_(was, now))
    n_either = sum(n_suspects) - n_both
    correlation, n_scored = _rank_correlation(old, new)
    newly = new.filter(pc.and_(now, pc.invert(was))).select(NEWLY)
    had, has = (pc.is_valid(table.column("given_label")) for table in (old, new))
    return Difference(
        runs=(run_id(before), run_id(after)),
        n_rows=(len(before), len(after)),
        n_common=new.num_rows,
        n_added=len(after) - new.num_rows,
        n_removed=len(before) - new.num_rows,
        n_relabelled=_count(pc.not_equal(old.column("given_label"), new.column("given_label"))),
        n_labelled=_count(pc.and_(pc.invert(had), has)),
        n_unlabelled=_count(pc.and_(had, pc.invert(has))),
        n_suspects=n_suspects,
        newly_suspect=newly.sort_by([("p_mislabeled", "descending"), ("sample_id", "ascending")]),
        n_added_suspects=n_suspects[1] - _count(now),
        no_longer_suspect=old.filter(pc.and_(was, pc.invert(now))).column("sample_id"),
        n_removed_suspects=n_suspects[0] - _count(was),
        jaccard=n_both / n_either if n_either else None,
        rank_correlation=correlation,
        n_scored=n_scored,
        noise_rate=(expect(before).noise_rate, expect(after).noise_rate),
        settings=tuple(_changed(before, after)),
    )


def _ids(audit: AuditResult) -> pa.Array:
    return pa.array(audit.table.column("sample_id").combine_chunks())


def _flags(table: pa.Table) -> pa.ChunkedArray:
    return pc.fill_null(table.column("is_label_issue"), False)


def _count(flags: pa.ChunkedArray) -> int:
    return int(pc.sum(flags).as_py() or 0)


def _rank_correlation(old: pa.Table, new: pa.Table) -> tuple[float | None, int]:
    from scipy.stats import spearmanr

    scores = [to_numpy(table.column("p_mislabeled")) for table in (old, new)]
    scored = ~np.isnan(scores[0]) & ~np.isnan(scores[1])
    first, second = (each[scored] for each in scores)
    if len(np.unique(first)) < 2 or len(np.unique(second)) < 2:
        return None, int(scored.sum())
    return float(spearmanr(first, second).statistic), int(scored.sum())


def _changed(before: AuditResult, after: AuditResult) -> Iterator[Setting]:
    old, new = (dict(_flat(dataclasses.asdict(audit.meta))) for audit in (before, after))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Setting(name, old.get(name), new.get(name))


def _flat(fields: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings by dotted names."""
    for name, value in fields.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", list(value) if isinstance(value, tuple) else value
