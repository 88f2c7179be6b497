"""Comparing tools: every tool finds planted errors, is trained as scan trains, and shares what it may."""

from __future__ import annotations

import dataclasses
import importlib.util
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score, roc_auc_score

from noiseaudit.choose import choose_epochs
from noiseaudit.compare.case import FOLDS, Case
from noiseaudit.compare.tools import TOOLS
from noiseaudit.config import AuditConfig
from noiseaudit.course import Fitted, _margin
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import DataError
from noiseaudit.train import fit

CPU = torch.device("cpu")


N, CLASSES = 240, 4


def blobs(seed: int = 0, unlabelled: int = 0) -> tuple[TrainingData, np.ndarray[Any, Any]]:
    """Four clusters of 8-dimensional vectors with a fifth of the labels flipped, and which are."""
    rng = np.random.default_rng(seed)
    true = np.arange(N) % CLASSES
    x = rng.normal(size=(N, 8)) + 3 * np.eye(8)[true]
    wrong = rng.random(N) < 0.2
    codes = np.where(wrong, (true + rng.integers(1, CLASSES, N)) % CLASSES, true)
    codes[:unlabelled] = -1
    data = TrainingData(
        torch.from_numpy(x.astype(np.float32)), torch.arange(N), torch.from_numpy(codes), CLASSES
    )
    return data, wrong


def case(data: TrainingData, epochs: int = 60) -> Case:
    return Case(data, "embeddings", AuditConfig(epochs=epochs, batch_size=32), seed=0, device=CPU)


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_ranks_planted_errors_first(name: str) -> None:
    if TOOLS[name].package:
        pytest.importorskip(str(TOOLS[name].package), reason="the extra `bench` is not installed")
    data, wrong = blobs(unlabelled=20)
    verdict = TOOLS[name].judge(case(data, epochs=30))  # longer, and few vectors are learnt by heart
    assert verdict.scores.shape == verdict.flagged.shape == (N - 20,)
    assert verdict.flagged.dtype == np.bool_
    assert np.isfinite(verdict.scores).all()
    assert roc_auc_score(wrong[20:], verdict.scores) > 0.9
    assert f1_score(wrong[20:], verdict.flagged) > 0.55


def test_every_tool_is_trained_as_long_as_scan_would_train_it() -> None:
    """With few labels among many rows, an epoch of a tool that sees labels only is short: it gets more of them."""
    data, _ = blobs(unlabelled=200)
    at = Case(data, "embeddings", AuditConfig(), seed=0, device=CPU)
    found: dict[str, list[Any]] = {}
    for name in ("umn_plus", "supervised"):
        plans: list[Any] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "noiseaudit.compare.case.fit",
                lambda *a, plans=plans, **k: plans.append((a[2].steps, k["epochs"])),
            )
            at.train(name, data.codes.numpy())
        found[name] = plans[0]
    for (steps, epochs), rows in zip(found.values(), (N, N - 200), strict=True):
        assert epochs == choose_epochs(AuditConfig(), steps, data.shape, rows)
    assert found["umn_plus"] != found["supervised"]


def test_aum_alone_and_on_vectors_alone_stops_before_labels_are_learnt_by_heart() -> None:
    data, _ = blobs()
    asked: list[int] = []

    def noted(*args: Any, **options: Any) -> Fitted:
        asked.append(options["epochs"])
        return fit(*args, **options)

    images = dataclasses.replace(data, x=torch.zeros(N, 1, 8, 8, dtype=torch.uint8))
    at, seeing = case(data, epochs=10), Case(images, "mlp", AuditConfig(epochs=2), seed=0, device=CPU)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("noiseaudit.compare.case.fit", noted)
        TOOLS["aum"].judge(at)
        TOOLS["small_loss"].judge(at)
        TOOLS["aum"].judge(seeing)
    assert asked == [3, 3, 10, 2, 2]


