"""model.safetensors: a finished scan's networks, and all that scoring other rows with them needs.

Tensors: `learner.*` and `guider.*` (parameters and buffers; no guider where the method has none), `x.mean` and
`x.deviation` of standardised vectors, `noise.*` of noiseaudit.unseen. The metadata key `noiseaudit` holds one JSON
object: `schema_version`, `audit` (the metadata of the scan's audit.parquet), `intake` and `noise`. Nothing is
unpickled, and equal scans give equal bytes.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from noiseaudit import pretrained
from noiseaudit.atomic import atomic_path
from noiseaudit.audit_meta import checked_meta
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.image_noise import ImageNoise
from noiseaudit.model_checks import check_audit, check_networks, check_noise, check_x
from noiseaudit.runjson import read_run_json
from noiseaudit.runnames import MODEL_FILE, RUN_FILE
from noiseaudit.samples import Scales
from noiseaudit.saved_model import Intake, SavedModel
from noiseaudit.score import Noise
from noiseaudit.unseen import Unseen

SCHEMA_VERSION = 1
METADATA_KEY = "noiseaudit"
_GIVE = "Give --checkpoint the folder of a finished scan, or its model.safetensors."
_SCAN_AGAIN = "Scan again with this noiseaudit."


def write_model(model: SavedModel, path: Path) -> None:
    """Write a model.safetensors atomically. Raises OutputError if it cannot be written."""
    by_class, by_image = model.noise.by_class, model.noise.by_image
    tensors = dict(model.networks) | {
        "noise.pairs": torch.from_numpy(by_class.pairs),
        "noise.log_rates": torch.from_numpy(by_class.log_rates),
        "noise.log_unseen": torch.from_numpy(by_class.log_unseen),
    }
    noise: dict[str, Any] = {"slope": model.noise.slope, "temperature": by_class.temperature}
    if by_image is not None:
        tensors["noise.by_image"] = torch.from_numpy(by_image.rates)
        noise["by_image"] = {"temperature": by_image.temperature, "gamma": by_image.gamma}
    if model.scales is not None:
        tensors |= {f"x.{name}": torch.from_numpy(value) for name, value in model.scales._asdict().items()}
    described = {
        "schema_version": SCHEMA_VERSION,
        "audit": json.loads(model.meta.to_json()),
        "intake": dataclasses.asdict(model.intake),
        "noise": noise,
    }
    text = json.dumps(described, sort_keys=True, ensure_ascii=False)
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(tensors, {METADATA_KEY: text}))


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
