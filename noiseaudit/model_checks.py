"""Whether what a model.safetensors holds can be scored with: it may be damaged, or made by anybody.

All that scoring computes with is checked here, before any of it is used; whether the networks are those that the
metadata describe shows when they are built (noiseaudit.model_file). Raises are ValueErrors in words, ConfigErrors of
the options' own checks, and KeyErrors and TypeErrors where the metadata have another form.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from noiseaudit import pretrained
from noiseaudit.audit_meta import AuditMeta
from noiseaudit.config import AuditConfig, Settings, with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.methods import METHODS
from noiseaudit.models import BACKBONES
from noiseaudit.threshold import check_cutoff

KINDS = ("images", "features", "embeddings")
MOST = 1e3  # of slope, temperature, gamma and logarithms of rates: what is fitted stays far below
MOST_PIXELS = 1024  # a side, as of --image-size
_NETWORK_TYPES = (torch.float32, torch.int64)  # BatchNorm counts in the second

Tensors = Mapping[str, Tensor]


def check_audit(meta: AuditMeta) -> None:
    """The scan's options and choices."""
    asked, chosen = meta.config["asked"], meta.config["chosen"]
    _check(len(set(meta.classes)) == len(meta.classes) >= 2, "its classes are not two or more")
    _check(meta.threads > 0, "threads are not above 0")
    _check(asked.keys() == {item.name for item in dataclasses.fields(AuditConfig)}, "other options")
    config = AuditConfig(**asked)
    _check(meta.seed == config.seed, "two seeds")
    for rule in (config.cutoff, meta.cutoff.rule):
        check_cutoff(rule)
    for name, known in ((config.method, METHODS), (chosen["backbone"], BACKBONES)):
        _check(name in known, f"{name!r} is unknown")
    defaults = METHODS[config.method].settings(SOME_IMAGES)
    stages = [chosen] + ([chosen["fine_tune"]] if "fine_tune" in chosen else [])
    for stage in stages:
        _check(_is_whole(stage["epochs"], 1, 10**6), "epochs are not a number from 1 on")
        _check_settings(stage["settings"], defaults)


def check_x(chosen: Mapping[str, Any], intake: Mapping[str, Any], tensors: Tensors) -> None:
    """What an x is: `intake`, the shape that was chosen, and the scales of vectors."""
    kind, side, network, shape = intake["kind"], intake["side"], intake["network"], chosen["shape"]
    _check(kind in KINDS, f"intake {kind!r} is unknown")
    _check(kind == "features" or "fine_tune" not in chosen, f"{kind} have no second stage")
    if kind == "features":
        _check(
            network == pretrained.VERSION,
            f"its features are of {network}, and this noiseaudit has {pretrained.VERSION}",
        )
        _check(_is_whole(side, 1, MOST_PIXELS), "side is not a number of pixels")
    else:
        _check(side is None and network is None, f"{kind} have no side and network")
    _check(isinstance(shape, list), "shape is no list")
    if kind == "images":
        _check(len(shape) == 3 and shape[0] in (1, 3), "shape is none of images")
        _check(all(_is_whole(size, 1, MOST_PIXELS) for size in shape), "shape is none of images")
        _check("x.mean" not in tensors and "x.deviation" not in tensors, "images are not scaled")
    else:
        for name in ("x.mean", "x.deviation"):
            _check(list(tensors[name].shape) == shape and len(shape) == 1, f"{name} is not of x's shape")
            _check_numbers(tensors, name, torch.float32)
        _check(bool((tensors["x.deviation"] > 0).all()), "x.deviation is not above 0")


def check_noise(described: Mapping[str, Any], tensors: Tensors, n_classes: int) -> None:
    """noiseaudit.unseen's, of C classes: `described` are its numbers."""
    for name in ("slope", "temperature"):
        _check_positive(described, name)
    pairs, n = tensors["noise.pairs"], n_classes
    _check(pairs.dtype == torch.int64 and pairs.ndim == 1 and len(pairs) > 0, "noise.pairs are no pairs")
    _check(bool((pairs.diff() > 0).all()), "noise.pairs do not rise")
    _check(int(pairs[0]) >= 0 and int(pairs[-1]) < (n + 1) * n, "noise.pairs are of other classes")
    for name, size in (("noise.log_rates", len(pairs)), ("noise.log_unseen", n + 1)):
        _check(tensors[name].shape == (size,), f"{name} is of another shape")
        _check_numbers(tensors, name, torch.float64)
    second = described.get("by_image")
    _check((second is not None) == ("noise.by_image" in tensors), "one half of noise.by_image is missing")
    if second is not None:
        _check_positive(second, "temperature")
        gamma = second["gamma"]  # 0: noise does not depend on the image
        _check(_is_number(gamma) and 0 <= gamma <= MOST, f"gamma {gamma!r} is not 0 or more")
        rates = tensors["noise.by_image"]
        _check(rates.shape == (n + 1, n + 1), "noise.by_image is of another shape")
        _check_numbers(tensors, "noise.by_image", torch.float64)
        # The last column, the rest as a label, is 0: nobody was given it.
        _check(bool((rates[:, :n] > 0).all() and (rates >= 0).all()), "noise.by_image is not above 0")


def check_networks(tensors: Tensors) -> None:
    """Their types and values; not their names and shapes."""
    for name, values in tensors.items():
        _check(values.dtype in _NETWORK_TYPES, f"{name} is of {values.dtype}")
        _check(bool(values.isfinite().all()), f"{name} is not finite")


def check_alike(own: Tensors, given: Tensors) -> None:
    """Raise ValueError unless all tensors of a network are given, of the same shapes and types, and no others."""
    _check(own.keys() == given.keys(), "other tensors")
    for name, values in own.items():
        found = given[name]
        _check(found.shape == values.shape and found.dtype == values.dtype, f"{name} is of another shape")


def _check_settings(found: Mapping[str, Any], defaults: Settings) -> None:
    _check(found.keys() == {item.name for item in dataclasses.fields(defaults)}, "other settings")
    for name, value in found.items():
        # Text is how a command line gives numbers; a scan records what it makes of it.
        _check(isinstance(value, str) == isinstance(getattr(defaults, name), str), f"{name}={value!r}")
    with_overrides(defaults, found)


def _check_numbers(tensors: Tensors, name: str, kind: torch.dtype) -> None:
    values = tensors[name]
    _check(
        values.dtype == kind and bool(values.isfinite().all()), f"{name} is not finite, or of another type"
    )
    if kind is torch.float64:
        _check(bool((values.abs() <= MOST).all()), f"{name} is beyond {MOST:g}")


def _check_positive(found: Mapping[str, Any], name: str) -> None:
    value = found[name]
    _check(_is_number(value) and 0 < value <= MOST, f"{name} {value!r} is not above 0")


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and not (isinstance(value, float) and math.isnan(value))


def _is_whole(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _check(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)
