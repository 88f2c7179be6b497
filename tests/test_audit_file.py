"""An audit read a row group at a time: the answers of the whole table, from no more columns than they need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from noiseaudit import audit_file
from noiseaudit.audit_file import AuditFile, open_audit
from noiseaudit.clean import clean_labels
from noiseaudit.errors import DataError
from noiseaudit.evaluation import COLUMNS, evaluate
from noiseaudit.labels import Source
from noiseaudit.ranking import suspect_pairs
from noiseaudit.result import METADATA_KEY, SCHEMA, AuditResult
from noiseaudit.truth import truth_from_audit
from noiseaudit_cli.main import app
from tests.conftest import build_audit
from tests.ranked import ranked_rows

GROUP = 16  # rows of a row group; an audit of 60 rows has 4
LISTS = {"top_labels", "top_probs", "evidence"}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Audits here are large ones: none is read whole when it is opened."""
    monkeypatch.setattr(audit_file, "WHOLE", 0)


def write(audit: AuditResult, path: Path, size: int = GROUP, **options: Any) -> Path:
    table = audit.table.replace_schema_metadata({METADATA_KEY: audit.meta.to_json()})
    pq.write_table(table, path, row_group_size=size, **options)
    return path


def with_cell(audit: AuditResult, name: str, row: int, value: object) -> AuditResult:
    cells = audit.table.column(name).to_pylist()
    cells[row] = value
    place = SCHEMA.names.index(name)
    column = pa.array(cells, SCHEMA.field(name).type)
    return AuditResult(audit.table.set_column(place, SCHEMA.field(name), column), audit.meta)


def scored(scores: list[float | None], by: str, given: list[str]) -> AuditResult:
    """An audit with these p_mislabeled or epsilon and labels; None is an image that was not read."""
    n = len(scores)
    columns: dict[str, list[Any]] = {name: [None] * n for name in SCHEMA.names}
    order = sorted((row for row in range(n) if scores[row] is not None), key=lambda row: -(scores[row] or 0))
    rank = {row: place for place, row in enumerate(order, 1)}
    columns |= {
        "row": [*range(n)],
        "sample_id": [str(row) for row in range(n)],
        "given_label": [*given],
        "is_labelled": [True] * n,
        "status": ["missing" if score is None else "ok" for score in scores],
        by: [*scores],
        "rank": [rank.get(row) for row in range(n)],
    }
    return AuditResult(pa.table(columns, schema=SCHEMA), build_audit().meta)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.sampled_from(["cat", "dog"])),
        max_size=20,
    ),
    st.sampled_from(["p_mislabeled", "epsilon"]),
    st.none() | st.integers(0, 30),
    st.none() | st.sampled_from(["cat", "dog", "frog"]),
    st.integers(1, 7),
)
def test_ranking_a_file_is_sorting_its_rows(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[float | None, str]],
    by: Any,
    top: int | None,
    only: str | None,
    size: int,
) -> None:
    scores, given_labels = [score for score, _ in rows], [label for _, label in rows]
    if by == "epsilon" and all(score is None for score in scores):
        return
    path = write(scored(scores, by, given_labels), tmp_path_factory.mktemp("audit") / "audit.parquet", size)
    found = ranked_rows(
        AuditFile(path, build_audit().meta, _sizes(path)),
        ["row", "given_label", by],
        by=by,
        top=top,
        given=[] if only is None else [only],
    )
    wanted = [
        (row, label, score)
        for row, (score, label) in enumerate(rows)
        if score is not None and only in (None, label)
    ]
    wanted.sort(key=lambda each: (-each[2], each[0]))
    assert [tuple(row.values()) for row in found] == wanted[:top]


def _sizes(path: Path) -> tuple[int, ...]:
    metadata = pq.ParquetFile(path).metadata
    return tuple(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))


def test_the_whole_table_and_the_file_give_the_same_rows(tmp_path: Path) -> None:
    audit = build_audit(n=100)
    file = open_audit(write(audit, tmp_path / "audit.parquet"))
    assert (len(file), file.sizes) == (100, (16, 16, 16, 16, 16, 16, 4))
    for top in (None, 7, 500):
        assert ranked_rows(file, [*SCHEMA.names, "why"], top=top) == ranked_rows(
            audit, [*SCHEMA.names, "why"], top=top
        )
    assert suspect_pairs(file) == suspect_pairs(audit)
    some = np.array([3, 15, 16, 99])
    picked = [(first, table.column("row").to_pylist()) for first, table in file.tables(["row"], some)]
    assert picked == [(0, [3, 15]), (16, [16]), (96, [99])]


