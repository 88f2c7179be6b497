"""The plan: every choice made before training, and what is recorded of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from noiseaudit import plan as planning
from noiseaudit.audit_meta import Cutoff
from noiseaudit.config import AuditConfig, UMNConfig
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.inputs import Inputs
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.table import LabelTable, Source
from noiseaudit.methods import METHODS
from noiseaudit.plan import make_plan
from noiseaudit.samples import Samples
from noiseaudit.versions import RECORDED_VERSIONS, versions


def table(labels: Sequence[str | None], source: Source | None = None) -> LabelTable:
    ids = np.array([str(i) for i in range(len(labels))], dtype=np.object_)
    return LabelTable(source=source, sample_id=ids, image=ids, given_label=np.array(labels, dtype=np.object_))


def samples(n: int, bad: Sequence[int] = (), shape: tuple[int, ...] = (1, 8, 8)) -> Samples:
    status = np.full(n, "ok", dtype=np.object_)
    status[list(bad)] = "missing"
    reason = np.full(n, None, dtype=np.object_)
    return Samples(torch.zeros(n, *shape, dtype=torch.uint8), status, reason, "sha256:0")


TWENTY = ["a", "b"] * 10
CPU = AuditConfig(device="cpu")


def test_a_plan_by_default() -> None:
    plan = make_plan(table(TWENTY), samples(20), CPU)
    assert plan.backbone.value == "mlp"
    assert plan.device == torch.device("cpu")
    assert plan.batches == BatchPlan(16, 0, 2)
    assert plan.settings == METHODS[CPU.method].settings(Inputs((1, 8, 8), 2, 20, 20))
    assert plan.epochs >= 30
    assert plan.warnings == ()
    assert plan.config == CPU


def test_a_plan_as_asked() -> None:
    config = AuditConfig(
        method="umn", backbone="resnet18", epochs=3, batch_size=8, min_labelled_share=0.5, device="cpu",
        settings={"alpha": "3"},
    )  # fmt: skip
    plan = make_plan(table([*TWENTY, *[None] * 80]), samples(100), config)
    assert plan.backbone == ("resnet18", "as asked")
    assert (plan.epochs, plan.batches) == (3, BatchPlan(4, 4, 20))
    assert isinstance(plan.settings, UMNConfig)
    assert plan.settings.alpha == 3.0


def test_only_rows_that_were_read_count() -> None:
    """20 labelled and 80 unlabelled rows, of which 4 and 40 could not be read."""
    held = samples(100, bad=[0, 1, 2, 3, *range(20, 60)])
    plan = make_plan(table([*TWENTY, *[None] * 80]), held, AuditConfig(batch_size=28, device="cpu"))
    assert plan.batches == BatchPlan(8, 20, 2)


def test_settings_follow_the_chosen_backbone() -> None:
    plan = make_plan(table(TWENTY), samples(20, shape=(12,)), CPU)
    assert plan.backbone.value == "embeddings"
    assert plan.settings == METHODS[CPU.method].settings(Inputs((12,), 2, 20, 20))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (AuditConfig(method="unm"), "--method: no such choice 'unm'. Did you mean 'umn'"),
        (AuditConfig(cutoff="half"), "--cutoff 'half' is not a rule"),
        (AuditConfig(settings={"alhpa": "1"}), "Did you mean 'alpha'"),
        (AuditConfig(backbone="embeddings"), "does not fit images"),
    ],
)
def test_what_cannot_be_planned(config: AuditConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_plan(table(TWENTY), samples(20), config)


def test_two_classes_must_be_left_once_images_are_read() -> None:
    source = Source(Path("labels.csv"), "csv", "label")
    with pytest.raises(
        DataError, match=r"labels\.csv: only 1 class has a labelled row with a readable image"
    ):
        make_plan(table(["a", "b", "a", None], source), samples(4, bad=[1]), CPU)
    with pytest.raises(DataError, match="only 0 class"):
        make_plan(table(["a", "b", None]), samples(3, bad=[0, 1]), CPU)


def test_a_training_too_short_to_judge_by_is_told() -> None:
    usual = make_plan(table(TWENTY), samples(20), CPU).epochs
    (warning,) = make_plan(
        table(TWENTY), samples(20), dataclasses.replace(CPU, epochs=usual // 2 - 1)
    ).warnings
    assert warning.startswith(
        f"--epochs {usual // 2 - 1} is less than half of the {usual} that this data takes"
    )
    enough = dataclasses.replace(CPU, epochs=-(-usual // 2))
    assert make_plan(table(TWENTY), samples(20), enough).warnings == ()


def test_rare_classes_are_named() -> None:
    labels = [*"aabbcd", *"eff", "g"]
    plan = make_plan(table(labels), samples(10, bad=[9]), CPU)
    assert plan.warnings == (
        "4 classes have fewer than two usable labelled rows and cannot be judged well: 'c', 'd', 'e', 'g'",
    )
    many = make_plan(table([*"aa", *"bcdefgh"]), samples(9), CPU)
    assert many.warnings[0].endswith("'b', 'c', 'd', 'e', 'f' ...")


def test_memory_that_many_classes_take_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 bytes for each of 10 rows and 5 classes: told beyond the limit, not at it."""
    labels = [*"aabbccddee"]
    monkeypatch.setattr(planning, "MUCH_MEMORY", 800)
    assert make_plan(table(labels), samples(10), CPU).warnings == ()
    monkeypatch.setattr(planning, "MUCH_MEMORY", 799)
    (warning,) = make_plan(table(labels), samples(10), CPU).warnings
    assert warning.startswith("probabilities of 5 classes for 10 rows take about 0 GiB")


def test_labels_that_are_all_different_are_no_labels() -> None:
    names = [f"n{i}" for i in range(120)]
    with pytest.raises(DataError, match=r"each of the 120 labels stands once.*--label-column"):
        make_plan(table(names), samples(120), CPU)
    assert make_plan(table(names[:99]), samples(99), CPU).epochs
    assert make_plan(table([*names, "n0"]), samples(121), CPU).epochs
    assert make_plan(table([*names, None]), samples(121), CPU).epochs  # a label a class, and rows without


def test_what_is_recorded() -> None:
    config = AuditConfig(device="cpu", seed=5, epochs=2, settings={"hidden": "8"})
    plan = make_plan(table(["10", "9"] * 10), samples(20), config)
    cutoff = Cutoff("auto", "p_mislabeled", 0.5, "because")
    meta = plan.meta(table(["10", "9"] * 10), samples(20), cutoff)
    assert meta.classes == ("9", "10")
    assert (meta.seed, meta.device_type, meta.threads) == (5, "cpu", torch.get_num_threads())
    assert meta.cutoff == cutoff
    assert meta.data_fingerprint == "sha256:0"
    assert meta.config["asked"]["settings"] == {"hidden": "8"}
    assert meta.config["chosen"]["epochs"] == 2
    assert meta.config["chosen"]["shape"] == [1, 8, 8]
    assert meta.config["chosen"]["settings"]["hidden"] == 8
    assert meta.config["chosen"]["batch"] == {"labelled": 16, "unlabelled": 0, "steps": 2}
    assert json.loads(meta.to_json())["config"] == meta.config


def test_versions() -> None:
    found = versions()
    assert set(found) == {"python", *RECORDED_VERSIONS}
    assert found["numpy"] == np.__version__
    assert found["torch"].split("+")[0] == torch.__version__.split("+")[0]
