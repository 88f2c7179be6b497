"""What a run's `run.json` tells later commands: what was scanned, where it is, and how it is cleaned."""

from __future__ import annotations

import dataclasses
import hashlib
import shlex
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.columns import FIND_ALL, ColumnNames
from noiseaudit.labels.containers import is_there
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import CONTAINERS, FORMATS, WITHOUT_FILE, Source
from noiseaudit.outputs import decisions_file
from noiseaudit.runjson import read_run_json
from noiseaudit.runnames import RUN_FILE


def file_sha256(path: Path) -> str | None:
    """SHA-256 of a file as hex digits; None for a folder or several files."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def saved_run(audit: Path) -> dict[str, Any]:
    """The `run.json` beside `audit` (a run folder or its audit.parquet); empty if there is none."""
    return read_run_json(run_folder(audit)) or {}


def scanned_columns(run: Mapping[str, Any]) -> ColumnNames:
    """The image and id columns of the label file, as far as `run`, a run.json, says; for `read_truth`."""
    return ColumnNames(image=_source_text(run, "image_column"), id=_source_text(run, "id_column"))


def scanned_missing_label(run: Mapping[str, Any]) -> str | None:
    """The text that meant unlabelled in the label file, as far as `run`, a run.json, says; for `read_truth`."""
    return _source_text(run, "missing_label")


def _source_text(run: Mapping[str, Any], name: str) -> str | None:
    source = run.get("source")
    text = source.get(name) if isinstance(source, Mapping) else None
    return text if isinstance(text, str) else None


def run_folder(audit: Path) -> Path:
    """The folder of an audit that is named by it or by its audit.parquet."""
    return audit if audit.is_dir() else audit.parent


def clean_command(run: Mapping[str, Any], folder: Path) -> str:
    """A command that cleans the labels of the run in `folder`, as far as `run`, its run.json, says what they are."""
    return f"noiseaudit clean {shlex.quote(str(folder))} --policy relabel --out labels.cleaned{cleaned_suffix(run)}"


def decided_command(
    run: Mapping[str, Any], audit: Path, decisions: Path | None = None, data: Path | None = None
) -> str:
    """The command that applies what people decided about `audit`; `run` is its run.json.

    `decisions` is where a review writes them if None; `data` the label file, where it is not the one that was scanned.
    """
    decisions = decisions or decisions_file(audit)
    moved = ["--data", str(data)] if data else []
    words = ["noiseaudit", "clean", str(audit), "--decisions", str(decisions), *moved]
    return shlex.join([*words, "--out", f"labels.checked{cleaned_suffix(run)}"])


def cleaned_suffix(run: Mapping[str, Any]) -> str:
    """Of the file that `clean` writes for `run`, a run.json: that of the label file, .csv where there is none."""
    data = PurePath(run.get("paths", {}).get("data") or "")
    is_file = _source_text(run, "format") not in WITHOUT_FILE and data.suffix.lower() in FORMATS
    return data.suffix if is_file else ".csv"


def find_source(
    audit: Path,
    data: Path | None = None,
    *,
    columns: ColumnNames = FIND_ALL,
    encoding: str | None = None,
    missing_label: str | None = None,
) -> Source:
    """The label file that was scanned, as `run.json` says, or `data` if it moved.

    `columns`, `encoding` and `missing_label` go before what `run.json` says of them.

    Raises ConfigError if nothing says where it is, DataError if it is gone or not readable.
    """
    saved = _saved_source(audit)
    path = data or (saved.path if saved else None)
    if path is None:
        raise ConfigError(f"no run.json beside {audit} names the label file", fix="Name it with --data.")
    if not (is_there(saved) if saved and data is None else path.exists()):
        raise DataError("the label file is gone", file=path, fix="Say where it is with --data.")
    if saved and data is None and not (columns.named() or encoding or missing_label):
        return saved
    if saved and not (columns.named() or encoding) and FORMATS.get(path.suffix.lower()) == saved.format:
        # It moved: what it must be is known, and who edits it compares it with the audit.
        return dataclasses.replace(saved, path=path, missing_label=missing_label or saved.missing_label)
    known = saved or Source(path, "", "")
    if not path.is_dir() and known.format not in WITHOUT_FILE:
        used = {"label": known.label_column, "image": known.image_column, "id": known.id_column}
        columns = ColumnNames(**{role: name for role, name in used.items() if name} | columns.named())
    table = read_labels(
        path,
        columns=columns,
        missing_label=missing_label or known.missing_label,
        encoding=encoding or known.encoding,
        images_required=known.format in CONTAINERS,
    )
    assert table.source
    return table.source


def _saved_source(audit: Path) -> Source | None:
    return source_of(saved_run(audit), run_folder(audit))


def source_of(run: Mapping[str, Any], folder: Path) -> Source | None:
    """What `run`, the run.json of `folder`, says was scanned; None if it says nothing.

    Raises DataError if it is none of ours.
    """
    saved = run.get("source")
    if saved is None:
        return None
    is_text = isinstance(saved, dict) and all(isinstance(v, str | None) for v in saved.values())
    try:
        if not is_text or saved["format"] not in {*FORMATS.values(), *WITHOUT_FILE}:
            raise TypeError
        return Source(**saved | {"path": Path(saved["path"])})
    except (TypeError, KeyError) as error:
        raise DataError(
            "its `source` does not say what was scanned",
            file=folder / RUN_FILE,
            fix="Move it away and name the label file with --data, or scan again.",
        ) from error
