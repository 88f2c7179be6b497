"""The reports of a run, as `scan` and `report` write them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noiseaudit.runjson import read_run_json
from noiseaudit.runnames import REPORTS, SUSPECTS

if TYPE_CHECKING:
    from noiseaudit.result import AuditResult
    from noiseaudit.reviewed import Reviewed
    from noiseaudit.truth import Truth
    from noiseaudit.truth_join import Labels

THUMBNAIL_PX = 96
FORMATS = {".html": "html", ".md": "markdown", ".json": "json"}


def write_reports(
    audit: AuditResult,
    run: Mapping[str, Any],
    files: Mapping[str, Path],
    *,
    run_folder: Path,
    images: Path | None = None,
    truth: Path | None = None,
    compared: Path | None = None,
    checked: Sequence[Path] = (),
    reviewed: Reviewed | None = None,
    max_suspects: int = 100,
) -> bool:
    """Write one report to each of `files` (writer name -> path), from one view. False if no picture was found.

    `run` is the content of run.json, `run_folder` the name that the report gives the run, `images` where the
    images are now if they moved, `compared` a comparison of the same data, `checked` files of answers to a sample of
    the audit, `reviewed` how far its review is. Raises DataError or OutputError.
    """
    from noiseaudit.checked import estimate_from
    from noiseaudit.compare.stored import read_compared
    from noiseaudit.evaluation import evaluate
    from noiseaudit_reports import WRITERS, build_view

    picture = thumbnails(audit, run, images)
    found: list[bool] = []

    def noted(row: int) -> bytes | None:
        content = picture(row) if picture else None
        found.append(content is not None)
        return content

    known = known_truth(audit, truth, run)
    view = build_view(
        audit,
        run,
        evaluate(audit, known) if known else None,
        noted,
        truth=known,
        compared=read_compared(compared, audit.meta.data_fingerprint) if compared else None,
        checked=estimate_from(audit, checked) if checked else None,
        reviewed=reviewed,
        max_suspects=max_suspects,
        run_folder=str(run_folder),
    )
    for name, file in files.items():
        WRITERS[name](view, file)
    had_images = bool(run.get("paths", {}).get("images"))
    return any(found) or not found or not had_images


def write_run_reports(out: Path) -> Callable[[AuditResult, Mapping[str, Any], Path], None]:
    """What writes all reports of the scan whose folder will be called `out`."""

    def write(audit: AuditResult, run: Mapping[str, Any], folder: Path) -> None:
        files = {name: folder / file for name, file in (REPORTS | SUSPECTS).items()}
        started = (read_run_json(folder) or {}).get("started")  # run.json is not yet whole
        write_reports(audit, {"started": started, **run}, files, run_folder=out)

    return write


def report_file(out: Path, *, force: bool, inputs: Sequence[Path]) -> dict[str, Path]:
    """The writer that the suffix of `out` names. Raises ConfigError or OutputError."""
    from noiseaudit.errors import ConfigError
    from noiseaudit.outputs import check_file

    writer = FORMATS.get(out.suffix.lower())
    if writer is None:
        raise ConfigError(f"--out {out} is none of {', '.join(FORMATS)}", fix="Name the file so.")
    check_file(out, force=force, inputs=inputs)
    return {writer: out}


def known_truth(audit: AuditResult, truth: Path | None, run: Mapping[str, Any]) -> Truth | None:
    """What the file `truth` says, else the audit's own true labels, else None."""
    from noiseaudit.truth import truth_from_audit

    if truth is not None:
        return given_truth(audit, truth, run)
    given = audit.table.select(["true_label", "p_mislabeled"]).drop_null().column("true_label")
    return truth_from_audit(audit) if {*given.to_pylist()} & {*audit.meta.classes} else None


def given_truth(audit: Labels, truth: Path, run: Mapping[str, Any]) -> Truth:
    """The file `truth`, read as `run`, a run.json, says that the label file was. Raises DataError."""
    from noiseaudit.manifest import scanned_columns, scanned_missing_label
    from noiseaudit.truth import read_truth

    return read_truth(truth, audit, scanned=scanned_columns(run), missing_label=scanned_missing_label(run))


def thumbnails(
    audit: AuditResult, run: Mapping[str, Any], images: Path | None
) -> Callable[[int], bytes | None] | None:
    """Row -> a small picture of its image; None if the run's images are not there any more."""
    from noiseaudit.data.limits import DEFAULT_MAX_PIXELS
    from noiseaudit.data.thumbnail import thumbnail
    from noiseaudit.row_pictures import row_pictures

    max_pixels = run.get("max_pixels", DEFAULT_MAX_PIXELS)
    find = row_pictures(audit, run, images)
    if find is None:
        return None

    def picture(row: int) -> bytes | None:
        place = find(row)
        return thumbnail(place, THUMBNAIL_PX, max_pixels) if place else None

    return picture
