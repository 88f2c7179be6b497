"""Label Studio: a labelling configuration, tasks with predictions, and how to let it see the images.

Its choices are the classes, written as noiseaudit.exports.names.choice_text has them. noiseaudit.imports.label_studio
reads the answers.
"""

from __future__ import annotations

import json
import os
import shlex
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from noiseaudit.decisions import run_id
from noiseaudit.errors import ConfigError
from noiseaudit.exports.base import (
    Exported,
    ExportOptions,
    Format,
    import_command,
    records_of,
    rows_to_review,
)
from noiseaudit.exports.names import choice_text
from noiseaudit.exports.pictures import below, image_files
from noiseaudit.result import AuditResult

CHOICE, DOUBT, AMBIGUOUS = "choice", "doubt", "ambiguous"  # the names in the configuration, and its one doubt
MAX_TASKS = 250_000  # that it takes in one file, as it advises
MAX_BYTES = 50_000_000
COLUMNS = (
    "row", "sample_id", "image", "given_label", "suggested_label", "p_mislabeled", "p_suggested", "rank",
    "issue_kind", "split", "annotator", "batch", "why",
)  # fmt: skip
SHOWN = ("issue_kind", "split", "annotator", "batch", "why")  # in a task only where they are known


def label_config(classes: Sequence[str]) -> str:
    """The labelling configuration, XML."""
    view = ET.Element("View")
    ET.SubElement(view, "Header", value="Given label", size="5")
    ET.SubElement(view, "Text", name="given", value="$given_label")
    ET.SubElement(view, "Header", value="Right label", size="5")
    choices = ET.SubElement(view, "Choices", name=CHOICE, toName="image", choice="single", showInLine="true")
    for label in classes:
        ET.SubElement(choices, "Choice", value=choice_text(label))
    doubt = ET.SubElement(view, "Choices", name=DOUBT, toName="image", choice="multiple", showInLine="true")
    ET.SubElement(doubt, "Choice", value=AMBIGUOUS)
    ET.SubElement(
        view, "Image", name="image", value="$image"
    )  # last: small ones are blown up to the page's height
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def tasks(audit: AuditResult, rows: Sequence[int], places: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A task for each of `rows`, without annotations: it is open. `places` are their images below the document root.

    Its prediction is the suggested label; the score is 1 - p_mislabeled, low = look at it first, and of a row without
    a label the probability of the suggestion.
    """
    run = run_id(audit)
    for row, place in zip(records_of(audit, rows, COLUMNS), places, strict=True):
        yield _task(row, f"/data/local-files/?d={quote(place, safe='/', errors='surrogateescape')}", run)


def _task(row: dict[str, Any], url: str, run: str) -> dict[str, Any]:
    p, label = row["p_mislabeled"], row["suggested_label"]
    data = {
        "image": url,
        "sample_id": row["sample_id"],
        "given_label": row["given_label"] or "",
        "suggested_label": label,
        "p_mislabeled": p,
        "rank": row["rank"],
        "run_id": run,
    }
    data |= {name: row[name] for name in SHOWN if row[name] is not None}
    answer = {
        "id": f"p{row['row']}",
        "from_name": CHOICE,
        "to_name": "image",
        "type": "choices",
        "value": {"choices": [choice_text(label)]},
    }
    score = row["p_suggested"] if p is None else 1 - p
    prediction = {"model_version": f"noiseaudit-{run}", "score": score, "result": [answer]}
    return {"data": data, "predictions": [prediction]}


def write_tasks(
    folder: Path, found: Iterable[dict[str, Any]], max_tasks: int = MAX_TASKS, max_bytes: int = MAX_BYTES
) -> int:
    """Write tasks-0001.json and so on, none of them beyond what is taken in one file; return the number of tasks."""
    n_files = n_tasks = 0
    lines: list[str] = []
    size = 0
    for task in found:
        line = json.dumps(task, ensure_ascii=True, allow_nan=False)
        if lines and (len(lines) == max_tasks or size + len(line) + 4 > max_bytes):
            n_files += 1
            _write_file(folder, n_files, lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 2
        n_tasks += 1
    _write_file(folder, n_files + 1, lines)
    return n_tasks


def _write_file(folder: Path, number: int, lines: list[str]) -> None:
    (folder / f"tasks-{number:04d}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n", "ascii")


def _write(audit: AuditResult, out: Path, options: ExportOptions) -> Exported:
    images, pictures = image_files(audit, options.pictures)
    folder = Path(os.path.realpath(pictures.folder))  # where the tasks' images lie, whatever link leads there
    root = (options.document_root or folder.parent).absolute()
    rows, notes = rows_to_review(audit, options.everything, options.decided)
    numbers = audit.column("row")
    places = [below(pictures.path(images[row], numbers[row]), root, numbers[row]) for row in rows]
    found = storages(places, folder, root)
    (out / "config.xml").write_text(label_config(audit.classes), "utf-8")
    n_tasks = write_tasks(out, tasks(audit, rows, places))
    (out / "README.md").write_text(
        _readme(root, found, import_command(options, "EXPORT.json", "label-studio")),
        "utf-8",
        errors="backslashreplace",
    )
    return Exported(n_tasks, notes)


def storages(places: Sequence[str], folder: Path, root: Path) -> list[Path]:
    """The folders that Label Studio must be told of, to show the images `places` below the document root `root`.

    That is the images folder; of images elsewhere, by a link to what was admitted, the one just below the root. Raises
    ConfigError if an image lies in the root itself: Label Studio shows none of these.
    """
    own = os.path.relpath(folder, os.path.realpath(root))
    needed = {own if place.startswith(f"{own}/") else place.partition("/")[0] for place in places}
    if any("/" not in place for place in places):
        raise ConfigError(
            f"--document-root {root} holds images itself, and Label Studio shows only those in folders below it",
            fix="Name a folder above it.",
        )
    return [root / name for name in sorted(needed or {own})]


def _readme(root: Path, folders: Sequence[Path], command: str) -> str:
    which = "the absolute path" if len(folders) == 1 else "each of the absolute paths"
    paths = "\n".join(f"   {folder}" for folder in folders)
    return f"""# Suspects for Label Studio

1. Start Label Studio so that it may serve the images:

       export LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true
       export LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={shlex.quote(str(root))}
       label-studio start

   If it runs elsewhere, as in a container, name the folder that lies there in the place of this one.
2. Make a project and paste config.xml under Settings > Labeling Interface > Code.
3. Under Settings > Cloud Storage add a source storage of type Local files with {which}
{paths}
   (below the document root, not the root itself). Do not sync it: without the storage Label Studio refuses to show
   the images, but the tasks come from the files here.
4. Import every tasks-*.json. The suggested label is a prediction; its score is 1 - p_mislabeled, so that the lowest is
   the most suspicious: order by "Prediction score", ascending.
5. Choose the right label, which may be the given one. Tick "ambiguous" where nobody can tell. Skip leaves a row open.
6. Export as JSON (it has most: JSON_MIN and CSV leave out what was skipped), and

       {command}
"""


FORMAT = Format(
    "config.xml, tasks-*.json with predictions, and the settings for local images",
    _write,
    takes=frozenset({"everything", "document_root", "decided"}),
)
