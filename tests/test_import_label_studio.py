"""Label Studio and back: what a real server exported, and whatever a label is called."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from noiseaudit.decisions import Decision, read_decisions, run_id
from noiseaudit.exports.base import rows_to_review
from noiseaudit.exports.label_studio import AMBIGUOUS, CHOICE, DOUBT, tasks
from noiseaudit.exports.names import choice_text
from noiseaudit.imports import import_answers
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app
from tests.conftest import build_audit
from tests.hostile import HOSTILE, writable
from tests.trips import ANN, BOB, answers, by_person, expected, min_json, trip_audit

SAVED = Path(__file__).parent / "gold" / "label_studio"  # by tests/live/label_studio.py
KINDS = ("keep", "relabel", "ambiguous", "skip")


@pytest.fixture
def audit() -> AuditResult:
    return build_audit(6, n_unlabelled=0, n_unread=0)


def people_of(name: str) -> dict[str, str]:
    """The numbers that the server gave Ann and Bob: Ann came first."""
    tasks = json.loads((SAVED / name).read_text("utf-8"))
    numbers = sorted({each["completed_by"] for task in tasks for each in task["annotations"]})
    return {ANN: str(numbers[0]), BOB: str(numbers[1])}


@pytest.mark.parametrize("name", ["export.json", "export.min.json", "export.csv"])
def test_what_a_real_server_exported_is_what_was_said(name: str) -> None:
    audit = trip_audit()
    said = answers(audit, rows_to_review(audit, True)[0])
    assert {each.decision for each in said} == {*KINDS}
    back = import_answers(SAVED / name, "label-studio", audit)
    wanted = expected(said, people_of("export.json"), with_skips=name == "export.json")
    assert by_person(back.decisions) == wanted
    assert len(back.decisions) == len(wanted) > 15
    assert back.n_superseded == 2
    assert all(str(each.decided_at).startswith("20") for each in back.decisions)


def exported(
    tasks: Sequence[Mapping[str, Any]],
    said: Mapping[str, tuple[str, str | None]],
    given: Mapping[str, str | None],
) -> dict[str, str]:
    """The three exports of such answers, built as the server's own in SAVED are."""
    full, flat = [], []
    for number, task in enumerate(tasks, 1):
        kind, label = said[task["data"]["sample_id"]]
        name, text = CHOICE, choice_text(label or given[task["data"]["sample_id"]] or "")
        if kind == "ambiguous":
            name, text = DOUBT, AMBIGUOUS
        part = {"from_name": name, "to_name": "image", "type": "choices", "value": {"choices": [text]}}
        annotation = {
            "id": number,
            "completed_by": 1,
            "result": [] if kind == "skip" else [part],
            "was_cancelled": kind == "skip",
            "updated_at": "2026-11-30T04:40:15.820276Z",
        }
        full.append(
            {"id": number, "annotations": [annotation], "predictions": [number], "data": task["data"]}
        )
        if kind != "skip":
            mark = {"annotator": 1, "annotation_id": number, "updated_at": annotation["updated_at"]}
            flat.append({**task["data"], "id": number, name: text, **mark})
    return {"e.json": json.dumps(full), "e.min.json": json.dumps(flat), "e.csv": as_csv(flat)}


def as_csv(flat: Sequence[Mapping[str, Any]]) -> str:
    columns = sorted({"sample_id", "run_id", "annotator", CHOICE, DOUBT}.union(*flat))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_labels_and_ids_are_called_the_answers_come_back(data: st.DataObject) -> None:
    names = st.lists(HOSTILE.filter(writable), min_size=8, max_size=8, unique=True)
    labels = data.draw(st.lists(HOSTILE.filter(writable), min_size=3, max_size=4, unique=True))
    audit = build_audit(8, labels, n_unlabelled=1, n_unread=0, images=data.draw(names))
    given_ = dict(zip(audit.column("sample_id").tolist(), audit.column("given_label").tolist(), strict=True))
    said: dict[str, tuple[str, str | None]] = {}
    for name, label in given_.items():
        kind = data.draw(st.sampled_from(KINDS if label is not None else KINDS[1:]))
        others = [each for each in audit.classes if each != label]
        said[name] = (kind, data.draw(st.sampled_from(others)) if kind == "relabel" else None)
    with tempfile.TemporaryDirectory() as folder:
        found = [json.loads(json.dumps(task)) for task in _tasks(audit)]
        for file, text in exported(found, said, given_).items():
            path = Path(folder, file)
            path.write_bytes(text.encode())
            back = import_answers(path, "label-studio", audit).decisions
            assert {each.sample_id: (each.decision, each.new_label) for each in back} == {
                name: answer for name, answer in said.items() if file == "e.json" or answer[0] != "skip"
            }


