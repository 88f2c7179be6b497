"""noiseaudit export: an audit in the files that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from noiseaudit_cli.clean import Policy
from noiseaudit_cli.options import Audit, Force, NewClass, option

if TYPE_CHECKING:
    from noiseaudit.result import AuditResult

EXAMPLES = """
noiseaudit export run --format cleanlab --out label_issues.csv
noiseaudit export run --format label-studio --out to-review
noiseaudit export run --format huggingface --out dataset --copy
noiseaudit export run --format imagefolder --policy relabel --decisions checks.csv --out cleaned
"""


def export(
    audit: Audit,
    out: Annotated[Path, option(metavar="PATH", help="Where to write: a file for cleanlab, else a folder.")],
    format_: Annotated[
        str,
        option(
            "--format",
            envvar="NOISEAUDIT_EXPORT_FORMAT",
            metavar="NAME",
            help="cleanlab, label-studio, cvat, huggingface, imagefolder or fiftyone.",
        ),
    ],
    everything: Annotated[
        bool,
        option(
            "--all",
            envvar="NOISEAUDIT_EXPORT_ALL",
            help="label-studio, cvat: all rows with an image, not only the suspects.",
        ),
    ] = False,
    images: Annotated[
        Path | None, option(metavar="DIR", help="The images, if they moved.", show_default=False)
    ] = None,
    document_root: Annotated[
        Path | None,
        option(
            metavar="DIR",
            help="label-studio: the folder that it serves files from (default: the one that holds the images folder).",
            show_default=False,
        ),
    ] = None,
    copy: Annotated[
        bool, option("--copy", help="huggingface, imagefolder, fiftyone: copy images, not link them.")
    ] = False,
    policy: Annotated[
        Policy | None,
        option(help="imagefolder: what becomes of suspects, as in `noiseaudit clean`.", show_default=False),
    ] = None,
    decisions: Annotated[
        list[Path] | None,
        option(
            metavar="FILE",
            help="What people decided. imagefolder: as in `noiseaudit clean`; label-studio, cvat: rows to leave out "
            "(repeatable).",
            show_default=False,
        ),
    ] = None,
    new_class: NewClass = None,
    include_test: Annotated[
        bool, option("--include-test", help="imagefolder: --policy also changes test and validation splits.")
    ] = False,
    force: Force = False,
) -> None:
    """Write an audit for another tool.

    cleanlab: the labelled rows with is_label_issue, label_quality (1 - p_mislabeled, low = bad), given_label and
    predicted_label, by class names.

    label-studio, cvat: the suspects of every split, to be judged by people; `noiseaudit import` reads the answers.

    huggingface, fiftyone: all rows whose image could be read, labelled or not, with what the audit says of them.

    imagefolder: the cleaned set, a folder of images a class, without rows that have no label; held-out splits keep
    their labels as in `noiseaudit clean`. docs/round-trips.md has the details.
    """
    from dataclasses import replace

    from noiseaudit.audit_file import open_audit
    from noiseaudit.exports import check_export, check_place, export_audit
    from noiseaudit.exports.base import ExportOptions
    from noiseaudit.exports.pictures import find_pictures
    from noiseaudit.manifest import run_folder, saved_run
    from noiseaudit.never_written import never_written
    from noiseaudit.outputs import decisions_file
    from noiseaudit.result import read_audit
    from noiseaudit_cli.console import say, visible
    from noiseaudit_cli.judged import read_judged

    options = ExportOptions(
        everything=everything,
        document_root=document_root,
        copy=copy,
        policy=policy.value if policy else None,
        include_test=include_test,
    )
    kind = check_export(format_, out, options)
    check_place(format_, out, force=force, inputs=never_written(audit, *(decisions or ())))
    result = open_audit(audit).read(kind.columns) if kind.columns else read_audit(audit)
    pictures = None if kind.kinds else find_pictures(saved_run(audit), images)
    decided = read_judged(
        result,
        audit,
        decisions or (),
        new_classes=new_class or (),
        may_be_none=policy is not None or "policy" not in kind.takes,
    )
    done = export_audit(
        result,
        format_,
        out,
        replace(options, pictures=pictures, decided=decided, run=run_folder(audit)),
        force=force,
    )
    say(f"{done.rows:,} rows in {visible(str(out))}")
    for left in done.notes:
        say(left)
    shows_people = {"everything", "decided"} <= kind.takes and not decisions
    if shows_people and (note := _judged(result, decisions_file(run_folder(audit)), everything)):
        say(note)
    if (readme := out / "README.md").is_file():
        say(f"How to go on: {visible(str(readme))}")


def _judged(result: AuditResult, file: Path, everything: bool) -> str:
    """A note on exported rows that the run's review judged already; "" where there are none."""
    from noiseaudit.decisions import read_decisions, run_id
    from noiseaudit.errors import DataError
    from noiseaudit.exports.base import rows_to_review
    from noiseaudit_cli.console import visible

    try:
        made = read_decisions(file) if file.is_file() else []
    except DataError:  # `clean` says what is wrong with it
        return ""
    own = run_id(result)
    judged = {each.sample_id for each in made if each.run_id == own and each.decision not in (None, "skip")}
    rows, _ = rows_to_review(result, everything)
    n = len(judged & {*result.column("sample_id")[rows].tolist()})
    are = "is" if n == 1 else "are"
    where = visible(str(file))
    return (
        f"{n:,} of them {are} judged in {where} already: --decisions {where} leaves such rows out."
        if n
        else ""
    )