@pytest.mark.parametrize("has_epsilon", [True, False])
@pytest.mark.parametrize("has_truth", [True, False])
def test_evaluating_a_file_is_evaluating_the_whole_audit(
    has_epsilon: bool, has_truth: bool, tmp_path: Path
) -> None:
    audit = build_audit(n=200, has_epsilon=has_epsilon)
    if not has_truth:
        for row in range(0, 200, 2):
            audit = with_cell(audit, "true_label", row, None)
    read = open_audit(write(audit, tmp_path / "audit.parquet")).read(COLUMNS)
    found, wanted = evaluate(read, truth_from_audit(read)), evaluate(audit, truth_from_audit(audit))
    assert found.to_dict() == wanted.to_dict()
    for curve, other in zip(found.curves, wanted.curves, strict=True):
        assert curve is not None
        assert other is not None
        for name, values in vars(other).items():
            np.testing.assert_array_equal(getattr(curve, name), values)


Reads = list[tuple[int, set[str]]]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """The row groups that are read, and the columns of each."""
    found: Reads = []

    read = pq.ParquetFile.read_row_group

    def recorded(file: Any, i: int, columns: list[str]) -> pa.Table:
        found.append((i, set(columns)))
        return read(file, i, columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", recorded)
    return found


def test_rank_reads_lists_of_the_rows_that_it_shows_alone(tmp_path: Path, reads: Reads) -> None:
    audit = build_audit(n=160, noise_rate=0.05)
    write(audit, tmp_path / "audit.parquet")
    done = CliRunner().invoke(app, ["rank", str(tmp_path), "--top", "1", "--json"])
    (shown,) = json.loads(done.stdout)
    assert [names for _, names in reads[:10]] == [{"p_mislabeled"}] * 10
    assert [(group, "evidence" in names) for group, names in reads[10:]] == [(shown["row"] // GROUP, True)]


def test_rank_by_itself_reads_no_list(tmp_path: Path, reads: Reads) -> None:
    write(build_audit(), tmp_path / "audit.parquet")
    assert CliRunner().invoke(app, ["rank", str(tmp_path), "--top", "5"]).exit_code == 0
    assert len(reads) >= 5
    assert not any(names & LISTS for _, names in reads)


def test_evaluate_reads_what_it_needs(tmp_path: Path, reads: Reads) -> None:
    write(build_audit(), tmp_path / "audit.parquet")
    assert CliRunner().invoke(app, ["evaluate", str(tmp_path)]).exit_code == 0
    assert reads == [(group, set(COLUMNS)) for group in range(4)]


def _labels(audit: AuditResult, folder: Path) -> Source:
    images, labels = (audit.table.column(name).to_pylist() for name in ("image", "given_label"))
    lines = [f"{image},{label or ''}" for image, label in zip(images, labels, strict=True)]
    (folder / "labels.csv").write_text("\n".join(["image,label", *lines, ""]))
    return Source(folder / "labels.csv", "csv", "label", image_column="image")


@pytest.mark.parametrize("policy", ["drop", "relabel", "blank", "flag"])
def test_clean_reads_no_list_and_writes_what_the_whole_audit_says(
    policy: str, tmp_path: Path, reads: Reads
) -> None:
    audit = build_audit()
    source = _labels(audit, tmp_path)
    file = open_audit(write(audit, tmp_path / "audit.parquet"))
    done = clean_labels(file, source, tmp_path / "a.csv", policy=policy)
    whole = clean_labels(audit, source, tmp_path / "b.csv", policy=policy)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (done.n_issues, done.n_changed, done.n_dropped) == (
        whole.n_issues,
        whole.n_changed,
        whole.n_dropped,
    )
    assert [group for group, _ in reads] == [0, 1, 2, 3]
    assert not any(names & LISTS for _, names in reads)


def test_a_label_that_differs_in_the_last_row_is_named(tmp_path: Path) -> None:
    audit = build_audit()
    source = _labels(audit, tmp_path)
    last = audit.table.column("given_label")[59].as_py()
    content = source.path.read_text()
    source.path.write_text(content[: content.rindex(last)] + "fox\n")
    file = open_audit(write(audit, tmp_path / "audit.parquet"))
    with pytest.raises(DataError, match=rf"labels\.csv, row 59, column 'label': .* 'fox', but '{last}'"):
        clean_labels(file, source, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
