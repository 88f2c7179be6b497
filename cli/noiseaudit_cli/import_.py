"""noiseaudit import: what people answered in an annotation tool, as decisions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noiseaudit_cli.options import Force, option

EXAMPLES = """
noiseaudit import project-1.json --from label-studio --audit run --out decisions.csv
noiseaudit import annotations.xml --from cvat --audit run --out decisions.csv
noiseaudit clean run --decisions decisions.csv --out labels.checked.csv
"""


def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="What the tool exported.", show_default=False, show_envvar=False),
    ],
    tool: Annotated[
        str,
        option(
            "--from", envvar="NOISEAUDIT_IMPORT_FROM", metavar="NAME", help="The tool: label-studio or cvat."
        ),
    ],
    audit: Annotated[Path, option(metavar="AUDIT", help="The run, or audit.parquet, that was exported.")],
    out: Annotated[Path, option(metavar="FILE", help="Where to write the decisions, .csv or .parquet.")],
    force: Force = False,
) -> None:
    """Read answers from an annotation tool back as decisions.

    The file goes to `noiseaudit clean --decisions`. One row for each person and sample: the given label chosen is keep,
    another is relabel; what was skipped is skip; who answered twice is taken by the last word. Of people who
    contradict each other all answers are kept, and `clean` asks for agreement.

    label-studio: JSON, JSON_MIN, CSV or TSV. cvat: annotations.xml of "CVAT for images 1.1", or the .zip.
    """
    from noiseaudit.answers import answers_in, put_aside
    from noiseaudit.decisions import check_kind, write_decisions
    from noiseaudit.errors import DataError
    from noiseaudit.imports import ANSWERED, check_tool, import_answers
    from noiseaudit.never_written import never_written
    from noiseaudit.outputs import check_file
    from noiseaudit.result import read_audit
    from noiseaudit_cli.console import say, visible

    check_tool(tool)
    check_kind(out)
    check_file(
        out,
        force=force,
        inputs=never_written(audit, file),
        answered="Choose another --out, or give --force, which puts this file aside first.",
    )
    found = import_answers(file, tool, read_audit(audit))
    if not found.decisions and (kept := answers_in(out)):
        raise DataError(f"no row is answered, and {out} holds {kept}", file=file, fix=ANSWERED[tool])
    if note := put_aside(out, found.decisions):
        say(visible(note))
    write_decisions(out, found.decisions)
    n_people = len({decision.reviewer for decision in found.decisions})
    n_samples = len({decision.sample_id for decision in found.decisions})
    whose = f"about {n_samples:,} samples, by {n_people:,} {'person' if n_people == 1 else 'people'}"
    say(f"{len(found.decisions):,} decisions {whose}, in {visible(str(out))}")
    if not found.decisions:
        say(f"No row is answered in {visible(str(file))}. {ANSWERED[tool]}")
    if found.n_superseded:
        say(f"{found.n_superseded:,} earlier answers by the same people are left out.")
