"""Data sets that hold their images, written as tools write them."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from noiseaudit.data.load import find_images, load_images
from noiseaudit.labels.table import LabelTable

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


def read(table: LabelTable, **options: Any) -> Any:
    found = find_images(table, None, file=Path("x"), **options)
    return load_images(found, memory_limit=10**9, cache_dir=Path("cache"))
