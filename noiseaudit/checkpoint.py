"""Checkpoints: trees of tensors and plain values in one safetensors file, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from noiseaudit.atomic import atomic_path
from noiseaudit.errors import Damaged

State = dict[str, Any]  # of tensors, numbers, text, None, and more of these; no key holds a slash
VALUES = "values"  # key of the file's metadata: what is no tensor, as JSON
SLASH = "/"
IO_ERROR = "I/O error: "  # before the system's own words in what safetensors raises


def save_state(path: Path, state: State) -> None:
    """Write `state` so that `load_state` gives it back bit by bit, but for empty dicts, which are left out.

    It is on the disk when this returns. Raises OSError if it cannot be written.
    """
    leaves = dict(_leaves(state))
    tensors = {name: leaf for name, leaf in leaves.items() if isinstance(leaf, Tensor)}
    values = {name: leaf for name, leaf in leaves.items() if name not in tensors}
    copies = {name: _copy(tensor) for name, tensor in tensors.items()}
    with atomic_path(path) as temporary:
        try:
            save_file(copies, temporary, {VALUES: json.dumps(values)})
        except SafetensorError as error:
            reason = str(error).partition(IO_ERROR)[2] or str(error)
            raise OSError(None, reason) from error


def load_state(path: Path) -> State:
    """What `save_state` wrote, tensors on the CPU and independent of the file. Raises Damaged if it is."""
    try:
        with safe_open(path, "pt") as file:
            names = file.keys()
            leaves = json.loads(file.metadata()[VALUES])
            leaves |= {name: file.get_tensor(name).clone() for name in names}
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise Damaged(
            f"is no checkpoint, or a damaged one ({error})", file=path, fix="Start again with --force."
        ) from error
    return _tree(leaves)


def _copy(tensor: Tensor) -> Tensor:
    """On the CPU, in order, and alone in its memory: safetensors refuses tensors that share theirs."""
    return tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def _leaves(state: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in state.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{place}{name}{SLASH}")
        else:
            yield f"{place}{name}", value


def _tree(leaves: Mapping[str, Any]) -> State:
    root: State = {}
    for path, leaf in leaves.items():
        *folders, name = path.split(SLASH)
        place = root
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = leaf
    return root
