from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.columns import ColumnNames, find_usual, resolve_columns

FILE = Path("data.csv")


def resolve(names: list[str], asked: ColumnNames | None = None, images_required: bool = True) -> ColumnNames:
    return resolve_columns(names, asked or ColumnNames(), file=FILE, images_required=images_required)


def test_usual_names_are_found_in_any_letter_case() -> None:
    names = ["ID", " File_Name", "Category", "gold_label", "Subset", "Worker", "BATCH", "notes"]
    assert resolve(names) == ColumnNames(
        image=" File_Name",
        label="Category",
        id="ID",
        true_label="gold_label",
        split="Subset",
        annotator="Worker",
        batch="BATCH",
    )


def test_the_first_usual_name_wins_and_the_exact_spelling_before_others() -> None:
    found = resolve(["given_label", "target", "Label", "label", "filepath", "path", "id", "sample_id"])
    assert (found.label, found.image, found.id) == ("label", "path", "sample_id")


def test_named_columns_come_first() -> None:
    found = resolve(["image", "label", "species"], ColumnNames(label="species"))
    assert (found.image, found.label) == ("image", "species")


def test_no_column_gets_two_roles() -> None:
    found = resolve(["path", "image", "label"], ColumnNames(id="path"))
    assert (found.id, found.image) == ("path", "image")
    with pytest.raises(DataError, match="no image column"):
        resolve(["image", "label"], ColumnNames(id="image"))
    with pytest.raises(ConfigError, match="--image-column and --true-label-column both name the column 'a'"):
        resolve(["a", "label"], ColumnNames(image="a", true_label="a"))


def test_an_absent_named_column_suggests_the_nearest() -> None:
    with pytest.raises(DataError) as caught:
        resolve(["image", "species"], ColumnNames(label="specis"))
    text = str(caught.value)
    assert text == (
        "data.csv, column 'specis': no column of this name (--label-column). "
        "Did you mean 'species'? The columns are 'image', 'species'"
    )


def test_all_absent_named_columns_are_named_at_once() -> None:
    with pytest.raises(DataError) as caught:
        resolve(["image", "species", "who"], ColumnNames(image="x", label="specis", annotator="who"))
    assert str(caught.value) == (
        "data.csv: no columns of these names: 'x' (--image-column), 'specis' (--label-column). "
        "Did you mean 'species'? The columns are 'image', 'species', 'who'"
    )


def test_an_absent_required_column_suggests_the_nearest() -> None:
    with pytest.raises(DataError, match=r"no label column .*--label-column, perhaps 'labels'"):
        resolve(["image", "labels"])
    with pytest.raises(DataError, match=r"no image column .*--image-column\. The columns are 'x', 'label'"):
        resolve(["x", "label"])
    assert resolve(["x", "label"], images_required=False).image is None


def test_a_file_with_another_separator_is_recognised() -> None:
    with pytest.raises(
        DataError, match=r"separated by '\|'\? Save it with commas \(\.csv\) or tabs \(\.tsv\)"
    ):
        resolve(["image|label"])
    with pytest.raises(DataError, match=r"The columns are 'image', 'a\|b'$"):
        resolve(["image", "a|b"])


def test_usual_names_are_compared_without_case_and_margins() -> None:
    assert find_usual(["Picture No", "image"], ["image", " picture no"]) == " picture no"
    assert find_usual(["image"], ["IMAGE", "image"]) == "image"
    assert find_usual(["image"], ["images"]) is None


def test_many_columns_are_not_all_listed() -> None:
    with pytest.raises(DataError, match=r"'c19' and 10 more"):
        resolve([f"c{i}" for i in range(30)])
