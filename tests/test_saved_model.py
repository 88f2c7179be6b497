"""model.safetensors: what is read back predicts bit for bit as what was trained, for every method."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from noiseaudit import pretrained
from noiseaudit.audit import run_audit
from noiseaudit.audit_samples import Audit
from noiseaudit.config import AuditConfig
from noiseaudit.errors import DataError
from noiseaudit.finetune import deepen, plan_tuning
from noiseaudit.labels.table import LabelTable
from noiseaudit.load_samples import SampleOptions
from noiseaudit.methods import METHODS
from noiseaudit.model_file import METADATA_KEY, read_model, write_model
from noiseaudit.saved_model import Intake, SavedModel, saved_networks
from tests.test_finetune import network

CPU = torch.device("cpu")
N, WIDTH = 60, 7
PAPER = {"supervised, the paper's network": ("supervised", {"network": "paper"})}
CASES: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in METHODS} | PAPER


def table() -> LabelTable:
    """Three classes, one of them named so that order by text and by number differ."""
    ids = np.array([f"s{i}" for i in range(N)], np.object_)
    labels = np.array([("9", "10", "2")[i % 3] for i in range(N)], np.object_)
    return LabelTable(source=None, sample_id=ids, image=None, given_label=labels)


def vectors() -> np.ndarray[Any, np.dtype[np.float32]]:
    rng = np.random.default_rng(0)
    return (3 + 2 * rng.normal(size=(N, WIDTH)) + np.arange(N)[:, None] % 3).astype(np.float32)


def audited(folder: Path, method: str = "umn_plus", **settings: Any) -> Audit:
    np.save(folder / "x.npy", vectors())
    config = AuditConfig(
        method=method,
        epochs=2,
        device="cpu",
        folds=0,
        noise_rate=0.2 if "noise_rate" in METHODS[method].needs else None,
        settings={"hidden": 16} | settings,
    )
    trusted = np.arange(N) < 9 if "trusted" in METHODS[method].needs else None
    return run_audit(
        table(), config=config, samples=SampleOptions(embeddings=folder / "x.npy"), trusted=trusted
    )


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return audited(tmp_path_factory.mktemp("audit"))


@pytest.fixture
def file(audit: Audit, tmp_path: Path) -> Path:
    write_model(audit.model, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("case", CASES)
def test_the_model_that_is_read_predicts_what_was_trained(case: str, tmp_path: Path) -> None:
    method, settings = CASES[case]
    trained = audited(tmp_path, method, **settings)
    write_model(trained.model, tmp_path / "model.safetensors")
    x = torch.randn(11, WIDTH, generator=torch.Generator().manual_seed(0))
    again = read_model(tmp_path / "model.safetensors").build(CPU)
    for one, other in zip(again.predict(x), trained.method.predict(x), strict=True):
        assert torch.equal(one, other)


def test_it_holds_what_scoring_needs(audit: Audit, file: Path) -> None:
    model = read_model(file)
    assert model.meta == audit.result.meta
    assert model.meta.classes == ("2", "9", "10")
    assert (model.method, model.shape, model.epochs) == ("umn_plus", (WIDTH,), 2)
    assert model.intake == Intake("embeddings")
    assert model.scales is not None
    np.testing.assert_allclose(model.scales.mean, vectors().mean(0), rtol=1e-6)
    np.testing.assert_allclose(model.scales.deviation, vectors().std(0), rtol=1e-6)
    noise = audit.model.noise
    for field in dataclasses.fields(noise.by_class):
        one, other = (getattr(each.by_class, field.name) for each in (model.noise, noise))
        np.testing.assert_array_equal(one, other)
    assert model.noise.slope == noise.slope


def test_equal_scans_leave_equal_bytes(file: Path, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    write_model(audited(tmp_path / "again").model, tmp_path / "again" / "model")
    assert (tmp_path / "again" / "model").read_bytes() == file.read_bytes()


def test_a_second_reading_is_kept(audit: Audit, tmp_path: Path) -> None:
    from noiseaudit.image_noise import ImageNoise

    by_image = ImageNoise(np.arange(1.0, 17.0).reshape(4, 4), 1.25, 0.1)
    model = dataclasses.replace(audit.model, noise=dataclasses.replace(audit.model.noise, by_image=by_image))
    write_model(model, tmp_path / "model")
    found = read_model(tmp_path / "model").noise.by_image
    assert found is not None
    assert (found.temperature, found.gamma) == (1.25, 0.1)
    np.testing.assert_array_equal(found.rates, by_image.rates)


def test_a_network_that_was_trained_on_is_kept_whole(
    audit: Audit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After --fine-tune x is an image; the network behind its features comes from the file, not from its package."""
    monkeypatch.setattr(pretrained, "load_network", lambda: wide(network()))
    monkeypatch.setattr(pretrained, "check_installed", lambda: None)
    method, scales = audit.model.build(CPU), audit.model.scales
    assert scales is not None
    tuning = plan_tuning(method.values, N, 0, 20, 0.25)
    mean, deviation = map(torch.from_numpy, scales)
    deepen(method, wide(network()), mean, deviation, method.values)
    with torch.no_grad():
        next(method.learner.encoder.network.parameters()).add_(0.5)
    chosen = audit.model.chosen | {"fine_tune": dataclasses.asdict(tuning)}
    meta = dataclasses.replace(audit.model.meta, config=audit.model.meta.config | {"chosen": chosen})
    intake = Intake("features", 8, pretrained.VERSION)
    saved = SavedModel(meta, intake, scales, audit.model.noise, saved_networks(method))
    write_model(saved, tmp_path / "model")
    model = read_model(tmp_path / "model")
    assert (model.shape, model.epochs) == ((3, 8, 8), 2 + tuning.epochs)
    x = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for one, other in zip(model.build(CPU).predict(x), method.predict(x), strict=True):
        assert torch.equal(one, other)


