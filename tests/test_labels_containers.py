"""Data sets that hold their images: the same audit as of files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from noiseaudit.result import read_audit
from noiseaudit_cli.main import app
from tests.containers import CLASSES, arrow_table, pictures, save_to_disk, write_shards


def write_files(folder: Path, names: Sequence[str], images: Sequence[bytes], labels: Sequence[str]) -> Path:
    for name, content in zip(names, images, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    lines = [f"{name},{label}" for name, label in zip(names, labels, strict=True)]
    (folder / "labels.csv").write_text("\n".join(["image,label", *lines]) + "\n")
    return folder / "labels.csv"


def scan(out: Path, data: object, *more: object) -> None:
    words = ["scan", data, "--out", out, "--epochs", "2", "--backbone", "mlp", "--quiet", *more]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output


def same_audits(one: Path, other: Path) -> None:
    a, b = (read_audit(each) for each in (one, other))
    assert a.table.equals(b.table)
    assert a.meta.data_fingerprint == b.meta.data_fingerprint


def test_tar_shards_are_audited_as_their_files(tmp_path: Path) -> None:
    images = pictures()
    pattern = write_shards(tmp_path / "shards", images)
    order = [*range(0, 48, 2), *range(1, 48, 2)]
    names = [f"x-{i % 2:02d}.tar/{i:03d}.png" for i in order]
    labels = [CLASSES[i % 2] for i in order]
    file = write_files(tmp_path / "files", names, [images[i] for i in order], labels)
    scan(tmp_path / "a", file, "--images", file.parent)
    scan(tmp_path / "b", pattern)
    scan(tmp_path / "c", pattern.parent)
    same_audits(tmp_path / "a", tmp_path / "b")
    same_audits(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "b" / "report.html").read_text().count("data:image") == (
        tmp_path / "a" / "report.html"
    ).read_text().count("data:image")


@pytest.mark.parametrize("kind", ["save_to_disk", "parquet", "hub"])
def test_hugging_face_data_are_audited_as_their_files(tmp_path: Path, kind: str) -> None:
    images = pictures()
    table = arrow_table(images)
    data: object
    if kind == "save_to_disk":
        data = save_to_disk(table, tmp_path / "saved")
    else:
        (tmp_path / "hub").mkdir()
        pq.write_table(table.slice(0, 20), tmp_path / "hub" / "a.parquet", row_group_size=6)
        pq.write_table(table.slice(20), tmp_path / "hub" / "b.parquet", row_group_size=6)
        pq.write_table(table, tmp_path / "one.parquet", row_group_size=6)
        data = tmp_path / "one.parquet" if kind == "parquet" else f"hf://{tmp_path / 'hub'}"
    names, labels = [f"{i:03d}.png" for i in range(48)], [CLASSES[i % 2] for i in range(48)]
    file = write_files(tmp_path / "files", names, images, labels)
    scan(tmp_path / "a", file, "--images", file.parent)
    scan(tmp_path / "b", data)
    same_audits(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "cleaned.csv").read_text().startswith("sample_id,image,label\n000.png,000.png,")
    out = tmp_path / "mended.csv"
    result = CliRunner().invoke(app, ["clean", str(tmp_path / "b"), "--policy", "flag", "--out", str(out)])
    assert result.exit_code == 0, result.output
    lines = out.read_text().splitlines()
    assert lines[0] == "sample_id,image,label,is_label_issue,suggested_label,p_mislabeled"
    assert [line.split(",")[2] for line in lines[1:]] == labels


def test_a_folder_of_images_beside_is_refused(tmp_path: Path) -> None:
    pattern = write_shards(tmp_path / "shards", pictures(8))
    words = ["scan", str(pattern), "--images", str(tmp_path), "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "the data set holds its images" in result.output.replace("\n", " ")
    assert not (tmp_path / "run").exists()
