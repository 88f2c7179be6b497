"""A data set of the user's own: a label file with images, or two Parquet files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from noiseaudit.bench.grids import SCALES, Scale
from noiseaudit.bench.own import Reading, is_own, load_own, name_of
from noiseaudit.bench.problem import Problem, make_problem, scaled
from noiseaudit.demo import write_digits
from noiseaudit.errors import DataError
from noiseaudit.labels.columns import ColumnNames

N = 120


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return write_digits(tmp_path, limit=N)


def add_column(file: Path, name: str, cells: list[str]) -> None:
    header, *rows = file.read_text().splitlines()
    lines = [f"{header},{name}", *(f"{row},{cell}" for row, cell in zip(rows, cells, strict=True))]
    file.write_text("\n".join(lines) + "\n")


def test_a_fifth_of_each_class_is_held_out(labels: Path) -> None:
    found = load_own(labels, labels.parent / "images")
    everything = np.bincount(np.concatenate([found.truth, found.test_truth]))
    assert everything.sum() == N
    assert np.bincount(found.test_truth).tolist() == [round(0.2 * count) for count in everything.tolist()]
    assert (found.dataset, found.n_classes, found.backbone, found.is_own) == ("labels", 10, "mlp", True)
    again = load_own(labels, labels.parent / "images")
    np.testing.assert_array_equal(found.test_x, again.test_x)
    assert found.fingerprint == again.fingerprint


def test_columns_can_be_named(labels: Path) -> None:
    found = load_own(labels, labels.parent / "images")
    other = labels.with_name("other.csv")
    other.write_text(
        labels.read_text("utf-8").replace("image,", "scan,", 1).replace(",label", ",digit", 1), "utf-8"
    )
    with pytest.raises(DataError, match="--label-column"):
        load_own(other, labels.parent / "images")
    again = load_own(
        other, labels.parent / "images", Reading(ColumnNames(image="scan", label="digit"), encoding="ascii")
    )
    np.testing.assert_array_equal(again.x, found.x)
    np.testing.assert_array_equal(again.truth, found.truth)


def test_a_split_column_says_what_is_tested(labels: Path) -> None:
    add_column(labels, "split", ["test" if row % 4 == 0 else "train" for row in range(N)])
    found = load_own(labels, labels.parent / "images")
    whole = load_own_without_split(labels)
    assert len(found.test_truth) == N // 4
    np.testing.assert_array_equal(found.test_truth, whole[::4])


def test_rows_without_a_label_keep_none_though_their_truth_is_known(labels: Path) -> None:
    truth = load_own_without_split(labels)
    header, *rows = labels.read_text().splitlines()
    rows = [row if i % 4 else row.rpartition(",")[0] + "," for i, row in enumerate(rows)]
    labels.write_text("\n".join([header, *rows]) + "\n")
    add_column(labels, "true_label", [str(code) for code in truth])
    add_column(labels, "split", ["test" if i % 5 == 0 else "train" for i in range(N)])
    found = load_own(labels, labels.parent / "images")
    assert (found.truth < 0).sum() == sum(i % 4 == 0 and i % 5 != 0 for i in range(N))
    np.testing.assert_array_equal(found.test_truth, truth[::5])  # known, and only tested on


def load_own_without_split(labels: Path) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    rows = labels.read_text().splitlines()[1:]
    return np.array([int(row.split(",")[1]) for row in rows])


def test_the_truth_is_the_true_label_where_there_is_one(labels: Path) -> None:
    given = load_own_without_split(labels)
    truth = np.where(np.arange(N) < 10, (given + 1) % 10, given)
    add_column(labels, "true_label", [str(code) for code in truth])
    found = load_own(labels, labels.parent / "images")
    counts = np.bincount(np.concatenate([found.truth, found.test_truth]), minlength=10)
    assert counts.tolist() == np.bincount(truth, minlength=10).tolist()


def test_rows_without_a_label_are_trained_on_and_never_labelled(labels: Path) -> None:
    header, *rows = labels.read_text().splitlines()
    blank = [row.rpartition(",")[0] + "," if i < 30 else row for i, row in enumerate(rows)]
    labels.write_text("\n".join([header, *blank]) + "\n")
    found = load_own(labels, labels.parent / "images")
    assert (found.truth == -1).sum() == 30
    assert (found.test_truth >= 0).all()


def test_only_test_rows_cannot_be_learnt_from(labels: Path) -> None:
    add_column(labels, "split", ["test"] * N)
    with pytest.raises(DataError, match="none to train on"):
        load_own(labels, labels.parent / "images")


@pytest.mark.parametrize(
    ("name", "expected"), [("mine.csv", "mine"), ("mnist.csv", "mnist-file"), ("cifar10", "cifar10")]
)
def test_names(name: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert name_of(name) == expected


def test_the_papers_names_are_never_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mnist").mkdir()
    assert not is_own("mnist")
    assert is_own("./mnist")
    assert name_of("./mnist") == "mnist-file"


def write_parquet(
    path: Path, n: int, side: int = 20, *, wrapped: bool = False
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    x = np.random.default_rng(n).integers(0, 256, (n, side, side, 3), dtype=np.uint8)
    cells = []
    for image in x:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        cells.append({"bytes": buffer.getvalue(), "path": None} if wrapped else buffer.getvalue())
    pq.write_table(pa.table({"image": cells, "label": pa.array([i % 3 for i in range(n)], pa.int8())}), path)
    return x


@pytest.mark.parametrize("wrapped", [False, True])
def test_two_parquet_files(tmp_path: Path, wrapped: bool) -> None:
    folder = tmp_path / "cifar10"
    folder.mkdir()
    x = write_parquet(folder / "train.parquet", 9, wrapped=wrapped)
    write_parquet(folder / "test.parquet", 6, wrapped=wrapped)
    found = load_own(folder, None)
    np.testing.assert_array_equal(found.x, x.transpose(0, 3, 1, 2))
    assert (found.truth.tolist(), len(found.test_x)) == ([0, 1, 2] * 3, 6)
    assert (found.dataset, found.backbone, found.source, found.is_own) == (
        "cifar10", "conv13", "Parquet files", False,
    )  # fmt: skip


def test_a_folder_of_another_name_is_the_users_own(tmp_path: Path) -> None:
    for name in ("train", "test"):
        write_parquet(tmp_path / f"{name}.parquet", 9)
    assert load_own(tmp_path, None).is_own


def sorted_problem(dataset: str, *, is_own: bool) -> Problem:
    """1,000 rows of ten classes, one class after the other, each image telling its row."""
    truth = np.repeat(np.arange(10), 100)
    x = np.arange(1_000, dtype=np.uint16)[:, None, None, None]
    return make_problem(dataset, x, truth, x[::5], truth[::5], backbone="mlp", source="test", is_own=is_own)


def test_own_data_that_is_sorted_by_class_keeps_its_classes() -> None:
    problem = sorted_problem("mine", is_own=True)
    scale = Scale(epochs=1, seeds=1, rows=200, test_rows=100, all_labelled_rows=50)
    part = scaled(problem, scale, all_labelled=True)
    assert (len(part.x), len(part.test_x)) == (200, 100)  # all_labelled_rows is of the paper's
    assert set(part.truth.tolist()) == set(part.test_truth.tolist()) == set(range(10))
    rows = part.x.ravel()
    assert (np.diff(rows.astype(int)) > 0).all()
    np.testing.assert_array_equal(part.truth, problem.truth[rows])
    np.testing.assert_array_equal(part.test_truth, problem.truth[part.test_x.ravel()])
    np.testing.assert_array_equal(scaled(problem, scale, all_labelled=False).x, part.x)
    whole = scaled(problem, SCALES["medium"], all_labelled=True)
    assert whole.x is problem.x or np.shares_memory(whole.x, problem.x)
    assert len(whole.x) == 1_000


def test_the_papers_data_keeps_its_first_rows() -> None:
    problem = sorted_problem("mnist", is_own=False)
    scale = Scale(epochs=1, seeds=1, rows=200, test_rows=100, all_labelled_rows=50)
    for all_labelled, rows in ((False, 200), (True, 50)):
        part = scaled(problem, scale, all_labelled=all_labelled)
        np.testing.assert_array_equal(part.x, problem.x[:rows])
        np.testing.assert_array_equal(part.truth, problem.truth[:rows])
        np.testing.assert_array_equal(part.test_x, problem.test_x[:100])


def test_parquet_files_that_are_of_no_use(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train.parquet", 3)
    write_parquet(tmp_path / "test.parquet", 3, side=21)
    with pytest.raises(DataError, match="in the other file"):
        load_own(tmp_path, None)
    pq.write_table(pa.table({"image": [b"no image"], "label": [0]}), tmp_path / "test.parquet")
    with pytest.raises(DataError, match=r"test\.parquet: not usable"):
        load_own(tmp_path, None)
    write_parquet(tmp_path / "test.parquet", 3)
    images = pq.read_table(tmp_path / "test.parquet")["image"]
    for codes in ([0, None, 1], [0.7, 1.0, 2.0], [0, -1, 1]):
        pq.write_table(pa.table({"image": images, "label": codes}), tmp_path / "test.parquet")
        with pytest.raises(DataError, match=r"test\.parquet: not usable \(labels"):
            load_own(tmp_path, None)
    deep = io.BytesIO()
    Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(deep, "PNG")
    pq.write_table(pa.table({"image": [deep.getvalue()], "label": [0]}), tmp_path / "test.parquet")
    with pytest.raises(DataError, match="8 bits"):
        load_own(tmp_path, None)
    pq.write_table(pa.table({"label": [0]}), tmp_path / "test.parquet")
    with pytest.raises(DataError, match=r"test\.parquet: not usable"):
        load_own(tmp_path, None)
