"""model.safetensors: a finished scan's networks, and all that scoring other rows with them needs.

Tensors: `learner.*` and `guider.*` (parameters and buffers; no guider where the method has none), `x.mean` and
`x.deviation` of standardised vectors, `noise.*` of noiseaudit.unseen. The metadata key `noiseaudit` holds one JSON
object: `schema_version`, `audit` (the metadata of the scan's audit.parquet), `intake` and `noise`. Nothing is
unpickled, and equal scans give equal bytes.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from noiseaudit import pretrained
from noiseaudit.atomic import atomic_path
from noiseaudit.config import with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.finetune import deepen
from noiseaudit.image_noise import ImageNoise
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.model_checks import check_alike, check_audit, check_networks, check_noise, check_x
from noiseaudit.result import AuditMeta, checked_meta
from noiseaudit.runjson import read_run_json
from noiseaudit.runnames import MODEL_FILE, RUN_FILE
from noiseaudit.samples import Samples, Scales
from noiseaudit.score import Noise
from noiseaudit.unseen import Unseen

SCHEMA_VERSION = 1
METADATA_KEY = "noiseaudit"
_GIVE = "Give --checkpoint the folder of a finished scan, or its model.safetensors."
_SCAN_AGAIN = "Scan again with this noiseaudit."


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

    def write(self, path: Path) -> None:
        """Write model.safetensors atomically."""
        by_class, by_image = self.noise.by_class, self.noise.by_image
        tensors = dict(self.networks) | {
            "noise.pairs": torch.from_numpy(by_class.pairs),
            "noise.log_rates": torch.from_numpy(by_class.log_rates),
            "noise.log_unseen": torch.from_numpy(by_class.log_unseen),
        }
        noise: dict[str, Any] = {"slope": self.noise.slope, "temperature": by_class.temperature}
        if by_image is not None:
            tensors["noise.by_image"] = torch.from_numpy(by_image.rates)
            noise["by_image"] = {"temperature": by_image.temperature, "gamma": by_image.gamma}
        if self.scales is not None:
            tensors |= {f"x.{name}": torch.from_numpy(value) for name, value in self.scales._asdict().items()}
        described = {
            "schema_version": SCHEMA_VERSION,
            "audit": json.loads(self.meta.to_json()),
            "intake": dataclasses.asdict(self.intake),
            "noise": noise,
        }
        text = json.dumps(described, sort_keys=True, ensure_ascii=False)
        with atomic_path(path) as temporary:
            temporary.write_bytes(save(tensors, {METADATA_KEY: text}))


def saved_networks(method: Descent[Any, Any]) -> dict[str, Tensor]:
    """Parameters and buffers of a trained method's networks, on the CPU."""
    parts = {"learner": method.learner} | ({"guider": method.guider} if method.has_guider else {})
    return {
        f"{part}.{name}": value.detach().cpu().contiguous().clone()
        for part, network in parts.items()
        for name, value in network.state_dict().items()
    }


def read_model(path: Path) -> SavedModel:
    """The model of a run folder, or a model.safetensors itself.

    Raises DataError if there is none, if the scan is incomplete, or if the file is damaged or of another version.
    """
    file = _model_file(path)
    try:
        with safe_open(file, framework="pt") as opened:
            text = (opened.metadata() or {}).get(METADATA_KEY)
            names = opened.keys()
            tensors = dict(zip(names, map(opened.get_tensor, names), strict=True))
    except (SafetensorError, OSError) as error:
        raise DataError(f"not a model, or damaged ({error})", file=file, fix=_GIVE) from error
    if text is None:
        raise DataError("not a model that a scan left", file=file, fix=_GIVE)
    return _checked(text, tensors, file)


def _model_file(path: Path) -> Path:
    if not path.is_dir():
        if not path.exists():
            raise DataError("no such model", file=path, fix=_GIVE)
        return path
    run = read_run_json(path)
    if run is not None and run.get("status") != "complete":
        raise DataError("the run is incomplete", file=path / RUN_FILE, fix="Finish the scan first.")
    file = path / MODEL_FILE
    if not file.exists():
        raise DataError(f"holds no {MODEL_FILE}", file=path, fix=_GIVE)
    return file


def _checked(text: str, tensors: dict[str, Tensor], file: Path) -> SavedModel:
    try:
        described = json.loads(text)
        version = described["schema_version"]
        if version != SCHEMA_VERSION:
            raise DataError(
                f"a model of version {version}, but this noiseaudit reads {SCHEMA_VERSION}",
                file=file,
                fix=_SCAN_AGAIN,
            )
        meta = checked_meta(json.dumps(described["audit"]), file)
        check_audit(meta)
        check_x(meta.config["chosen"], described["intake"], tensors)
        check_noise(described["noise"], tensors, len(meta.classes))
        networks = _networks(tensors)
        check_networks(networks)
        model = SavedModel(
            meta,
            Intake(**described["intake"]),
            _scales(tensors),
            _noise(described["noise"], tensors),
            networks,
        )
    except (ConfigError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else f"{error}"
        raise DataError(f"it is damaged ({why})", file=file, fix=_SCAN_AGAIN) from error
    _check_fit(model, file)
    return model


def _check_fit(model: SavedModel, file: Path) -> None:
    """Raise DataError unless the networks are those that the metadata describe."""
    if model.is_tuned and not pretrained.is_installed():  # nothing can be scored here, which the score says
        return
    try:
        model.build(torch.device("cpu"))
    except (RuntimeError, ConfigError, ValueError) as error:
        raise DataError(
            "its networks are not those that its metadata describe", file=file, fix=_SCAN_AGAIN
        ) from error


def _networks(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in tensors.items() if name.startswith(("learner.", "guider."))}


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _scales(tensors: dict[str, Tensor]) -> Scales | None:
    if "x.mean" not in tensors:
        return None
    return Scales(tensors["x.mean"].numpy(), tensors["x.deviation"].numpy())


def _noise(described: dict[str, Any], tensors: dict[str, Tensor]) -> Unseen:
    pairs, log_rates, log_unseen = (
        tensors[f"noise.{name}"].numpy() for name in ("pairs", "log_rates", "log_unseen")
    )
    second = described.get("by_image")
    by_image = None
    if second is not None:
        by_image = ImageNoise(tensors["noise.by_image"].numpy(), second["temperature"], second["gamma"])
    return Unseen(Noise(pairs, log_rates, log_unseen, described["temperature"]), by_image, described["slope"])


def _stand_in(shape: tuple[int, ...], n_classes: int) -> TrainingData:
    """A labelled row of each class: what methods look at before they are trained."""
    codes = torch.arange(n_classes)
    return TrainingData(
        torch.zeros(n_classes, *shape), codes, codes, n_classes, torch.ones(n_classes, dtype=torch.bool)
    )
