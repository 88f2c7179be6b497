"""What makes a scan the one that it is: `--resume` goes on only where all of it is as it was.

Options and data decide what is learnt; versions, the kind of device and the number of threads decide its last bits.
How many threads decode, where features are kept and what is shown decide nothing and are left out.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from noiseaudit.config import option_name
from noiseaudit.errors import OtherRun
from noiseaudit.labels.columns import option
from noiseaudit.manifest import file_sha256
from noiseaudit.part import current_part
from noiseaudit.plan import Plan
from noiseaudit.samples import Samples
from noiseaudit.versions import versions

if TYPE_CHECKING:
    from noiseaudit.scan_options import ScanOptions

LABEL_FILE, DATA = "label file", "data"
CHANGED = {  # where the values would say nothing
    LABEL_FILE: "the label file changed",
    DATA: "the labels, images or embeddings changed",
}


def asked(options: ScanOptions) -> dict[str, Any]:
    """What is known before anything is read: options, by their names, and versions."""
    config = {
        option_name(item.name): getattr(options.config, item.name)
        for item in dataclasses.fields(options.config)
    }
    columns = {option(role): name for role, name in dataclasses.asdict(options.columns).items()}
    return {
        **config,
        **columns,
        "--missing-label": options.missing_label,
        "--encoding": options.encoding,
        "--trusted": _place(options.trusted),
        "--max-pixels": options.samples.max_pixels,
        **{f"the version of {name}": version for name, version in versions().items()},
    }


def read(file: Path) -> dict[str, Any]:
    """What is known once the label file is read."""
    return {LABEL_FILE: file_sha256(file)}


def planned(samples: Samples, plan: Plan) -> dict[str, Any]:
    """What is known before the first step."""
    return {
        DATA: samples.fingerprint,
        "the device": plan.device.type,
        "the processor": torch.backends.cpu.get_cpu_capability(),
        "the number of threads": plan.threads,
        "the number of processes": current_part().count,
    }


def check_same(before: Mapping[str, Any] | None, now: Mapping[str, Any], out: Path) -> None:
    """Raise OtherRun, naming the first difference; what was not yet known before is none."""
    if not before:
        raise _other(out, "no scan that can be resumed wrote it: an older noiseaudit, or another command")
    for name, value in json.loads(json.dumps(now)).items():
        if name in before and before[name] != value:
            told = f"{name} was {_shown(before[name])} and is {_shown(value)} now"
            raise _other(out, CHANGED.get(name, told))


def _other(out: Path, difference: str) -> OtherRun:
    return OtherRun(
        f"--resume cannot take this run: {difference}",
        file=out,
        fix="Give what it had, or --force to start again.",
    )


def _shown(value: object) -> str:
    return "not given" if value is None else json.dumps(value, ensure_ascii=False)


def _place(trusted: str | None) -> str | None:
    """A file by where it is, a column by its name."""
    return os.path.realpath(trusted) if trusted and os.path.isfile(trusted) else trusted
