"""A model.safetensors that is damaged, key by key and tensor by tensor, is refused in one line that names it."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from noiseaudit.errors import DataError
from noiseaudit.image_noise import ImageNoise
from noiseaudit.model_checks import check_x
from noiseaudit.model_file import METADATA_KEY, read_model, write_model
from tests.scoring import run
from tests.test_saved_model import audited, vectors

Described = dict[str, Any]
Tensors = dict[str, Tensor]
Place = tuple[str, ...]

CHOSEN = ("audit", "config", "chosen")
# What scoring has no use for, and where any text will do.
FREE: list[Place] = [
    (*CHOSEN, name) for name in ("backbone_reason", "batch", "doubt", "folds", "noise_known")
]
FREE += [("audit", "versions"), ("audit", "config", "asked", "settings")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of vectors of three classes, with a Guider and both readings of the noise."""
    folder = tmp_path_factory.mktemp("model")
    model = audited(folder).model
    by_image = ImageNoise(np.arange(1.0, 17.0).reshape(4, 4) / 20, 1.25, 0.0)
    noise = dataclasses.replace(model.noise, by_image=by_image)
    write_model(dataclasses.replace(model, noise=noise), folder / "model.safetensors")
    return folder / "model.safetensors"


def opened(file: Path) -> tuple[Described, Tensors]:
    with safe_open(file, framework="pt") as model:
        names = model.keys()
        tensors = dict(zip(names, map(model.get_tensor, names), strict=True))
        return json.loads(model.metadata()[METADATA_KEY]), tensors


def written(file: Path, described: Described, tensors: Tensors) -> Path:
    save_file(tensors, file, {METADATA_KEY: json.dumps(described)})
    return file


def is_refused(file: Path) -> bool:
    try:
        read_model(file)
    except DataError as error:
        return str(file) in str(error) and "\n" not in str(error)
    return False


def keys(value: Any, place: Place = ()) -> Iterator[Place]:
    """Of all that lies in nested objects."""
    if isinstance(value, dict) and place not in FREE:
        for name, item in value.items():
            yield (*place, name)
            yield from keys(item, (*place, name))


def within(described: Described, place: Place) -> dict[str, Any]:
    found = described
    for name in place[:-1]:
        found = found[name]
    return found


def remove(holder: dict[str, Any], name: str) -> None:
    del holder[name]


def mistype(holder: dict[str, Any], name: str) -> None:
    holder[name] = "?" if isinstance(holder[name], list) else ["?"]


def spoil(holder: dict[str, Any], name: str) -> None:
    holder[name] = float("nan")


@pytest.mark.parametrize("change", [remove, mistype, spoil])
def test_each_key_is_checked(
    file: Path, tmp_path: Path, change: Callable[[dict[str, Any], str], None]
) -> None:
    whole, tensors = opened(file)
    places = [place for place in keys(whole) if place not in FREE or place[:3] != CHOSEN]
    assert len(places) > 60
    missed = []
    for place in places:
        described = copy.deepcopy(whole)
        change(within(described, place), place[-1])
        if not is_refused(written(tmp_path / "model", described, tensors)):
            missed.append(place)
    assert missed == []


def other_type(values: Tensor) -> Tensor:
    return values.to(torch.float16 if values.dtype.is_floating_point else torch.float32)


def other_shape(values: Tensor) -> Tensor:
    return values[None]


def longer(values: Tensor) -> Tensor:
    return torch.cat([values, values]) if values.ndim else torch.stack([values, values])


def not_finite(values: Tensor) -> Tensor:
    """In one place; of whole numbers, one that is none of the scan's."""
    changed = values.clone()
    changed.view(-1)[-1] = float("nan") if values.dtype.is_floating_point else 10**6
    return changed


