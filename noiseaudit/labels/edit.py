"""edit_label_file: write a label file back with some labels changed and all else as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import pyarrow as pa

from noiseaudit.atomic import atomic_path
from noiseaudit.errors import OutputError
from noiseaudit.labels.bulk import rewrite_delimited
from noiseaudit.labels.bulk_parquet import rewrite_parquet
from noiseaudit.labels.containers import edit_container
from noiseaudit.labels.delimited import edit_delimited
from noiseaudit.labels.folder import edit_folder
from noiseaudit.labels.jsonl import edit_jsonl
from noiseaudit.labels.parquet import edit_parquet
from noiseaudit.labels.revision import Cell, NotPlain, Revise, Revision
from noiseaudit.labels.separator import find_separator
from noiseaudit.labels.table import CONTAINERS, FORMATS, WITHOUT_FILE, Source
from noiseaudit.labels.text import read_text

NO_COLUMNS: Mapping[str, Sequence[Cell]] = {}


def edit_label_file(
    source: Source,
    out: Path,
    *,
    labels: Mapping[int, str | None],
    drop: AbstractSet[int] = frozenset(),
    extra: Mapping[str, Sequence[Cell]] = NO_COLUMNS,
) -> None:
    """Write `source` to `out` in its own format, columns and row order, atomically.

    labels: row (from 0) -> new label; None blanks it (`missing_label` or an empty cell in CSV, else null).
    drop: rows to leave out. extra: appended column -> one cell per input row.

    CSV, TSV and JSONL keep every other byte: separator, quoting, line ends, spacing, byte order mark. Parquet
    keeps schema, metadata, row groups and codecs. A folder is written as a CSV of `image,label`, a data
    set that holds its images as one of `sample_id,image,label`.

    Raises DataError if an appended column exists or the rows are not those of the file, OutputError if `out`
    is the input, has the suffix of another format, or cannot be written.
    """
    _check_out(source, out)
    revision = Revision(labels, drop, extra)
    if source.format == "folder":
        edit_folder(source.path, out, revision)
    elif source.format in CONTAINERS:
        edit_container(source, out, revision)
    elif source.format == "parquet":
        edit_parquet(source.path, out, source.label_column, revision)
    else:
        _edit_text(source, out, revision)


def rewrite_label_file(
    source: Source,
    out: Path,
    revise: Revise,
    added: Mapping[str, pa.DataType],
    check: Callable[[], None],
) -> None:
    """`edit_label_file` for files of any size: a piece is read, revised and written after the other.

    `revise` says what changes in the next rows, `added` which columns they get; `check` is asked, when all rows were
    seen, whether the file stands. Raises NotPlain, without a trace, where only `edit_label_file` will do.
    """
    _check_out(source, out)
    if source.format not in _IN_BULK or not source.path.is_file():
        raise NotPlain
    with atomic_path(out) as temporary:
        _IN_BULK[source.format](source, temporary, revise, added)
        check()


_IN_BULK = {"csv": rewrite_delimited, "tsv": rewrite_delimited, "parquet": rewrite_parquet}


def _edit_text(source: Source, out: Path, revision: Revision) -> None:
    file = read_text(source.path, source.encoding)
    if source.format == "jsonl":
        text = edit_jsonl(file, source.label_column, revision)
    else:
        blank = source.missing_label or ""
        spelled = {row: blank if label is None else label for row, label in revision.labels.items()}
        spelled_revision = Revision(spelled, revision.drop, revision.extra)
        separator = find_separator(file.text, source.format, source.columns.named().values())
        text = edit_delimited(file, separator, source.label_column, spelled_revision)
    file.write_as(out, text)


def output_format(source: Source) -> str:
    """The format that the edited file has."""
    return "csv" if source.format in WITHOUT_FILE else source.format


def _check_out(source: Source, out: Path) -> None:
    if out.exists() and source.path.exists() and out.samefile(source.path):
        raise OutputError("is the input, which is never overwritten", file=out, fix="Give another --out.")
    wanted = output_format(source)
    if FORMATS.get(out.suffix.lower()) != wanted:
        suffixes = " or ".join(suffix for suffix, kind in FORMATS.items() if kind == wanted)
        raise OutputError(
            f"the output has the format of the input ({wanted})",
            file=out,
            fix=f"Give --out a name in {suffixes}.",
        )
