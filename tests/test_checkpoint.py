"""States survive the way through a file bit by bit, and a damaged file is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from torch import Tensor

from noiseaudit import checkpoint
from noiseaudit.checkpoint import State, load_state, save_state
from noiseaudit.errors import DataError

STATE: State = {
    "method": {
        "learner": {"encoder.0.weight": torch.tensor([[1.5, -0.0], [float("nan"), 1e-40]])},
        "generator": torch.Generator().manual_seed(7).get_state(),
        "noise": torch.zeros(0, 0),
        "steps_done": 3,
        "percentile": None,
    },
    "course": {
        "losses": {"loss": 0.1 + 0.2, "b": -1.5e300},
        "done": True,
        "name": "é",
        "count": torch.tensor(2),
    },
}


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return [*one] == [*other] and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, Tensor):
        same = one.dtype == other.dtype and one.shape == other.shape
        return bool(same and one.numpy().tobytes() == other.numpy().tobytes())
    return type(one) is type(other) and bool(one == other)


def ordered(state: Any) -> Any:
    return {name: ordered(state[name]) for name in sorted(state)} if isinstance(state, dict) else state


def test_a_state_comes_back_bit_by_bit(tmp_path: Path) -> None:
    save_state(tmp_path / "s", STATE)
    assert equal(ordered(load_state(tmp_path / "s")), ordered(STATE))
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_what_is_not_contiguous_comes_back_in_its_order(tmp_path: Path) -> None:
    grid = torch.arange(6).reshape(2, 3)
    save_state(tmp_path / "s", {"turned": grid.T, "expanded": torch.ones(1).expand(4)})
    found = load_state(tmp_path / "s")
    assert found["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found["expanded"].tolist() == [1] * 4


def test_tensors_may_share_their_memory(tmp_path: Path) -> None:
    mean = torch.arange(4.0)
    save_state(tmp_path / "s", {"learner": mean, "guider": mean, "part": mean[1:3]})
    found = load_state(tmp_path / "s")
    assert [found[name].tolist() for name in ("learner", "guider", "part")] == [[0, 1, 2, 3]] * 2 + [[1, 2]]


def test_what_was_loaded_does_not_hang_on_the_file(tmp_path: Path) -> None:
    save_state(tmp_path / "s", {"a": torch.zeros(3)})
    found = load_state(tmp_path / "s")
    found["a"] += 1
    save_state(tmp_path / "s", {"a": torch.full((3,), 9.0)})
    assert found["a"].tolist() == [1, 1, 1]
    assert load_state(tmp_path / "s")["a"].tolist() == [9, 9, 9]


@pytest.mark.parametrize("content", [b"", b"{}", b"\x10\0\0\0\0\0\0\0" + b"x" * 16])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s").write_bytes(content)
    with pytest.raises(DataError, match=r"s: is no checkpoint, or a damaged one .* --force"):
        load_state(tmp_path / "s")


def test_a_checkpoint_that_was_cut_short_is_named(tmp_path: Path) -> None:
    save_state(tmp_path / "s", STATE)
    whole = (tmp_path / "s").read_bytes()
    (tmp_path / "s").write_bytes(whole[:-4])
    with pytest.raises(DataError, match="damaged"):
        load_state(tmp_path / "s")


def test_a_file_of_somebody_else_is_named(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, tmp_path / "s", {"other": json.dumps({})})
    with pytest.raises(DataError, match="no checkpoint"):
        load_state(tmp_path / "s")


def test_a_full_disk_is_an_error_of_the_system_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_state(tmp_path / "s", {"a": torch.zeros(1)})

    def full(*words: Any) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(OSError, match="No space left on device") as caught:
        save_state(tmp_path / "s", STATE)
    assert caught.value.strerror == "No space left on device (os error 28)"
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    assert load_state(tmp_path / "s")["a"].tolist() == [0]
