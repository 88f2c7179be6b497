"""Options on where suspects begin: the rule of --cutoff, and short forms of some."""

from __future__ import annotations

from typing import Annotated

from noiseaudit_cli.option_values import share
from noiseaudit_cli.options import option

SHORT_FORMS = {
    "precision": "--target-precision",
    "recall": "--target-recall",
    "budget": "--review-budget",
}  # of --cutoff

Cutoff = Annotated[
    str,
    option(
        metavar="RULE",
        help="Where suspects begin: auto, even (as auto, but sparing right labels of rare classes), epsilon (the "
        "paper's rule), budget=N rows to review, rate=R of the labels, or precision=P or recall=R, as expected.",
    ),
]
TargetPrecision = Annotated[
    float | None,
    option(
        parser=share,
        metavar="P",
        help="As --cutoff precision=P: flag the most that keep it.",
        show_default=False,
    ),
]
TargetRecall = Annotated[
    float | None,
    option(
        parser=share,
        metavar="R",
        help="As --cutoff recall=R: flag the fewest that reach it.",
        show_default=False,
    ),
]
ReviewBudget = Annotated[
    int | None,
    option(metavar="N", help="As --cutoff budget=N: flag so many rows.", show_default=False),
]


def cutoff_rule(cutoff: str, **targets: float | None) -> str:
    """The rule that --cutoff or one of its short forms asks for. Raises ConfigError where they are more than one."""
    from noiseaudit.errors import ConfigError

    given = [f"{kind}={target}" for kind, target in targets.items() if target is not None]
    for kind, target in targets.items():
        if target is not None and not (target >= 1 if kind == "budget" else 0 < target < 1):
            allowed = (
                "a number of rows, 1 or more" if kind == "budget" else "above 0 and below 1, as 0.9 or 90%"
            )
            raise ConfigError(f"{SHORT_FORMS[kind]} {target} is out of range", fix=f"It must be {allowed}.")
    if len(given) + (cutoff != "auto") > 1:
        raise ConfigError(
            "more than one of --cutoff, --target-precision, --target-recall and --review-budget is given",
            fix="Give one.",
        )
    return given[0] if given else cutoff
