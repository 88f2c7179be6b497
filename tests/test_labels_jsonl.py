from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.errors import DataError
from noiseaudit.labels import ColumnNames, LabelTable, Source, edit_label_file, read_labels
from noiseaudit.labels.revision import Revision


def read(tmp_path: Path, text: str, name: str = "data.jsonl") -> LabelTable:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8"))
    return read_labels(path)


def edited(text: str, revision: Revision) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        path.write_bytes(text.encode("utf-8"))
        edit_label_file(
            Source(path, "jsonl", "label"),
            out,
            labels=revision.labels,
            drop=revision.drop,
            extra=revision.extra,
        )
        return out.read_bytes().decode("utf-8")


def test_strings_nulls_and_missing_keys(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        '{"image": "a", "label": "NA"}\r\n\n{"label": null, "image": "b"}\n{"image": "c"}\n'
        '{"image": "d", "label": "", "split": "test"}\n{"image": "e", "label": "\\u00e9"}',
        "data.ndjson",
    )
    assert table.given_label.tolist() == ["NA", None, None, None, "é"]
    assert table.split is not None
    assert table.split.tolist() == [None, None, None, "test", None]
    assert table.class_type == "string"
    assert len(table.warnings) == 1


@pytest.mark.parametrize(
    ("values", "labels", "class_type"),
    [
        ("1 0 null", ["1", "0", None], "integer"),
        ("1.0 2 NaN", ["1", "2", None], "integer"),
        ("true false null", ["true", "false", None], "boolean"),
        ('"1" "01" null', ["1", "01", None], "string"),
    ],
)
def test_typed_labels(tmp_path: Path, values: str, labels: list[str | None], class_type: str) -> None:
    text = "".join(f'{{"image": {i}, "label": {value}}}\n' for i, value in enumerate(values.split()))
    table = read(tmp_path, text)
    assert table.given_label.tolist() == labels
    assert table.class_type == class_type
    assert table.sample_id.tolist() == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ('{"image": "b", "label": ["x", "y"]}', r"row 1, column 'label': label is a list .*multi-label"),
        ('{"image": "b", "label": {"x": 0.5}}', r"row 1, column 'label': label is a mapping"),
        ('{"image": "b", "label": 0.5}', r"row 1, column 'label': label 0.5 is not a whole number"),
        ('{"image": "b", "label": Infinity}', r"row 1, column 'label': label inf is not a whole number"),
        ('{"image": "b", "label": 3}', "labels of several types"),
        ('{"image": {"bytes": "", "path": "b"}, "label": "y"}', r"row 1, column 'image': holds a mapping"),
        ('{"image": "b", "label": "y"', "line 3: malformed row"),
        ('["b", "y"]', "line 3: a JSON list, not an object"),
        ("[" * 100_000, "line 3: malformed row"),
        ('{"image": "b", "label": "\\ud800"}', "column 'label': label near .* is not valid text"),
        ('{"image": "b", "label": "x"}', "at least two classes"),
    ],
)
def test_bad_rows_stop(tmp_path: Path, line: str, match: str) -> None:
    with pytest.raises(DataError, match=match):
        read(tmp_path, '{"image": "a", "label": "x"}\n\n' + line + "\n")


