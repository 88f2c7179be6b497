"""noiseaudit sample: rows for a person to check, so that few answers say how good an audit is."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from noiseaudit_cli.options import Audit, Force, option

EXAMPLES = """
noiseaudit sample run --n 200 --out checks.csv
noiseaudit sample run --n 100 --without checks.csv --out more.csv
"""


def sample(
    audit: Audit,
    n: Annotated[int, option("--n", min=1, metavar="N", help="How many rows to draw.")],
    out: Annotated[Path, option(metavar="FILE", help="Where to write the rows, .csv or .parquet.")],
    without: Annotated[
        list[Path] | None,
        option(
            "--without",
            envvar="NOISEAUDIT_SAMPLE_WITHOUT",
            metavar="FILE",
            help="An earlier draw, whose rows are not drawn again (repeatable). Rows that people chose, such as "
            "reviewed suspects, count as all others.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, option(min=0, metavar="N", help="The same seed draws the same rows.")] = 0,
    force: Force = False,
) -> None:
    """Draw rows at random for a person to check.

    `noiseaudit review AUDIT --rows FILE` asks about them on a page. Or look at each image and fill in the column
    `decision`: keep if the given label is right; relabel if it is wrong, with the right one in `new_label`; ambiguous
    if it cannot be said; skip to leave it open. Suspects and others are mixed, and what the audit thinks of them is
    left out on purpose. `noiseaudit estimate` reads the answers.
    """
    from noiseaudit.answers import put_aside
    from noiseaudit.decisions import check_kind, write_decisions
    from noiseaudit.earlier_draws import read_earlier
    from noiseaudit.never_written import never_written
    from noiseaudit.outputs import check_file
    from noiseaudit.result import read_audit
    from noiseaudit.sample import draw_sample
    from noiseaudit_cli.console import say

    check_kind(out)
    further = (
        f"noiseaudit sample {shlex.join([str(audit), '--n', str(n), '--without', str(out)])} --out more.csv"
    )
    check_file(
        out,
        force=force,
        inputs=never_written(audit, *(without or ())),
        answered=f"Draw further rows: {further} (with --force, the answered file is put aside first)",
    )
    result = read_audit(audit)
    earlier = read_earlier(result, without or ())
    drawn = draw_sample(result, n, seed, earlier.drawn, earlier.unclear)
    row_of = {name: row for row, name in enumerate(result.column("sample_id"))}
    rows = [row_of[decision.sample_id] for decision in drawn]
    shown = {name: result.column(name)[rows].tolist() for name in ("image", "given_label")}
    if note := put_aside(out, drawn):
        say(note)
    write_decisions(out, drawn, shown)
    page = shlex.join([str(audit), "--rows", str(out)])
    say(f"{len(drawn):,} rows to check in {out}. Answer them on a page: noiseaudit review {page}")
    say(f"Or fill in its column `decision`, then: noiseaudit estimate {shlex.join([str(audit), str(out)])}")
    if earlier.chosen:
        again = sum(decision.sample_id in earlier.chosen for decision in drawn)
        say(
            f"{len(earlier.chosen):,} rows of --without were not drawn by `noiseaudit sample` (they have no "
            f"sampling_weight), and are drawn like all others, as the figures are about them too: {again:,} of them "
            "are asked about again."
        )
