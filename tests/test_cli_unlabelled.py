"""rank --unlabelled: the rows without a label, surest suggestion first."""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from noiseaudit import audit_file, ordering
from noiseaudit.audit_file import open_audit
from noiseaudit.errors import ConfigError
from noiseaudit.result import AuditResult
from noiseaudit.unlabelled import unlabelled_tables
from noiseaudit_cli.main import app
from noiseaudit_cli.rank import Score, rank
from tests.conftest import build_audit
from tests.test_audit_checks import with_cells
from tests.test_audit_in_pieces import written

MakeAudit = Callable[..., AuditResult]
NAMES = ["row", "sample_id", "suggested_label", "p_suggested"]
SURENESS = (0.5, 0.75, 0.5, 0.875)  # of rows 53 to 56, which have no label
SUGGESTED = ("cat", "dog", "cat", "cat")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def with_suggestions(audit: AuditResult, labels: Sequence[str], sureness: Sequence[float]) -> AuditResult:
    """The rows without a label have these; all others are surer, so that none of them may be listed."""
    table = audit.table
    rows = [row for row, status in enumerate(table.column("status").to_pylist()) if status == "unlabelled"]
    new = {name: table.column(name).to_pylist() for name in ("suggested_label", "p_suggested")}
    new["p_suggested"] = [p and 0.99 for p in new["p_suggested"]]
    for row, label, p in zip(rows, labels, sureness, strict=True):
        new["suggested_label"][row], new["p_suggested"][row] = label, p
    for name, cells in new.items():
        table = with_cells(table, name, cells)
    return AuditResult(table, audit.meta)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Rows 0 to 52 have labels, 57 to 59 no image; the first of these has no label either."""
    audit = with_suggestions(build_audit(60), SUGGESTED, SURENESS)
    table = audit.table
    for name, cell in (("given_label", None), ("is_labelled", False)):
        cells = table.column(name).to_pylist()
        table = with_cells(table, name, [*cells[:57], cell, *cells[58:]])
    AuditResult(table, audit.meta).write(tmp_path / "audit.parquet")
    return tmp_path


def listed(run: Path, *options: str) -> Any:
    done = CliRunner().invoke(app, ["rank", str(run), "--unlabelled", *options])
    assert done.exit_code == 0, done.stderr
    return done


def test_tsv_in_a_pipe(run: Path) -> None:
    assert listed(run).stdout.splitlines() == [
        "\t".join(NAMES),
        "56\timages/00056.png\tcat\t0.875",
        "54\timages/00054.png\tdog\t0.75",
        "53\timages/00053.png\tcat\t0.5",
        "55\timages/00055.png\tcat\t0.5",
    ]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["--top", "3"], [56, 54, 53]),
        (["--top", "1", "--all"], [56, 54, 53, 55]),
        (["--suggested", "cat"], [56, 53, 55]),
        (["--suggested", "cat", "--top", "2"], [56, 53]),
        (["--suggested", "frog"], []),
    ],
)
def test_json_top_all_and_class(run: Path, options: list[str], rows: list[int]) -> None:
    found = json.loads(listed(run, "--json", *options).stdout)
    assert [row["row"] for row in found] == rows
    for row in found:
        place = row["row"] - 53
        name = f"images/{row['row']:05d}.png"
        expected = (row["row"], name, SUGGESTED[place], SURENESS[place], name)
        assert row == dict(zip([*NAMES, "image"], expected, strict=True))


def test_an_unknown_class_and_another_score(run: Path) -> None:
    for options, problem in (
        (["--suggested", "fog"], "Did you mean 'frog'?"),
        (["--by", "epsilon"], "--by epsilon: rows without a label have no such score"),
        (["--class", "cat"], "--class: rows without a label have no given one. Use --suggested"),
    ):
        done = CliRunner().invoke(app, ["rank", str(run), "--unlabelled", *options])
        assert (done.exit_code, done.stdout, problem in done.stderr) == (2, "", True), done.stderr
    with pytest.raises(ConfigError, match="no class 'fog'"):
        list(unlabelled_tables(open_audit(run), NAMES, suggested=["fog"]))


def on_terminal(monkeypatch: pytest.MonkeyPatch, run: Path, **options: Any) -> list[str]:
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        rank(run, by=Score.P_MISLABELED, top=options.pop("top", 20), unlabelled=True, **options)
    return re.sub(r"\x1b\[\d*m", "", terminal.getvalue()).splitlines()


def test_a_table_on_a_terminal(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header, _, *rows, legend = on_terminal(monkeypatch, run, top=2)
    assert header.split() == NAMES
    assert [row.split() for row in rows] == [
        ["56", "images/00056.png", "cat", "88", "%"],
        ["54", "images/00054.png", "dog", "75", "%"],
    ]
    assert legend == "p_suggested is the model's own estimate"


def test_one_line_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build_audit(60, n_unlabelled=0).write(tmp_path / "audit.parquet")
    assert on_terminal(monkeypatch, tmp_path) == []
    assert capsys.readouterr().err == "The audit has no row without a label.\n"
    done = listed(tmp_path)
    assert (done.stdout, done.stderr) == (
        "\t".join(NAMES) + "\n",
        "The audit has no row without a label.\n",
    )
    done = listed(tmp_path, "--json")
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_one_line_where_the_class_is_never_suggested(run: Path) -> None:
    assert (
        listed(run, "--suggested", "frog").stderr
        == "The audit has no row without a label for which frog is suggested.\n"
    )


@settings(max_examples=40)
@given(st.data(), st.none() | st.integers(1, 30), st.none() | st.sampled_from(["cat", "dog", "frog"]))
def test_pieces_are_listed_as_the_whole(data: st.DataObject, top: int | None, only_class: str | None) -> None:
    n = data.draw(st.integers(1, 25))
    unlabelled = data.draw(st.integers(0, n))
    audit = build_audit(n, n_unlabelled=unlabelled, n_unread=data.draw(st.integers(0, n - unlabelled)))
    labels = data.draw(
        st.lists(st.sampled_from(["cat", "dog", "frog"]), min_size=unlabelled, max_size=unlabelled)
    )
    sureness = data.draw(
        st.lists(st.sampled_from([0.25, 0.5, 0.75, 1.0]), min_size=unlabelled, max_size=unlabelled)
    )
    audit = with_suggestions(audit, labels, sureness)
    rows = [row for row in audit.table.to_pylist() if row["status"] == "unlabelled"]
    rows = [row for row in rows if only_class in (None, row["suggested_label"])]
    rows.sort(key=lambda row: (-row["p_suggested"], row["row"]))
    expected = [{name: row[name] for name in NAMES} for row in rows[:top]]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_file, "WHOLE", 0)
        patch.setattr(ordering, "PIECE", 4)
        for each in (audit, open_audit(written(audit, Path(folder), rows=5))):
            tables = unlabelled_tables(each, NAMES, top=top, suggested=[only_class] if only_class else [])
            assert [row for table in tables for row in table.to_pylist()] == expected
