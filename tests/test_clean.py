from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.audit_meta import AuditMeta, Cutoff
from noiseaudit.clean import CleanSummary, clean_labels
from noiseaudit.errors import ConfigError, DataError, OutputError
from noiseaudit.labels import Source, read_labels
from noiseaudit.result import SCHEMA, AuditResult

CSV = (
    b'path,label,"split"\r\n'
    b"a.png,cat,train\r\n"  # issue -> dog
    b'b.png,"dog",train\r\n'  # fine
    b"c.png,,train\r\n"  # unlabelled
    b"d.png,dog, Test\r\n"  # issue -> cat, held out
    b'e.png,"dog",\r\n'  # issue -> cat
    b"f.png,cat,val"  # not read
)
LABELS = ["cat", "dog", None, "dog", "dog", "cat"]
ISSUES = [True, False, None, True, True, None]
SCORES = [0.9, 0.125, None, 0.75, 0.8, None]
SUGGESTED = ["dog", "dog", "cat", "cat", "cat", None]
SPLITS = ["train", "train", "train", " Test", None, "val"]


def audit_of(labels: list[str | None], issues: list[bool | None], splits: list[str | None]) -> AuditResult:
    n_rows = len(labels)
    columns: dict[str, list[object]] = {name: [None] * n_rows for name in SCHEMA.names}
    columns |= {
        "row": list(range(n_rows)),
        "sample_id": [str(row) for row in range(n_rows)],
        "image": [f"{letter}.png" for letter in "abcdef"[:n_rows]],
        "given_label": [*labels],
        "is_labelled": [label is not None for label in labels],
        "status": [*["ok", "ok", "unlabelled", "ok", "ok", "missing"][:n_rows]],
        "is_label_issue": [*issues],
        "p_mislabeled": [*SCORES[:n_rows]],
        "suggested_label": [*SUGGESTED[:n_rows]],
        "split": [*splits],
    }
    cutoff = Cutoff("auto", "p_mislabeled", 0.5, "")
    meta = AuditMeta(("cat", "dog"), "string", {}, {}, 0, "cpu", 1, cutoff, "sha256:0")
    return AuditResult(pa.table(columns, schema=SCHEMA), meta)


@pytest.fixture
def audit() -> AuditResult:
    return audit_of([*LABELS], [*ISSUES], [*SPLITS])


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "data.csv"
    path.write_bytes(CSV)
    found = read_labels(path).source
    assert found is not None
    return found


