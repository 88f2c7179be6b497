"""A real Label Studio server takes an export, is annotated, and its exports are read back.

No part of the suite: it takes Label Studio in an environment of its own, which is large, and minutes. For maintainers:

    python3.11 -m venv /tmp/ls && /tmp/ls/bin/pip install label-studio
    PYTHONPATH=.:cli:reports python -m tests.live.label_studio /tmp/ls/bin/label-studio
        [--save tests/gold/label_studio] [--chromium /usr/bin/chromium --shots FOLDER]

`--save` keeps what the server exported for tests/test_import_label_studio.py. `--chromium` (with `pip install
playwright`) also clicks every class once in Label Studio's own page, which takes pictures of it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from noiseaudit.decisions import Decision
from noiseaudit.exports import export_audit
from noiseaudit.exports.base import ExportOptions, rows_to_review
from noiseaudit.exports.label_studio import AMBIGUOUS, CHOICE, DOUBT
from noiseaudit.exports.names import choice_text
from noiseaudit.exports.pictures import find_pictures
from noiseaudit.imports import import_answers
from noiseaudit.result import AuditResult
from tests.live.label_studio_server import PORT, Session, start
from tests.trips import ANN, BOB, answers, by_person, draw_images, expected, trip_audit

EXPORTS = {"JSON": "export.json", "JSON_MIN": "export.min.json", "CSV": "export.csv"}


def import_tasks(person: Session, export: Path, images: Path) -> int:
    """A project with the configuration, the images and the tasks of an export; its number."""
    config = (export / "config.xml").read_text("utf-8")
    project: int = person.post("/api/projects", {"title": "noiseaudit", "label_config": config})["id"]
    storage = {"project": project, "path": str(images), "use_blob_urls": True, "title": "images"}
    person.post("/api/storages/localfiles", storage)
    for file in sorted(export.glob("tasks-*.json")):
        done = person.post(f"/api/projects/{project}/import", json.loads(file.read_text()))
        assert done["task_count"] == done["prediction_count"] > 0, done
    return project


def check_tasks(person: Session, found: Sequence[dict[str, Any]], audit: AuditResult, images: Path) -> None:
    """Every task shows its own image, its suggestion and its score."""
    row_of = {name: row for row, name in enumerate(audit.column("sample_id").tolist())}
    p, p_suggested = audit.column("p_mislabeled").tolist(), audit.column("p_suggested").tolist()
    for task in found:
        row = row_of[task["data"]["sample_id"]]
        assert person.get(task["data"]["image"]) == (images / audit.column("image")[row]).read_bytes()
        (prediction,) = task["predictions"]
        score = p_suggested[row] if p[row] != p[row] else 1 - p[row]
        assert abs(prediction["score"] - score) < 1e-9, (prediction, score)
        choices = prediction["result"][0]["value"]["choices"]
        assert choices == [choice_text(audit.column("suggested_label")[row])]


def annotate(
    people: dict[str, Session],
    found: Sequence[dict[str, Any]],
    said: Sequence[Decision],
    given: dict[str, Any],
) -> None:
    """Submit what was `said`, each by the person who said it, as the page does."""
    number = {task["data"]["sample_id"]: task["id"] for task in found}
    for decision in said:
        body = {
            "result": _result(decision, given[decision.sample_id]),
            "was_cancelled": decision.decision == "skip",
            "lead_time": 1.5,
        }
        people[str(decision.reviewer)].post(f"/api/tasks/{number[decision.sample_id]}/annotations/", body)


def _result(decision: Decision, given: str | None) -> list[dict[str, Any]]:
    if decision.decision == "skip":
        return []
    name, text = CHOICE, choice_text(decision.new_label or given or "")
    if decision.decision == "ambiguous":
        name, text = DOUBT, AMBIGUOUS
    value = {"choices": [text]}
    return [{"id": "a1", "from_name": name, "to_name": "image", "type": "choices", "value": value}]


def prepare(root: Path) -> tuple[AuditResult, Path, Path]:
    """An audit, its images and its export."""
    audit, images, export = trip_audit(), root / "photos", root / "export"
    draw_images(audit, images)
    options = ExportOptions(everything=True, pictures=find_pictures({}, images))
    export_audit(audit, "label-studio", export, options)
    return audit, images, export


def tasks_of(person: Session, project: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        person.get(f"/api/tasks?project={project}&page_size=100&fields=all")
    )["tasks"]
    return found


def round_trip(ann: Session, audit: AuditResult, images: Path, export: Path, save: Path) -> None:
    """Import, look, annotate, export; the server's three exports are in `save` then."""
    invite = json.loads(ann.get("/api/invite"))["invite_url"]
    bob = Session(ann.url, BOB, invite[invite.index("/user/") :])
    project = import_tasks(ann, export, images)
    found = tasks_of(ann, project)
    check_tasks(ann, found, audit, images)
    given = dict(zip(audit.column("sample_id").tolist(), audit.column("given_label").tolist(), strict=True))
    rows, _ = rows_to_review(audit, True)
    said, people = answers(audit, rows), {ANN: ann, BOB: bob}
    annotate(people, found, said, given)
    number = {
        who: str(json.loads(person.get("/api/current-user/whoami"))["id"]) for who, person in people.items()
    }
    for kind, name in EXPORTS.items():
        for more in ("&download_all_tasks=true", ""):  # with the task that nobody answered; as it is kept
            address = f"/api/projects/{project}/export?exportType={kind}{more}"
            (save / name).write_bytes(ann.get(address))
            back = import_answers(save / name, "label-studio", audit)
            assert by_person(back.decisions) == expected(said, number, with_skips=kind == "JSON"), address
        print(f"{kind}: {len(back.decisions)} decisions as they were made, {back.n_superseded} superseded")


