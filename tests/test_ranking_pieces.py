"""Ranking an audit piece by piece gives what sorting the whole table gives."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from noiseaudit import audit_file, ordering
from noiseaudit.audit_file import open_audit
from noiseaudit.ranking import dominant_pair, ranked_tables, suspect_pairs
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit_cli.console import _exact
from noiseaudit_cli.main import app
from noiseaudit_cli.rank import COLUMNS, JSON_COLUMNS
from tests.conftest import build_audit
from tests.ranked import ranked_rows
from tests.test_audit_checks import with_cells
from tests.test_audit_in_pieces import written

MakeAudit = Callable[..., AuditResult]
SCORES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 0.9, 1.0])  # few: ties


@st.composite
def audits(draw: st.DrawFn) -> AuditResult:
    """With ties, unlabelled and unread rows, and ranks that fit."""
    n = draw(st.integers(1, 25))
    left = n - draw(st.integers(0, n))
    unlabelled = draw(st.integers(0, left))
    audit = build_audit(
        n, n_unlabelled=unlabelled, n_unread=left - unlabelled, has_epsilon=draw(st.booleans())
    )
    score = [draw(SCORES) if p is not None else None for p in audit.table.column("p_mislabeled").to_pylist()]
    ranks = pc.rank(
        pa.array([-s for s in score if s is not None], pa.float64()), tiebreaker="first"
    ).to_pylist()
    table = with_cells(audit.table, "p_mislabeled", score)
    table = with_cells(table, "rank", ranks + [None] * (n - len(ranks)))
    if audit.table.column("epsilon").null_count < n:
        table = with_cells(table, "epsilon", [None if s is None else draw(SCORES) for s in score])
    return AuditResult(table, audit.meta)


def sorted_whole(
    audit: AuditResult, by: str, top: int | None, only_class: str | None
) -> list[dict[str, Any]]:
    """As it was done when the table was held."""
    table = audit.table
    if only_class is not None:
        table = table.filter(pc.equal(table.column("given_label"), only_class))
    table = table.filter(pc.is_valid(table.column(by)))
    rows: list[dict[str, Any]] = (
        table.sort_by([(by, "descending"), ("row", "ascending")]).slice(0, top).to_pylist()
    )
    return rows


@settings(max_examples=60)
@given(
    audits(),
    st.sampled_from(["p_mislabeled", "epsilon"]),
    st.none() | st.integers(1, 30),
    st.none() | st.sampled_from(["cat", "dog", "frog"]),
)
def test_pieces_rank_as_the_whole(
    audit: AuditResult, by: Literal["p_mislabeled", "epsilon"], top: int | None, only_class: str | None
) -> None:
    if audit.table.column(by).null_count == len(audit):
        by = "p_mislabeled"
    expected = sorted_whole(audit, by, top, only_class)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_file, "WHOLE", 0)
        patch.setattr(ordering, "PIECE", 4)
        opened = open_audit(written(audit, Path(folder), rows=5))
        for ranked in (audit, opened):
            found = ranked_rows(
                ranked, SCHEMA.names, by=by, top=top, given=[only_class] if only_class else []
            )
            assert found == expected
        assert suspect_pairs(opened) == suspect_pairs(audit)
        assert dominant_pair(opened) == dominant_pair(audit)


def test_tables_are_of_the_columns_asked_for(make_audit: MakeAudit) -> None:
    (table,) = ranked_tables(make_audit(), ["p_mislabeled", "row", "rank"], top=3)
    assert table.column_names == ["p_mislabeled", "row", "rank"]
    assert table.column("rank").to_pylist() == [1, 2, 3]
    assert table.column("p_mislabeled").type == pa.float64()
    (table,) = ranked_tables(make_audit(), ["epsilon"], by="epsilon", top=3)
    assert table.column("epsilon").type == pa.float32()


@pytest.mark.parametrize(
    "options", [["--all"], ["--top", "5"], ["--by", "epsilon", "--all"], ["--class", "naïve 🐈"]]
)
def test_what_is_printed_is_the_text_of_each_cell(
    options: list[str], make_audit: MakeAudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line by line against the cells of the rows, numbers to six digits, from an audit that is read in pieces."""
    images = [f"images/{'é' * (row % 3)}\t{row}.png" for row in range(60)]
    audit = make_audit(classes=["tab\tand\nline", "\u202eevil", "naïve 🐈"], images=images)
    written(audit, tmp_path)
    monkeypatch.setattr(audit_file, "WHOLE", 0)
    monkeypatch.setattr(ordering, "PIECE", 8)
    by = "epsilon" if "epsilon" in options else "p_mislabeled"
    only_class = options[1] if "--class" in options else None
    rows = sorted_whole(
        audit, by, 5 if "--top" in options else None if "--all" in options else 20, only_class
    )
    done = CliRunner().invoke(app, ["rank", str(tmp_path), *options])
    lines = ["\t".join(_exact(_six_digits(row[name])) for name in COLUMNS) for row in rows]
    assert done.stdout.split("\n") == ["\t".join(COLUMNS), *lines, ""]


def _six_digits(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def test_json_of_nothing_and_of_all(make_audit: MakeAudit, tmp_path: Path) -> None:
    import json

    audit = make_audit()
    audit.write(tmp_path / "audit.parquet")
    done = CliRunner().invoke(app, ["rank", str(tmp_path), "--json", "--all"])
    assert json.loads(done.stdout) == ranked_rows(audit, JSON_COLUMNS)
    assert done.stdout == json.dumps(ranked_rows(audit, JSON_COLUMNS), indent=2) + "\n"


def test_the_highest_of_many_with_ties() -> None:
    score = np.random.default_rng(0).integers(0, 50, 10_000) / 50
    whole = np.argsort(-score, kind="stable")
    for top in (1, 7, 1000, 9_999, 10_000, 20_000):
        assert ordering.first_ones(score, top).tolist() == whole[:top].tolist()