def _tasks(audit: AuditResult) -> list[dict[str, Any]]:
    return list(tasks(audit, range(len(audit)), [f"photos/{i}.png" for i in range(len(audit))]))


def test_tasks_without_annotations_hold_no_answers(audit: AuditResult, tmp_path: Path) -> None:
    (task,) = min_json(audit)
    (tmp_path / "tasks-0001.json").write_text(json.dumps([{"data": task}]))
    assert import_answers(tmp_path / "tasks-0001.json", "label-studio", audit).decisions == []


@pytest.mark.parametrize("name", ["e.json", "e.csv"])
def test_a_task_that_nobody_answered_is_not_skipped(audit: AuditResult, tmp_path: Path, name: str) -> None:
    """As download_all_tasks=true has it, flat: of a task without annotations, too, there is a row."""
    nobody = dict.fromkeys(("annotation_id", "annotator", "created_at", "updated_at", "lead_time"))
    (answered,) = min_json(audit)
    rows = [answered, {"sample_id": audit.column("sample_id")[1], "run_id": answered["run_id"], **nobody}]
    (tmp_path / name).write_bytes((json.dumps(rows) if name == "e.json" else as_csv(rows)).encode())
    back = import_answers(tmp_path / name, "label-studio", audit)
    assert [each.sample_id for each in back.decisions] == [answered["sample_id"]]
    assert back.n_superseded == 0


def test_a_class_that_is_a_number_is_an_answer(tmp_path: Path) -> None:
    audit = build_audit(4, ["0", "1"], n_unlabelled=0, n_unread=0)
    (tmp_path / "e.json").write_text(json.dumps(min_json(audit, choice=0)))
    (found,) = import_answers(tmp_path / "e.json", "label-studio", audit).decisions
    zero = audit.column("given_label")[0] == "0"
    assert (found.decision, found.new_label) == (("keep", None) if zero else ("relabel", "0"))


def test_kinds_of_reviewers_choices_and_last_words(audit: AuditResult, tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    given_ = audit.column("given_label")[0]
    found = [
        *min_json(
            audit, annotator={"email": "a@b.c", "id": 3}, choice={"choices": [given_]}, updated_at="2026-02"
        ),
        *min_json(audit, annotator={"email": "a@b.c", "id": 3}, doubt="ambiguous", updated_at="2026-01"),
        *min_json(audit, choice="a new one"),
        *min_json(audit, annotator=2, choice=None),
    ]
    path.write_text(json.dumps(found))
    name, run = audit.column("sample_id")[0], run_id(audit)
    back = import_answers(path, "label-studio", audit)
    assert back.decisions == [
        Decision(name, "keep", None, "a@b.c", "2026-02", run),
        Decision(name, "relabel", "a new one", "1", "2026", run),
        Decision(name, "skip", None, "2", "2026", run),
    ]
    assert back.n_superseded == 1


def test_the_command_and_what_clean_makes_of_two_opinions(tmp_path: Path) -> None:
    audit = trip_audit()
    audit.write(tmp_path / "audit.parquet")
    out = tmp_path / "decisions.csv"
    words = ["import", SAVED / "export.json", "--from", "label-studio", "--audit", tmp_path, "--out", out]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.stderr
    decisions = read_decisions(out)
    assert f"{len(decisions)} decisions about" in result.stderr
    assert "by 2 people" in result.stderr
    assert "2 earlier answers by the same people are left out" in result.stderr
    assert decisions == import_answers(SAVED / "export.json", "label-studio", audit).decisions
    again = CliRunner().invoke(app, [str(word) for word in words])
    assert (again.exit_code, "or give --force, which puts this file aside" in again.stderr) == (2, True)
    clean = ["clean", str(tmp_path), "--decisions", str(out), "--out", str(tmp_path / "c.csv")]
    refused = CliRunner().invoke(app, clean)
    assert refused.exit_code == 2
    assert "Agree on one, and remove the other" in refused.stderr
    number = people_of("export.json")
    assert f"by {number[BOB]} here, and kept by {number[ANN]} in" in refused.stderr
