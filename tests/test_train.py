"""The training loop, watched through methods that only pretend to learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from noiseaudit.config import UMNConfig
from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.inputs import Inputs
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.errors import TrainingDiverged
from noiseaudit.methods.base import Method, Prediction
from noiseaudit.train import PREDICT_ROWS, fit, predict_all

CPU = torch.device("cpu")


class Pretender(Method):
    """Its Guider's probability of class 0 in epoch e is the e-th of `answers`, its Learner's 0.1 less."""

    has_guider = True

    def __init__(self, answers: list[float], losses: list[float] | None = None) -> None:
        self.answers, self.losses = iter(answers), iter(losses or [1.0] * 1000)
        self.batches: list[Batch] = []
        self.progress: list[float] = []
        self.seen: list[Tensor] = []

    @staticmethod
    def settings(inputs: Inputs) -> UMNConfig:
        return UMNConfig()

    def step(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        self.batches.append(batch)
        self.progress.append(progress)
        value = torch.tensor(next(self.losses))
        return {"loss": 2 * value, "labelled": value}

    def predict(self, x: Tensor) -> Prediction:
        self.seen.append(x)
        answer = next(self.answers)
        guider = torch.tensor([answer, 1 - answer]).repeat(len(x), 1)
        learner = torch.tensor([answer - 0.1, 1.1 - answer]).repeat(len(x), 1)
        return Prediction(learner, guider, x.flatten(1)[:, :2])


def data(codes: list[int]) -> TrainingData:
    n = len(codes)
    return TrainingData(torch.arange(3.0 * n).reshape(n, 3), torch.arange(n), torch.tensor(codes), 2)


def run(
    pretender: Pretender,
    codes: list[int],
    plan: BatchPlan,
    epochs: int,
    records: list[EpochRecord] | None = None,
) -> Fitted:
    seen = records if records is not None else []
    return fit(pretender, data(codes), plan, epochs=epochs, seed=0, device=CPU, on_epoch=seen.append)


@pytest.mark.parametrize(
    ("answers", "mean"),
    [
        ([0.3], 0.3),
        ([0.2, 0.4], 0.4),
        ([0.1, 0.3, 0.5], 0.4),
        ([0.9, 0.9, 0.2, 0.6], 0.4),
        ([0.9] * 2 + [0.3] * 3, 0.3),
    ],
)
def test_the_guider_is_averaged_over_the_later_half(answers: list[float], mean: float) -> None:
    fitted = run(Pretender(answers), [0, 1], BatchPlan(2, 0, 1), len(answers))
    assert fitted.guider_mean == pytest.approx(np.array([[mean, 1 - mean]] * 2))


def test_what_is_recorded_of_each_epoch() -> None:
    records: list[EpochRecord] = []
    fitted = run(Pretender([0.3, 0.8]), [0, -1, 1, 0], BatchPlan(2, 1, 2), 2, records)
    assert fitted.labelled.tolist() == [0, 2, 3]
    assert [record.epoch for record in records] == [1, 2]
    assert fitted.last is records[-1]
    assert fitted.peak_p_given == pytest.approx([0.8, 0.7, 0.8])
    for record, answer in zip(records, (0.3, 0.8), strict=True):
        assert record.p_given_guider == pytest.approx([answer, 1 - answer, answer])
        assert record.p_given_learner == pytest.approx([answer - 0.1, 1.1 - answer, answer - 0.1])
        assert record.epsilon == pytest.approx([0.1, 0.1, 0.1])
        assert {a.dtype for a in (record.epsilon, record.p_given_guider, record.p_given_learner)} == {
            np.dtype(np.float32)
        }
        assert record.seconds >= 0
    assert fitted.latent.tolist() == [[0, 1], [3, 4], [6, 7], [9, 10]]


def test_losses_are_means_over_the_steps() -> None:
    records: list[EpochRecord] = []
    run(Pretender([0.5] * 2, [1.0, 2.0, 6.0, 4.0, 4.0, 4.0]), [0, 1, 0], BatchPlan(1, 0, 3), 2, records)
    assert records[0].losses == pytest.approx({"loss": 6.0, "labelled": 3.0})
    assert records[1].losses == pytest.approx({"loss": 8.0, "labelled": 4.0})


def test_progress_runs_from_0_to_below_1() -> None:
    pretender = Pretender([0.5] * 2)
    run(pretender, [0, 1], BatchPlan(1, 0, 2), 2)
    assert pretender.progress == pytest.approx([0.0, 0.25, 0.5, 0.75])


def test_every_row_is_in_a_step_with_its_own_label() -> None:
    pretender = Pretender([0.5])
    run(pretender, [0, -1, 1, -1, 1], BatchPlan(1, 1, 3), 1)
    pairs = {
        (int(row[0]) // 3, int(code))
        for x, given, _ in pretender.batches
        for row, code in zip(x, given, strict=True)
    }
    assert pairs == {(0, 0), (1, -1), (2, 1), (3, -1), (4, 1)}
    for x, _, rows in pretender.batches:
        assert (x[:, 0] / 3).tolist() == rows.tolist()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_and_names_epoch_and_loss(bad: float) -> None:
    with pytest.raises(TrainingDiverged, match=r"in epoch 2 \(loss, labelled\)"):
        run(Pretender([0.5] * 3, [1.0, 1.0, 1.0, bad, 1.0]), [0, 1], BatchPlan(1, 0, 2), 3)


def test_predictions_that_are_no_numbers_stop() -> None:
    """The last update of the last epoch is in no loss, and must not end in an audit full of NaN."""
    with pytest.raises(TrainingDiverged, match=r"in epoch 2 \(predictions\)"):
        run(Pretender([0.5, float("nan")]), [0, 1], BatchPlan(2, 0, 1), 2)


def test_images_are_scaled_and_embeddings_left_as_they_are() -> None:
    pixels = torch.tensor([[[[0, 51, 255]]], [[[255, 0, 0]]]], dtype=torch.uint8)
    images = TrainingData(pixels, torch.arange(2), torch.tensor([0, 1]), 2)
    batch = images.batch(torch.tensor([1, 0]), CPU)
    assert batch.x.dtype == torch.float32
    assert batch.x.flatten().tolist() == pytest.approx([1.0, 0.0, 0.0, 0.0, 0.2, 1.0])
    assert batch.given.tolist() == [1, 0]
    assert pixels[0, 0, 0].tolist() == [0, 51, 255]
    assert data([0, 1]).batch(torch.tensor([1]), CPU).x.tolist() == [[3.0, 4.0, 5.0]]


def test_rows_that_were_not_read_are_passed_over() -> None:
    held = TrainingData(torch.arange(5.0).unsqueeze(1), torch.tensor([0, 3, 4]), torch.tensor([1, 0, -1]), 2)
    batch = held.batch(torch.tensor([2, 1]), CPU)
    assert batch.x.flatten().tolist() == [4.0, 3.0]
    assert batch.given.tolist() == [-1, 0]


def test_predictions_are_made_in_chunks_and_put_together_in_order() -> None:
    n = PREDICT_ROWS + 1  # the last chunk is of one row
    pretender = Pretender([0.25, 0.75])
    predicted = predict_all(pretender, data([0] * n), CPU)
    assert [len(x) for x in pretender.seen] == [PREDICT_ROWS, 1]
    assert predicted.guider.shape == (n, 2)
    assert predicted.guider[[0, -2, -1], 0].tolist() == [0.25, 0.25, 0.75]
    assert predicted.latent[:, 0].tolist() == [3.0 * row for row in range(n)]
