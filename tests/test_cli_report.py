"""report: the reports again, from the audit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from noiseaudit.result import AuditResult
from noiseaudit.runjson import write_run_json
from noiseaudit_cli.main import app


@pytest.fixture
def folder(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> Path:
    """A run whose images lie in `pictures`."""
    (tmp_path / "pictures").mkdir()
    names = [f"{i}.png" for i in range(60)]
    for name in names:
        Image.new("L", (8, 8), 99).save(tmp_path / "pictures" / name)
    run = tmp_path / "run"
    run.mkdir()
    make_audit(images=names, has_truth=False).write(run / "audit.parquet")
    paths = {
        "data": "labels.csv",
        "images": str(tmp_path / "pictures"),
        "allow_roots": [str(tmp_path / "gone")],
    }
    write_run_json(run, {"status": "complete", "paths": paths})
    return tmp_path


def _report(run: Path, *options: object) -> Any:
    return CliRunner().invoke(app, ["report", str(run), *map(str, options)])


def _html(folder: Path) -> str:
    return (folder / "run" / "report.html").read_text("utf-8")


def test_the_reports_are_written_in_place(folder: Path) -> None:
    (folder / "run" / "report.html").write_text("old")
    result = _report(folder / "run")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "data:image/png;base64," in _html(folder)
    assert "labels look wrong" in (folder / "run" / "report.md").read_text("utf-8")
    assert "labels look wrong" in json.loads((folder / "run" / "report.json").read_text("utf-8"))["finding"]


def test_one_report_elsewhere(folder: Path) -> None:
    out = folder / "summary.md"
    assert _report(folder / "run", "--out", out).exit_code == 0
    assert "labels look wrong" in out.read_text("utf-8")
    assert not (folder / "run" / "report.md").exists()
    result = _report(folder / "run", "--out", out)
    assert (result.exit_code, "--force" in result.stderr) == (2, True)
    assert _report(folder / "run", "--out", out, "--force").exit_code == 0


def test_an_unknown_kind_of_report(folder: Path) -> None:
    result = _report(folder / "run", "--out", folder / "report.pdf")
    assert (result.exit_code, "none of .html, .md, .json" in result.stderr) == (2, True)


def test_how_many_suspects(folder: Path) -> None:
    counts = []
    for limit in (0, 1, 3):
        assert _report(folder / "run", "--max-suspects", limit).exit_code == 0
        counts.append(_html(folder).count("data:image/png"))
    others = counts[0]  # unlabelled rows, and examples of pairs
    assert counts == [others, others + 1, others + 3]


def test_images_that_are_gone_leave_the_report_without_pictures(folder: Path) -> None:
    (folder / "pictures").rename(folder / "moved")
    result = _report(folder / "run")
    assert result.exit_code == 0
    assert "no picture is where the scan found it" in result.stderr
    assert "data:image" not in _html(folder)
    result = _report(folder / "run", "--images", folder / "moved")
    assert (result.exit_code, "no picture" in result.stderr) == (0, False)
    assert "data:image" in _html(folder)


def test_a_wrong_images_folder_is_an_error(folder: Path) -> None:
    result = _report(folder / "run", "--images", folder / "nowhere")
    assert (result.exit_code, "nowhere" in result.stderr) == (2, True)


def test_an_audit_alone_is_enough(folder: Path) -> None:
    (folder / "run" / "run.json").unlink()
    assert _report(folder / "run" / "audit.parquet").exit_code == 0
    assert "data:image" not in _html(folder)


def test_truth_adds_the_evaluation(folder: Path) -> None:
    (folder / "truth.csv").write_text("sample_id,is_corrupted\n0.png,true\n1.png,false\n")
    assert _report(folder / "run").exit_code == 0
    assert "Average precision" not in _html(folder)
    assert _report(folder / "run", "--truth", folder / "truth.csv").exit_code == 0
    assert "Average precision" in _html(folder)
    found = json.loads((folder / "run" / "report.json").read_text("utf-8"))["truth"]
    assert (found["n_with_truth"], found["n_corrupted"]) == (2, 1)
    assert [rule["rule"] for rule in found["rules"]] == ["paper", "default"]


def test_an_image_outside_the_new_folder_has_no_picture(
    folder: Path, make_audit: Callable[..., AuditResult]
) -> None:
    names = [str(folder / "pictures" / f"{i}.png") if i % 2 else f"{i}.png" for i in range(60)]
    make_audit(images=names, has_truth=False).write(folder / "run" / "audit.parquet")
    assert _report(folder / "run").exit_code == 0
    with_all = _html(folder).count("data:image/png")
    (folder / "pictures").rename(folder / "moved")
    assert _report(folder / "run", "--images", folder / "moved").exit_code == 0
    assert 0 < _html(folder).count("data:image/png") < with_all


def test_thumbnails_obey_the_runs_max_pixels(folder: Path) -> None:
    saved = json.loads((folder / "run" / "run.json").read_text())
    write_run_json(folder / "run", saved | {"max_pixels": 63})
    assert _report(folder / "run").exit_code == 0
    assert "data:image" not in _html(folder)


@pytest.mark.parametrize(
    ("protected", "sentence"),
    [
        (0, "run/cleaned.csv with 7 suspects relabelled."),
        (2, "with 7 suspects relabelled; 2 suspects in test or validation splits kept the given label ("),
    ],
)
def test_what_the_scan_cleaned_is_said(folder: Path, protected: int, sentence: str) -> None:
    saved = json.loads((folder / "run" / "run.json").read_text())
    cleaned = {"file": "cleaned.csv", "changed": 7, "protected": protected}
    write_run_json(folder / "run", saved | {"cleaned": cleaned})
    assert _report(folder / "run").exit_code == 0
    assert sentence in _html(folder)
    assert sentence in (folder / "run" / "report.md").read_text("utf-8")


def test_files_beside_an_audit_that_was_copied_are_not_known_to_be_reports(folder: Path) -> None:
    run = folder / "run"
    (run / "run.json").unlink()
    (run / "report.md").write_text("my thesis")
    result = _report(run)
    assert (result.exit_code, "report.md: exists. Give --force to replace it" in result.stderr) == (2, True)
    assert ((run / "report.md").read_text(), (run / "report.html").exists()) == ("my thesis", False)
    assert _report(run, "--force").exit_code == 0
    assert "labels look wrong" in (run / "report.md").read_text("utf-8")
