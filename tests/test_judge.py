"""Every column of the audit on five rows worked out by hand: read, unlabelled, missing, flagged and not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.judge import TOP_CLASSES, Verdicts, judge, spread, suggestions
from noiseaudit.labels.table import LabelTable, Strings
from noiseaudit.result import SCHEMA
from noiseaudit.why import records


def strings(*cells: str | None) -> Strings:
    return np.array(cells, dtype=np.object_)


def floats(*values: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.array(values, dtype=np.float32)


TABLE = LabelTable(
    source=None,
    sample_id=strings("a", "b", "c", "d", "e"),
    image=strings("a.png", "b.png", "c.png", "d.png", "e.png"),
    given_label=strings("cat", "dog", "frog", None, "cat"),
    true_label=strings("cat", None, "frog", None, "dog"),
    split=strings("train", "train", "test", "test", None),
)  # classes: cat 0, dog 1, frog 2
STATUS = strings("ok", "missing", "ok", "ok", "ok")
REASON = strings(None, "no such file", None, None, None)
LAST = EpochRecord(
    2, {}, floats(0.1, 0.0, 0.2), floats(0, 0, 0), floats(0.2, 0.9, 0.125), floats(0, 0, 0), 1.0
)
FITTED = Fitted(
    guider_mean=floats([0.75, 0.25, 0.0], [0.5, 0.125, 0.375], [0.1, 0.2, 0.7], [0.125, 0.25, 0.625]),
    latent=floats([0.0], [0.0], [0.0], [0.0]),
    labelled=np.array([0, 1, 3]),  # of the four rows that were read
    peak_p_given=floats(0.25, 0.9, 0.125),
    learnt_epoch=np.array([0, 2, 0]),
    last=LAST,
    step_epsilon=floats(0.1, 0.0, 0.2),
)
# cat (agrees, flagged all the same), frog (flagged), cat (not flagged)
VERDICTS = Verdicts(np.array([0.5, 0.9, 0.5]), np.array([True, True, False]), has_epsilon=True)


def column(name: str, verdicts: Verdicts = VERDICTS) -> list[Any]:
    return [row[name] for row in records(judge(TABLE, STATUS, REASON, FITTED, verdicts), [name])]


def test_the_table_has_the_schema() -> None:
    table = judge(TABLE, STATUS, REASON, FITTED, VERDICTS)
    assert table.schema == SCHEMA
    table.validate(full=True)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("row", [0, 1, 2, 3, 4]),
        ("sample_id", ["a", "b", "c", "d", "e"]),
        ("image", ["a.png", "b.png", "c.png", "d.png", "e.png"]),
        ("given_label", ["cat", "dog", "frog", None, "cat"]),
        ("is_labelled", [True, True, True, False, True]),
        ("status", ["ok", "missing", "ok", "unlabelled", "ok"]),
        ("reason", [None, "no such file", None, None, None]),
        ("p_mislabeled", [0.5, None, 0.9, None, 0.5]),
        ("is_label_issue", [True, None, True, None, False]),
        ("rank", [2, None, 1, None, 3]),  # rows 0 and 4 tie: the first row first
        ("p_given", [0.75, None, 0.375, None, 0.125]),
        ("suggested_label", ["dog", None, "cat", "frog", "frog"]),  # row 0: flagged, so not its own "cat"
        ("p_suggested", [0.25, None, 0.5, pytest.approx(0.7), 0.625]),
        ("epsilon", [pytest.approx(0.1), None, 0.0, None, pytest.approx(0.2)]),  # of the last epoch
        (
            "top_labels",
            [
                ["cat", "dog", "frog"],
                None,
                ["cat", "frog", "dog"],
                ["frog", "dog", "cat"],
                ["frog", "dog", "cat"],
            ],
        ),
        (
            "top_probs",
            [
                [0.75, 0.25, 0.0],
                None,
                [0.5, 0.375, 0.125],
                pytest.approx([0.7, 0.2, 0.1]),
                [0.625, 0.25, 0.125],
            ],
        ),
        ("true_label", ["cat", None, "frog", None, "dog"]),
        ("split", ["train", "train", "test", "test", None]),
        ("annotator", [None] * 5),
        ("batch", [None] * 5),
        ("issue_kind", ["ambiguous", None, "ambiguous", None, None]),
        (
            "evidence",
            [
                [
                    {"kind": "guider", "value": 0.25, "reference": "dog"},
                    {"kind": "peak", "value": 0.25, "reference": "2"},
                ],
                None,
                [
                    {"kind": "guider", "value": 0.5, "reference": "cat"},
                    {"kind": "peak", "value": pytest.approx(0.9), "reference": "2"},
                    {"kind": "labelled_neighbours", "value": 1.0, "reference": "cat"},
                ],
                None,
                None,
            ],
        ),
    ],
)
def test_column(name: str, expected: list[Any]) -> None:
    assert column(name) == expected


def test_every_column_is_tested() -> None:
    tested = {case[0] for case in test_column.pytestmark[0].args[1]}
    assert tested == set(SCHEMA.names)


def test_a_method_without_a_guider_has_no_epsilon() -> None:
    assert column("epsilon", dataclasses.replace(VERDICTS, has_epsilon=False)) == [None] * 5


def test_a_flagged_rows_suggestion_is_never_its_given_label() -> None:
    probs = floats([1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.2, 0.5, 0.3])
    given = np.array([0, 0, -1])
    got = suggestions(probs, given, np.array([True, False, False]))
    assert got.tolist() == [1, 0, 1]
    assert probs[0].tolist() == [1.0, 0.0, 0.0]


def test_no_more_than_ten_top_classes() -> None:
    n = TOP_CLASSES + 30
    table = LabelTable(
        None,
        sample_id=strings(*map(str, range(n))),
        image=None,
        given_label=strings(*map(str, range(n))),
    )
    probs = np.tile(np.arange(n, dtype=np.float32), (n, 1))
    zeros = np.zeros(n, np.float32)
    record = EpochRecord(1, {}, zeros, zeros, zeros, zeros, 0.0)
    mean, rows = probs / probs.sum(1, keepdims=True), np.arange(n)
    fitted = dataclasses.replace(FITTED, guider_mean=mean, labelled=rows, peak_p_given=zeros, last=record)
    verdicts = Verdicts(np.zeros(n), np.zeros(n, np.bool_), has_epsilon=True)
    got = judge(table, np.full(n, "ok", np.object_), np.full(n, None), fitted, verdicts)
    assert got.column("top_labels")[0].as_py() == [str(y) for y in range(n - 1, n - 1 - TOP_CLASSES, -1)]
    assert len(got.column("top_probs")[0]) == TOP_CLASSES
    assert got.column("image").null_count == n
    assert got.column("rank").to_pylist() == list(range(1, n + 1))  # all tie


def test_why_names_the_noise_where_it_outweighs_the_guider() -> None:
    """Row 0: the Guider still prefers the given label, but such labels are usually wrong here."""
    verdicts = Verdicts(np.array([0.8, 0.9, 0.1]), np.array([True, True, False]), has_epsilon=True)
    why = column("why", verdicts)[0]
    assert why == "Looks like cat (75 %) or dog (25 %), which is often labelled cat here."


def test_no_labelled_row_flagged_and_all_unlabelled_columns_are_typed() -> None:
    verdicts = Verdicts(np.array([0.1, 0.1, 0.1]), np.zeros(3, np.bool_), has_epsilon=True)
    assert column("why", verdicts) == [None] * 5
    assert column("suggested_label", verdicts) == ["cat", None, "cat", "frog", "frog"]


def test_spread() -> None:
    assert spread(np.array([5, 6]), np.array([2, 0]), 4).to_pylist() == [6, None, 5, None]  # type: ignore[union-attr]
    assert spread(pa.array(["x"]), np.array([1]), 2).to_pylist() == [None, "x"]  # type: ignore[union-attr]
    assert spread(None, np.array([1]), 2) is None


def test_why_shortens_names_and_not_itself() -> None:
    long = {"cat": "c" * 500, "dog": "d" * 500, "frog": "frog", None: None}
    table = dataclasses.replace(TABLE, given_label=strings(*(long[name] for name in TABLE.given_label)))
    why = records(judge(table, STATUS, REASON, FITTED, VERDICTS), ["why"])[0]["why"]
    assert why == f"Still looks like {'c' * 159}… (75 %); next is {'d' * 159}… (25 %)."
