"""An ImageFolder tree: the first-level folder is the class, no label file needed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from noiseaudit.atomic import write_text
from noiseaudit.errors import DataError
from noiseaudit.labels.delimited import csv_line
from noiseaudit.labels.revision import Revision
from noiseaudit.labels.table import FORMATS

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
COLUMNS = ("image", "label")
ROWS = "noiseaudit-rows.parquet"  # in a tree that noiseaudit.exports.imagefolder wrote: no label file of the tree
_SHOWN_NAMES = 3
_SPLITS = frozenset({"train", "training", "test", "testing", "val", "valid", "validation", "dev", "holdout"})
Inode = tuple[int, int]


def read_folder(root: Path) -> tuple[list[str], list[str | None], list[str]]:
    """Image paths relative to `root` with `/`, in code-point order; their classes; warnings.

    Images that lie in `root` itself have no class (None). Hidden files and folders are passed over, links are
    followed.

    Raises DataError if a folder is unreadable, or if there are no images in at least two class folders.
    """
    try:
        images = sorted(_walk(str(root), "", ()))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=error.filename or root) from error
    labels = [image.split("/", 1)[0] if "/" in image else None for image in images]
    top = _top(root)
    _check_classes(root, images, labels, top)
    return images, labels, _warnings(labels, top)


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


@dataclass(frozen=True)
class _Top:
    """What lies in the root itself, in code-point order; hidden names are left out."""

    folders: list[str]
    files: list[str]

    @property
    def label_files(self) -> list[str]:
        return [name for name in self.files if name != ROWS and os.path.splitext(name)[1].lower() in FORMATS]


def _top(root: Path) -> _Top:
    with os.scandir(root) as entries:
        seen = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    return _Top([name for name, is_dir in seen if is_dir], [name for name, is_dir in seen if not is_dir])


def _check_classes(root: Path, images: Sequence[str], labels: Sequence[str | None], top: _Top) -> None:
    classes = sorted({label for label in labels if label is not None})
    if len(classes) > 1:
        return
    found = f"{len(top.folders)} sub-folders and {len(top.files)} files"
    if classes:
        problem = f"all images in sub-folders lie in {classes[0]!r}, and at least two classes are needed"
    elif labels:
        problem = f"{len(labels)} images lie directly in this folder, and none in a class folder ({found})"
    else:
        problem = f"no images in this folder ({found})"
    fix = "Give a folder with one sub-folder of images per class, or a label file with an image and a label column"
    if hint := _hint(root, top, bool(labels)):
        fix += f", perhaps {hint}"
    elif classes and _n_below(images) > 1:
        fix = f"Its sub-folders look like classes: scan {root / classes[0]}"
    raise DataError(problem, file=root, fix=fix + ".")


def _hint(root: Path, top: _Top, has_images: bool) -> str | None:
    """What to scan instead, by the label files in the folder or, of a folder of images, those beside it."""
    from noiseaudit.data.whereabouts import (
        likely_labels,
        likely_scan,
    )  # it reads label files, as does who imports this

    files = [root / name for name in top.label_files]
    if files:
        shown = _one_of([str(file) for file in files])
        return likely_scan(files) or f"{shown} as DATA, and the folder of its images as --images"
    return likely_labels(root) if has_images else None


def _warnings(labels: Sequence[str | None], top: _Top) -> list[str]:
    """They travel with the report, so they name no folder of this machine."""
    warnings = []
    loose = labels.count(None)
    if loose:
        warnings.append(
            f"{loose} images lie in the folder itself, not in a class folder: taken as unlabelled"
        )
    classes = {label for label in labels if label is not None}
    for name in top.folders:
        if name not in classes:
            warnings.append(f"folder {name!r} holds no images: it is not a class")
    if all(name.strip().lower() in _SPLITS for name in classes):
        warnings.append(
            f"the folders {', '.join(sorted(classes))} are taken as classes; if they are splits, scan one of them"
        )
    if top.label_files:
        warnings.append(
            "folder names are taken as labels; if the labels are in a file, give the folder's "
            f"{_one_of(top.label_files)} as DATA, and the folder as --images"
        )
    return warnings


def _n_below(images: Sequence[str]) -> int:
    """How many sub-folders the class folders have that hold images."""
    return len({tuple(parts[:2]) for image in images if len(parts := image.split("/")) > 2})


def _one_of(names: Sequence[str]) -> str:
    return " or ".join(names[:_SHOWN_NAMES])
