"""Audits for other tools. A new format is a file here and a line in FORMATS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from noiseaudit.atomic import room_for
from noiseaudit.decisions import run_id
from noiseaudit.errors import ConfigError
from noiseaudit.exports import cleanlab, cvat, fiftyone, huggingface, imagefolder, label_studio
from noiseaudit.exports.base import Exported, ExportOptions, Format
from noiseaudit.exports.folder import beside, check_folder, mark, put, settle
from noiseaudit.outputs import check_file
from noiseaudit.result import AuditResult

FORMATS: Mapping[str, Format] = {
    "cleanlab": cleanlab.FORMAT,
    "label-studio": label_studio.FORMAT,
    "cvat": cvat.FORMAT,
    "huggingface": huggingface.FORMAT,
    "imagefolder": imagefolder.FORMAT,
    "fiftyone": fiftyone.FORMAT,
}
NOTHING = ExportOptions()
FLAGS = {
    "everything": "--all",
    "document_root": "--document-root",
    "copy": "--copy",
    "policy": "--policy",
    "decided": "--decisions",
    "include_test": "--include-test",
}  # of the options that only some formats take


def export_audit(
    audit: AuditResult, format_: str, out: Path, options: ExportOptions = NOTHING, *, force: bool = False
) -> Exported:
    """Write `audit` as `out`, a file or a folder; an existing one only by `force`, and never half.

    What a killed export to the same place left is put right first.

    Raises ConfigError for an unknown format, kind of file, or an option that the format has no use for; OutputError
    if `out` is there or cannot be written; DataError if an image is gone; and as the format does.
    """
    format_of = check_export(format_, out, options)
    inputs = [options.pictures.folder] if options.pictures else []
    settle(out)
    check_place(format_, out, force=force, inputs=inputs)
    with room_for(out), beside(out) as folder:
        new = folder / (out.name if format_of.kinds else "export")
        if not format_of.kinds:
            new.mkdir()
        done = format_of.write(audit, new, options)
        if not format_of.kinds:
            mark(new, _described(audit, format_, done))
        check_place(format_, out, force=force, inputs=inputs)  # people may have put something there meanwhile
        put(new, out)
    return done


def check_export(format_: str, out: Path, options: ExportOptions = NOTHING) -> Format:
    """The format. Raises ConfigError as `export_audit` does."""
    if format_ not in FORMATS:
        raise ConfigError(f"--format {format_!r} is not known", fix=f"Use {', '.join(FORMATS)}.")
    found = FORMATS[format_]
    if found.kinds and out.suffix.lower() not in found.kinds:
        raise ConfigError(
            f"{out} is not {' or '.join(found.kinds)}",
            fix=f"Give --out a name that ends in {found.kinds[0]}.",
        )
    for name, flag in FLAGS.items():
        if getattr(options, name) != getattr(NOTHING, name) and name not in found.takes:
            raise ConfigError(f"{flag} is of no use to --format {format_}", fix="Leave it out.")
    return found


def check_place(format_: str, out: Path, *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Raise OutputError unless `out` may be written in this format, which is known."""
    if FORMATS[format_].kinds:
        check_file(out, force=force, inputs=inputs)
    else:
        check_folder(out, force=force, inputs=inputs)


def _described(audit: AuditResult, format_: str, done: Exported) -> dict[str, object]:
    return {
        "format": format_,
        "run_id": run_id(audit),
        "rows": done.rows,
        "classes": list(audit.classes),
    }
