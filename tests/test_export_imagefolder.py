"""ImageFolder: the tree holds what `clean` writes, under the labels' names."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from noiseaudit.clean import clean_labels
from noiseaudit.decided import Decided
from noiseaudit.decisions import Decision, run_id, write_decisions
from noiseaudit.errors import ConfigError, OutputError
from noiseaudit.exports import export_audit
from noiseaudit.labels import read_labels
from noiseaudit.labels.table import Source
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app
from tests.conftest import build_audit
from tests.exported import UNREAD, audit, options, same_image
from tests.trips import draw_images

__all__ = ["audit"]  # fixtures


@pytest.mark.parametrize("policy", ["relabel", "blank", "drop", "none"])
@pytest.mark.parametrize("include_test", [False, True])
def test_the_tree_holds_what_clean_writes(
    audit: AuditResult, tmp_path: Path, policy: str, include_test: bool
) -> None:
    columns = ("sample_id", "image", "given_label")
    cells = zip(*(audit.column(name).tolist() for name in columns), strict=True)
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "image", "label"), *cells])
    source = Source(tmp_path / "labels.csv", "csv", "label", image_column="image", id_column="id")
    suspects = [row for row, flag in enumerate(audit.suspects().tolist()) if flag]
    said = Decided(
        labels={suspects[0]: "a/new:label"},
        confirmed=frozenset(suspects[1:2]),
        unclear=frozenset(suspects[2:3]),
    )
    asked: dict[str, Any] = {"policy": policy, "decided": said, "include_test": include_test}
    clean_labels(audit, source, tmp_path / "clean.csv", **asked)
    with (tmp_path / "clean.csv").open(newline="") as file:
        wanted = {row["id"]: row["label"] for row in csv.DictReader(file) if row["label"]}
    missing = audit.column("sample_id")[UNREAD]
    wanted.pop(missing, None)
    out = tmp_path / "out"
    done = export_audit(audit, "imagefolder", out, options(tmp_path, **asked))
    with pq.ParquetFile(out / "noiseaudit-rows.parquet") as file:
        rows = file.read().to_pylist()
    found = {row["sample_id"]: row for row in rows if row["file"]}
    assert {name: row["label"] for name, row in found.items()} == wanted
    assert done.rows == len(wanted)
    for row in found.values():
        folder = row["file"].split("/")[0]
        assert "%~" in folder or unquote(folder) == row["label"]
        assert same_image(out / row["file"], row["row"], audit, tmp_path)
    files = [path for path in out.rglob("*") if path.is_file() and path.parent != out]
    assert len(files) == len(wanted)
    assert {path.parent.name for path in files} == {row["file"].split("/")[0] for row in found.values()}


def test_the_tree_needs_to_know_what_to_do(audit: AuditResult, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither --policy nor --decisions is given"):
        export_audit(audit, "imagefolder", tmp_path / "out", options(tmp_path))


def test_files_in_the_folders_of_an_export_are_not_deleted(audit: AuditResult, tmp_path: Path) -> None:
    out, own = tmp_path / "out", options(tmp_path, policy="none")
    export_audit(audit, "imagefolder", out, own)
    folder = next(path for path in out.iterdir() if path.is_dir())
    (folder / ".DS_Store").write_text("of the system")
    export_audit(audit, "imagefolder", out, own, force=True)
    (folder / "more.png").write_text("drawn by hand")
    with pytest.raises(OutputError, match=r"out: holds 1 file in '.+', which the export did not write"):
        export_audit(audit, "imagefolder", out, own, force=True)
    assert (folder / "more.png").read_text() == "drawn by hand"
    (folder / "more.png").unlink()
    export_audit(audit, "imagefolder", out, own, force=True)
    written = next(path for path in folder.iterdir() if path.suffix == ".png")
    written.rename(folder / "in-its-place.png")  # as many as before
    with pytest.raises(
        OutputError, match=r"out: holds another set of files in '.+', which the export did not"
    ):
        export_audit(audit, "imagefolder", out, own, force=True)
    assert (folder / "in-its-place.png").exists()


def test_decisions_on_the_command_line(audit: AuditResult, tmp_path: Path) -> None:
    audit.write(tmp_path / "audit.parquet")
    first = audit.column("sample_id")[0]
    write_decisions(tmp_path / "d.csv", [Decision(first, "relabel", "NA", "ann", None, run_id(audit))])
    words = ["export", tmp_path, "--format", "imagefolder", "--out", tmp_path / "out", "--copy"]
    words += ["--images", tmp_path / "photos", "--decisions", tmp_path / "d.csv"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.stderr
    assert "17 rows in" in result.stderr
    assert "Left out because there is no label: 2." in result.stderr
    assert (tmp_path / "out" / "NA" / "0000.png").is_file()
    assert not (tmp_path / "out" / "NA" / "0000.png").is_symlink()


def test_a_class_like_a_file_of_ours(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    labels = ["noiseaudit-export.json", "noiseaudit-rows.parquet"]
    audit = build_audit(4, labels, n_unlabelled=0, n_unread=0, images=[f"{i}.png" for i in range(4)])
    draw_images(audit, tmp_path / "photos")
    out = tmp_path / "out"
    export_audit(audit, "imagefolder", out, options(tmp_path, policy="none"))
    assert (out / "noiseaudit-export.json").is_file()
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == [f"%6E{x[1:]}" for x in labels]
    table = read_labels(out)
    assert (len(table.given_label), table.warnings) == (4, ())