def test_relabel_changes_the_suspects_and_nothing_else(
    audit: AuditResult, source: Source, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    summary = clean_labels(audit, source, out, force=True)
    assert out.read_bytes() == CSV.replace(b"a.png,cat", b"a.png,dog").replace(b'e.png,"dog"', b'e.png,"cat"')
    assert summary == CleanSummary(out, "relabel", 6, 3, 2, 0, 1, 0, 1, 1, 2)


def test_a_file_that_is_there_stays_unless_forced(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    out = tmp_path / "precious.csv"
    out.write_text("mine")
    with pytest.raises(OutputError, match=r"precious\.csv: exists\. Give force=True to replace it"):
        clean_labels(audit, source, str(out))
    assert out.read_text() == "mine"
    clean_labels(audit, source, str(out), force=True)
    assert out.read_bytes().startswith(CSV[:5])


def test_blank_and_drop(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    out = tmp_path / "blank.csv"
    summary = clean_labels(audit, source, out, force=True, policy="blank")
    assert out.read_bytes() == CSV.replace(b"a.png,cat", b"a.png,").replace(b'e.png,"dog"', b'e.png,""')
    assert (summary.n_changed, summary.n_dropped, summary.n_protected) == (2, 0, 1)
    out = tmp_path / "drop.csv"
    summary = clean_labels(audit, source, out, force=True, policy="drop")
    assert out.read_bytes() == CSV.replace(b"a.png,cat,train\r\n", b"").replace(b'e.png,"dog",\r\n', b"")
    assert (summary.n_changed, summary.n_dropped, summary.n_protected) == (0, 2, 1)
    assert (summary.n_rows, summary.n_written) == (6, 4)


def test_flag_keeps_every_label_and_flags_held_out_rows_too(
    audit: AuditResult, source: Source, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    summary = clean_labels(audit, source, out, force=True, policy="flag")
    assert out.read_bytes() == (
        b'path,label,"split",is_label_issue,suggested_label,p_mislabeled\r\n'
        b"a.png,cat,train,true,dog,0.9\r\n"
        b'b.png,"dog",train,false,dog,0.125\r\n'
        b"c.png,,train,,cat,\r\n"
        b"d.png,dog, Test,true,cat,0.75\r\n"
        b'e.png,"dog",,true,cat,0.8\r\n'
        b"f.png,cat,val,,,"
    )
    assert summary == CleanSummary(out, "flag", 6, 3, 0, 0, 0, 0, 1, 1, 3)


def test_provenance_tells_what_was_done(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    clean_labels(audit, source, out, force=True, provenance=True)
    lines = out.read_bytes().split(b"\r\n")
    assert lines[0] == (
        b'path,label,"split",noiseaudit_given_label,noiseaudit_action,noiseaudit_p_mislabeled'
    )
    assert [line.split(b",", 3)[3] for line in lines[1:]] == [
        b"cat,relabelled,0.9",
        b"dog,kept,0.125",
        b",kept,",
        b"dog,protected,0.75",
        b"dog,relabelled,0.8",
        b"cat,kept,",
    ]
    clean_labels(audit, source, out, force=True, policy="flag", provenance=True)
    header, first, *_ = out.read_bytes().split(b"\r\n")
    assert header.endswith(b"p_mislabeled,noiseaudit_given_label,noiseaudit_action,noiseaudit_p_mislabeled")
    assert first.endswith(b"true,dog,0.9,cat,flagged,0.9")


@pytest.mark.parametrize("split", ["test", "val", "valid", "validation", "dev", "holdout", "eval", "TEST "])
def test_held_out_splits_are_protected_unless_asked(split: str, tmp_path: Path) -> None:
    path, out = tmp_path / "data.csv", tmp_path / "out.csv"
    path.write_bytes(b"image,label\na,cat\nb,dog\n")
    audit = audit_of(["cat", "dog"], [True, False], [split, split])
    source = Source(path, "csv", "label")
    assert clean_labels(audit, source, out, force=True).n_protected == 1
    assert out.read_bytes() == path.read_bytes()
    summary = clean_labels(audit, source, out, force=True, include_test=True)
    assert (summary.n_changed, summary.n_protected) == (1, 0)
    assert out.read_bytes() == b"image,label\na,dog\nb,dog\n"


def test_parquet_gets_typed_columns(audit: AuditResult, tmp_path: Path) -> None:
    path, out = tmp_path / "data.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"label": LABELS}), path)
    clean_labels(audit, Source(path, "parquet", "label"), out, policy="flag")
    table = pq.read_table(out)
    assert [str(kind) for kind in table.schema.types] == ["string", "bool", "string", "double"]
    assert table.column("label").to_pylist() == LABELS
    assert table.column("is_label_issue").to_pylist() == ISSUES
    assert table.column("p_mislabeled").to_pylist() == SCORES


def test_the_audit_must_be_of_this_file(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    source.path.write_bytes(CSV.replace(b"d.png,dog", b"d.png,fox"))
    with pytest.raises(DataError, match=r"data\.csv, row 3, column 'label': the label is 'fox', but 'dog'"):
        clean_labels(audit, source, out, force=True)
    source.path.write_bytes(CSV + b"\r\ng.png,cat,train\r\n")
    with pytest.raises(DataError, match="has 7 rows, but the audit is of 6"):
        clean_labels(audit, source, out, force=True)
    assert not out.exists()


def test_bad_requests_stop(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with pytest.raises(ConfigError, match="--policy 'fix' is unknown"):
        clean_labels(audit, source, out, force=True, policy="fix")
    with pytest.raises(OutputError, match="never overwritten"):
        clean_labels(audit, source, source.path)
    flagged = tmp_path / "flagged.csv"
    clean_labels(audit, source, flagged, force=True, policy="flag")
    with pytest.raises(DataError, match="column 'is_label_issue': the column to append is there already"):
        clean_labels(audit, Source(flagged, "csv", "label"), out, policy="flag")


def test_rows_in_another_order_are_refused_though_the_labels_agree(
    audit: AuditResult, source: Source, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    lines = CSV.splitlines(keepends=True)
    source.path.write_bytes(b"".join([*lines[:4], lines[5], lines[4], lines[6]]))  # both are dogs
    with pytest.raises(
        DataError, match=r"data\.csv, row 3, column 'path': the image is 'e\.png', but 'd\.png'"
    ):
        clean_labels(audit, source, out, force=True)
    source.path.write_bytes(b"key,label\n0,cat\n2,dog\n1,\n3,dog\n4,dog\n5,cat\n")
    with pytest.raises(DataError, match="row 1, column 'key': the id is '2', but '1' in the audit"):
        clean_labels(audit, Source(source.path, "csv", "label", id_column="key"), out)
    assert not out.exists()


def test_a_tree_with_a_renamed_image_is_refused(tmp_path: Path) -> None:
    for name in ("cat/a.png", "dog/c.png"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True)
        (tmp_path / "tree" / name).touch()
    source = read_labels(tmp_path / "tree").source
    assert source is not None
    audit = audit_of(["cat", "dog"], [True, False], [None, None])
    with pytest.raises(DataError, match=r"row 0, column 'image': the image is 'cat/a\.png', but 'a\.png'"):
        clean_labels(audit, source, tmp_path / "out.csv")
