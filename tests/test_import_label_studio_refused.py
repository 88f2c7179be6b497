"""What is no export of Label Studio, or says what cannot be meant: one line that names the row."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from noiseaudit.errors import DataError
from noiseaudit.exports.label_studio import CHOICE, DOUBT
from noiseaudit.imports import import_answers
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app
from tests.conftest import build_audit
from tests.trips import min_json, refused_or_written, trip_audit


@pytest.fixture
def audit() -> AuditResult:
    return build_audit(6, n_unlabelled=0, n_unread=0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sample_id": "x.png"}, "row 0: 'x.png' is no sample of the audit"),
        ({"run_id": "abc"}, "is of the audit abc, but --audit is "),
        ({"run_id": None}, "is of no audit (it names no run_id)"),
        ({CHOICE: {"choices": ["cat", "dog"]}}, "row 0: 'images/00000.png' has 2 choices: 'cat', 'dog'"),
        ({"sample_id": 7}, "row 0: a task without a sample_id"),
        (
            {CHOICE: {"choices": 5}},
            "row 0, column 'choice': holds \"{'choices': 5}\", which Label Studio does not",
        ),
        ({CHOICE: {"choices": None}}, "row 0, column 'choice': holds \"{'choices': None}\""),
        ({CHOICE: {"labels": ["cat"]}}, "row 0, column 'choice': holds"),
        ({CHOICE: ["cat"]}, "row 0, column 'choice': holds \"['cat']\""),
        ({CHOICE: {"choices": [["cat"]]}}, "row 0, column 'choice': holds \"['cat']\""),
        ({CHOICE: True}, "row 0, column 'choice': holds 'True'"),
        ({DOUBT: {"choices": None}}, "row 0, column 'doubt': holds"),
        ({CHOICE: "half \ud800"}, "row 0, column 'label': holds 'half \\ud800', which is no text"),
        ({"annotator": {"id": [3]}}, "row 0, column 'annotator': holds '[3]'"),
        ({"annotator": ["ann"]}, "row 0, column 'annotator': holds"),
        ({"updated_at": {"at": 3}}, "row 0, column 'updated_at': holds"),
        ({"run_id": ["abc"]}, "row 0, column 'run_id': holds \"['abc']\""),
    ],
)
def test_what_is_refused(audit: AuditResult, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = tmp_path / "e.json"
    path.write_text(json.dumps(min_json(audit, **changes)))
    with pytest.raises(DataError) as error:
        import_answers(path, "label-studio", audit)
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"from_name": [CHOICE], "value": {"choices": ["cat"]}}, "column 'from_name': holds \"['choice']\""),
        ({"from_name": CHOICE, "value": {"choices": None}}, "column 'choice': holds"),
        ({"from_name": CHOICE, "value": {"choices": "cat"}}, "column 'choice': holds"),
        ({"from_name": CHOICE, "value": {"choices": [{}]}}, "column 'choice': holds '{}'"),
        ({"from_name": CHOICE, "value": None}, "its annotations are not Label Studio's"),
        ("cat", "its annotations are not Label Studio's"),
    ],
)
def test_results_of_other_shapes(audit: AuditResult, tmp_path: Path, part: Any, message: str) -> None:
    (task,) = min_json(audit)
    path = tmp_path / "e.json"
    path.write_text(json.dumps([{"data": task, "annotations": [{"result": [part]}]}]))
    with pytest.raises(DataError, match=r"e\.json, row 0") as error:
        import_answers(path, "label-studio", audit)
    assert message in str(error.value)


WORDS = st.sampled_from(
    ["choice", "choices", "doubt", "value", "result", "annotations", "data", "from_name", "id", "email", "annotator",
     "completed_by", "run_id", "sample_id", "updated_at", "ambiguous", '{"choices": 5}', "cat", "", "\ud800"]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_other_json_is_refused_in_one_line_or_can_be_written(data: st.DataObject) -> None:
    audit = build_audit(6, n_unlabelled=0, n_unread=0)
    (flat,) = min_json(audit)
    part: dict[str, Any] = {"from_name": CHOICE, "value": {"choices": ["cat"]}}
    annotation: dict[str, Any] = {"completed_by": 1, "result": [part]}
    task: dict[str, Any] = {"data": flat, "annotations": [annotation]}
    found = data.draw(st.sampled_from([flat, task]))
    for target in (flat, part, part["value"], annotation, task):
        target.update(data.draw(st.dictionaries(WORDS, ANYTHING, max_size=1)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "e.json")
        path.write_text(json.dumps([found, *data.draw(st.lists(ANYTHING, max_size=1))]))
        assert refused_or_written(path, "label-studio", audit)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("e.json", "{", "not JSON"),
        ("e.json", "{}", "not a list of tasks"),
        ("e.csv", "a,b\n1,2\n", "has no column sample_id"),
        ("e.json", None, "cannot be read"),
    ],
)
def test_what_is_no_export(
    audit: AuditResult, tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        import_answers(tmp_path / name, "label-studio", audit)


def test_an_unknown_tool(tmp_path: Path) -> None:
    words = ["import", "x", "--from", "excel", "--audit", str(tmp_path), "--out", str(tmp_path / "d.csv")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "--from 'excel' is not known. Use label-studio or cvat." in result.stderr


@pytest.mark.parametrize(
    "task",
    [
        {"data": "x"},
        {"data": {"sample_id": "a"}, "annotations": None},
        {"data": {"sample_id": "a"}, "annotations": ["x"]},
        {"data": {"sample_id": "a"}, "annotations": [{"result": ["x"]}]},
        {"data": {"sample_id": "a"}, "annotations": [{"result": [{"from_name": CHOICE, "value": None}]}]},
        {"data": {"sample_id": "a"}, "annotations": [{"result": [{"value": {"choices": 5}}]}]},
    ],
)
def test_json_of_another_shape_is_named_by_its_row(tmp_path: Path, task: dict[str, Any]) -> None:
    (tmp_path / "odd.json").write_text(json.dumps([task]))
    with pytest.raises(DataError, match=r"odd\.json, row 0"):
        import_answers(tmp_path / "odd.json", "label-studio", trip_audit())
