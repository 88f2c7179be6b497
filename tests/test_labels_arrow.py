"""Images in columns of Arrow and Parquet files: labels, names, what is held in memory, and what is no data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.errors import DataError
from noiseaudit.labels import arrow_cells
from noiseaudit.labels.arrow import ImagesReader
from noiseaudit.labels.arrow_cells import ParquetCells
from noiseaudit.labels.read import read_labels
from noiseaudit.parquet import open_parquet
from tests.containers import arrow_table, pictures, read, save_to_disk


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


def test_hidden_files_are_no_part_of_the_data(tmp_path: Path) -> None:
    """macOS leaves `._x` beside each x on disks of other systems."""
    pq.write_table(pa.table({"image": [b"x", b"y"], "label": ["a", "b"]}), tmp_path / "0.parquet")
    (tmp_path / "._0.parquet").write_bytes(b"\0\5\x16\7")
    reader = ImagesReader(tmp_path)
    assert reader.columns(["label"]) == {"label": ["a", "b"]}


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

    monkeypatch.setattr(arrow_cells, "open_parquet", count)
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
