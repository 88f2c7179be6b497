"""noiseaudit export: an audit in the columns that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from noiseaudit_cli.options import Audit, Force, option

EXAMPLES = """
noiseaudit export run --format cleanlab --out label_issues.csv
"""


def export(
    audit: Audit,
    out: Annotated[Path, option(metavar="FILE", help="Where to write, .csv or .parquet.")],
    format_: Annotated[
        str,
        option(
            "--format",
            envvar="NOISEAUDIT_EXPORT_FORMAT",
            metavar="NAME",
            help="cleanlab: the columns of its CleanLearning.get_label_issues.",
        ),
    ],
    force: Force = False,
) -> None:
    """Write an audit for another tool.

    cleanlab: the labelled rows with is_label_issue, label_quality (1 - p_mislabeled, low = bad), given_label and
    predicted_label, by class names.
    """
    from noiseaudit.audit_file import open_audit
    from noiseaudit.export import check_export, export_audit
    from noiseaudit.outputs import check_file
    from noiseaudit_cli.console import say

    check_export(format_, out)
    check_file(out, force=force, inputs=[audit, audit / "audit.parquet"])
    say(f"{export_audit(open_audit(audit), format_, out):,} rows in {out}")