def by_page(
    ann: Session, audit: AuditResult, images: Path, export: Path, chromium: Path, shots: Path
) -> None:
    """What is clicked in Label Studio's own page comes back, by all three exports."""
    project = import_tasks(ann, export, images)
    found = tasks_of(ann, project)
    page = importlib.import_module("tests.live.label_studio_page")
    said = page.click_all(ann.url, ann.cookies(), project, found, audit, chromium, shots)
    given = dict(zip(audit.column("sample_id").tolist(), audit.column("given_label").tolist(), strict=True))
    wanted = {
        name: ("keep", None) if label == given[name] else ("relabel", label) for name, label in said.items()
    }
    for kind, name in EXPORTS.items():
        (shots / name).write_bytes(ann.get(f"/api/projects/{project}/export?exportType={kind}"))
        back = import_answers(shots / name, "label-studio", audit).decisions
        assert {each.sample_id: (each.decision, each.new_label) for each in back} == wanted, kind
    print(f"the page: {len({*said.values()})} classes in {len(said)} tasks, shown and clicked, came back")


def main() -> None:
    parser = argparse.ArgumentParser(description="Take an export to a real Label Studio server and back.")
    parser.add_argument("program", type=Path, help="the label-studio of an environment")
    parser.add_argument("--save", type=Path, help="keep the server's exports in this folder")
    parser.add_argument("--chromium", type=Path, help="also click in the page, by this browser")
    parser.add_argument("--shots", type=Path, help="keep the pictures of the page in this folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root, data = Path(name, "root"), Path(name, "data")
        for folder in (root, data):
            folder.mkdir()
        save, shots = asked.save or data, asked.shots or data
        for folder in (save, shots):
            folder.mkdir(parents=True, exist_ok=True)
        server = start(asked.program, data, root)
        try:
            audit, images, export = prepare(root)
            ann = Session(f"http://localhost:{PORT}", ANN, "/user/login/")
            round_trip(ann, audit, images, export, save)
            if asked.chromium:
                by_page(ann, audit, images, export, asked.chromium, shots)
        finally:
            server.terminate()
            server.wait(60)


if __name__ == "__main__":
    main()