def test_an_empty_file_stops(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the file is empty"):
        read(tmp_path, "\n\n")


def test_an_edit_changes_the_value_and_nothing_else() -> None:
    text = (
        '{"image":"a" , "n": 1.50e0, "label" :  "cat", "x": {"label": "q", "b": [1, "}"]}}\r\n'
        "\n"
        '{"label": "cat", "e": "\\u00e9"}\n'
        '  { "label": null, "s": "né" }'
    )
    after = edited(text, Revision({0: "dog", 1: "né", 2: "né"}, frozenset(), {}))
    assert after == (
        '{"image":"a" , "n": 1.50e0, "label" :  "dog", "x": {"label": "q", "b": [1, "}"]}}\r\n'
        "\n"
        '{"label": "n\\u00e9", "e": "\\u00e9"}\n'
        '  { "label": "né", "s": "né" }'
    )


def test_labels_keep_their_type_and_blanks_are_null() -> None:
    text = '{"label": null}\n{"label": 1}\n{"label": 2.0}\n{"label": 3}\n{"i": 0}\n'
    after = edited(text, Revision({0: "3", 1: "2", 2: "1", 3: None, 4: "1"}, frozenset(), {}))
    assert after == '{"label": 3}\n{"label": 2}\n{"label": 1.0}\n{"label": null}\n{"i": 0, "label": 1}\n'
    assert edited('{"label": true}', Revision({0: "false"}, frozenset(), {})) == '{"label": false}'
    with pytest.raises(DataError, match="'cat' does not fit a column of type int"):
        edited(text, Revision({1: "cat"}, frozenset(), {}))
    with pytest.raises(DataError, match="'01' does not fit a column of type int"):
        edited(text, Revision({1: "01"}, frozenset(), {}))


def test_appended_keys_follow_the_style_of_the_line() -> None:
    text = '{"label":"x"}\n{"label": "y" }\n{}\n{"label": "z"}\n'
    after = edited(
        text, Revision({}, frozenset({3}), {"p": [0.5, None, 1.0, 0.0], "f": [True, False, None, None]})
    )
    assert (
        after
        == '{"label":"x","p":0.5,"f":true}\n{"label": "y", "p": null, "f": false }\n{"p": 1.0, "f": null}\n'
    )


def test_the_last_of_repeated_keys_is_edited() -> None:
    text = '{"label": "a", "label": "b"}\n'
    assert edited(text, Revision({0: "c"}, frozenset(), {})) == '{"label": "a", "label": "c"}\n'


def test_an_appended_key_must_be_new() -> None:
    with pytest.raises(DataError, match="column 'k': the column to append is there already"):
        edited('{"label": "a"}\n{"label": "b", "k": 1}\n', Revision({}, frozenset(), {"k": [None, None]}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.text(max_size=5), json_values, max_size=4)


@given(
    st.lists(st.tuples(objects, st.text(max_size=5), st.booleans(), st.booleans()), min_size=1, max_size=4),
    st.text(min_size=1, max_size=5).filter(lambda label: label.encode("utf-8", "ignore").decode() == label),
    st.data(),
)
def test_any_object_round_trips(
    rows: list[tuple[dict[str, object], str, bool, bool]], label: str, data: st.DataObject
) -> None:
    lines = [
        json.dumps(
            {"label": given} | values if first else values | {"label": given},
            separators=(",", ":") if compact else None,
        )
        for values, given, first, compact in rows
        if "label" not in values
    ]
    if not lines:
        return
    text = "\n".join(lines)
    assert edited(text, Revision({}, frozenset(), {})) == text
    row = data.draw(st.integers(0, len(lines) - 1))
    after = edited(text, Revision({row: label}, frozenset(), {})).split("\n")
    assert json.loads(after[row]) == json.loads(lines[row]) | {"label": label}
    assert after[:row] + after[row + 1 :] == lines[:row] + lines[row + 1 :]


def test_lists_nobody_asked_for_are_left_out_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    rows = [
        {"image": "a", "label": "x", "batch": [1, 2], "true_label": 0.5, "annotator": "ann"},
        {"image": "b", "label": "y", "batch": None, "true_label": 0.1, "annotator": None},
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    table = read_labels(path)
    assert (table.batch, table.true_label) == (None, None)
    assert table.annotator is not None
    assert table.annotator.tolist() == ["ann", None]
    assert [warning.split(":")[0] for warning in table.warnings] == [
        "column 'true_label' is left out",
        "column 'batch' is left out",
    ]
    for columns in (
        ColumnNames(batch="batch"),
        ColumnNames(true_label="true_label"),
        ColumnNames(label="batch"),
    ):
        with pytest.raises(DataError, match="row 0, column"):
            read_labels(path, columns=columns)
