"""Options out of range are named, and unknown ones find their nearest."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import numpy as np
import pytest

from noiseaudit.config import AuditConfig, UMNConfig, one_of, with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.errors import ConfigError
from noiseaudit.methods import METHODS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden", 0), ("latent_a", 0), ("latent_b", 70_000), ("alpha", 0.0), ("alpha", float("nan")),
        ("alpha", float("inf")), ("learning_rate", -1.0), ("generative_weight", -0.1), ("label_kl_weight", -1.0),
        ("input_noise", -0.1), ("consistency_weight", float("inf")), ("entropy_weight", -1.0), ("jitter", 1.1),
        ("jitter", -0.1), ("rampup", 1.5), ("guider_switch", -0.1), ("lr_decay_start", 2.0),
        ("guider_decay_early", 1.0), ("guider_decay_late", -0.1), ("beta1", 1.0), ("beta2", 1.5),
        ("epsilon_min", 0.0), ("epsilon_min", 0.5), ("label_kl", "both"), ("prior", "flat"),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"--set {name}"):
        UMNConfig(**{name: value})


@pytest.mark.parametrize(
    ("name", "value", "option"),
    [
        ("image_size", 3, "--image-size"), ("image_size", 2000, "--image-size"), ("epochs", 0, "--epochs"),
        ("epochs", 10**6, "--epochs"), ("batch_size", 1, "--batch-size"), ("batch_size", 10**5, "--batch-size"),
        ("min_labelled_share", 0.0, "min_labelled_share"), ("min_labelled_share", 1.0, "min_labelled_share"),
        ("seed", -1, "--seed"), ("seed", 2**63, "--seed"), ("device", "gpu", "--device"),
        ("noise_rate", 0.0, "--noise-rate"), ("noise_rate", 1.0, "--noise-rate"),
        ("noise_rate", float("nan"), "--noise-rate"),
    ],
)  # fmt: skip
def test_an_option_out_of_range_is_named(name: str, value: Any, option: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(option)):
        AuditConfig(**{name: value})


@pytest.mark.parametrize("kind", [type(method.settings(SOME_IMAGES)) for method in METHODS.values()])
def test_every_setting_of_every_method_has_its_type(kind: Any) -> None:
    for item in dataclasses.fields(kind):
        for value in (None, True, [1], *([] if isinstance(item.default, str) else ["1"])):
            with pytest.raises(ConfigError, match=re.escape(f"--set {item.name}={value!r}: not ")):
                kind(**{item.name: value})
        if isinstance(item.default, int):
            with pytest.raises(ConfigError, match=f"--set {item.name}=2.5: not a whole number"):
                kind(**{item.name: 2.5})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", 2.0, "--epochs=2.0: not a whole number"), ("epochs", True, "--epochs=True: not a whole number"),
        ("epochs", "3", "--epochs='3': not a whole number"), ("seed", None, "--seed=None: not a whole number"),
        ("image_size", 32.0, "--image-size=32.0: not a whole"), ("batch_size", "8", "--batch-size='8': not a whole"),
        ("min_labelled_share", "x", "min_labelled_share='x': not a number"), ("device", 0, "--device=0: not text"),
        ("noise_rate", "0.2", "--noise-rate='0.2': not a number"), ("cutoff", 0.5, "--cutoff=0.5: not text"),
        ("method", None, "--method=None: not text"), ("backbone", 1, "--backbone=1: not text"),
        ("settings", [("hidden", 8)], "--set=[('hidden', 8)]: not a mapping"),
        ("settings", None, "--set=None: not a mapping"),
    ],
)  # fmt: skip
def test_an_option_of_another_type_is_named(name: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        AuditConfig(**{name: value})


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"hidden": 2.5}, "--set hidden=2.5: not a whole number. The default is 256."),
        ({"alpha": None}, "--set alpha=None: not a number. The default is 1.0."),
        ({"label_kl": 1}, "--set label_kl=1: not text. The default is sample."),
        ({"alpha": True}, "--set alpha=True: not a number."),
        ({3: 1}, "--set: no such choice 3. Choose one of hidden, "),
    ],
)
def test_overrides_of_another_type_are_named(overrides: dict[Any, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        with_overrides(UMNConfig(), AuditConfig(settings=overrides).settings)


def test_a_configuration_can_be_recorded() -> None:
    """Numbers of NumPy, as a search over settings gives them, and a mapping that changes afterwards."""
    overrides = {"hidden": np.int64(8), "alpha": np.float32(2)}
    numbers: dict[str, Any] = {"epochs": np.int64(3), "noise_rate": np.float32(0.5)}
    config = AuditConfig(**numbers, settings=overrides)
    overrides.clear()
    asked = json.loads(json.dumps(dataclasses.asdict(config)))
    assert (asked["epochs"], asked["noise_rate"]) == (3, 0.5)
    assert asked["settings"] == {"hidden": 8, "alpha": 2.0}


def test_the_ends_of_ranges_are_allowed() -> None:
    UMNConfig(hidden=1, generative_weight=0.0, input_noise=0.0, jitter=1.0, lr_decay_start=0.0, beta1=0.0)
    AuditConfig(image_size=4, epochs=1, batch_size=2, seed=2**63 - 1)


def test_a_configuration_never_changes() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        UMNConfig().alpha = 3.0  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        AuditConfig().seed = 3  # type: ignore[misc]


def test_text_is_read_as_the_settings_type() -> None:
    got = with_overrides(UMNConfig(), {"hidden": "64", "alpha": "5", "prior": "empirical", "jitter": 0.5})
    assert got == UMNConfig(hidden=64, alpha=5.0, prior="empirical", jitter=0.5)
    assert isinstance(got.hidden, int)
    assert isinstance(got.alpha, float)


def test_overrides_leave_the_rest_alone() -> None:
    base = UMNConfig(alpha=7.0, jitter=0.25)
    assert with_overrides(base, {}) == base
    assert with_overrides(base, {"hidden": 8}) == dataclasses.replace(base, hidden=8)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"alhpa": "3"}, "--set: no such choice 'alhpa'. Did you mean 'alpha'?"),
        ({"zzz": "3"}, "--set: no such choice 'zzz'. Choose one of hidden, latent_a"),
        ({"alpha": "much"}, "--set alpha=much: not a number. The default is 1.0."),
        ({"hidden": "1.5"}, "--set hidden=1.5: not a whole number. The default is 256."),
        ({"hidden": "0"}, "--set hidden is out of range. It must be from 1 to 65536."),
        ({"label_kl": "batches"}, "--set label_kl: no such choice 'batches'. Did you mean 'batch'?"),
    ],
)
def test_bad_overrides(overrides: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        with_overrides(UMNConfig(), overrides)


def test_one_of() -> None:
    one_of("--x", "a", ("a", "b"))
    with pytest.raises(ConfigError, match=r"--x: no such choice 'umm_plus'\. Did you mean 'umn_plus'\?"):
        one_of("--x", "umm_plus", ("umn", "umn_plus"))
    with pytest.raises(ConfigError, match=r"Choose one of umn, other\."):
        one_of("--x", "zzzz", ("umn", "other"))