def test_all_networks_see_inputs_that_are_perturbed_alike() -> None:
    data, _ = blobs()
    seen: list[tuple[float, ...]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "noiseaudit.compare.case.fit",
            lambda method, *args, **kwargs: seen.append(
                (method.values.input_noise, method.values.input_dropout, method.values.jitter)
            ),
        )
        patch.setattr("noiseaudit.data.inputs.LEAST_SPARED", 2)
        for method in ("umn_plus", "supervised"):
            case(data).train(method, data.codes.numpy())
    assert seen[0] == seen[1] == (0.5, 0.3, 0.0)


def test_rare_classes_and_few_rows(recwarn: pytest.WarningsRecorder) -> None:
    rng = np.random.default_rng(0)
    for labels in ([0] * 12 + [1], [0, 1, 0, 1]):
        x = torch.from_numpy(rng.normal(size=(len(labels), 8)).astype(np.float32))
        data = TrainingData(x, torch.arange(len(labels)), torch.tensor(labels), 2)
        at = Case(data, "embeddings", AuditConfig(epochs=2, batch_size=4), seed=0, device=CPU)
        for name, tool in TOOLS.items():
            if tool.package and importlib.util.find_spec(tool.package) is None:
                continue
            assert np.isfinite(tool.judge(at).scores).all(), name
    assert not recwarn.list


def test_folds_are_a_partition_with_every_class_in_each() -> None:
    data, _ = blobs(unlabelled=30)
    folds = case(data).folds()
    assert len(folds) == FOLDS
    assert sorted(np.concatenate(folds).tolist()) == list(range(N - 30))
    labels = case(data).given
    for fold in folds:
        counts = np.bincount(labels[fold], minlength=CLASSES)
        expected = np.bincount(labels, minlength=CLASSES) / FOLDS
        assert np.abs(counts - expected).max() <= 1


def test_out_of_fold_probabilities_do_not_know_the_label() -> None:
    """A row whose label alone is changed keeps its out-of-fold probabilities."""
    data, _ = blobs()
    before = case(data, epochs=2)
    row = int(before.folds()[0][0])
    probs = before.out_of_fold()
    assert probs.sum(axis=1) == pytest.approx(np.ones(N))
    changed = data.codes.clone()
    changed[row] = (changed[row] + 1) % CLASSES
    after = case(TrainingData(data.x, data.usable, changed, CLASSES), epochs=2)
    after.folds = before.folds  # type: ignore[method-assign]
    held_out = before.folds()[0]
    assert np.array_equal(after.out_of_fold()[held_out], probs[held_out])
    assert not np.array_equal(after.out_of_fold(), probs)


def test_shared_work_is_done_once_and_counts_for_everyone() -> None:
    data, _ = blobs()
    at = case(data, epochs=2)
    times: list[int] = []
    for _ in range(3):
        assert at.shared("name", lambda: times.append(1) or "value") == "value"  # type: ignore[func-returns-value]
    assert times == [1]
    assert at.borrowed == 2 * at._shared["name"][1]


def test_the_margin_is_a_difference_of_logits() -> None:
    logits = torch.tensor([[2.0, 1.0, -1.0], [0.5, 3.0, 3.5]])
    given = torch.tensor([[0], [1]])
    assert _margin(logits.softmax(1), given).tolist() == pytest.approx([1.0, -0.5], abs=1e-6)
    assert _margin(torch.tensor([[1.0, 0.0]]), torch.tensor([[1]])).isfinite().all()


def test_rows_with_the_same_content_are_in_one_fold() -> None:
    data, _ = blobs()
    x = data.x.clone()
    x[1::3] = x[0::3]  # pairs, of other classes too
    twice = case(dataclasses.replace(data, x=x))
    fold_of = np.empty(N, np.int64)
    for number, rows in enumerate(twice.folds()):
        fold_of[rows] = number
    assert (fold_of[1::3] == fold_of[0::3]).all()
    assert sorted(np.concatenate(twice.folds()).tolist()) == list(range(N))
    assert [len(rows) for rows in case(data).folds()] == [48] * 5


def test_data_of_one_content_has_nothing_to_hold_out() -> None:
    data, _ = blobs()
    same = case(dataclasses.replace(data, x=torch.zeros_like(data.x)))
    with pytest.raises(DataError, match="none can be held out"):
        same.out_of_fold()
