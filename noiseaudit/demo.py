"""The demo's data: the 1,797 scanned digits that scikit-learn ships, as image files and a label file."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from noiseaudit.atomic import write_text
from noiseaudit.errors import OutputError
from noiseaudit.folders import empty, remove_empty
from noiseaudit.outputs import check_parent, has_content, unwritable

IMAGES = "images"
LABELS = "labels.csv"
MARKER = ".noiseaudit-demo"
_MARKER_TEXT = "Written by `noiseaudit demo`; `noiseaudit demo --force` replaces this folder.\n"


def prepare_demo(folder: Path, *, force: bool = False) -> Path:
    """Make `folder` with the digits in it; return the label file.

    Raises OutputError if it exists (with `force`: unless it is an earlier demo) or cannot be written.
    """
    if folder.is_symlink():
        raise OutputError(
            "is a link, which is not replaced", file=folder, fix="Give --out the folder itself."
        )
    is_taken = has_content(folder) or folder.is_file()
    if is_taken:
        _check_replaceable(folder, force)
    check_parent(folder)
    try:
        if is_taken:
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    write_text(folder / MARKER, _MARKER_TEXT)
    return write_digits(folder)


@contextmanager
def nothing_left_of_failure(folder: Path, result: Path, *, was_there: bool) -> Iterator[None]:
    """Where a demo that `prepare_demo` made fails before `result` is there, all of it goes: the next one can start.

    `folder` itself stays where it `was_there` before.
    """
    try:
        yield
    except BaseException:
        if not result.exists():
            empty(folder, keep=())
            remove_empty(folder, folder, keep=was_there)
        raise


def _check_replaceable(folder: Path, force: bool) -> None:
    try:
        is_demo = (folder / MARKER).read_text("utf-8") == _MARKER_TEXT
    except (OSError, ValueError):
        is_demo = False
    if not is_demo:
        raise OutputError(
            "exists and is not an earlier demo, so --force does not replace it",
            file=folder,
            fix="Choose another --out.",
        )
    if not force:
        raise OutputError("exists", file=folder, fix="Give --force to replace it, or choose another --out.")


def write_digits(folder: Path, limit: int | None = None) -> Path:
    """Write 8 x 8 grey PNG files to `folder`/images, their labels to `folder`/labels.csv; return the latter.

    Columns `image` and `label`; the first `limit` digits, or all 1,797.
    """
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    (folder / IMAGES).mkdir()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "label"])
    for i, (pixels, label) in enumerate(zip(digits.images[:limit], digits.target[:limit], strict=True)):
        name = f"{i:04d}.png"
        grey = np.rint(pixels * (255 / 16)).astype(np.uint8)  # the scans hold 0..16
        Image.fromarray(grey).save(folder / IMAGES / name)
        writer.writerow([name, label])
    write_text(folder / LABELS, text.getvalue())
    return folder / LABELS
