"""Eq. 7 by hand, with BatchNorm's buffers, which peers forget."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from noiseaudit.ema import make_guider, update_guider
from noiseaudit.schedules import guider_decay


def test_three_steps_by_hand() -> None:
    learner = nn.Linear(1, 1, bias=False)
    learner.weight.data.fill_(8.0)
    guider = make_guider(learner)
    values = []
    for weight in (0.0, 4.0, 2.0):
        learner.weight.data.fill_(weight)
        update_guider(guider, learner, 0.75)
        values.append(guider.weight.item())
    assert values == pytest.approx([6.0, 5.5, 4.625])


def test_the_schedules_first_steps_are_the_plain_mean_of_the_learners() -> None:
    torch.manual_seed(0)
    learner = nn.Linear(3, 2)
    guider = make_guider(learner)
    seen = []
    for step in range(5):
        learner.weight.data.normal_()
        seen.append(learner.weight.detach().clone())
        update_guider(guider, learner, guider_decay(step, 0.0, 0.99, 0.999, 1.0))
        assert_close(guider.weight.detach(), torch.stack(seen).mean(0))


def test_batchnorm_statistics_are_averaged_and_its_step_count_copied() -> None:
    learner = nn.BatchNorm1d(2)
    guider = make_guider(learner)
    learner.running_mean = torch.tensor([4.0, -2.0])
    learner.running_var = torch.tensor([3.0, 5.0])
    learner.num_batches_tracked = torch.tensor(7)
    update_guider(guider, learner, 0.5)
    assert guider.running_mean is not None
    assert guider.running_mean.tolist() == [2.0, -1.0]
    assert guider.running_var is not None
    assert guider.running_var.tolist() == [2.0, 3.0]
    assert guider.num_batches_tracked == torch.tensor(7)
    assert guider.num_batches_tracked.dtype == torch.int64


def test_the_guider_takes_no_gradient_and_shares_nothing_with_the_learner() -> None:
    learner = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).train()
    guider = make_guider(learner)
    assert not guider.training
    assert learner.training
    assert not any(p.requires_grad for p in guider.parameters())
    assert all(p.requires_grad for p in learner.parameters())
    before = [p.clone() for p in guider.parameters()]
    for parameter in learner.parameters():
        parameter.data.add_(1.0)
    assert all(torch.equal(a, b) for a, b in zip(before, guider.parameters(), strict=True))
    update_guider(guider, learner, 0.9)
    assert not any(p.requires_grad for p in guider.parameters())