@pytest.mark.parametrize("change", [None, other_type, other_shape, longer, not_finite])
def test_each_tensor_is_checked(
    file: Path, tmp_path: Path, change: Callable[[Tensor], Tensor] | None
) -> None:
    described, whole = opened(file)
    assert {"x.mean", "noise.pairs", "noise.by_image"} < whole.keys()
    missed = []
    for name in whole:
        tensors = dict(whole)
        values = tensors.pop(name)
        if change in (longer, not_finite) and not values.numel():  # there is nothing in it to change
            continue
        if change is not None:
            tensors[name] = change(values).contiguous()
        if not is_refused(written(tmp_path / "model", described, tensors)):
            missed.append(name)
    assert missed == []


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("noise", "slope"), -1.0),
        (("noise", "slope"), 0),
        (("noise", "slope"), True),
        (("noise", "temperature"), 10**400),
        (("noise", "by_image", "gamma"), -0.1),
        (("intake", "kind"), "sounds"),
        (("intake", "kind"), "images"),
        ((*CHOSEN, "shape"), [7, 7]),
        ((*CHOSEN, "shape"), [-7]),
        ((*CHOSEN, "epochs"), 0),
        ((*CHOSEN, "settings", "hidden"), "16"),
        ((*CHOSEN, "fine_tune"), {}),
        (("audit", "config", "asked", "method"), "magic"),
        (("audit", "cutoff", "rule"), "best"),
        (("audit", "threads"), 0),
        (("audit", "seed"), 2**70),
        (("audit", "classes"), ["2", "9", "9"]),
    ],
)
def test_values_that_no_scan_leaves_are_refused(
    file: Path, tmp_path: Path, place: Place, value: object
) -> None:
    described, tensors = opened(file)
    within(described, place)[place[-1]] = value
    assert is_refused(written(tmp_path / "model", described, tensors))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("noise.pairs", lambda pairs: pairs.flip(0)),
        ("noise.pairs", lambda pairs: pairs - 1),
        ("noise.by_image", lambda rates: -rates),
        ("noise.log_rates", lambda rates: rates - 1e300),
        ("x.deviation", lambda deviation: deviation * 0),
    ],
)
def test_numbers_that_no_scan_leaves_are_refused(
    file: Path, tmp_path: Path, name: str, change: Callable[[Tensor], Tensor]
) -> None:
    described, tensors = opened(file)
    tensors[name] = change(tensors[name])
    assert is_refused(written(tmp_path / "model", described, tensors))


@pytest.mark.parametrize(
    "shape", [[28, 28], [2, 28, 28], [1, 0, 28], [1, 28, "28"], [1, 28, 10**9], "1x28x28"]
)
def test_shapes_of_no_images_are_refused(shape: object) -> None:
    images = {"kind": "images", "side": None, "network": None}
    check_x({"shape": [1, 28, 28]}, images, {})
    with pytest.raises(ValueError, match="shape is no"):
        check_x({"shape": shape}, images, {})


def test_a_score_by_a_damaged_model_leaves_nothing(file: Path, tmp_path: Path) -> None:
    """Neither by weights that are NaN, nor by weights that are too large to compute with."""
    np.save(tmp_path / "x.npy", vectors())
    (tmp_path / "labels.csv").write_text("id,label\n" + "".join(f"{i},9\n" for i in range(len(vectors()))))
    words = ("score", tmp_path / "labels.csv", "--embeddings", tmp_path / "x.npy", "--out", tmp_path / "out")
    described, whole = opened(file)
    for factor, said in (
        (float("nan"), "is not finite"),
        (1e30, "row 0: the model gives no finite numbers for"),
    ):
        tensors = {
            name: values * factor if name.startswith("guider") and values.is_floating_point() else values
            for name, values in whole.items()
        }
        model = written(tmp_path / "model.safetensors", described, tensors)
        result = run(*words, "--checkpoint", model, "--device", "cpu")
        assert (result.exit_code, result.stderr.count("error: ")) == (2, 1)
        assert said in result.stderr
        assert str(model) in result.stderr
        assert not (tmp_path / "out").exists()
