"""rank: a table on a terminal, TSV in a pipe, JSON for programs."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit.ranking import dominant_pair
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app
from noiseaudit_cli.rank import Score, rank


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def audit(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> AuditResult:
    audit = make_audit(n=60, n_unlabelled=4, n_unread=3)
    audit.write(tmp_path / "audit.parquet")
    return audit


def _rank(folder: Path, *options: str) -> Any:
    result = CliRunner().invoke(app, ["rank", str(folder), *options])
    assert result.exit_code == 0, result.stderr
    return result


def test_tsv_in_a_pipe(audit: AuditResult, tmp_path: Path) -> None:
    header, *lines = _rank(tmp_path).stdout.splitlines()
    assert header.split("\t") == [
        "rank",
        "row",
        "sample_id",
        "given_label",
        "suggested_label",
        "p_mislabeled",
        "epsilon",
        "is_label_issue",
    ]
    assert len(lines) == 20
    rank_one = audit.table.column("rank").to_pylist().index(1)
    expected = audit.table.slice(rank_one, 1).to_pylist()[0]
    assert lines[0].split("\t") == [
        "1",
        str(rank_one),
        expected["sample_id"],
        expected["given_label"],
        expected["suggested_label"],
        str(float(f"{expected['p_mislabeled']:.6g}")),
        str(float(f"{expected['epsilon']:.6g}")),
        "true",
    ]


def test_all_lists_every_ranked_row(audit: AuditResult, tmp_path: Path) -> None:
    lines = _rank(tmp_path, "--all", "--top", "3").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines[1:]] == [str(i) for i in range(1, 54)]


def test_json_is_a_list_of_objects(audit: AuditResult, tmp_path: Path) -> None:
    rows = json.loads(_rank(tmp_path, "--json", "--top", "2").stdout)
    assert [row["rank"] for row in rows] == [1, 2]
    records = audit.table.to_pylist()
    for row in rows:
        told = row.pop("why")
        assert row == {name: records[row["row"]][name] for name in row}
        if row["is_label_issue"]:
            assert told.startswith(f"Looks like {row['suggested_label']} (")
    assert {"image", "issue_kind", "evidence", "p_suggested"} < set(rows[0])


def test_by_epsilon(audit: AuditResult, tmp_path: Path) -> None:
    rows = json.loads(_rank(tmp_path, "--by", "epsilon", "--all", "--json").stdout)
    values = [(-row["epsilon"], row["row"]) for row in rows]
    assert values == sorted(values)
    assert len(rows) == 53


def test_one_class(audit: AuditResult, tmp_path: Path) -> None:
    rows = json.loads(_rank(tmp_path, "--class", "dog", "--all", "--json").stdout)
    assert {row["given_label"] for row in rows} == {"dog"}


def test_several_classes(
    tmp_path: Path, make_audit: Callable[..., AuditResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the environment one a line: names hold blanks."""
    make_audit(classes=["big cat", "dog", "frog"]).write(tmp_path / "audit.parquet")
    options = ("--class", "big cat", "--class", "dog", "--suggested", "frog", "--all", "--json")
    rows = json.loads(_rank(tmp_path, *options).stdout)
    assert {row["given_label"] for row in rows} == {"big cat", "dog"}
    assert {row["suggested_label"] for row in rows} == {"frog"}
    monkeypatch.setenv("NOISEAUDIT_RANK_CLASS", "big cat\ndog\n")
    assert json.loads(_rank(tmp_path, *options[4:]).stdout) == rows


def test_an_audit_without_suspects_or_scores(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> None:
    make_audit(n=7, n_unlabelled=4, n_unread=3).write(tmp_path / "audit.parquet")
    assert json.loads(_rank(tmp_path, "--json").stdout) == []
    assert len(_rank(tmp_path).stdout.splitlines()) == 1


def test_hostile_labels_cannot_steer_the_terminal(
    tmp_path: Path, make_audit: Callable[..., AuditResult]
) -> None:
    classes = ["\x1b]0;owned\x07", "tab\tand\nline", "\u202eevil", "naïve 🐈"]
    make_audit(classes=classes).write(tmp_path / "audit.parquet")
    for options in (["--all"], ["--all", "--json"]):
        output = _rank(tmp_path, *options).stdout
        assert not {"\x1b", "\x07", "\u202e", "\r"} & set(output)
    lines = _rank(tmp_path, "--all").stdout.splitlines()
    assert {line.count("\t") for line in lines} == {7}
    assert any("tab\\tand\\nline" in line for line in lines)
    assert any("naïve 🐈" in line for line in lines)
    labels = {row["given_label"] for row in json.loads(_rank(tmp_path, "--all", "--json").stdout)}
    assert labels == set(classes)


def _on_terminal(monkeypatch: pytest.MonkeyPatch, folder: Path, by: Score) -> list[str]:
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal()
    with monkeypatch.context() as patch:  # for the call alone: pytest has a stdout of its own
        patch.setattr(sys, "stdout", terminal)
        rank(folder, by=by, top=30)
    return re.sub(r"\x1b\[\d*m", "", terminal.getvalue()).splitlines()


def test_a_table_on_a_terminal_marks_suspects_and_claims_no_certainty(
    audit: AuditResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header, _, *rows, legend = _on_terminal(monkeypatch, tmp_path, Score.P_MISLABELED)
    assert header.split() == ["rank", "row", "sample_id", "given_label", "suggested_label", "p_mislabeled"]
    assert len(rows) == 30
    n_suspects = audit.table.column("is_label_issue").to_pylist().count(True)
    assert [row.split()[0] for row in rows] == [f"{i}{'*' * (i <= n_suspects)}" for i in range(1, 31)]
    assert {row[-1] for row in rows} == {"%"}
    assert legend == "* suspect; p_mislabeled is the model's own estimate"


def test_epsilon_takes_the_place_of_p_mislabeled(
    audit: AuditResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header, _, first, *_, legend = _on_terminal(monkeypatch, tmp_path, Score.EPSILON)
    assert header.split()[-1] == "epsilon"
    assert "p_mislabeled" not in header
    highest = max(e for e in audit.table.column("epsilon").to_pylist() if e is not None)
    assert float(first.split()[-1]) == pytest.approx(highest, rel=1e-3)
    assert legend == "* suspect"


def test_a_dominant_pair_is_named_below_the_table(
    tmp_path: Path, make_audit: Callable[..., AuditResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = make_audit(200, ["cat", "dog"], noise_rate=0.3)
    audit.write(tmp_path / "audit.parquet")
    pair = dominant_pair(audit)
    assert pair is not None
    *_, note = _on_terminal(monkeypatch, tmp_path, Score.P_MISLABELED)
    assert note.startswith(
        f"{pair.count} suspects, more than half, are {pair.given_label} -> {pair.suggested_label}: possibly"
    )
