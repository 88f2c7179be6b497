"""The exports with images: links or copies, what is refused, and what is said of what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from noiseaudit.decided import Decided
from noiseaudit.decisions import run_id
from noiseaudit.errors import ConfigError, DataError, OutputError
from noiseaudit.exports import FORMATS, export_audit
from noiseaudit.exports.base import ExportOptions
from noiseaudit.exports.pictures import find_pictures
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.runjson import write_run_json
from noiseaudit_cli.main import app
from tests.conftest import build_audit
from tests.exported import audit, options

__all__ = ["audit"]  # fixtures

FOLDERS = [name for name, kind in FORMATS.items() if not kind.kinds]


@pytest.mark.parametrize("format_", ["huggingface", "fiftyone"])
@pytest.mark.parametrize("copy", [False, True])
def test_links_or_copies(audit: AuditResult, tmp_path: Path, format_: str, copy: bool) -> None:
    export_audit(audit, format_, tmp_path / "out", options(tmp_path, copy=copy))
    files = [*(tmp_path / "out").rglob("*.png")]
    assert len(files) == 19
    assert {file.is_symlink() for file in files} == {not copy}


@pytest.mark.parametrize("format_", ["huggingface", "imagefolder", "fiftyone"])
def test_an_image_that_is_gone_leaves_nothing_behind(
    audit: AuditResult, tmp_path: Path, format_: str
) -> None:
    (tmp_path / "photos" / audit.column("image")[4]).unlink()
    asked = options(tmp_path, policy="none") if format_ == "imagefolder" else options(tmp_path)
    with pytest.raises(DataError, match=r"0004\.png: the image is gone\. Say where the images are now"):
        export_audit(audit, format_, tmp_path / "out", asked)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize("format_", FOLDERS)
def test_an_audit_of_embeddings_has_no_images(tmp_path: Path, format_: str) -> None:
    audit = build_audit(12)
    place = SCHEMA.names.index("image")
    table = audit.table.set_column(place, SCHEMA.field("image"), pa.nulls(12, pa.string()))
    (tmp_path / "photos").mkdir()
    asked = options(tmp_path, policy="none") if format_ == "imagefolder" else options(tmp_path)
    with pytest.raises(ConfigError, match="the audit is of embeddings"):
        export_audit(AuditResult(table, audit.meta), format_, tmp_path / "out", asked)


@pytest.mark.parametrize(
    ("format_", "asked", "flag"),
    [
        ("cleanlab", {"copy": True}, "--copy"),
        ("label-studio", {"policy": "relabel"}, "--policy"),
        ("huggingface", {"everything": True}, "--all"),
        ("cvat", {"document_root": Path("x")}, "--document-root"),
        ("fiftyone", {"include_test": True}, "--include-test"),
        ("fiftyone", {"decided": Decided(confirmed=frozenset({1}))}, "--decisions"),
    ],
)
def test_no_option_does_nothing(format_: str, asked: dict[str, Any], flag: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{flag} is of no use to --format {format_}"):
        export_audit(build_audit(12), format_, tmp_path / "a.csv", ExportOptions(**asked))


def test_a_folder_in_use_is_left_alone(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="even --force does not replace it"):
        export_audit(audit, "fiftyone", out, options(tmp_path), force=True)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is not a folder"):
        export_audit(audit, "fiftyone", tmp_path / "file", options(tmp_path))
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_an_export_is_not_replaced_by_one_of_its_own_images(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_audit(audit, "huggingface", out, options(tmp_path, copy=True))
    own = ExportOptions(pictures=find_pictures({}, out / "train"))
    with pytest.raises(OutputError, match="--force would delete the input"):
        export_audit(audit, "huggingface", out, own, force=True)
    assert (out / "train" / "metadata.parquet").is_file()


@pytest.mark.parametrize("format_", [name for name in FOLDERS if name != "imagefolder"])
def test_the_commands(audit: AuditResult, tmp_path: Path, format_: str) -> None:
    """By run.json, which says where the images are; once more only by --force."""
    run = tmp_path / "run"
    run.mkdir()
    audit.write(run / "audit.parquet")
    paths = {"images": str(tmp_path / "photos"), "allow_roots": []}
    write_run_json(run, {"status": "complete", "paths": paths})
    words = ["export", str(run), "--format", format_, "--out", str(tmp_path / "out")]
    first, again, forced = (CliRunner().invoke(app, [*words, *more]) for more in ([], [], ["--force"]))
    assert (first.exit_code, again.exit_code, forced.exit_code) == (0, 2, 0), (first.stderr, forced.stderr)
    assert "Give --force to replace it" in again.stderr
    marker = json.loads((tmp_path / "out" / "noiseaudit-export.json").read_text())
    assert (marker["format"], marker["run_id"]) == (format_, run_id(audit))
    assert f"{marker['rows']} rows in" in first.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos", "run"]
