"""What Hugging Face data sets say of themselves: class names by file, and metadata of another shape."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.errors import DataError
from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.read import read_labels

CLASSES = ["cat", "dog"]


def table(metadata: bytes | None) -> pa.Table:
    cells = pa.array([{"bytes": b"x", "path": f"{i}.png"} for i in range(4)])
    columns = {"image": cells, "label": pa.array([0, 1, 1, 0]), "kind": pa.array([1, 0, 0, 1])}
    return pa.table(columns).replace_schema_metadata(None if metadata is None else {"huggingface": metadata})


def features(**names: list[str]) -> bytes:
    found = {name: {"_type": "ClassLabel", "names": each} for name, each in names.items()}
    return json.dumps({"info": {"features": found}}).encode()


def hub(folder: Path, *metadata: bytes | None) -> Path:
    for i, each in enumerate(metadata):
        pq.write_table(table(each), folder / f"{i}.parquet")
    return Path(f"hf://{folder}")


@pytest.mark.parametrize("second", [["dog", "cat"], ["cat", "dog", "emu"], None])
def test_each_file_has_the_classes_of_the_first(tmp_path: Path, second: list[str] | None) -> None:
    first, other = features(label=CLASSES), None if second is None else features(label=second)
    assert read_labels(hub(tmp_path, first, first)).given_label.tolist() == ["cat", "dog", "dog", "cat"] * 2
    message = (
        r"1\.parquet, column 'label': its class names are not those of the first.*0\.parquet, in their order"
    )
    with pytest.raises(DataError, match=message):
        read_labels(hub(tmp_path, first, other))
    with pytest.raises(DataError, match=message):
        read_labels(hub(tmp_path, other, first))


def test_columns_that_nobody_reads_may_differ(tmp_path: Path) -> None:
    data = hub(tmp_path, features(label=CLASSES, kind=["a", "b"]), features(label=CLASSES, kind=["b", "a"]))
    assert read_labels(data).given_label.tolist() == ["cat", "dog", "dog", "cat"] * 2
    with pytest.raises(DataError, match=r"1\.parquet, column 'kind'"):
        read_labels(data, columns=ColumnNames(label="kind"))


BAD_JSON = [b"{", b"[1]", b"3", b"null", b"\xff", b"[" * 100_000]
BAD_INFO: list[Any] = [[], None, "x", 3]
BAD_FEATURES: list[Any] = [["label"], "x", 3]


@pytest.mark.parametrize("metadata", [*BAD_JSON, *(json.dumps({"info": each}).encode() for each in BAD_INFO)])
def test_metadata_of_another_shape(tmp_path: Path, metadata: bytes) -> None:
    with pytest.raises(
        DataError, match=r"0\.parquet: its metadata 'huggingface' cannot be read \(.*Save the data"
    ):
        read_labels(hub(tmp_path, metadata))


@pytest.mark.parametrize("value", BAD_FEATURES)
def test_features_of_another_shape(tmp_path: Path, value: object) -> None:
    metadata = json.dumps({"info": {"features": value}}).encode()
    with pytest.raises(DataError, match=r"0\.parquet: its features are no JSON object"):
        read_labels(hub(tmp_path, metadata))
    write_saved(tmp_path, "dataset_info.json", json.dumps({"features": value}).encode())
    with pytest.raises(DataError, match=r"dataset_info\.json: its features are no JSON object"):
        read_labels(tmp_path)


@pytest.mark.parametrize(
    "metadata", [None, b"{}", b'{"info": {"features": null}}', b'{"info": {"features": {"label": 1}}}']
)
def test_without_class_names_labels_are_numbers(tmp_path: Path, metadata: bytes | None) -> None:
    assert read_labels(hub(tmp_path, metadata)).given_label.tolist() == ["0", "1", "1", "0"]


def write_saved(folder: Path, name: str, content: bytes) -> None:
    """A folder of `save_to_disk`, of whose files one has other content."""
    with pa.ipc.new_stream(str(folder / "data.arrow"), table(None).schema) as writer:
        writer.write_table(table(None))
    (folder / "state.json").write_bytes(b'{"_data_files": [{"filename": "data.arrow"}]}')
    (folder / "dataset_info.json").write_bytes(
        json.dumps(json.loads(features(label=CLASSES))["info"]).encode()
    )
    (folder / name).write_bytes(content)


@pytest.mark.parametrize("content", BAD_JSON)
@pytest.mark.parametrize("name", ["state.json", "dataset_info.json", "dataset_dict.json"])
def test_files_that_are_no_json_object(tmp_path: Path, name: str, content: bytes) -> None:
    write_saved(tmp_path, name, content)
    with pytest.raises(DataError, match=rf"{name}: cannot be read \(.*Save the data set anew"):
        read_labels(tmp_path)


@pytest.mark.parametrize(
    "listed", [None, [], {}, "x", 3, [None], ["x"], [[]], [{}], [{"filename": None}], [{"filename": ["x"]}]]
)
def test_a_state_that_lists_no_files(tmp_path: Path, listed: object) -> None:
    write_saved(tmp_path, "state.json", json.dumps({"_data_files": listed}).encode())
    with pytest.raises(DataError, match=r"state\.json: does not list the files of the data set"):
        read_labels(tmp_path)


@pytest.mark.parametrize("name", ["", "..", "gone.arrow", "a\0b", "x" * 5000, "\ud800"])
def test_a_state_that_lists_files_that_are_none(tmp_path: Path, name: str) -> None:
    write_saved(tmp_path, "state.json", json.dumps({"_data_files": [{"filename": name}]}).encode())
    with pytest.raises(DataError, match=r": not a readable data set \(.*Save it anew"):
        read_labels(tmp_path)


@pytest.mark.parametrize(
    ("splits", "shown"), [(None, "its folder"), (3, "its folder"), (["a", 1], ".*/a or .*/1")]
)
def test_splits_of_any_shape(tmp_path: Path, splits: object, shown: str) -> None:
    (tmp_path / "dataset_dict.json").write_text(json.dumps({"splits": splits}))
    with pytest.raises(DataError, match=rf"holds several splits. Give one: {shown}\."):
        read_labels(tmp_path)


@pytest.mark.parametrize("text", [b"2.png", b"k-two"])
def test_text_that_is_not_utf_8(tmp_path: Path, text: bytes) -> None:
    kinds = table(features(label=CLASSES)).set_column(2, "kind", pa.array(["k-one", "k-two"] * 2))
    pq.write_table(
        kinds, tmp_path / "0.parquet", compression="none", use_dictionary=False, write_statistics=False
    )
    broken = (tmp_path / "0.parquet").read_bytes().replace(text, b"\xff" + text[1:])
    (tmp_path / "0.parquet").write_bytes(broken)
    named = ColumnNames(label="kind")
    with pytest.raises(DataError, match=r": not a readable Parquet file, perhaps truncated \('utf-8' codec"):
        read_labels(tmp_path / "0.parquet", columns=named)
    if text == b"k-two":  # the same by the reader of plain label files
        with pytest.raises(
            DataError, match=r": not a readable Parquet file, perhaps truncated \('utf-8' codec"
        ):
            read_labels(tmp_path / "0.parquet", columns=named, images_required=False)


def test_arrow_offsets_that_lead_out_of_memory(tmp_path: Path) -> None:
    write_saved(tmp_path, "spare", b"")
    content, offsets = (tmp_path / "data.arrow").read_bytes(), struct.pack("<5i", 0, 1, 2, 3, 4)
    assert content.count(offsets) == 1
    write_saved(tmp_path, "data.arrow", content.replace(offsets, struct.pack("<5i", 0, 1, 2, 3, 1 << 30)))
    with pytest.raises(
        DataError, match=r": not a readable data set \(Column 0: In chunk 0: Invalid.*Save it anew"
    ):
        read_labels(tmp_path)


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    twice = table(features(label=CLASSES)).rename_columns(["image", "label", "label"])
    pq.write_table(twice, tmp_path / "0.parquet")
    with pytest.raises(DataError, match=r"0\.parquet, column 'label': two columns have this name"):
        read_labels(tmp_path / "0.parquet")
