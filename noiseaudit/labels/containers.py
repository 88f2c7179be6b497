"""Data sets whose images lie in archives or tables: which kind a path is, and what of them can be written back."""

from __future__ import annotations

from pathlib import Path

from noiseaudit.atomic import write_text
from noiseaudit.labels.arrow import ImagesReader, is_images
from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.delimited import csv_line
from noiseaudit.labels.ids import sample_ids
from noiseaudit.labels.revision import Revision
from noiseaudit.labels.table import CONTAINERS, Source
from noiseaudit.labels.tar import TarReader, is_tar, shards
from noiseaudit.labels.values import cell_to_text

COLUMNS = ("sample_id", "image", "label")
_HUB = "hf:"


def local(path: Path) -> Path:
    """The folder or file that hf://PATH means: it is on this machine, and nothing is downloaded.

    A Path makes one slash of two, so that hf://a and hf:///a look the same: what is there is meant.
    """
    text = path.as_posix()
    if not text.startswith(_HUB):
        return path
    place = Path(text.removeprefix(_HUB))
    relative = Path(text.removeprefix(_HUB).lstrip("/"))
    return relative if relative.exists() and not place.exists() else place


def container_format(path: Path, image: str | None = None, *, is_hub: bool = False) -> str | None:
    """One of CONTAINERS, or None if `path` is none of them; `image` is the column of images, if it is named.

    Raises DataError if it holds several splits.
    """
    if is_tar(path):
        return "tar"
    return "images" if is_images(path, image) or is_hub else None


def open_container(path: Path, kind: str, columns: ColumnNames) -> TarReader | ImagesReader:
    """Its columns and images. Raises DataError if it is not readable."""
    return TarReader(path, columns.label) if kind == "tar" else ImagesReader(path, columns.image)


def is_there(source: Source) -> bool:
    """Whether what was scanned is where it was; a pattern of shards is no path."""
    if source.format == "tar" and not source.path.exists():
        return bool(shards(source.path))
    return source.path.exists()


def edit_container(source: Source, out: Path, revision: Revision) -> None:
    """Write sample ids, images and labels after the revision as CSV: the archive itself is left as it is."""
    assert source.format in CONTAINERS
    reader = open_container(source.path, source.format, source.columns)
    names = source.columns.named()
    cells = reader.columns(list(names.values()))
    labels = [cell_to_text(cell) for cell in cells[source.label_column]]
    images = [str(cell) for cell in cells[source.image_column or "image"]]
    ids = cells[source.id_column] if source.id_column else sample_ids(images, len(images))
    revision.check(COLUMNS, len(images), source.path)
    lines = [csv_line([*COLUMNS, *revision.extra])]
    for row, (name, image, label) in enumerate(zip(ids, images, labels, strict=True)):
        if row not in revision.drop:
            kept = None if label == source.missing_label else label
            lines.append(csv_line([str(name), image, revision.labels.get(row, kept), *revision.cells(row)]))
    write_text(out, "".join(lines))
