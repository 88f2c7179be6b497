"""What changed between two audits, on rows whose changes are known."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import spearmanr
from typer.testing import CliRunner

from noiseaudit.decisions import run_id
from noiseaudit.diff import Setting, difference
from noiseaudit.expected import expect
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app
from tests.conftest import build_audit


def changed(audit: AuditResult, **columns: Mapping[int, Any]) -> AuditResult:
    """`audit` with these cells, by column and row."""
    table = audit.table
    for name, cells in columns.items():
        place = table.schema.get_field_index(name)
        values = table.column(name).to_pylist()
        for row, value in cells.items():
            values[row] = value
        table = table.set_column(place, table.schema.field(place), [values])
    return AuditResult(table, audit.meta)


def rows_of(audit: AuditResult, rows: Sequence[int]) -> AuditResult:
    return AuditResult(audit.table.take(rows), audit.meta)


@pytest.fixture
def audit() -> AuditResult:
    return build_audit(40, n_unlabelled=4, n_unread=0)


def test_nothing_changed(audit: AuditResult) -> None:
    found = difference(audit, audit)
    assert (found.n_rows, found.n_common, found.n_added, found.n_removed) == ((40, 40), 40, 0, 0)
    assert (found.jaccard, found.n_new_suspects, found.settings) == (1.0, 0, ())
    assert found.rank_correlation == pytest.approx(1.0)
    assert (found.n_relabelled, found.n_labelled, found.n_unlabelled) == (0, 0, 0)


def test_what_changed_is_counted_and_named(audit: AuditResult) -> None:
    """Rows 0 to 3 go, 4 and 5 come, in another order; of the rest, two get another label and three are judged anew."""
    names = audit.column("sample_id").tolist()
    before = rows_of(audit, [*range(4), *range(6, 40)])
    flags = audit.suspects().tolist()
    suspects = [row for row in range(6, 36) if flags[row]]
    clean = [row for row in range(6, 36) if not flags[row]]
    other = {row: "cat" if audit.column("given_label")[row] == "dog" else "dog" for row in clean[:2]}
    other |= {36: "frog"}  # had none
    after = changed(
        audit,
        is_label_issue={suspects[0]: False, clean[0]: True, clean[1]: True, clean[2]: None},
        p_mislabeled={clean[0]: 0.6, clean[1]: 0.7, clean[2]: None},
        given_label=other | {clean[2]: None},
    )
    after = rows_of(after, [*range(39, 3, -1)])
    found = difference(before, after)
    assert (found.n_rows, found.n_common, found.n_added, found.n_removed) == ((38, 36), 34, 2, 4)
    assert (found.n_relabelled, found.n_labelled, found.n_unlabelled) == (2, 1, 1)
    assert found.newly_suspect.column("sample_id").to_pylist() == [names[clean[1]], names[clean[0]]]
    assert found.no_longer_suspect.to_pylist() == [names[suspects[0]]]
    assert found.n_added_suspects == sum(flags[4:6])
    assert found.n_removed_suspects == sum(flags[:4])
    assert found.n_suspects == (sum(flags) - sum(flags[4:6]), sum(flags) - sum(flags[:4]) + 1)
    assert found.jaccard == (len(suspects) - 1) / (
        found.n_suspects[0] + found.n_suspects[1] - len(suspects) + 1
    )
    assert found.n_new_suspects == 2 + sum(flags[4:6])
    assert found.noise_rate == (expect(before).noise_rate, expect(after).noise_rate)


def test_rank_correlation_is_of_the_rows_with_a_score_in_both(audit: AuditResult) -> None:
    p = audit.column("p_mislabeled")
    moved = {row: float(1 - p[row]) for row in range(0, 36, 3)}
    after = changed(audit, p_mislabeled=moved | {1: None})
    found = difference(audit, rows_of(after, [*range(39, -1, -1)]))
    scored = [row for row in range(36) if row != 1]
    expected = spearmanr(p[scored], after.column("p_mislabeled")[scored]).statistic
    assert found.n_scored == 35
    assert found.rank_correlation == pytest.approx(expected)
    alike = changed(audit, p_mislabeled=dict.fromkeys(range(36), 0.5))
    assert difference(audit, alike).rank_correlation is None


def test_nothing_in_common_and_no_suspects(audit: AuditResult) -> None:
    calm = changed(audit, is_label_issue=dict.fromkeys(range(36), False))
    assert difference(calm, calm).jaccard is None
    found = difference(rows_of(audit, [0, 1]), rows_of(audit, [2, 3]))
    assert (found.n_common, found.n_added, found.n_removed, found.rank_correlation) == (0, 2, 2, None)


def test_settings_and_versions_that_differ(audit: AuditResult) -> None:
    chosen = {"backbone": "mlp", "epochs": 41, "settings": {"alpha": 20.0, "beta": 1.0}}
    meta = dataclasses.replace(
        audit.meta,
        config=audit.meta.config | {"chosen": chosen},
        versions={"noiseaudit": "0.2.0"},
        seed=7,
        classes=("cat", "dog", "frog", "owl"),
    )
    found = difference(audit, AuditResult(audit.table, meta))
    assert found.settings == (
        Setting("classes", ["cat", "dog", "frog"], ["cat", "dog", "frog", "owl"]),
        Setting("config.chosen.epochs", 40, 41),
        Setting("config.chosen.settings.beta", None, 1.0),
        Setting("seed", 0, 7),
        Setting("versions.noiseaudit", "0.1.0", "0.2.0"),
        Setting("versions.torch", "2.6.0", None),
    )
    assert found.runs == (run_id(audit), run_id(AuditResult(audit.table, meta)))


def test_the_command(audit: AuditResult, tmp_path: Path) -> None:
    after = build_audit(40, n_unlabelled=4, n_unread=0, cutoff=0.05)
    audit.write(tmp_path / "a.parquet")
    after.write(tmp_path / "b.parquet")
    words = ["diff", str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")]
    found = difference(audit, after)
    assert found.n_new_suspects > 1
    shown = CliRunner().invoke(app, [*words, "--top", "2"])
    assert shown.exit_code == 0, shown.stderr
    assert f"Newly suspect, 2 of {found.newly_suspect.num_rows}:" in shown.stderr
    assert "cutoff.threshold\t0.5\t0.05" in shown.stdout
    assert "rows\t40\t40\t0 added, 0 removed" in shown.stdout
    as_json = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert as_json == json.loads(json.dumps(found.to_dict()))
    assert as_json["newly_suspect"][0]["sample_id"] == found.newly_suspect.column("sample_id")[0].as_py()
    n = found.n_new_suspects
    assert CliRunner().invoke(app, [*words, "--fail-on-new-suspects", str(n)]).exit_code == 0
    failed = CliRunner().invoke(app, [*words, "--fail-on-new-suspects", str(n - 1)])
    assert (failed.exit_code, f"{n} new suspects, more than {n - 1}" in failed.stderr) == (3, True)


def test_the_command_compares_audits_of_one_data_set(audit: AuditResult, tmp_path: Path) -> None:
    audit.write(tmp_path / "a.parquet")
    changed(audit, sample_id={i: f"new {i}" for i in range(len(audit))}).write(tmp_path / "b.parquet")
    words = ["diff", str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet"), "--fail-on-new-suspects", "9"]
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == 2
    assert f"no sample of {tmp_path / 'b.parquet'} is in {tmp_path / 'a.parquet'}" in refused.stderr
