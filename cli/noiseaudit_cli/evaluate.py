"""noiseaudit evaluate: how well an audit found labels that are known to be wrong."""

from __future__ import annotations

from noiseaudit_cli.options import Audit, Json, Truth

EXAMPLES = """
noiseaudit evaluate run --truth labels.csv.truth.csv
noiseaudit evaluate run --json
"""


def evaluate(audit: Audit, truth: Truth = None, json: Json = False) -> None:
    """Measure an audit against known true labels.

    Recall, precision, F1, average precision and AUROC with 95 % intervals, for the paper's rule
    (epsilon > 0) and the audit's cut-off, side by side. Rows without truth are counted and left out.
    """
    from noiseaudit.audit_file import open_audit
    from noiseaudit.evaluation import COLUMNS, table3
    from noiseaudit.evaluation import evaluate as measure
    from noiseaudit.expected import as_json, expect, sentence_of
    from noiseaudit.manifest import saved_run
    from noiseaudit.truth import truth_from_audit
    from noiseaudit_cli.console import print_json, print_rows, say, visible
    from noiseaudit_cli.reporting import given_truth

    opened = open_audit(audit)
    known = None if truth is None else given_truth(opened, truth, saved_run(audit))
    result = opened.read(COLUMNS)
    known = known or truth_from_audit(result)
    found = measure(result, known)
    if json:
        print_json(found.to_dict() | {"expected": as_json(expect(result))})
        return
    header, *body = table3(found)
    print_rows([dict(zip(header, row, strict=True)) for row in body], header)
    say(
        f"{found.n_with_truth:,} rows with truth, {found.n_corrupted:,} of them corrupted; "
        f"{found.n_without_truth:,} rows without truth left out."
    )
    say(f"Without the truth, the audit expected {sentence_of(result, expect(result))}.")
    if (change := found.relabelling) is not None:
        say(
            f"Relabelling all suspects would mend {change.mended:,} labels, leave {change.still_wrong:,} wrong in "
            f"another way and spoil {change.spoilt:,} right ones."
        )
    for note in found.notes:
        say(visible(note))
