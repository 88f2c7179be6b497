"""Label Studio's exports: JSON, JSON_MIN, CSV and TSV, of a project with the configuration that noiseaudit exports.

JSON has every annotation; JSON_MIN, CSV and TSV leave out what was skipped.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from noiseaudit.errors import DataError
from noiseaudit.exports.label_studio import AMBIGUOUS, CHOICE, DOUBT
from noiseaudit.exports.names import label_of
from noiseaudit.imports.base import Answer
from noiseaudit.result import AuditResult
from noiseaudit.truth_file import read_records

ANSWERED = "Submit or skip its task; predictions alone are none."  # how a row is
_OF_ANSWERS = (CHOICE, DOUBT, "annotator", "created_at", "updated_at")
_COLUMNS = ("sample_id", "run_id", *_OF_ANSWERS)
_FIX = "Export the project as JSON, JSON_MIN or CSV."


def read(path: Path, audit: AuditResult) -> list[Answer]:
    """The answers of a file. Raises DataError if it is none of these exports, or has two choices in one answer."""
    if path.suffix.lower() in (".csv", ".tsv"):
        records = read_records(path, lambda names: _columns(names, path))
        rows = enumerate(dict(record.cells) for record in records)
        return [_flat(cells, row, path) for row, cells in rows if _is_answered(cells)]
    tasks = _json(path)
    return [answer for row, task in enumerate(tasks) for answer in _answers(task, row, path)]


def _columns(names: Sequence[str], path: Path) -> dict[str, str]:
    for name in ("sample_id", "run_id", "annotator"):
        if name not in names:
            raise DataError(f"has no column {name}", file=path, fix=_FIX)
    return {name: name for name in _COLUMNS if name in names}


def _json(path: Path) -> list[dict[str, Any]]:
    try:
        tasks = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", file=path) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON ({error})", file=path, fix=_FIX) from error
    if not isinstance(tasks, list):
        raise DataError("not a list of tasks", file=path, fix=_FIX)
    for row, task in enumerate(tasks):
        if not _is_task(task):
            raise DataError("a task without a sample_id", file=path, row=row, fix=_FIX)
        if not _has_answers(task.get("annotations", [])):
            raise DataError("its annotations are not Label Studio's", file=path, row=row, fix=_FIX)
    return tasks


def _is_task(task: Any) -> bool:
    data = task.get("data", task) if isinstance(task, dict) else None
    return isinstance(data, dict) and isinstance(data.get("sample_id"), str)


def _has_answers(annotations: Any) -> bool:
    """Whether annotations, their results and values are lists and objects where they should be."""
    if not isinstance(annotations, list) or not all(isinstance(each, dict) for each in annotations):
        return False
    results = [each.get("result") or [] for each in annotations]
    if not all(isinstance(result, list) for result in results):
        return False
    parts = [part for result in results for part in result]
    values = [part.get("value", {}) if isinstance(part, dict) else None for part in parts]
    return all(isinstance(value, dict) for value in values)


def _answers(task: Mapping[str, Any], row: int, path: Path) -> list[Answer]:
    """Of a task of JSON, one for each annotation, or of an annotation of JSON_MIN."""
    if "annotations" not in task and "data" not in task:
        return [_flat(task, row, path)] if _is_answered(task) else []
    data = task.get("data", task)
    return [_nested(data, annotation, row, path) for annotation in task.get("annotations", ())]


def _is_answered(cells: Mapping[str, Any]) -> bool:
    """Whether a flat row is somebody's answer: an export of all tasks has a row of each that nobody answered, too."""
    return any(cells.get(name) not in (None, "") for name in _OF_ANSWERS)


def _nested(data: Mapping[str, Any], annotation: Mapping[str, Any], row: int, path: Path) -> Answer:
    found: dict[str, list[str]] = {CHOICE: [], DOUBT: []}
    for part in annotation.get("result") or ():
        name = part.get("from_name")
        if not isinstance(name, str):
            raise _odd("from_name", name, row, path)
        if name in found:
            found[name] += _choices(part.get("value", {}), name, row, path)
    times = {name: annotation.get(name) for name in ("updated_at", "created_at")}
    cells = {**data, **times, CHOICE: {"choices": found[CHOICE]}, DOUBT: {"choices": found[DOUBT]}}
    cells["annotator"] = annotation.get("completed_by")
    return _flat(cells, row, path, cancelled=bool(annotation.get("was_cancelled")))


def _flat(cells: Mapping[str, Any], row: int, path: Path, *, cancelled: bool = False) -> Answer:
    labels = _choices(cells.get(CHOICE), CHOICE, row, path)
    if len(labels) > 1:
        raise DataError(
            f"{cells['sample_id']!r} has {len(labels)} choices: {', '.join(map(repr, labels[:3]))}",
            file=path,
            row=row,
            fix="One label per row: leave one.",
        )
    doubt = AMBIGUOUS if AMBIGUOUS in _choices(cells.get(DOUBT), DOUBT, row, path) else None
    at = "updated_at" if cells.get("updated_at") else "created_at"
    return Answer(
        row,
        str(cells["sample_id"]),
        _text(cells.get("run_id"), "run_id", row, path),
        label=label_of(labels[0]) if labels else None,
        doubt="skip" if cancelled else doubt,
        reviewer=_reviewer(cells.get("annotator"), row, path),
        decided_at=_text(cells.get(at), at, row, path),
    )


def _choices(cell: Any, name: str, row: int, path: Path) -> list[str]:
    """One choice stands alone in JSON_MIN and CSV, several as an object, in CSV as JSON.

    `name` is that of the control in the configuration.
    """
    if isinstance(cell, str) and cell.startswith('{"choices"'):
        with contextlib.suppress(ValueError, RecursionError):
            return _choices(json.loads(cell), name, row, path)
    if not isinstance(cell, Mapping):
        text = _text(cell, name, row, path)
        return [] if text is None else [text]
    choices = cell.get("choices")
    if not isinstance(choices, list):
        raise _odd(name, cell, row, path)
    found = [_text(choice, name, row, path) for choice in choices]
    return [choice for choice in found if choice is not None]


def _reviewer(cell: Any, row: int, path: Path) -> str | None:
    """The number of a user, or, where the server says more, the address."""
    if isinstance(cell, Mapping):
        cell = cell.get("email") or cell.get("id")
    return _text(cell, "annotator", row, path)


def _text(cell: Any, name: str, row: int, path: Path) -> str | None:
    """A cell as text, a number, too; None of an empty one."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise _odd(name, cell, row, path)
    return str(cell)


def _odd(name: str, cell: Any, row: int, path: Path) -> DataError:
    return DataError(
        f"holds {str(cell)[:60]!r}, which Label Studio does not write here",
        file=path,
        row=row,
        column=name,
        fix=_FIX,
    )
