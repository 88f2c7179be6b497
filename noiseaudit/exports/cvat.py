"""CVAT: the tags of "CVAT for images 1.1", its one format for image labels that keeps attributes and ids.

(ImageNet and the other formats that it reads for classification hold class names alone.) CVAT finds an image by its
path without the suffix. noiseaudit.imports.cvat reads the answers.
"""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from noiseaudit.data.limits import DEFAULT_MAX_PIXELS
from noiseaudit.data.probe import probe_images
from noiseaudit.decisions import run_id
from noiseaudit.errors import DataError
from noiseaudit.exports.base import (
    Exported,
    ExportOptions,
    Format,
    import_command,
    records_of,
    rows_to_review,
)
from noiseaudit.exports.names import choice_text, short_choice_text
from noiseaudit.exports.pictures import image_files
from noiseaudit.result import AuditResult

OPEN = "open"
_NOT_IN_XML = re.compile(
    "[\x00-\x1f\ud800-\udfff\ufffe\uffff]"
)  # or, as line ends and tabs, not in a list of files
ANSWERS = (OPEN, "keep", "ambiguous", "skip")  # what a person may say beside the tag itself
MOST_CHARS = 64  # of a label's name: CVAT makes no task with a longer one
COLUMNS = ("row", "sample_id", "image", "given_label", "suggested_label", "p_mislabeled", "rank", "why")
TEXTS = ("sample_id", "suggested_label", "p_mislabeled", "rank", "why", "run_id")


def tag_name(label: str) -> str:
    """The name of a class in CVAT. Those of two classes differ, but a long one alone does not tell the class."""
    return short_choice_text(label, MOST_CHARS)


def raw_labels(classes: Sequence[str], run: str) -> list[dict[str, Any]]:
    """For the "Raw" tab of CVAT's label constructor; a tag that a person adds names the run by its default, too."""
    texts = [_attribute(name, "text", [run if name == "run_id" else ""]) for name in TEXTS]
    attributes = [_attribute("decision", "select", ANSWERS), *texts]
    return [{"name": tag_name(label), "type": "tag", "attributes": attributes} for label in classes]


def annotations_xml(
    rows: Sequence[Mapping[str, Any]], sizes: Sequence[tuple[int, int]], classes: Sequence[str], run: str
) -> ET.Element:
    """The XML of `rows`, dictionaries of COLUMNS, whose images have these widths and heights.

    An unlabelled row has no tag.
    """
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    root.append(_meta(len(rows), classes, run))
    for number, (row, (width, height)) in enumerate(zip(rows, sizes, strict=True)):
        image = ET.SubElement(
            root, "image", id=str(number), name=row["image"], width=str(width), height=str(height)
        )
        if row["given_label"] is None:
            continue
        tag = ET.SubElement(image, "tag", label=tag_name(row["given_label"]), source="file")
        values = {**row, "run_id": run, "decision": OPEN}
        for name in ("decision", *TEXTS):
            value = values[name]
            ET.SubElement(tag, "attribute", name=name).text = "" if value is None else choice_text(str(value))
    return root


def _meta(size: int, classes: Sequence[str], run: str) -> ET.Element:
    """What the format says of the task: some readers take the labels from here."""
    meta = ET.Element("meta")
    task = ET.SubElement(meta, "task")
    for name, text in (("name", f"noiseaudit-{run}"), ("size", str(size)), ("mode", "annotation")):
        ET.SubElement(task, name).text = text
    labels = ET.SubElement(task, "labels")
    for label in raw_labels(classes, run):
        element = ET.SubElement(labels, "label")
        for name in ("name", "type"):
            ET.SubElement(element, name).text = label[name]
        attributes = ET.SubElement(element, "attributes")
        for attribute in label["attributes"]:
            part = ET.SubElement(attributes, "attribute")
            values = {**attribute, "values": "\n".join(attribute["values"])}
            for name in ("name", "mutable", "input_type", "default_value", "values"):
                ET.SubElement(part, name).text = str(values[name])
    return meta


def _attribute(name: str, kind: str, values: Sequence[str]) -> dict[str, Any]:
    return {
        "name": name,
        "input_type": kind,
        "mutable": False,
        "values": list(values),
        "default_value": values[0],
    }


def _write(audit: AuditResult, out: Path, options: ExportOptions) -> Exported:
    _, pictures = image_files(audit, options.pictures)
    wanted, notes = rows_to_review(audit, options.everything, options.decided)
    rows, twins = _one_of_each(records_of(audit, wanted, COLUMNS))
    probe = probe_images(
        [pictures.path(row["image"], row["row"]) for row in rows], max_pixels=DEFAULT_MAX_PIXELS
    )
    sizes = list(zip(probe.width.tolist(), probe.height.tolist(), strict=True))
    run = run_id(audit)
    tree = ET.ElementTree(annotations_xml(rows, sizes, audit.classes, run))
    ET.indent(tree)
    tree.write(out / "annotations.xml", "utf-8", xml_declaration=True)
    labels = json.dumps(raw_labels(audit.classes, run), indent=1, ensure_ascii=False)
    (out / "labels.json").write_text(labels + "\n", "utf-8", errors="backslashreplace")
    (out / "images.txt").write_text("".join(f"{row['image']}\n" for row in rows), "utf-8")
    (out / "README.md").write_text(
        _README + import_command(options, "annotations.xml", "cvat") + "\n", "utf-8", "backslashreplace"
    )
    missed = f"Left out because another image has the same name, suffix aside: {twins:,}."
    return Exported(len(rows), (*notes, *([missed] if twins else ())))


def _one_of_each(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], int]:
    """The rows that CVAT can tell apart, and how many others there are. Raises DataError for a name that XML lacks."""
    kept: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if _NOT_IN_XML.search(row["image"]):
            raise DataError(
                f"{row['image']!r} has characters that CVAT's format cannot hold",
                row=row["row"],
                column="image",
                fix="Rename the file.",
            )
        kept.setdefault(os.path.splitext(row["image"])[0], row)
    return list(kept.values()), len(rows) - len(kept)


_README = """# Suspects for CVAT

1. Make a task; paste labels.json under Constructor > Raw; upload the files that images.txt lists, with their folders.
2. Actions > Upload annotations > CVAT 1.1, and choose annotations.xml: each image gets its given label as a tag.
3. Right: set `decision` of the tag to keep. Wrong: change its label, or delete the tag and add the right one. Nobody
   can tell: ambiguous. What stays as it was, `open`, is not answered.
4. Actions > Export task dataset > CVAT for images 1.1, unpack annotations.xml, and

       """

FORMAT = Format(
    'tags as "CVAT for images 1.1" has them, and the labels for its constructor',
    _write,
    takes=frozenset({"everything", "decided"}),
)