def wide(small: nn.Module) -> nn.Module:
    """To as many features as the audit's vectors have."""
    torch.manual_seed(1)
    return nn.Sequential(small, nn.Linear(6, WIDTH)).eval()


def changed(file: Path, change: Any) -> Path:
    """A copy whose metadata `change` has edited."""
    with safe_open(file, framework="pt") as opened:
        described = json.loads(opened.metadata()[METADATA_KEY])
    change(described)
    other = file.with_name("changed.safetensors")
    save_file(load_file(file), other, {METADATA_KEY: json.dumps(described)})
    return other


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_model(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_model_is_refused(file: Path, tmp_path: Path) -> None:
    assert "no such model" in refusal(tmp_path / "absent")
    assert "holds no model.safetensors" in refusal(tmp_path / ".." / tmp_path.name / "..")
    (tmp_path / "text").write_text("not a model at all")
    assert "not a model, or damaged" in refusal(tmp_path / "text")
    file.write_bytes(file.read_bytes()[:-100])
    assert "not a model, or damaged" in refusal(file)
    save_file({"a": torch.zeros(1)}, tmp_path / "other")
    assert "not a model that a scan left" in refusal(tmp_path / "other")


def test_a_model_of_an_unfinished_scan_is_refused(file: Path) -> None:
    (file.parent / "run.json").write_text('{"status": "incomplete"}')
    assert "the run is incomplete" in refusal(file.parent)


def test_a_model_that_contradicts_itself_is_refused(file: Path) -> None:
    def swap_classes(described: dict[str, Any]) -> None:
        described["audit"]["classes"].reverse()

    assert "not in canonical order" in refusal(changed(file, swap_classes))
    assert "a model of version 2" in refusal(
        changed(file, lambda described: described.update(schema_version=2))
    )
    assert "it is damaged (no 'noise')" in refusal(changed(file, lambda described: described.pop("noise")))

    def other_class(described: dict[str, Any]) -> None:
        described["audit"]["classes"].append("11")

    assert "noise.log_unseen is of another shape" in refusal(changed(file, other_class))

    def other_network(described: dict[str, Any]) -> None:
        described["audit"]["config"]["chosen"]["settings"]["hidden"] += 1

    assert "its networks are not those" in refusal(changed(file, other_network))

    def other_features(described: dict[str, Any]) -> None:
        described["intake"] = {"kind": "features", "side": 96, "network": "another"}

    assert "its features are of another" in refusal(changed(file, other_features))
