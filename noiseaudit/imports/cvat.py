"""CVAT's "CVAT for images 1.1": annotations.xml, or the archive it comes in, of a task that noiseaudit exported."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections import Counter
from lzma import LZMAError
from pathlib import Path

from noiseaudit.errors import DataError
from noiseaudit.exports.cvat import ANSWERS, OPEN, tag_name
from noiseaudit.exports.names import label_of
from noiseaudit.imports.base import Answer
from noiseaudit.result import AuditResult

FILE = "annotations.xml"
ANSWERED = "Set `decision` of its tag to keep, ambiguous or skip, or give it another label."  # how a row is
LARGEST = 2**30  # bytes of it: an archive of a few may hold any number
_UNREADABLE = (
    ET.ParseError, zipfile.BadZipFile, zlib.error, LZMAError, EOFError, RuntimeError, ValueError, LookupError
)  # fmt: skip
_FIX = 'Export the task as "CVAT for images 1.1".'


def read(path: Path, audit: AuditResult) -> list[Answer]:
    """The answers: tags that differ from the given label, and those whose `decision` was set.

    An image without a tag, or whose tag is as it was and `open`, is not answered. Raises DataError if the file is not
    readable, an image with an answer is none of the audit's, or has two tags.
    """
    root = _root(path)
    columns = (audit.column(name).tolist() for name in ("image", "sample_id", "given_label"))
    rows = list(zip(*columns, strict=True))
    n_rows = Counter(image for image, _, _ in rows)
    by_image = {image: name for image, name, _ in reversed(rows)}
    given = {name: label for _, name, label in rows}
    classes = {tag_name(label): label for label in audit.classes}
    answers = []
    for number, image in enumerate(root.iter("image")):
        tags = image.findall("tag")
        name = image.get("name", "")
        if len(tags) > 1:
            labels = ", ".join(repr(tag.get("label")) for tag in tags[:3])
            raise DataError(
                f"{name!r} has {len(tags)} tags: {labels}", file=path, row=number, fix="Leave one."
            )
        for tag in tags:
            sample = label_of(_attribute(tag, "sample_id")) or by_image.get(name)
            if sample is None:
                raise DataError(f"{name!r} is no image of the audit", file=path, row=number, fix=_FIX)
            if not _attribute(tag, "sample_id") and n_rows[name] > 1:
                raise DataError(
                    f"{n_rows[name]} rows have the image {name!r}, and the tag does not say which",
                    file=path,
                    row=number,
                    fix="Change the label of the tag that was there, do not add another.",
                )
            text = tag.get("label", "")
            label = classes.get(text, label_of(text))
            answers += _answer(tag, number, sample, (label, given.get(sample)), path)
    return answers


def _answer(
    tag: ET.Element, number: int, sample: str, labels: tuple[str, str | None], path: Path
) -> list[Answer]:
    """Of one tag, whose `labels` are the one it has and the given one; none if it is as it was."""
    label, given = labels
    said = _attribute(tag, "decision") or OPEN
    if said not in ANSWERS:
        raise DataError(f"no such decision {said!r}", file=path, row=number, fix=f"Use {', '.join(ANSWERS)}.")
    if said == OPEN and label == given:
        return []
    doubt = said if said in ("ambiguous", "skip") else None
    return [Answer(number, sample, label_of(_attribute(tag, "run_id")) or None, label, doubt)]


def _attribute(tag: ET.Element, name: str) -> str:
    return next((part.text or "" for part in tag.findall("attribute") if part.get("name") == name), "")


def _root(path: Path) -> ET.Element:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if archive.getinfo(FILE).file_size > LARGEST:
                    raise DataError(f"its {FILE} has more than 1 GiB", file=path, fix=_FIX)
                text = archive.read(FILE)
        else:
            text = path.read_bytes()
        root = ET.fromstring(text)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", file=path) from error
    except KeyError as error:
        raise DataError(f"the archive holds no {FILE}", file=path, fix=_FIX) from error
    except DataError:
        raise
    except _UNREADABLE as error:
        reason = f"{error}" or "it ends too early"
        raise DataError(f"not readable XML ({reason})", file=path, fix=_FIX) from error
    if root.tag != "annotations":
        raise DataError(f"holds <{root.tag}>, not <annotations>", file=path, fix=_FIX)
    return root
