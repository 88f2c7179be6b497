"""noiseaudit report: the reports again, from the audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from noiseaudit_cli.options import Audit, Checked, Force, Truth, option

if TYPE_CHECKING:
    from noiseaudit.result import AuditResult
    from noiseaudit.reviewed import Reviewed

EXAMPLES = """
noiseaudit report run
noiseaudit report run --truth noisy.csv.truth.csv
noiseaudit report run --out summary.md --max-suspects 20
noiseaudit report run --checked checks.csv
noiseaudit report run --compared compared.jsonl
"""


def report(
    audit: Audit,
    out: Annotated[
        Path | None,
        option(
            metavar="FILE",
            help="Write this .html, .md or .json file. Default: report.html, .md and .json beside the audit.",
            show_default=False,
        ),
    ] = None,
    truth: Truth = None,
    checked: Checked = None,
    compared: Annotated[
        Path | None,
        option(
            metavar="FILE",
            help="What `noiseaudit compare` wrote about the same data: draw the other tools beside noiseaudit.",
            show_default=False,
        ),
    ] = None,
    images: Annotated[
        Path | None, option(metavar="DIR", help="The images, if they moved.", show_default=False)
    ] = None,
    max_suspects: Annotated[
        int, option(min=0, max=10_000, metavar="N", help="How many suspects the HTML and JSON reports show.")
    ] = 100,
    force: Force = False,
) -> None:
    """Write the reports of an audit.

    report.html is one file that opens offline, can be sent, and prints; report.md is for pull requests, and
    report.json for programs. All are written again in place, while --out writes one elsewhere. Beside an audit.parquet
    that was copied without its run.json, files of these names are replaced by --force alone.

    Where the run folder has a review's decisions.csv of this run, they say how far it is.
    With --checked they say what people who checked a sample found, and where that contradicts what the audit expected.
    """
    from noiseaudit.manifest import run_folder, saved_run
    from noiseaudit.never_written import never_written
    from noiseaudit.outputs import check_file
    from noiseaudit.result import read_audit
    from noiseaudit.runnames import REPORTS, RUN_FILE
    from noiseaudit_cli.console import say
    from noiseaudit_cli.reporting import report_file, write_reports

    result = read_audit(audit)
    folder = run_folder(audit)
    files = {name: folder / file for name, file in REPORTS.items()}
    if (
        out is None and not (folder / RUN_FILE).exists()
    ):  # an audit that was copied: reports there may be others'
        for file in files.values():
            check_file(file, force=force)
    if out is not None:
        files = report_file(out, force=force, inputs=never_written(audit, truth, compared, *(checked or ())))
    has_pictures = write_reports(
        result,
        saved_run(audit),
        files,
        run_folder=folder,
        images=images,
        truth=truth,
        compared=compared,
        checked=checked or (),
        reviewed=_reviewed(result, folder),
        max_suspects=max_suspects,
    )
    for file in files.values():
        say(f"wrote {file}")
    if not has_pictures and "html" in files:
        say(
            "warning: no picture is where the scan found it, or its data set has other rows or another order now,"
            " so the report has none. Name their folder: --images"
        )


def _reviewed(audit: AuditResult, folder: Path) -> Reviewed | None:
    """How far the review in the run folder is. A file that cannot be read costs a warning, not the report."""
    from noiseaudit.errors import DataError
    from noiseaudit.outputs import decisions_file
    from noiseaudit.reviewed import read_reviewed
    from noiseaudit_cli.console import say

    try:
        return read_reviewed(audit, decisions_file(folder))
    except DataError as error:
        say(f"warning: the reports leave out what was decided: {error}")
        return None
