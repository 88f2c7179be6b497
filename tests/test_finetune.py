"""The second stage begins where the first one ended, and trains the network behind the features, too."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from noiseaudit import finetune, pretrained
from noiseaudit.audit import run_audit
from noiseaudit.config import AuditConfig, UMNConfig
from noiseaudit.course import EpochRecord
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.inputs import SOME_IMAGES, Kind
from noiseaudit.data.training import Originals, TrainingData
from noiseaudit.errors import ConfigError
from noiseaudit.finetune import Tuning, deepen, fine_tune, plan_tuning
from noiseaudit.keeper import FORGETFUL, Keeper, Stage
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.methods.mean_teacher import MeanTeacher
from noiseaudit.methods.supervised import Supervised
from noiseaudit.methods.umn import UMN
from noiseaudit.methods.umn_plus import EMBEDDINGS, SETTINGS, UMNPlus
from noiseaudit.train import fit

CPU = torch.device("cpu")
TUNABLE: list[Any] = [UMNPlus, UMN, MeanTeacher, Supervised]


def network() -> nn.Module:
    """A small one with BatchNorm, from images to 6 features."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ).eval()


@pytest.fixture
def data() -> TrainingData:
    """60 images of two colours, 6 of them under the other's name, and their features."""
    rng = np.random.default_rng(0)
    truth = np.arange(60) % 2
    pixels = torch.from_numpy(
        np.clip(rng.normal(90 + 60 * truth[:, None, None, None], 25, (60, 3, 8, 8)), 0, 255).astype(np.uint8)
    )
    with torch.no_grad():
        values: Tensor = network()(pretrained.prepared(pixels.float()))
    mean, deviation = values.mean(0), values.std(0).clamp_min(1e-3)
    codes = torch.from_numpy(np.where(np.arange(60) < 6, 1 - truth, truth))
    originals = Originals(pixels, mean, deviation)
    return TrainingData((values - mean) / deviation, torch.arange(60), codes, 2, originals=originals)


def trained(kind: Any, data: TrainingData, epochs: int = 3) -> tuple[Any, Any]:
    method = kind(Setup(data, "pretrained", 0, CPU), kind.settings(data.inputs))
    plan = BatchPlan(20, 0, 3)
    return method, fit(method, data, plan, epochs=epochs, seed=0, device=CPU, on_epoch=lambda record: None)


def second_settings(method: Any) -> Any:
    """As planned, but quicker."""
    return dataclasses.replace(plan_tuning(method.values, 60, 0, 20, 0.25).settings, learning_rate=1e-3)


@pytest.mark.parametrize("kind", TUNABLE)
def test_it_begins_with_the_first_stages_predictions(kind: Any, data: TrainingData) -> None:
    method, _ = trained(kind, data)
    before = method.predict(data.x)
    assert data.originals
    pixels, mean, deviation = data.originals
    deepen(method, network(), mean, deviation, method.values)
    after = method.predict(pixels.float() / 255)
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)
    assert method.has_guider == (not torch.equal(after.learner, after.guider))


