"""Whether what is asked can be done with these samples, before any work is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noiseaudit.config import AuditConfig, one_of
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.table import LabelTable
from noiseaudit.methods import METHODS

NEEDED_OPTIONS = {  # of Method.needs
    "noise_rate": ("--noise-rate R", "Say what share of the labels you take to be wrong, such as 0.2."),
    "trusted": (
        "--trusted FILE|COLUMN",
        "Name samples whose labels are known to be right, some of each class.",
    ),
}
LEAST_FOR_TEST = 100  # labelled rows: a tenth of them is planted
ALL_DIFFERENT = 100  # rows, each with a label of its own: hardly the right column


def check_needs(config: AuditConfig, *, has_trusted: bool) -> None:
    """Raise ConfigError for an unknown method, for an option it needs and lacks, and for one it does not use."""
    one_of("--method", config.method, tuple(METHODS))
    if config.fine_tune and not METHODS[config.method].can_be_tuned:
        able = [name for name, kind in METHODS.items() if kind.can_be_tuned]
        raise ConfigError(
            f"--method {config.method} has no second stage",
            fix=f"Leave --fine-tune out, or choose {', '.join(able)}.",
        )
    if config.fine_tune and config.backbone not in ("auto", "pretrained"):
        raise ConfigError(
            f"--fine-tune trains the network behind frozen features, and --backbone {config.backbone} has none",
            fix="Use --backbone pretrained, or leave --fine-tune out.",
        )
    if config.cutoff == "epsilon" and not METHODS[config.method].has_guider:
        raise ConfigError(
            f"--cutoff epsilon: --method {config.method} has no Guider, so no epsilon",
            fix="Use --cutoff auto.",
        )
    given = {"noise_rate": config.noise_rate is not None, "trusted": has_trusted}
    for name, (option, fix) in NEEDED_OPTIONS.items():
        needed = name in METHODS[config.method].needs
        if needed and not given[name]:
            raise ConfigError(f"--method {config.method} needs {option}", fix=fix)
        if given[name] and not needed:
            users = [method for method, kind in METHODS.items() if name in kind.needs]
            only = f"Leave it out, or choose --method {' or '.join(users)}." if users else "Leave it out."
            raise ConfigError(f"--method {config.method} does not use {option.split()[0]}", fix=only)


def check_classes(table: LabelTable, usable: npt.NDArray[np.bool_]) -> None:
    """Raise DataError unless there are two classes or more among the labels of `usable` rows, (n,), and some repeat."""
    seen = np.unique(table.codes[usable & table.is_labelled])
    if len(seen) < 2:
        raise DataError(
            f"only {len(seen)} class has a labelled row with a readable image",
            file=table.source.path if table.source else None,
            fix="Give labelled images of two classes or more.",
        )
    n_labelled = int((usable & table.is_labelled).sum())
    if len(seen) == n_labelled == int(usable.sum()) >= ALL_DIFFERENT:
        raise DataError(
            f"each of the {n_labelled} labels stands once, so there is nothing to compare",
            file=table.source.path if table.source else None,
            fix="Is this the column of the labels? Name it with --label-column.",
        )


def check_self_test(table: LabelTable, usable: npt.NDArray[np.bool_]) -> None:
    """Raise ConfigError where a self-test would have too few labels to plant wrong ones among; `usable` is (n,)."""
    is_open = usable & table.is_labelled & (True if table.trusted is None else ~table.trusted)
    if (n_open := int(is_open.sum())) < LEAST_FOR_TEST:
        raise ConfigError(
            f"--self-test needs {LEAST_FOR_TEST} labelled rows with a readable image that are not trusted, and there "
            f"are {n_open}",
            fix="Leave it out: so few planted labels would say little.",
        )
