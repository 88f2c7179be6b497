"""A data set of the user's own to compare methods on: a label file with images, or a folder of two Parquet files."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.bench.problem import BACKBONES, Codes, Pixels, Problem, make_problem
from noiseaudit.bench.systems import DATASETS
from noiseaudit.choose import choose_backbone
from noiseaudit.errors import DataError
from noiseaudit.labels.columns import FIND_ALL, ColumnNames
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import FORMATS, LabelTable
from noiseaudit.load_samples import SampleOptions, load_samples

if TYPE_CHECKING:
    import pyarrow as pa

Bools = npt.NDArray[np.bool_]
HELD_OUT = 0.2  # of each class, where there is no split column with test rows
TEST_SPLITS = ("test", "testing")
HOLD_OUT_STREAM = 20210  # one split for every seed, so that test errors can be compared
PARQUET_NAMES = ("train.parquet", "test.parquet")


@dataclass(frozen=True)
class Reading:
    """How a label file is read, as by `scan`."""

    columns: ColumnNames = FIND_ALL
    missing_label: str | None = None
    encoding: str = "utf-8"


AS_FOUND = Reading()


def is_own(dataset: str) -> bool:
    """Whether `dataset` is the path of a label file, an image folder or a folder of two Parquet files."""
    path = Path(dataset)
    return dataset not in DATASETS and (path.is_dir() or path.suffix.lower() in FORMATS)


def name_of(dataset: str) -> str:
    """What results call a data set: the name of a folder of Parquet files; a label file's is never the paper's."""
    if not is_own(dataset):
        return dataset
    path = Path(dataset).resolve()
    if _has_parquet(path):
        return path.name
    return f"{path.stem}-file" if path.stem in DATASETS else path.stem


def load_own(path: Path, images: Path | None, reading: Reading = AS_FOUND) -> Problem:
    """A label file or image folder (see read_labels), or a folder with train.parquet and test.parquet.

    Of a label file, the true label is its true_label column, else its label; rows whose split is "test" are tested
    on, or else a fifth of each class, the same for every seed; rows without a label are never labelled. In the
    Parquet files, `image` holds an encoded image and `label` a class from 0; a folder with the name of one of the
    paper's data sets is taken for that. Raises DataError if it is not usable.
    """
    if _has_parquet(path):
        return _from_parquet(path)
    return _from_labels(
        path, images if images is not None else path if path.is_dir() else path.parent, reading
    )


def _has_parquet(path: Path) -> bool:
    return all((path / name).is_file() for name in PARQUET_NAMES)


def _from_labels(path: Path, images: Path, reading: Reading) -> Problem:
    table = read_labels(
        path, columns=reading.columns, missing_label=reading.missing_label, encoding=reading.encoding
    )
    with tempfile.TemporaryDirectory(prefix="noiseaudit-") as cache:
        samples = load_samples(table, SampleOptions(images=images), image_size=None, cache_dir=Path(cache))
        x, usable = samples.x.numpy().copy(), samples.status == "ok"
    truth = _truth(table, path)
    test = usable & (truth >= 0) & _test_rows(table, truth)
    truth = np.where(
        test | (table.codes >= 0), truth, -1
    )  # a row to train on keeps no label that it was not given
    train = usable & ~test & ~_in_test_split(table)
    if not test.any() or not (train & (truth >= 0)).any():
        raise DataError(
            "no labelled row to test on, or none to train on", file=path, fix="Check the split column."
        )
    backbone = choose_backbone("auto", samples.shape, len(x), torch.device("cpu")).value
    return Problem(
        name_of(str(path)), x[train], truth[train], x[test], truth[test], len(table.classes), backbone,
        "label file", samples.fingerprint, is_own=True,
    )  # fmt: skip


def _truth(table: LabelTable, path: Path) -> Codes:
    if table.true_label is None:
        return table.codes
    index = {name: code for code, name in enumerate(table.classes)}
    truth = np.full(len(table), -1)
    for row, name in enumerate(table.true_label):
        if name is not None and name not in index:
            raise DataError(
                f"true label {name!r} is no given label",
                file=path,
                row=row,
                column="true_label",
                fix="Correct it.",
            )
        truth[row] = -1 if name is None else index[name]
    return truth


def _in_test_split(table: LabelTable) -> Bools:
    names = table.split if table.split is not None else [None] * len(table)
    return np.array([str(name).lower() in TEST_SPLITS for name in names], np.bool_)


def _test_rows(table: LabelTable, truth: Codes) -> Bools:
    split = _in_test_split(table)
    if split.any():
        return split
    rng, held = np.random.default_rng(HOLD_OUT_STREAM), np.zeros(len(truth), np.bool_)
    for code in range(len(table.classes)):
        rows = np.flatnonzero(truth == code)
        held[rng.choice(rows, size=round(HELD_OUT * len(rows)), replace=False)] = True
    return held


def _from_parquet(folder: Path) -> Problem:
    (x, truth), (test_x, test_truth) = (_read_parquet(folder / name) for name in PARQUET_NAMES)
    if x.shape[1:] != test_x.shape[1:]:
        raise DataError(f"images of {test_x.shape[1:]}, but {x.shape[1:]} in the other file", file=folder)
    name = name_of(str(folder))
    backbone = BACKBONES.get(name, "mlp" if x.shape[1] == 1 else "conv13")
    return make_problem(
        name,
        x,
        truth,
        test_x,
        test_truth,
        backbone=backbone,
        source="Parquet files",
        is_own=name not in DATASETS,
    )


def _read_parquet(path: Path) -> tuple[Pixels, Codes]:
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    try:
        table = pq.read_table(path, columns=["image", "label"])
        cells = table["image"].to_pylist()
        pixels = [
            np.asarray(Image.open(io.BytesIO(cell["bytes"] if isinstance(cell, dict) else cell)))
            for cell in cells
        ]
        x = np.stack(pixels)
        codes = _class_codes(table["label"])
        if x.dtype != np.uint8:
            raise ValueError(f"pixels of type {x.dtype}, where 8 bits are needed")
    except (OSError, ValueError, TypeError, KeyError, pa.ArrowException) as error:
        raise DataError(
            f"not usable ({str(error).splitlines()[0]})",
            file=path,
            fix="`image` holds encoded images of one size, `label` classes from 0.",
        ) from error
    return (x[:, None] if x.ndim == 3 else x.transpose(0, 3, 1, 2)), codes


def _class_codes(column: pa.ChunkedArray) -> Codes:
    """Raises ValueError unless every label is a whole number from 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_integer(column.type) or column.null_count or (pc.min(column).as_py() or 0) < 0:
        raise ValueError(
            f"labels of type {column.type}, {column.null_count} of them null, some perhaps below 0"
        )
    codes: Codes = column.to_numpy().astype(np.int64)
    return codes
