"""Every option with its default, unit and source. Frozen: a run's configuration never changes under it."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from noiseaudit.errors import ConfigError
from noiseaudit.field_types import check_types, python_number

S = TypeVar("S", bound="Settings")


@dataclass(frozen=True)
class Settings:
    """What every method has: the encoder and classifier, the perturbations that they see, and Adam."""

    hidden: int = 256  # units of each hidden layer of the dense networks
    latent_a: int = 32  # dimensions of z_a
    input_noise: float = 0.3  # standard deviation of the Gaussian part of eta and eta'
    input_dropout: float = 0.0  # share of x's values that eta and eta' set to 0
    jitter: float = (
        0.0  # size of the random affine part of eta and eta': 1 = 0.2 rad, scale 0.9-1.1, shift 10 %
    )
    learning_rate: float = 1e-3  # Adam, paper section 4.1
    beta1: float = 0.9
    beta2: float = 0.99
    lr_decay_start: float = (
        1.0  # share of the schedule after which the rate falls along a cosine; 1 = never (paper)
    )

    def __post_init__(self) -> None:
        """Raises ConfigError naming the setting that is of another type or out of range."""
        check_types(self, "--set {}".format)
        self.within(1, 65_536, "hidden", "latent_a")
        self.within(0, math.inf, "input_noise")
        self.within(0, 1, "jitter", "lr_decay_start")
        require(0 <= self.input_dropout < 1, "--set input_dropout", "from 0 to below 1")
        require(0 < self.learning_rate < math.inf, "--set learning_rate", "above 0")
        for name in ("beta1", "beta2"):
            require(0 <= getattr(self, name) < 1, f"--set {name}", "from 0 to below 1")

    def within(self, least: float, most: float, *names: str) -> None:
        """Raise ConfigError naming the first of these settings that is not within [least, most], or not finite."""
        allowed = f"from {least:g} to {most:g}" if math.isfinite(most) else f"{least:g} or more"
        for name in names:
            value = getattr(self, name)
            require(least <= value <= most and math.isfinite(value), f"--set {name}", allowed)


@dataclass(frozen=True)
class GuiderSettings(Settings):
    """What every method with a Guider has (Eq. 7)."""

    guider_decay_early: float = 0.99  # gamma of Eq. 7 (Tarvainen and Valpola 2017)
    guider_decay_late: float = 0.999
    guider_switch: float = 0.25  # share of the schedule after which the late decay holds

    def __post_init__(self) -> None:
        """Raises ConfigError naming the setting that is out of range."""
        super().__post_init__()
        self.within(0, 1, "guider_switch")
        for name in ("guider_decay_early", "guider_decay_late"):
            require(0 <= getattr(self, name) < 1, f"--set {name}", "from 0 to below 1")


@dataclass(frozen=True)
class UMNConfig(GuiderSettings):
    """Weights and schedules of the Uncertainty Mining Net. The defaults are the paper's where it gives a value.

    The method `umn` runs on these, `umn_plus` changes some (noiseaudit/methods/umn_plus.py).
    """

    latent_b: int = 32  # dimensions of z_b
    alpha: float = (
        1.0  # weight of the labelled term (not in the paper, so 1; Kingma et al. 2014 weigh theirs)
    )
    generative_weight: float = 1.0  # weight of the reconstruction and C-VAE terms
    label_kl: Literal["sample", "batch"] = (
        "sample"  # KL of each prediction to the prior (paper), or of the batch mean
    )
    label_kl_weight: float = 1.0
    prior: Literal["uniform", "empirical"] = "uniform"  # p(y): uniform (paper), or the given labels' shares
    epsilon_min: float = 0.01  # epsilon is clamped to [epsilon_min, 1 - epsilon_min] in f(epsilon)
    consistency_weight: float = 0.0  # Learner-Guider consistency (Tarvainen and Valpola 2017); 0 = paper
    entropy_weight: float = 0.0  # entropy minimisation; 0 = paper
    noise_weight: float = (
        0.0  # weight of the labelled term that knows the noise, once it is known (class_noise.py); 0 = paper
    )
    noise_power: float = 0.0  # of a label's likelihood in that term: 0 = its logarithm, 1 = linear
    rampup: float = 0.25  # share of the schedule over which the additions ramp up

    def __post_init__(self) -> None:
        """Raises ConfigError naming the setting that is out of range."""
        super().__post_init__()
        self.within(1, 65_536, "latent_b")
        self.within(
            0, math.inf, "generative_weight", "label_kl_weight", "consistency_weight", "entropy_weight",
            "noise_weight",
        )  # fmt: skip
        self.within(0, 1, "rampup", "noise_power")
        require(0 < self.alpha < math.inf, "--set alpha", "above 0")
        require(0 < self.epsilon_min < 0.5, "--set epsilon_min", "between 0 and 0.5")
        one_of("--set label_kl", self.label_kl, ("sample", "batch"))
        one_of("--set prior", self.prior, ("uniform", "empirical"))


@dataclass(frozen=True)
class AuditConfig:
    """The options of one scan that its result depends on. Paths and display options are not among them."""

    method: str = "umn_plus"  # a key of METHODS
    backbone: str = "auto"  # a key of BACKBONES, or "auto"
    image_size: int | None = None  # pixels a side; None = chosen from the images
    epochs: int | None = None  # None = chosen from the number of rows
    batch_size: int | None = None  # rows a step; None = chosen from the number of rows
    min_labelled_share: float = 0.25  # of each batch where some rows are unlabelled
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    seed: int = 0
    noise_rate: float | None = None  # assumed share of wrong labels, for the methods that need it
    cutoff: str = "auto"  # a rule of noiseaudit.threshold.choose_cutoff
    fine_tune: bool = False  # train the network behind pretrained features, too, in a second stage
    self_test: bool = False  # plant some wrong labels, see how many are found, and calibrate on them
    folds: int | None = None  # trainings with a part of the labels hidden; None = chosen, 0 = none
    settings: Mapping[str, Any] = field(default_factory=dict)  # overrides of the method's own settings

    def __post_init__(self) -> None:
        """Raises ConfigError naming the option that is of another type or out of range."""
        check_types(self, option_name)
        settings = {name: python_number(value) for name, value in self.settings.items()}
        object.__setattr__(self, "settings", settings)  # the caller's may change
        require(
            self.image_size is None or 4 <= self.image_size <= 1024, "--image-size", "from 4 to 1024 pixels"
        )
        require(self.epochs is None or 1 <= self.epochs <= 100_000, "--epochs", "from 1 to 100000")
        require(self.batch_size is None or 2 <= self.batch_size <= 65_536, "--batch-size", "from 2 to 65536")
        require(self.folds in (None, 0) or 2 <= self.folds <= 100, "--folds", "0, or from 2 to 100")
        require(
            not (self.folds and self.fine_tune), "--folds", "0 with --fine-tune, whose second stage has none"
        )
        require(0 < self.min_labelled_share < 1, "min_labelled_share", "between 0 and 1")
        require(0 <= self.seed < 2**63, "--seed", "from 0 to 2^63 - 1")
        require(self.noise_rate is None or 0 < self.noise_rate < 1, "--noise-rate", "above 0 and below 1")
        one_of("--device", self.device, ("auto", "cpu", "cuda", "mps"))


def option_name(name: str) -> str:
    """The command-line option of a field of AuditConfig, where there is one."""
    names = {"settings": "--set", "min_labelled_share": "min_labelled_share"}
    return names.get(name, f"--{name.replace('_', '-')}")


def with_overrides(settings: S, overrides: Mapping[str, Any]) -> S:
    """`settings` with some fields replaced; text (from the command line) is read as the field's own type.

    Raises ConfigError for an unknown name (the nearest is suggested), a value that does not fit, or one out of range.
    """
    fields = {item.name: getattr(settings, item.name) for item in dataclasses.fields(settings)}
    for name in overrides:
        one_of("--set", name, tuple(fields))
    parsed = {name: _parse(name, value, fields[name]) for name, value in overrides.items()}
    return dataclasses.replace(settings, **parsed)


def one_of(option: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise ConfigError, suggesting the nearest choice, unless `value` is one of `choices`."""
    if value in choices:
        return
    near = difflib.get_close_matches(str(value), choices, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Choose one of {', '.join(choices)}."
    raise ConfigError(f"{option}: no such choice {value!r}", fix=hint)


def _parse(name: str, value: Any, current: Any) -> Any:
    if not isinstance(value, str) or isinstance(current, str):
        return value
    try:
        return type(current)(value)
    except ValueError as error:
        kind = "a whole number" if isinstance(current, int) else "a number"
        raise ConfigError(f"--set {name}={value}: not {kind}", fix=f"The default is {current}.") from error


def require(holds: bool, option: str, allowed: str) -> None:
    """Raise ConfigError naming the option, unless it holds."""
    if not holds:
        raise ConfigError(f"{option} is out of range", fix=f"It must be {allowed}.")
