"""Truth files are known by the names that label files use, or by those of the scanned file."""

from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.errors import DataError
from noiseaudit.labels.columns import FIND_ALL, ColumnNames
from noiseaudit.truth_columns import resolve_truth_columns

FILE = Path("truth.csv")


def resolve(*names: str, scanned: ColumnNames = FIND_ALL) -> dict[str, str]:
    return resolve_truth_columns(names, scanned, file=FILE)


@pytest.mark.parametrize("image", ["image", "filename", "file_name", "path", "Image_Path", "filepath"])
@pytest.mark.parametrize("label", ["true_label", "clean_label", "GOLD_LABEL"])
def test_usual_names(image: str, label: str) -> None:
    assert resolve("note", image, label) == {"image": image, "true_label": label}


def test_both_keys_and_both_kinds_of_truth() -> None:
    assert resolve("is_corrupted", "given_label", "true_label", "image", "sample_id") == {
        "sample_id": "sample_id",
        "image": "image",
        "true_label": "true_label",
        "is_corrupted": "is_corrupted",
    }


def test_the_names_of_the_scanned_file_come_first() -> None:
    scanned = ColumnNames(image="Photo", id="key")
    assert resolve("image", "id", "Photo", "key", "true_label", scanned=scanned) == {
        "sample_id": "key",
        "image": "Photo",
        "true_label": "true_label",
    }
    assert resolve("image", "true_label", scanned=scanned)["image"] == "image"


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(DataError) as caught:
        resolve("file", "labels")
    assert str(caught.value) == (
        "truth.csv: no column names the rows (looked for sample_id, id, file_name, filename, path, image, "
        "image_path, filepath) and no column says the truth (looked for true_label, clean_label, gold_label, "
        "is_corrupted). Perhaps rename 'file' to image and 'labels' to true_label. "
        "The columns are 'file', 'labels'"
    )


@pytest.mark.parametrize("more", [(), ("new_label", "reviewer", "image", "given_label")])
def test_a_file_of_decisions_is_told_from_truth(more: tuple[str, ...]) -> None:
    """Its new_label is no true label: rows that were kept have none, and would count as unknown."""
    with pytest.raises(DataError) as caught:
        resolve("sample_id", "decision", *more)
    assert str(caught.value) == (
        "truth.csv: this is a file of decisions, which holds no truth. `noiseaudit estimate` makes precision and "
        "recall of a drawn sample, `noiseaudit clean --decisions` applies the decisions."
    )
    assert resolve("sample_id", "decision", *more, "true_label")["true_label"] == "true_label"


def test_the_given_label_is_not_suggested_as_the_truth() -> None:
    with pytest.raises(DataError, match=r"Perhaps rename 'label' to true_label\. The columns are"):
        resolve("image", "given_label", "label")
    with pytest.raises(DataError, match=r"is_corrupted\)\. The columns are 'image', 'given_label'$"):
        resolve("image", "given_label")


def test_one_missing_column_is_named_alone() -> None:
    with pytest.raises(
        DataError, match=r"^truth\.csv: no column says the truth .* The columns are 'path', 'x'$"
    ):
        resolve("path", "x")
    with pytest.raises(
        DataError, match=r"^truth\.csv: no column names the rows \(looked for sample_id.*, key,"
    ):
        resolve("x", "true_label", scanned=ColumnNames(image="key"))


def test_a_column_that_stands_twice() -> None:
    with pytest.raises(DataError, match="column 'path': two columns have this name"):
        resolve("path", "true_label", "path")
    assert resolve("path", "true_label", "note", "note")["image"] == "path"


def test_a_column_keeps_the_role_it_had_in_the_scan() -> None:
    scanned = ColumnNames(image="id")
    assert resolve("id", "true_label", scanned=scanned) == {"image": "id", "true_label": "true_label"}
    scanned = ColumnNames(id="path", image="picture")
    assert resolve("path", "true_label", scanned=scanned) == {"sample_id": "path", "true_label": "true_label"}


def test_what_an_audit_says_is_not_suggested_as_the_truth() -> None:
    with pytest.raises(DataError, match=r"is_corrupted\)\. The columns are 'image', 'suggested_label'$"):
        resolve("image", "suggested_label")


def test_suspects_are_no_truth() -> None:
    columns = ("rank", "row", "sample_id", "image", "given_label", "suggested_label", "p_mislabeled", "why")
    with pytest.raises(
        DataError, match=r"^truth\.csv: this is the suspects\.csv of a scan, which holds no truth"
    ):
        resolve(*columns)
    assert resolve(*columns, "true_label")["true_label"] == "true_label"
