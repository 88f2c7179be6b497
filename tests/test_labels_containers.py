"""Data sets that hold their images: read lazily, the same audit as of files, and errors that name the place."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from noiseaudit.data.load import find_images, load_images
from noiseaudit.data.opening import UnusableImageError, picture_bytes
from noiseaudit.errors import DataError, InputError
from noiseaudit.labels import arrow as arrow_module
from noiseaudit.labels.arrow import ImagesReader, ParquetCells
from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import LabelTable
from noiseaudit.parquet import open_parquet
from noiseaudit.result import read_audit
from noiseaudit_cli.main import app

CLASSES = ["cat", "dog"]


def pictures(n: int = 48) -> list[bytes]:
    """Bright dogs, dark cats, in turn."""
    rng, found = np.random.default_rng(0), []
    for i in range(n):
        file = io.BytesIO()
        values = rng.integers(0, 100, (8, 8, 3)) + 150 * (i % 2)
        Image.fromarray(values.astype(np.uint8)).save(file, "PNG")
        found.append(file.getvalue())
    return found


def write_tar(file: Path, members: Sequence[tuple[str, bytes]]) -> Path:
    with tarfile.open(file, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file


def write_shards(folder: Path, images: Sequence[bytes], n_shards: int = 2) -> Path:
    folder.mkdir()
    for shard in range(n_shards):
        rows = range(shard, len(images), n_shards)
        members = [
            each
            for i in rows
            for each in ((f"{i:03d}.png", images[i]), (f"{i:03d}.cls", CLASSES[i % 2].encode()))
        ]
        write_tar(folder / f"x-{shard:02d}.tar", members)
    return folder / f"x-{{00..{n_shards - 1:02d}}}.tar"


def arrow_table(images: Sequence[bytes | None]) -> pa.Table:
    n = len(images)
    cells = [{"bytes": content, "path": f"{i:03d}.png"} for i, content in enumerate(images)]
    table = pa.table(
        {
            "img": pa.array(cells, pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            "label": pa.array([i % 2 for i in range(n)], pa.int64()),
        }
    )
    features = {"img": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": CLASSES}}
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def save_to_disk(table: pa.Table, folder: Path) -> Path:
    """As `datasets` lays it out: two files of Arrow streams, what they are in JSON."""
    folder.mkdir()
    half = len(table) // 2
    names = ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    for name, part in zip(names, (table.slice(0, half), table.slice(half)), strict=True):
        with pa.ipc.new_stream(str(folder / name), table.schema) as writer:
            writer.write_table(part, max_chunksize=7)
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    info = json.loads(table.schema.metadata[b"huggingface"])["info"]
    (folder / "dataset_info.json").write_text(json.dumps(info))
    return folder


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


def read(table: LabelTable, **options: Any) -> Any:
    found = find_images(table, None, file=Path("x"), **options)
    return load_images(found, memory_limit=10**9, cache_dir=Path("cache"))


def test_labels_of_shards(tmp_path: Path) -> None:
    image = pictures(1)[0]
    members = [
        ("./a/1.png", image), ("./a/1.json", b'{"caption": "x", "label": 7, "species": "newt"}'),
        ("./a/2.JPG", image), ("./a/2.json", b'{"label": 8, "species": "toad"}'),
        ("a/3.seg.png", image), ("README", b"no sample"), ("a/.hidden", b""),
    ]  # fmt: skip
    file = write_tar(tmp_path / "x.tar", members)
    table = read_labels(file)
    assert table.given_label.tolist() == ["7", "8", None]
    assert table.class_type == "integer"
    assert table.image is not None
    assert table.image.tolist() == ["x.tar/a/1.png", "x.tar/a/2.JPG", "x.tar/a/3.seg.png"]
    assert read_labels(file, columns=ColumnNames(label="species")).given_label.tolist() == [
        "newt",
        "toad",
        None,
    ]


def test_bad_images_of_shards_are_listed(tmp_path: Path) -> None:
    image = pictures(1)[0]
    members = [(f"{i}.png", image) for i in range(4)] + [(f"{i}.cls", str(i % 2).encode()) for i in range(7)]
    members += [("4.png", b""), ("5.png", image[:40])]
    file = write_tar(tmp_path / "x.tar", members)
    table = read_labels(file)
    pixels = read(table)
    assert pixels.status.tolist() == ["ok"] * 4 + ["unreadable"] * 2 + ["missing"]
    assert pixels.reason.tolist()[4:] == [
        "empty file (zero bytes)",
        "not an image of a known format (JPEG, PNG, WEBP, BMP, TIFF, GIF)",
        "the sample holds no image",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("1.png", b"x"), ("1.jpg", b"x"), ("1.cls", b"0")], r"x\.tar: sample '1' has several images"),
        ([("1.png", b"x"), ("1.json", b"{")], r"x\.tar: member '1\.json' is not UTF-8 JSON"),
        ([("1.png", b"x"), ("1.json", b'{"a": 1}')], r"member '1\.json' has no label.*--label-column.*'a'"),
        ([("1.png", b"x"), ("1.txt", b"\xff")], r"member '1\.txt' is not UTF-8 text"),
        ([("1.png", b"x"), ("1.png", b"x")], r"member '1\.png' is there twice"),
    ],
)
def test_bad_shards(tmp_path: Path, members: list[tuple[str, bytes]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_labels(write_tar(tmp_path / "x.tar", members))


def test_shards_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"\x1f\x8b" + bytes(600))
    with pytest.raises(DataError, match=r"x\.tar: not a readable, uncompressed tar archive"):
        read_labels(tmp_path / "x.tar")
    whole = write_tar(tmp_path / "y.tar", [("1.png", bytes(3000)), ("1.cls", b"0")]).read_bytes()
    (tmp_path / "y.tar").write_bytes(whole[:1500])
    with pytest.raises(DataError, match=r"y\.tar: not a readable, uncompressed tar archive"):
        read_labels(tmp_path / "y.tar")
    with pytest.raises(DataError, match=r"x-1\.tar: no such shard"):
        read_labels(tmp_path / "x-{1..2}.tar")
    with pytest.raises(InputError, match=r"\{2\.\.1\} counts down"):
        read_labels(tmp_path / "x-{2..1}.tar")


def test_a_shard_that_shrinks_after_it_was_listed(tmp_path: Path) -> None:
    image = pictures(2)
    members = [(f"{i}.png", image[i]) for i in range(2)] + [(f"{i}.cls", b"%d" % i) for i in range(2)]
    file = write_tar(tmp_path / "x.tar", members)
    table = read_labels(file)
    file.write_bytes(file.read_bytes()[:1100])
    assert table.pictures is not None
    assert picture_bytes(table.pictures[0]) == image[0]
    with pytest.raises(UnusableImageError) as caught:
        picture_bytes(table.pictures[1])
    assert caught.value.reason == "the shard ends within this image"
    file.unlink()
    with pytest.raises(UnusableImageError) as caught:
        picture_bytes(table.pictures[0])
    assert (caught.value.status, caught.value.reason) == ("missing", "no such shard any more")


def test_class_names_and_cells_without_an_image(tmp_path: Path) -> None:
    images: list[bytes | None] = [*pictures(5), None]
    table = arrow_table(images)
    labels = pa.array([0, 1, 1, -1, None, 0], pa.int64())
    table = table.set_column(1, "label", labels)
    pq.write_table(table, tmp_path / "x.parquet")
    read_table = read_labels(tmp_path / "x.parquet")
    assert read_table.given_label.tolist() == ["cat", "dog", "dog", None, None, "cat"]
    assert read(read_table).status.tolist() == ["ok"] * 5 + ["missing"]
    pq.write_table(
        table.set_column(1, "label", pa.array([0, 1, 2, 0, 0, 0], pa.int64())), tmp_path / "x.parquet"
    )
    with pytest.raises(
        DataError, match=r"x\.parquet, row 2, column 'label': label 2 is none of the 2 classes"
    ):
        read_labels(tmp_path / "x.parquet")


def test_plain_bytes_without_names(tmp_path: Path) -> None:
    plain = pa.table({"image": pictures(4), "label": ["a", "b", "a", "b"], "id": [4, 3, 2, 1]})
    pq.write_table(plain, tmp_path / "x.parquet")
    table = read_labels(tmp_path / "x.parquet")
    assert table.image is not None
    assert table.image.tolist() == ["row 0", "row 1", "row 2", "row 3"]
    assert table.sample_id.tolist() == ["4", "3", "2", "1"]
    assert read(table).data.shape == (4, 3, 8, 8)


def test_few_row_groups_are_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(24)
    pq.write_table(arrow_table(images), tmp_path / "x.parquet", row_group_size=4)
    cells = ParquetCells([tmp_path / "x.parquet"])
    cells.image = "img"
    opened: list[Path] = []
    before = open_parquet

    def count(path: Path) -> Any:
        opened.append(path)
        return before(path)

    monkeypatch.setattr(arrow_module, "open_parquet", count)
    assert [cells.cell(row)["bytes"] for row in range(24)] == images
    assert len(opened) == 6
    assert len(cells._held) == 3


def test_hf_means_a_place_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = save_to_disk(arrow_table(pictures(6)), tmp_path / "saved")
    monkeypatch.chdir(tmp_path)
    for path in (f"hf://{saved}", "hf://saved"):
        source = read_labels(Path(path)).source
        assert source is not None
        assert source.path.samefile(saved)
    with pytest.raises(DataError, match="nowhere: no such file"):
        read_labels(Path("hf://nowhere"))


def test_hidden_files_are_no_part_of_the_data(tmp_path: Path) -> None:
    """macOS leaves `._x` beside each x on disks of other systems."""
    pq.write_table(pa.table({"image": [b"x", b"y"], "label": ["a", "b"]}), tmp_path / "0.parquet")
    (tmp_path / "._0.parquet").write_bytes(b"\0\5\x16\7")
    reader = ImagesReader(tmp_path)
    assert reader.columns(["label"]) == {"label": ["a", "b"]}


def test_several_splits_and_empty_folders(tmp_path: Path) -> None:
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(DataError, match=r"holds several splits. Give one: .*train or .*test"):
        read_labels(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"neither what `save_to_disk` writes .* nor Parquet"):
        read_labels(Path(f"hf://{tmp_path / 'empty'}"))
    saved = save_to_disk(arrow_table(pictures(6)), tmp_path / "saved")
    next(saved.glob("*.arrow")).write_bytes(b"damaged")
    with pytest.raises(DataError, match="saved: not a readable data set"):
        read_labels(saved)


def test_a_folder_of_images_beside_is_refused(tmp_path: Path) -> None:
    pattern = write_shards(tmp_path / "shards", pictures(8))
    words = ["scan", str(pattern), "--images", str(tmp_path), "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "the data set holds its images" in result.output.replace("\n", " ")
    assert not (tmp_path / "run").exists()
