"""noiseaudit clean: the label file again, with what the audit found put right."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from noiseaudit_cli.options import Audit, Force, Json, MissingLabel, NewClass, label_file_option, option

if TYPE_CHECKING:
    from noiseaudit.clean import CleanSummary

EXAMPLES = """
noiseaudit clean run --policy relabel --out labels.cleaned.csv
noiseaudit clean run --policy blank --out labels.semi.csv
noiseaudit clean run --policy flag --provenance --out labels.flagged.csv
noiseaudit clean run --decisions checks.csv --out labels.checked.csv
"""
FATES = {
    "relabel": "relabelled as suggested",
    "blank": "label taken away",
    "drop": "dropped",
    "flag": "flagged, label kept",
    "none": "label kept",
}  # of suspects that people did not judge, by policy


class Policy(StrEnum):
    DROP = "drop"
    RELABEL = "relabel"
    BLANK = "blank"
    FLAG = "flag"
    NONE = "none"


def clean(
    audit: Audit,
    out: Annotated[Path, option(metavar="FILE", help="Where to write; same format as the input.")],
    policy: Annotated[
        Policy | None,
        option(
            help="What to do with suspects that nobody decided about: drop the row, relabel it as suggested, blank the "
            "label, leave it and add columns that flag it, or none. Needed without --decisions.",
            show_default=False,
        ),
    ] = None,
    decisions: Annotated[
        list[Path] | None,
        option(
            metavar="FILE",
            help="What people decided, CSV or Parquet (docs/verified-audit.md); it goes before --policy (repeatable).",
            show_default=False,
        ),
    ] = None,
    new_class: NewClass = None,
    data: Annotated[
        Path | None,
        option(metavar="PATH", help="The scanned label file or folder, if it moved.", show_default=False),
    ] = None,
    provenance: Annotated[
        bool, option("--provenance", help="Add columns with the given label, the action and p_mislabeled.")
    ] = False,
    include_test: Annotated[
        bool, option("--include-test", help="Also change rows of test and validation splits.")
    ] = False,
    force: Force = False,
    encoding: Annotated[
        str | None, label_file_option("Text encoding of the label file (default: as in the scan).")
    ] = None,
    missing_label: MissingLabel = None,
    image_column: Annotated[
        str | None, label_file_option("Column of the image path (default: as in the scan).")
    ] = None,
    label_column: Annotated[
        str | None, label_file_option("Column of the label (default: as in the scan).")
    ] = None,
    id_column: Annotated[
        str | None, label_file_option("Column of the sample id (default: as in the scan).")
    ] = None,
    json: Json = False,
) -> None:
    """Write a cleaned copy of the label file.

    Same format, columns and row order as the input; what is not changed stays as it is, byte for byte. With
    --decisions, rows that a person judged are relabelled or kept as decided; ambiguous ones follow --policy drop or
    blank, and keep their label under the others. No policy fills in a label that is missing: decisions do.
    """
    from dataclasses import asdict

    from noiseaudit.audit_file import open_audit
    from noiseaudit.clean import clean_labels
    from noiseaudit.errors import ConfigError
    from noiseaudit.labels.columns import ColumnNames
    from noiseaudit.manifest import find_source, run_folder
    from noiseaudit.never_written import never_written
    from noiseaudit.outputs import check_file, decisions_file
    from noiseaudit_cli.console import print_json, say
    from noiseaudit_cli.judged import read_judged

    if policy is None and not decisions:
        file = shlex.quote(str(decisions_file(run_folder(audit))))
        raise ConfigError(
            "neither --policy nor --decisions given",
            fix=f"Give what people decided, as in --decisions {file}, or say what "
            "to do with suspects that nobody looked at, as in --policy relabel.",
        )
    result = open_audit(audit)
    judged = read_judged(
        result, audit, decisions or (), new_classes=new_class or (), may_be_none=policy is not None
    )
    source = find_source(
        audit,
        data,
        columns=ColumnNames(image=image_column, label=label_column, id=id_column),
        encoding=encoding,
        missing_label=missing_label,
    )
    check_file(out, force=force, inputs=never_written(audit, source.path, *(decisions or ())))
    done = clean_labels(
        result,
        source,
        out,
        policy=(policy or Policy.NONE).value,
        decided=judged,
        provenance=provenance,
        include_test=include_test,
        force=force,
    )
    if json:
        print_json(asdict(done) | {"n_written": done.n_written})
        return
    say(f"{out}: {done.n_written:,} rows written, {done.n_changed:,} changed, {done.n_dropped:,} dropped.")
    if kept := _kept(done):
        say(kept)
    if decisions:
        rows = "row was" if done.n_decided == 1 else "rows were"
        say(f"{done.n_decided:,} {rows} decided by people, {len(judged.labels):,} of them given a label.")
        say(_left(done, judged.skipped))
    if judged.from_elsewhere:
        made = "decision was" if judged.from_elsewhere == 1 else "decisions were"
        say(
            f"note: {judged.from_elsewhere:,} {made} made about another audit: are the labels still the same?"
        )
    if done.n_protected:
        what = "suspects and ambiguous rows" if judged.unclear else "suspects"
        say(f"{done.n_protected:,} {what} in test or validation splits were left alone (--include-test).")


def _left(done: CleanSummary, skipped: int) -> str:
    """What became of the suspects that people did not judge."""
    n = done.n_acted
    asides = (
        f"; {skipped:,} skipped {'row counts' if skipped == 1 else 'rows count'} as not judged"
        if skipped
        else ""
    )
    return f"{n:,} {'suspect' if n == 1 else 'suspects'} that nobody judged: {FATES[done.policy]}{asides}."


def _kept(done: CleanSummary) -> str:
    """Which rows stay although the audit says nothing of their label: "" where there are none."""
    unread, unlabelled = done.n_unread_kept, done.n_unlabelled_kept
    found = [
        (unread, "without a readable image", "stays as it is", "stay as they are"),
        (unlabelled, "without a label", "stays without one", "stay without one"),
    ]
    shown = [
        f"{n:,} {'row' if n == 1 else 'rows'} {what} {one if n == 1 else many}"
        for n, what, one, many in found
        if n
    ]
    return f"{', '.join(shown)}." if shown else ""