@pytest.mark.parametrize("kind", TUNABLE)
def test_all_weights_move_and_the_statistics_stay(
    kind: Any, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "load_network", network)
    method, first = trained(kind, data)
    head = [p.detach().clone() for p in method.learner.encoder.parameters()]
    records: list[EpochRecord] = []
    tuning = Tuning(second_settings(method), BatchPlan(20, 0, 3), 4)
    found = fine_tune(
        method, data, tuning, first, epochs_before=3, seed=0, device=CPU, on_epoch=records.append
    )
    deep, fresh = method.learner.encoder, network()
    assert all(
        not torch.equal(a, b) for a, b in zip(deep.network.parameters(), fresh.parameters(), strict=True)
    )
    assert all(not torch.equal(a, b) for a, b in zip(deep.encoder.parameters(), head, strict=True))
    for one, other in zip(deep.network.buffers(), fresh.buffers(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    if method.has_guider:
        pairs = zip(method.guider.encoder.network.parameters(), deep.network.parameters(), strict=True)
        assert all(not torch.equal(a, b) for a, b in pairs)
        assert not any(p.requires_grad for p in method.guider.parameters())
    assert [record.epoch for record in records] == [4, 5, 6, 7]
    assert found.last.epoch == 7
    assert (found.peak_p_given >= first.peak_p_given).all()
    learnt = first.learnt_epoch > 0
    np.testing.assert_array_equal(found.learnt_epoch[learnt], first.learnt_epoch[learnt])
    assert np.isin(found.learnt_epoch[~learnt], [0, 4, 5, 6, 7]).all()
    assert (found.guider_mean.argmax(1)[6:] == data.codes[6:].numpy()).all()  # still of use


def test_unlabelled_rows_teach_in_it_too(data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "load_network", network)
    codes = data.codes.clone()
    codes[30:] = -1
    partly = dataclasses.replace(data, codes=codes)
    method = UMNPlus(Setup(partly, "pretrained", 0, CPU), EMBEDDINGS)
    first = fit(
        method, partly, BatchPlan(10, 10, 3), epochs=3, seed=0, device=CPU, on_epoch=lambda record: None
    )
    tuning = Tuning(second_settings(method), BatchPlan(10, 10, 3), 4)
    found = fine_tune(
        method, partly, tuning, first, epochs_before=3, seed=0, device=CPU, on_epoch=lambda record: None
    )
    assert found.guider_mean.shape == (60, 2)
    assert found.labelled.tolist() == list(range(30))
    assert (found.guider_mean[30:].argmax(1) == np.arange(30, 60) % 2).mean() > 0.8


def test_a_label_first_learnt_in_the_second_stage_says_so(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "load_network", network)
    method, first = trained(Supervised, data)
    never = dataclasses.replace(
        first, learnt_epoch=np.zeros(60, np.int64), peak_p_given=np.zeros(60, np.float32)
    )
    tuning = Tuning(second_settings(method), BatchPlan(20, 0, 3), 2)
    found = fine_tune(
        method, data, tuning, never, epochs_before=3, seed=0, device=CPU, on_epoch=lambda record: None
    )
    assert found.learnt_epoch[6:].min() == 4


@pytest.mark.parametrize("kind", [UMNPlus, Supervised])
def test_a_second_stage_that_is_cut_off_goes_on_to_the_same_bits(
    kind: Any, data: TrainingData, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In its third epoch; a new process restores the first stage, and then half of the second."""
    monkeypatch.setattr(pretrained, "load_network", network)
    keeper = Keeper(tmp_path)

    def both(first: Stage, second: Stage, cut_in: int = 0) -> tuple[list[int], Any, Tensor]:
        method = kind(Setup(data, "pretrained", 0, CPU), kind.settings(data.inputs))
        plan, seen = BatchPlan(20, 0, 3), list[int]()

        def on_epoch(record: EpochRecord) -> None:
            if record.epoch == cut_in:
                raise KeyboardInterrupt
            seen.append(record.epoch)

        fitted = fit(method, data, plan, epochs=2, seed=0, device=CPU, on_epoch=on_epoch, stage=first)
        tuning = Tuning(second_settings(method), plan, 4)
        found = fine_tune(
            method, data, tuning, fitted, epochs_before=2, seed=0, device=CPU, on_epoch=on_epoch, stage=second
        )
        assert data.originals
        return seen, found, method.predict(data.originals.pixels.float() / 255).guider

    _, whole, probs = both(FORGETFUL, FORGETFUL)
    with pytest.raises(KeyboardInterrupt):
        both(keeper.stage("training"), keeper.stage("second stage"), cut_in=5)
    seen, found, resumed = both(keeper.stage("training"), keeper.stage("second stage"))
    assert seen == [5, 6]
    assert torch.equal(resumed, probs)
    for name in ("guider_mean", "latent", "peak_p_given", "learnt_epoch"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))


def test_the_second_stage_is_planned() -> None:
    tuning = plan_tuning(EMBEDDINGS, 5_000, 0, 128, 0.25)
    assert tuning.batches == BatchPlan(64, 0, 79)
    assert tuning.epochs == finetune.MAX_EPOCHS
    assert plan_tuning(EMBEDDINGS, 50_000, 0, 256, 0.25).epochs == finetune.MIN_EPOCHS
    assert plan_tuning(EMBEDDINGS, 12_800, 0, 256, 0.25).epochs == 8  # of 200 steps: 1,500 and a little more
    assert plan_tuning(EMBEDDINGS, 10, 50, 16, 0.25).batches == BatchPlan(4, 12, 5)
    assert tuning.settings == dataclasses.replace(
        EMBEDDINGS,
        learning_rate=1e-4,
        generative_weight=0.0,
        input_noise=0.0,
        input_dropout=0.0,
        jitter=1.0,
        rampup=0.0,
    )
    wide = SETTINGS[Kind.WIDE_VECTORS]
    assert isinstance(wide, UMNConfig)
    assert wide.noise_power > 0
    tuned = plan_tuning(wide, 500, 0, 64, 0.25).settings
    assert isinstance(tuned, UMNConfig)
    assert tuned.noise_power == 0  # images are not learnt by heart so soon
    asked = plan_tuning(EMBEDDINGS, 500, 0, 64, 0.25, asked=["learning_rate"]).settings
    assert (asked.learning_rate, asked.input_noise) == (EMBEDDINGS.learning_rate, 0.0)
    late = plan_tuning(UMN.settings(SOME_IMAGES), 500, 0, 64, 0.25).settings
    assert isinstance(late, UMNConfig)
    assert late.guider_switch == 1.0
    plain = plan_tuning(Supervised.settings(SOME_IMAGES), 500, 0, 64, 0.25).settings
    assert (plain.learning_rate, plain.input_noise, plain.jitter) == (1e-4, 0.0, 1.0)


def test_what_cannot_be_tuned_is_refused() -> None:
    with pytest.raises(ConfigError, match="--method mentornet has no second stage"):
        run_audit("no-such-file.csv", config=AuditConfig(method="mentornet", noise_rate=0.2, fine_tune=True))
    with pytest.raises(ConfigError, match="--backbone mlp has none"):
        run_audit("no-such-file.csv", config=AuditConfig(backbone="mlp", fine_tune=True))
    assert {name for name, kind in METHODS.items() if kind.can_be_tuned} == {
        "umn", "umn_plus", "supervised", "mean_teacher",
    }  # fmt: skip
