"""A finished scan's networks, and all that scoring other rows with them needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from noiseaudit import pretrained
from noiseaudit.audit_meta import AuditMeta
from noiseaudit.config import with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.data.training import TrainingData
from noiseaudit.finetune import deepen
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.model_checks import check_alike
from noiseaudit.samples import Samples, Scales
from noiseaudit.unseen import Unseen


@dataclass(frozen=True)
class Intake:
    """What an x of the model is, beside its shape."""

    kind: Literal["images", "features", "embeddings"]
    side: int | None = None  # pixels, of what frozen features are made of
    network: str | None = None  # that makes them

    @classmethod
    def of(cls, samples: Samples) -> Intake:
        """As `samples` were read."""
        if samples.side is not None:
            return cls("features", samples.side, pretrained.VERSION)
        return cls("images" if samples.scales is None else "embeddings")


@dataclass(frozen=True, eq=False)
class SavedModel:
    """A finished scan, without its rows."""

    meta: AuditMeta  # of the scan's audit
    intake: Intake
    scales: Scales | None  # of vectors
    noise: Unseen
    networks: dict[str, Tensor]  # learner.* and guider.*

    @property
    def chosen(self) -> dict[str, Any]:
        """What the scan chose: backbone, shape, settings and more."""
        return dict(self.meta.config["chosen"])

    @property
    def method(self) -> str:
        """Its name in METHODS."""
        return str(self.meta.config["asked"]["method"])

    @property
    def is_tuned(self) -> bool:
        """Whether x is an image that goes through the network behind the features, which was trained on."""
        return "fine_tune" in self.chosen

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one x as the networks take it: (channels, H, W), or (d,)."""
        if self.is_tuned:
            assert self.intake.side is not None
            return 3, self.intake.side, self.intake.side
        return tuple(self.chosen["shape"])

    @property
    def epochs(self) -> int:
        """Of the scan."""
        tuned = self.chosen["fine_tune"]["epochs"] if self.is_tuned else 0
        return int(self.chosen["epochs"]) + int(tuned)

    def build(self, device: torch.device) -> Descent[Any, Any]:
        """The trained method, to predict with.

        Raises ConfigError where it needs the extra `pretrained` in vain, ValueError where the networks are others.
        """
        kind, asked, chosen = METHODS[self.method], self.meta.config["asked"], self.chosen
        settings = with_overrides(kind.settings(SOME_IMAGES), chosen["settings"])
        stand_in = _stand_in(tuple(chosen["shape"]), len(self.meta.classes))
        setup = Setup(stand_in, chosen["backbone"], self.meta.seed, device, noise_rate=asked["noise_rate"])
        method = kind(setup, settings)
        assert isinstance(method, Descent)
        if self.is_tuned:
            assert self.scales is not None
            pretrained.check_installed()
            tuned = with_overrides(settings, chosen["fine_tune"]["settings"])
            mean, deviation = map(torch.from_numpy, self.scales)
            deepen(method, pretrained.load_network(), mean, deviation, tuned)
        for name in ("learner", "guider") if kind.has_guider else ("learner",):
            network, given = getattr(method, name), _part(self.networks, f"{name}.")
            check_alike(network.state_dict(), given)
            network.load_state_dict(given)
        return method


def saved_networks(method: Descent[Any, Any]) -> dict[str, Tensor]:
    """Parameters and buffers of a trained method's networks, on the CPU."""
    parts = {"learner": method.learner} | ({"guider": method.guider} if method.has_guider else {})
    return {
        f"{part}.{name}": value.detach().cpu().contiguous().clone()
        for part, network in parts.items()
        for name, value in network.state_dict().items()
    }


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _stand_in(shape: tuple[int, ...], n_classes: int) -> TrainingData:
    """A labelled row of each class: what methods look at before they are trained."""
    codes = torch.arange(n_classes)
    return TrainingData(
        torch.zeros(n_classes, *shape), codes, codes, n_classes, torch.ones(n_classes, dtype=torch.bool)
    )
