"""suspects.csv: all suspects in rank order, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noiseaudit.decided import decided, read_decided
from noiseaudit.decisions import Decision
from noiseaudit.errors import OutputError
from noiseaudit.result import AuditResult, read_audit
from noiseaudit_reports import write_suspects_csv
from noiseaudit_reports.suspects import COLUMNS

MakeAudit = Callable[..., AuditResult]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def test_every_suspect_in_rank_order(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit(300)
    write_suspects_csv(audit, tmp_path / "s.csv")
    rows = read(tmp_path / "s.csv")
    frame = audit.to_pandas()
    expected = frame[frame.is_label_issue.eq(True)].sort_values("rank")
    assert tuple(rows[0]) == (*COLUMNS, "decision", "new_label", "reviewer", "run_id")
    assert [int(row["rank"]) for row in rows] == expected["rank"].astype(int).tolist()
    assert rows[0]["why"].startswith(f"Looks like {rows[0]['suggested_label']} (")
    for name in ("sample_id", "given_label", "suggested_label"):
        assert [row[name] for row in rows] == expected[name].tolist()
    for name in ("p_mislabeled", "p_given", "p_suggested", "epsilon"):
        assert [float(row[name]) for row in rows] == pytest.approx(expected[name].tolist(), rel=1e-5)


def test_no_suspect_leaves_the_header(make_audit: MakeAudit, tmp_path: Path) -> None:
    write_suspects_csv(make_audit(cutoff=2.0), tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text("utf-8").strip().startswith(",".join(COLUMNS))
    assert len(read(tmp_path / "s.csv")) == 0


def test_null_is_an_empty_cell(make_audit: MakeAudit, tmp_path: Path) -> None:
    write_suspects_csv(make_audit(has_epsilon=False), tmp_path / "s.csv")
    assert {row["epsilon"] for row in read(tmp_path / "s.csv")} == {""}


def test_answers_in_it_are_decisions(make_audit: MakeAudit, tmp_path: Path) -> None:
    """On a sample, too, whose name a spreadsheet would run."""
    audit = make_audit(300)
    column = audit.table.schema.get_field_index("sample_id")
    names = pa.array([f"={name}" for name in audit.column("sample_id")], pa.string())
    audit = AuditResult(audit.table.set_column(column, audit.table.schema.field(column), names), audit.meta)
    audit.write(tmp_path / "audit.parquet")
    write_suspects_csv(audit, tmp_path / "s.csv")
    audit = read_audit(tmp_path / "audit.parquet")  # as another command finds it
    rows = read(tmp_path / "s.csv")
    assert all(row["sample_id"].startswith("'=") for row in rows)
    rows[0] |= {"decision": "relabel", "new_label": rows[0]["suggested_label"]}
    rows[1] |= {"decision": "keep"}
    with (tmp_path / "s.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    found = read_decided(audit, [tmp_path / "s.csv"])
    assert found.labels == {int(rows[0]["row"]): rows[0]["suggested_label"]}
    assert found.confirmed == {int(rows[1]["row"])}


def test_a_label_that_is_copied_from_it_is_the_class(make_audit: MakeAudit) -> None:
    """Not a new one with an apostrophe; a class that has one itself stays."""
    audit = make_audit(60, ["cat", "=dog", "'bat", "bat"])
    names = audit.column("sample_id").tolist()
    labels = dict(zip(names[:4], ["'=dog", "'bat", "'cat", "'cow"], strict=True))
    answers = [(Path("s.csv"), Decision(name, "relabel", label)) for name, label in labels.items()]
    given = audit.column("given_label").tolist()
    expected = ["=dog", "'bat", "cat", "'cow"]
    found = decided(audit, answers)
    assert found.labels == {row: label for row, label in enumerate(expected) if label != given[row]}
    assert found.from_elsewhere == 0


@pytest.mark.parametrize(
    ("label", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd", "'+cmd"),
        ("-2+3", "'-2+3"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("-1", "-1"),
        ("+3.5", "+3.5"),
        ("a=b", "a=b"),
        ("'quoted", "'quoted"),
    ],
)
def test_formulas_are_neutralised(label: str, cell: str, make_audit: MakeAudit, tmp_path: Path) -> None:
    write_suspects_csv(make_audit(classes=["cat", label], noise_rate=0.5), tmp_path / "s.csv")
    rows = read(tmp_path / "s.csv")
    assert {row["given_label"] for row in rows} == {"cat", cell}
    assert {row["suggested_label"] for row in rows} == {"cat", cell}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_any_label_comes_back_and_starts_no_formula(
    label: str, make_audit: MakeAudit, tmp_path: Path
) -> None:
    write_suspects_csv(make_audit(classes=["cat", "dog", label], noise_rate=0.5), tmp_path / "s.csv")
    for row in read(tmp_path / "s.csv"):
        cell = row["given_label"]
        assert cell in {"cat", "dog", label, f"'{label}"}
        assert cell[0] not in "=+-@\t\r\n" or re.fullmatch(r"[+-]?\d+(\.\d+)?", cell)


def test_an_unwritable_folder_is_an_output_error(make_audit: MakeAudit, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write_suspects_csv(make_audit(), tmp_path / "none" / "s.csv")
