"""clean does the same in bulk and row by row: bytes, summary, and what it complains about."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit import audit_file, clean
from noiseaudit.audit_file import open_audit
from noiseaudit.clean import CleanSummary, clean_labels
from noiseaudit.decided import Decided, decided
from noiseaudit.decisions import Decision
from noiseaudit.errors import DataError
from noiseaudit.labels import Source, spans
from noiseaudit.labels.read import read_again
from noiseaudit.labels.revision import NotPlain
from noiseaudit.mend import POLICIES
from noiseaudit.result import AuditResult
from tests.conftest import build_audit
from tests.test_audit_checks import with_cells
from tests.test_audit_in_pieces import written

MakeAudit = Callable[..., AuditResult]
N = 40


def label_file(audit: AuditResult, path: Path, dialect: str = "plain") -> Source:
    """The file that the audit is of, in the format of its suffix."""
    rows = audit.table.select(["sample_id", "image", "given_label"]).to_pylist()
    cells = [(row["sample_id"], row["image"], row["given_label"]) for row in rows]
    if path.suffix == ".parquet":
        columns = dict(zip(("id", "image", "label"), map(list, zip(*cells, strict=True)), strict=True))
        pq.write_table(pa.table(columns), path, row_group_size=9)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps({"id": i, "image": p, "label": y}) + "\n" for i, p, y in cells))
    else:
        text = io.StringIO()
        options: dict[str, Any] = {
            "plain": {},
            "quoted": {"quoting": csv.QUOTE_ALL},
            "crlf": {"lineterminator": "\r\n"},
        }
        writer = csv.writer(text, **({"lineterminator": "\n"} | options[dialect]))
        writer.writerow(["id", "image", "label"])
        writer.writerows(cells)
        path.write_text(text.getvalue(), newline="")
    return Source(path, path.suffix[1:], "label", image_column="image", id_column="id")


def with_splits(audit: AuditResult, splits: list[str | None]) -> AuditResult:
    return AuditResult(with_cells(audit.table, "split", splits), audit.meta)


def row_by_row(*arguments: Any, **options: Any) -> CleanSummary:
    def refuse(*_: Any) -> None:
        raise NotPlain

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clean, "rewrite_label_file", refuse)
        return clean_labels(*arguments, force=True, **options)


def in_bulk(*arguments: Any, **options: Any) -> CleanSummary:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clean, "_row_by_row", None)
        return clean_labels(*arguments, force=True, **options)


@settings(max_examples=40)
@given(
    st.sampled_from(POLICIES),
    st.sampled_from(["plain.csv", "quoted.csv", "crlf.csv", "in.parquet"]),
    st.lists(st.sampled_from(["train", " Test", "val", None]), min_size=N, max_size=N),
    st.booleans(),
    st.booleans(),
    st.dictionaries(
        st.integers(0, N - 8), st.sampled_from(["keep", "ambiguous", "dog", "new, class"]), max_size=8
    ),
)
def test_both_ways_do_the_same(
    policy: str,
    name: str,
    splits: list[str | None],
    provenance: bool,
    include_test: bool,
    said: dict[int, str],
) -> None:
    audit = with_splits(build_audit(N), splits)
    judged = Decided(
        {row: label for row, label in said.items() if label not in ("keep", "ambiguous")},
        frozenset(row for row, kind in said.items() if kind == "keep"),
        frozenset(row for row, kind in said.items() if kind == "ambiguous"),
    )
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_file, "WHOLE", 0)
        patch.setattr(spans, "PIECE", 200)
        path = Path(folder) / name
        source = label_file(audit, path, path.stem if path.suffix == ".csv" else "plain")
        outs = [path.with_name(f"{way}{path.suffix}") for way in ("a", "b", "c")]
        options: dict[str, Any] = {"policy": policy, "decided": judged}
        options |= {"provenance": provenance, "include_test": include_test}
        careful = row_by_row(audit, source, outs[0], **options)
        opened = open_audit(written(audit, Path(folder), rows=11))
        for bulk, out in ((audit, outs[1]), (opened, outs[2])):
            summary = in_bulk(bulk, source, out, **options)
            assert dataclasses.replace(summary, out=outs[0]) == careful
            if path.suffix == ".csv":
                assert out.read_bytes() == outs[0].read_bytes()
            else:
                assert pq.ParquetFile(out).read().equals(pq.ParquetFile(outs[0]).read())


@pytest.mark.parametrize("name", ["in.csv", "in.parquet"])
@pytest.mark.parametrize("way", [in_bulk, row_by_row])
def test_a_file_that_is_not_the_audits_is_refused(
    name: str, way: Callable[..., CleanSummary], make_audit: MakeAudit, tmp_path: Path
) -> None:
    """The same line both ways: of another number of rows first, then by what moved, id before image before label."""
    audit, out = make_audit(), tmp_path / f"out{Path(name).suffix}"
    at = f"{name}, row"

    def refused(of: AuditResult, *columns: str) -> str:
        source = dataclasses.replace(
            label_file(of, tmp_path / name),
            image_column="image" if "image" in columns else None,
            id_column="id" if "id" in columns else None,
        )
        with pytest.raises(DataError) as caught:
            way(audit, source, out)
        assert not out.exists()
        assert {path.name for path in tmp_path.iterdir()} == {name}
        return str(caught.value)

    def changed(column: str, row: int, cell: str | None) -> AuditResult:
        cells = audit.table.column(column).to_pylist()
        cells[row] = cell
        return AuditResult(with_cells(audit.table, column, cells), audit.meta)

    fewer, more = audit.table.slice(0, 50), pa.concat_tables([audit.table, audit.table.slice(0, 5)])
    assert "has 50 rows, but the audit is of 60" in refused(AuditResult(fewer, audit.meta))
    assert "has 65 rows, but the audit is of 60" in refused(AuditResult(more, audit.meta))
    label = audit.column("given_label")[30]
    message = refused(changed("given_label", 30, "zebra"))
    assert f"{at} 30, column 'label': the label is 'zebra', but {label!r} in the audit" in message
    assert f"the label is None, but {label!r} in the audit" in refused(changed("given_label", 30, None))
    assert f"{at} 54, column 'label': the label is 'cat', but None" in refused(
        changed("given_label", 54, "cat")
    )
    assert f"{at} 7, column 'image': the image is 'x.png'" in refused(changed("image", 7, "x.png"), "image")
    shuffled = AuditResult(audit.table.take([1, 0, *range(2, 60)]), audit.meta)
    assert f"{at} 0, column 'id': the id is 'images/00001.png'" in refused(shuffled, "image", "id")
    assert f"{at} 0, column 'image': the image is" in refused(shuffled, "image")


@pytest.mark.parametrize("name", ["in.jsonl", "quotes.csv"])
def test_what_is_not_plain_is_done_row_by_row(name: str, make_audit: MakeAudit, tmp_path: Path) -> None:
    images = [f'5" disk {row}.png' for row in range(60)] if name == "quotes.csv" else None
    audit = make_audit(images=images)
    source = label_file(audit, tmp_path / name)
    if name == "quotes.csv":
        text = source.path.read_text().replace('"5"" disk', '5" disk').replace('.png"', ".png")
        source.path.write_text(text)
    out = tmp_path / f"out{Path(name).suffix}"
    done = clean_labels(open_audit(written(audit, tmp_path)), source, out)
    issues = audit.suspects()
    assert (done.n_changed, done.n_rows) == (int(issues.sum()), 60)
    suggested, given = audit.column("suggested_label"), audit.column("given_label")
    wanted = [new if issue else old for new, old, issue in zip(suggested, given, issues, strict=True)]
    assert read_again(dataclasses.replace(source, path=out))["label"] == wanted


def test_only_samples_that_are_decided_about_are_looked_up(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit(images=[f"'{row}" if row == 3 else str(row) for row in range(60)])
    opened = open_audit(written(audit, tmp_path))
    answers = [("7", "keep", None), ("'9", "keep", None), ("'3", "relabel", "new"), ("20", "skip", None)]
    for of in (audit, opened):
        said = decided(of, [(Path("d.csv"), Decision(*answer)) for answer in answers])
        assert (said.confirmed, dict(said.labels)) == (frozenset({7, 9}), {3: "new"})
        with pytest.raises(DataError, match="'99' is no sample of the audit"):
            decided(of, [(Path("d.csv"), Decision("99", "keep"))])
