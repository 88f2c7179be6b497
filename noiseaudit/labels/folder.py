"""An ImageFolder tree: the first-level folder is the class, no label file needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from noiseaudit.atomic import write_text
from noiseaudit.errors import DataError
from noiseaudit.labels.delimited import csv_line
from noiseaudit.labels.revision import Revision

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
COLUMNS = ("image", "label")
Inode = tuple[int, int]


def read_folder(root: Path) -> tuple[list[str], list[str | None], list[str]]:
    """Image paths relative to `root` with `/`, in code-point order; their classes; warnings.

    Images that lie in `root` itself have no class (None). Hidden files and folders are passed over, links are
    followed.

    Raises DataError if a folder is unreadable or a name is not valid text.
    """
    try:
        images = sorted(_walk(str(root), "", ()))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=error.filename or root) from error
    labels = [image.split("/", 1)[0] if "/" in image else None for image in images]
    return images, labels, _warnings(root, labels)


def edit_folder(root: Path, out: Path, revision: Revision) -> None:
    """Write the tree after the revision as a CSV of `image,label` and the appended columns."""
    images, labels, _ = read_folder(root)
    revision.check(COLUMNS, len(images), root)
    lines = [csv_line([*COLUMNS, *revision.extra])]
    for row, (image, label) in enumerate(zip(images, labels, strict=True)):
        if row not in revision.drop:
            lines.append(csv_line([image, revision.labels.get(row, label), *revision.cells(row)]))
    write_text(out, "".join(lines))


def _walk(folder: str, prefix: str, above: tuple[Inode, ...]) -> Iterator[str]:
    status = os.stat(folder)
    inode = (status.st_dev, status.st_ino)
    if inode in above:  # a link back to a folder above
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _walk(entry.path, f"{prefix}{entry.name}/", (*above, inode))
            elif os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES:
                yield prefix + entry.name


def _warnings(root: Path, labels: list[str | None]) -> list[str]:
    warnings = []
    loose = labels.count(None)
    if loose:
        warnings.append(f"{loose} images lie in {root} itself, not in a class folder: taken as unlabelled")
    with os.scandir(root) as entries:
        folders = {entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")}
    for name in sorted(folders - set(labels)):
        warnings.append(f"folder {name!r} holds no images: it is not a class")
    return warnings
