"""The decisions file: what is written is read again, and what cannot be meant is refused by name."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.decisions import SCHEMA, Decision, read_decisions, run_id, write_decisions
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.result import AuditResult

ROWS = [
    Decision("a.png", "keep", None, "ann", "2026-11-22T10:00:00Z", "abc", 12.5),
    Decision('b, "c".png', "relabel", "dog\ncat", None, None, "abc", 1.0),
    Decision("d.png"),
]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"decisions{suffix}"
    write_decisions(path, ROWS, {"image": ["x", None, "z"]})
    assert read_decisions(path) == ROWS
    if suffix == ".parquet":
        assert pq.read_schema(path).names == [*SCHEMA.names, "image"]
    else:
        assert path.read_text().splitlines()[0] == ",".join([*SCHEMA.names, "image"])


def test_two_columns_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("decision,sample_id\n Keep ,a\n,b\n")
    assert read_decisions(path) == [Decision("a", "keep"), Decision("b")]


def test_a_new_label_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("sample_id,decision,new_label\na,relabel, 3 \n")
    assert read_decisions(path) == [Decision("a", "relabel", " 3 ")]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("label", [" ", "\u00a0", "\t"])
def test_a_class_of_blanks_is_a_label(tmp_path: Path, suffix: str, label: str) -> None:
    path = tmp_path / f"d{suffix}"
    write_decisions(path, [Decision("a", "relabel", label)])
    assert read_decisions(path) == [Decision("a", "relabel", label)]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@settings(max_examples=40)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5, unique_by=lambda row: row[0]))
def test_any_text_comes_back(suffix: str, rows: list[tuple[str, str, str]]) -> None:
    decisions = [Decision(name, "relabel", label, who, None, "abc", 1.5) for name, label, who in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"d{suffix}")
        write_decisions(path, decisions)
        assert read_decisions(path) == decisions


def test_no_cell_of_a_csv_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    path, hostile = tmp_path / "d.csv", "=HYPERLINK(1)"
    rows = [Decision(hostile, "relabel", "+1+1", "@ann"), Decision(f"'{hostile}", "keep"), Decision("-1.5")]
    write_decisions(path, rows, {"given_label": ["=1", "'quoted'", None]})
    assert path.read_text().splitlines()[1:] == [
        "'=HYPERLINK(1),relabel,'+1+1,'@ann,,,,'=1",
        "''=HYPERLINK(1),keep,,,,,,'quoted'",
        "-1.5,,,,,,,",
    ]
    assert read_decisions(path) == rows


def test_two_reviewers_may_name_a_sample(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    rows = [Decision("a", "keep", reviewer="ann"), Decision("a", "ambiguous", reviewer="bob"), Decision("a")]
    write_decisions(path, rows)
    assert read_decisions(path) == rows
    write_decisions(path, [*rows, Decision("a", "skip", reviewer="bob")])
    with pytest.raises(DataError, match="line 5, column 'sample_id': 'a' stands twice"):
        read_decisions(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample_id,verdict\na,keep\n", "has no column decision"),
        ("sample_id,decision\na,kep\n", "line 2, column 'decision': no such decision 'kep'"),
        ("sample_id,decision\na,relabel\n", "line 2, column 'decision': relabel without a new_label"),
        ("sample_id,decision,new_label\na,relabel,\n", "relabel without a new_label"),
        (
            "sample_id,decision,new_label\na,,7\n",
            "line 2, column 'decision': a new_label, '7', without a decision",
        ),
        ("sample_id,decision\na,keep\n,keep\n", "line 3, column 'sample_id': empty"),
        ("sample_id,decision\na,keep\na,keep\n", "line 3, column 'sample_id': 'a' stands twice"),
        ("sample_id,decision,sampling_weight\na,keep,0.5\n", "column 'sampling_weight': '0.5' is no weight"),
        ("sample_id,decision,sampling_weight\na,keep,x\n", "'x' is no weight"),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text(text)
    with pytest.raises(DataError) as error:
        read_decisions(path)
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Use \.csv or \.parquet"):
        write_decisions(tmp_path / "d.json", ROWS)
    assert list(tmp_path.iterdir()) == []


def test_the_run_id_is_the_audits(make_audit: Callable[..., AuditResult]) -> None:
    assert run_id(make_audit()) == run_id(make_audit(n=90))  # of what the audit depended on, not of its rows
    assert run_id(make_audit()) != run_id(make_audit(seed=1))


def test_the_run_id_is_no_number_to_a_spreadsheet(make_audit: Callable[..., AuditResult]) -> None:
    assert {run_id(make_audit(seed=seed))[0] for seed in range(9)} == {"r"}
    assert len(run_id(make_audit())) == 12
