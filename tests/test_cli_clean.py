"""clean, evaluate, report and corrupt from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from noiseaudit.clean import CleanSummary
from noiseaudit.describe_run import RunInputs, describe_run
from noiseaudit.labels.table import Source
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.runjson import write_run_json
from noiseaudit_cli.clean import _kept
from noiseaudit_cli.main import app


@pytest.fixture
def audit(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> AuditResult:
    """A run folder `run` beside the label file it is of; every third row belongs to the test split."""
    made = make_audit(n=60, n_unlabelled=4, n_unread=3)
    splits = pa.array(["test" if i % 3 == 0 else "train" for i in range(60)])
    table = made.table.set_column(SCHEMA.names.index("split"), SCHEMA.field("split"), splits)
    audit = AuditResult(table, made.meta)
    run = tmp_path / "run"
    run.mkdir()
    audit.write(run / "audit.parquet")
    rows = zip(*(table.column(name).to_pylist() for name in ("image", "given_label", "split")), strict=True)
    lines = [f'"{image}", {label or ""},{split}\r\n' for image, label, split in rows]
    (tmp_path / "labels.csv").write_bytes(
        ("image,label,split\r\n" + "".join(lines)).replace(", ", ",").encode()
    )
    source = Source(tmp_path / "labels.csv", "csv", "label", image_column="image")
    cleaned = CleanSummary(run / "cleaned.csv", "relabel", 60, 0, 0, 0, 0)
    write_run_json(run, {"status": "complete"} | describe_run(audit, RunInputs(source), [], cleaned))
    return audit


def _clean(folder: Path, policy: str, *options: str) -> Any:
    words = ["clean", str(folder / "run"), "--policy", policy, "--out", str(folder / "out.csv"), *options]
    return CliRunner().invoke(app, words)


def _flagged(audit: AuditResult) -> list[int]:
    return [row for row, flag in enumerate(audit.table.column("is_label_issue").to_pylist()) if flag]


def test_drop_finds_the_file_by_run_json(audit: AuditResult, tmp_path: Path) -> None:
    result = _clean(tmp_path, "drop", "--include-test")
    assert (result.exit_code, result.stdout) == (0, "")
    flagged = _flagged(audit)
    assert f"{60 - len(flagged)} rows written, 0 changed, {len(flagged)} dropped" in result.stderr
    assert len(flagged) > 0
    before = (tmp_path / "labels.csv").read_bytes().splitlines(keepends=True)
    kept = [line for i, line in enumerate(before[1:]) if i not in flagged]
    assert (tmp_path / "out.csv").read_bytes().splitlines(keepends=True) == [before[0], *kept]


def test_rows_of_the_test_split_are_spared_and_counted(audit: AuditResult, tmp_path: Path) -> None:
    result = _clean(tmp_path, "blank", "--json")
    spared = [row for row in _flagged(audit) if row % 3 == 0]
    summary = json.loads(result.stdout)
    assert summary["n_protected"] == len(spared) > 0
    assert summary["n_changed"] == len(_flagged(audit)) - len(spared)
    assert summary["out"] == str(tmp_path / "out.csv")
    assert summary["n_written"] == 60
    said = _clean(tmp_path, "blank", "--force").stderr
    assert f"{len(spared)} suspects in test or validation splits" in said


@pytest.mark.parametrize("policy", ["drop", "blank", "flag"])
def test_rows_that_were_not_judged_are_kept_and_counted(
    audit: AuditResult, tmp_path: Path, policy: str
) -> None:
    said = _clean(tmp_path, policy).stderr
    assert (
        "3 rows without a readable image stay as they are, 4 rows without a label stay without one.\n" in said
    )
    summary = json.loads(_clean(tmp_path, policy, "--force", "--json").stdout)
    assert (summary["n_unread_kept"], summary["n_unlabelled_kept"]) == (3, 4)


@pytest.mark.parametrize(
    ("unread", "unlabelled", "said"),
    [
        (0, 0, ""),
        (1, 0, "1 row without a readable image stays as it is."),
        (0, 1200, "1,200 rows without a label stay without one."),
        (
            1,
            1,
            "1 row without a readable image stays as it is, 1 row without a label stays without one.",
        ),
    ],
)
def test_kept_rows_in_words(unread: int, unlabelled: int, said: str) -> None:
    done = CleanSummary(Path("out.csv"), "drop", 9, 0, 0, 0, 0, 0, unread, unlabelled)
    assert _kept(done) == said


def test_provenance_adds_columns(audit: AuditResult, tmp_path: Path) -> None:
    assert _clean(tmp_path, "relabel", "--provenance").exit_code == 0
    header = (tmp_path / "out.csv").read_text().splitlines()[0]
    assert header == "image,label,split,noiseaudit_given_label,noiseaudit_action,noiseaudit_p_mislabeled"


def test_an_existing_output_needs_force(audit: AuditResult, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("mine")
    result = _clean(tmp_path, "drop")
    assert (result.exit_code, "--force" in result.stderr) == (2, True)
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert _clean(tmp_path, "drop", "--force").exit_code == 0
    assert (tmp_path / "out.csv").read_text() != "mine"


def test_the_input_is_never_overwritten(audit: AuditResult, tmp_path: Path) -> None:
    before = (tmp_path / "labels.csv").read_bytes()
    result = _clean(tmp_path, "drop", "--out", str(tmp_path / "labels.csv"), "--force")
    assert (result.exit_code, "never overwritten" in result.stderr) == (2, True)
    assert (tmp_path / "labels.csv").read_bytes() == before


def test_a_moved_file_is_named_by_data(audit: AuditResult, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").rename(tmp_path / "moved.csv")
    result = _clean(tmp_path, "drop")
    assert (result.exit_code, "--data" in result.stderr) == (2, True)
    assert _clean(tmp_path, "drop", "--data", str(tmp_path / "moved.csv")).exit_code == 0


def test_another_file_is_refused(audit: AuditResult, tmp_path: Path) -> None:
    lines = (tmp_path / "labels.csv").read_text().splitlines()
    (tmp_path / "labels.csv").write_text("\n".join(lines[:-1]) + "\n")
    result = _clean(tmp_path, "drop")
    assert (result.exit_code, "59 rows" in result.stderr) == (2, True)
    assert not (tmp_path / "out.csv").exists()


def test_another_format_is_refused(audit: AuditResult, tmp_path: Path) -> None:
    result = _clean(tmp_path, "drop", "--out", str(tmp_path / "out.parquet"))
    assert (result.exit_code, ".csv" in result.stderr) == (2, True)
    assert not (tmp_path / "out.parquet").exists()


def test_a_bare_audit_needs_only_options(audit: AuditResult, tmp_path: Path) -> None:
    (tmp_path / "run" / "run.json").unlink()
    text = (tmp_path / "labels.csv").read_text().replace("image,label", "picture,kind", 1)
    lines = [line.replace(",,", ",?,") for line in text.splitlines()]
    (tmp_path / "odd.csv").write_text("\r\n".join(lines) + "\r\n", "utf-16", newline="")
    options = ["--data", str(tmp_path / "odd.csv"), "--encoding", "utf-16", "--missing-label", "?"]
    columns = ["--label-column", "kind", "--image-column", "picture"]
    assert _clean(tmp_path, "drop", *options).exit_code == 2
    result = _clean(tmp_path, "drop", *options, *columns)
    assert (result.exit_code, "rows written" in result.stderr) == (0, True)
    result = _clean(tmp_path, "drop", *options, *columns, "--id-column", "kind", "--force")
    assert (result.exit_code, "'kind'" in result.stderr) == (2, True)


def test_rows_in_another_order_are_refused(audit: AuditResult, tmp_path: Path) -> None:
    header, *lines = (tmp_path / "labels.csv").read_bytes().splitlines(keepends=True)
    label = audit.column("given_label").tolist()
    same = next(row for row in range(1, 60) if label[row] == label[0])
    lines[0], lines[same] = lines[same], lines[0]
    (tmp_path / "labels.csv").write_bytes(b"".join([header, *lines]))
    result = _clean(tmp_path, "drop")
    assert (result.exit_code, "row 0, column 'image'" in result.stderr) == (2, True)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("command", ["evaluate", "report"])
def test_a_truth_file_may_name_the_images_as_the_scanned_file_does(
    command: str, audit: AuditResult, tmp_path: Path
) -> None:
    run = json.loads((tmp_path / "run" / "run.json").read_text())
    image, label = audit.column("image")[0], audit.column("given_label")[0]
    (tmp_path / "truth.csv").write_text(f"Picture No,true_label\n{image},{label}\n")
    words = [command, str(tmp_path / "run"), "--truth", str(tmp_path / "truth.csv")]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, "no column names the rows" in result.stderr) == (2, True)
    run["source"]["image_column"] = "Picture No"
    (tmp_path / "run" / "run.json").write_text(json.dumps(run))
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.stderr
    if command == "evaluate":
        assert "1 rows with truth, 0 of them corrupted" in result.stderr
