from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.errors import DataError
from noiseaudit.labels.checks import check_labels, check_true_labels


def check(*labels: str | None) -> list[str]:
    return check_labels(labels, file=Path("data.csv"), column="label")


@pytest.mark.parametrize(
    "odd",
    [
        '["cat", "dog"]',
        "['cat']",
        '{"cat": 0.7}',
        "{'cat', 'dog'}",
        "[0.1 0.9]",
        "[.5]",
        "[ 1e-05]",
        "[1]",
        "[]",
    ],
)
def test_lists_and_mappings_stop(odd: str) -> None:
    with pytest.raises(DataError, match=r"data\.csv, row 1, column 'label': label .* is a list or mapping"):
        check("cat", odd, "dog")


@pytest.mark.parametrize("odd", ["cat|dog", "cat;dog", "cat, dog", "dog|cat"])
def test_a_combination_of_other_labels_stops(odd: str) -> None:
    with pytest.raises(DataError, match=r"row 3, .*multi-label"):
        check("cat", "dog", None, odd)


@pytest.mark.parametrize(
    "plain",
    [
        "cat|mouse",
        "a|b",
        "Washington, D.C.",
        "[sic",
        "{x}",
        "[draft] cat",
        "a/cat/x",
        "['\\d'",
        "[1 is 2]",
        "[+]",
        "[-]",
        "[e]",
        "[E, e]",
        "[.]",
        "{[]}",
        "=1+1",
        "|",
        ",",
    ],
)
def test_names_with_such_characters_are_plain_otherwise(plain: str) -> None:
    assert check("cat", "dog", "bird", "horse", plain) == []


def test_levels_stop_when_a_parent_is_a_label_and_half_the_names_are_nested() -> None:
    with pytest.raises(DataError, match=r"row 1, .*'animal/cat' lies below 'animal'"):
        check("animal", "animal/cat", "animal/dog", "vehicle")
    with pytest.raises(DataError, match="'animal > cat' lies below 'animal'"):
        check("animal", "animal > cat")
    with pytest.raises(DataError, match="'animal/pet/cat' lies below 'animal'"):
        check("animal", "animal/pet/cat")
    assert check("animal", "animal/cat", "vehicle", "plant") == []


def test_leaves_alone_are_plain_names() -> None:
    assert check("animal/cat", "animal/dog", "vehicle/car") == []


def test_no_rows_no_labels_one_class() -> None:
    with pytest.raises(DataError, match="no rows"):
        check()
    with pytest.raises(DataError, match="every row is unlabelled"):
        check(None, None)
    with pytest.raises(DataError, match="all labels are 'cat'; at least two"):
        check("cat", None, "cat")


def test_names_that_look_alike_warn_with_five_pairs_at_most() -> None:
    text = "class names that differ only by case or white space count as different classes: "
    assert check("cat", "Cat", "dog", "cat", "cat ") == [text + "'cat' and 'Cat', 'cat' and 'cat '"]
    assert check("hot dog", "hot  dog", "hotcat") == [text + "'hot dog' and 'hot  dog'"]
    (warning,) = check(*(name for i in range(7) for name in (f"c{i}", f"C{i}")))
    assert warning.endswith("'c4' and 'C4' and 2 more")
    assert "'c5'" not in warning
    assert check("cat", "cats", "Dog") == []


def test_lookalikes_of_missing_warn_once_each() -> None:
    warnings = check("NA", "nan", "None", "null", "n/a", "?", "NA", "cat", "banana")
    names = ["'NA'", "'nan'", "'None'", "'null'", "'n/a'", "'?'"]
    assert [warning.split()[0] for warning in warnings] == names
    assert "of 2 rows" in warnings[0]
    assert warnings[0].endswith("give --missing-label NA")
    assert warnings[-1].endswith("give --missing-label '?'")


@pytest.mark.parametrize("labels", [["cat"], [None, "wolf", "cat"], [None], []])
def test_true_labels_of_which_one_is_a_class_pass(labels: list[str | None]) -> None:
    check_true_labels(labels, ["cat", "dog"], column="true_label")


def test_true_labels_without_any_class_to_compare_pass() -> None:
    check_true_labels(["cat"], [], column="true_label")


@pytest.mark.parametrize(
    ("label", "fix"),
    [
        (" 3", "Write '3' in its place."),
        ("3.0", "Write '3' in its place."),
        ("CAT\t", "Write 'cat' in its place."),
        ("30", "The classes are 'cat', '3'."),
    ],
)
def test_true_labels_none_of_which_is_a_class_stop_with_a_suggestion(label: str, fix: str) -> None:
    with pytest.raises(DataError) as caught:
        check_true_labels([None, label], ["cat", "3"], file=Path("t.csv"), line=4, column="truth")
    place, _, rest = str(caught.value).partition(": ")
    assert place == "t.csv, line 4, column 'truth'"
    assert rest == f"no true label is a class of the labels (the first is {label!r}). {fix}"


def test_few_of_many_classes_are_listed() -> None:
    with pytest.raises(DataError, match=r"The classes are 'c0', .*'c9' and 2 more\.$"):
        check_true_labels(["x"], [f"c{i}" for i in range(12)], column="true_label")


@pytest.mark.parametrize("separator", ["|", ";", ", "])
def test_names_joined_from_parts_that_recur_warn(separator: str) -> None:
    labels = [separator.join(pair) for pair in (("bird", "dog"), ("bird", "cat"), ("cat", "dog"))]
    (warning,) = check(*labels, None, "frog")
    assert warning.startswith(
        f"3 of 4 class names join parts that others have too, by {separator.strip()!r}, such as {labels[0]!r}"
    )


@pytest.mark.parametrize(
    "labels",
    [
        ["Boxer, German", "Terrier, Irish", "Pointer"],  # no part recurs
        ["cat;tabby", "cat;black", "dog", "frog", "bird"],  # few names are joined
        ["|", "a|", "|b"],
    ],
)
def test_other_names_with_separators_pass(labels: list[str]) -> None:
    assert check(*labels) == []
