"""The curriculum in closed form, and the mentor that learns it and then learns from digits."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from noiseaudit import mentor
from noiseaudit.mentor import (
    UNKNOWN,
    Features,
    Mentor,
    curriculum_objective,
    digit_samples,
    learn_mentor,
    made_up_features,
    moving_percentile,
    predefined_weights,
)
from noiseaudit.seeds import seeded_init


def test_predefined_weights_by_hand() -> None:
    """1 up to lambda_1, then down to 0 over lambda_2."""
    difference = torch.tensor([-3.0, 0.0, 0.5, 1.5, 2.0, 7.0])
    assert_close(predefined_weights(difference, 2.0), torch.tensor([1.0, 1.0, 0.75, 0.25, 0.0, 0.0]))
    assert_close(predefined_weights(difference, 0.0), torch.tensor([1.0, 1.0, 0.0, 0.0, 0.0, 0.0]))


def test_the_objective_is_the_loss_with_its_regulariser() -> None:
    """v loss + lambda_2 v^2 / 2 - (lambda_1 + lambda_2) v: 0.5 x 3 + 0.25 - (1 + 2) x 0.5 = 0.25."""
    loss, lambda1, lambda2, weight = 3.0, 1.0, 2.0, 0.5
    found = curriculum_objective(torch.tensor(weight), torch.tensor(loss - lambda1), lambda2)
    assert float(found) == pytest.approx(0.25)


@pytest.mark.parametrize("lambda2", [0.3, 1.0, 4.0])
def test_predefined_weights_minimise_the_objective(lambda2: float) -> None:
    """No weight on a fine grid does better."""
    difference = torch.linspace(-2, 6, 33, dtype=torch.float64)
    grid = torch.linspace(0, 1, 501, dtype=torch.float64).unsqueeze(1)
    best = grid[curriculum_objective(grid, difference, lambda2).argmin(0)].squeeze(1)
    assert_close(predefined_weights(difference, lambda2), best, atol=1.1e-3, rtol=0)


def test_the_moving_percentile_by_hand() -> None:
    """The 80 % quantile of 1..5 lies at index 3.2: 4.2; of (0, 0, 0, 0, 10) it is 2: 0.9 x 4.2 + 0.1 x 2 = 3.98."""
    first = moving_percentile(None, torch.tensor([5.0, 1.0, 4.0, 2.0, 3.0]), 0.8, decay=0.9)
    assert float(first) == pytest.approx(4.2)
    second = moving_percentile(first, torch.tensor([0.0, 10.0, 0.0, 0.0, 0.0]), 0.8, decay=0.9)
    assert float(second) == pytest.approx(3.98)


def test_the_mentor_learns_the_closed_form() -> None:
    with seeded_init(0):
        network = Mentor()
        mentor._imitate(network, 1.0)
        features = made_up_features(2_000)
    network.requires_grad_(False)
    gap = (network(features).sigmoid() - predefined_weights(features.difference, 1.0)).abs()
    assert float(gap.mean()) < 0.03


@pytest.fixture(scope="module")
def unseen() -> tuple[Features, Tensor]:
    """Digits with noise, and students, that no mentor here learns from."""
    with seeded_init(11):
        return digit_samples(1.0)


def test_digits_with_planted_noise_tell_right_from_wrong_losses(unseen: tuple[Features, Tensor]) -> None:
    """Rates of 10-50 % are 30 % on the whole."""
    features, is_right = unseen
    assert all(len(part) == len(is_right) for part in features)
    assert float(is_right.mean()) == pytest.approx(0.7, abs=0.02)
    assert set(features.label.tolist()) == set(range(1, 11))
    assert set(features.percent.tolist()) == set(range(0, 100, 5))
    late = features.percent >= 20
    losses = features.loss[late]
    assert float(losses[is_right[late] == 0].median()) > 5 * float(losses[is_right[late] == 1].median())


def test_the_learned_mentor_weighs_noise_that_it_has_not_seen(unseen: tuple[Features, Tensor]) -> None:
    """Without labels, it errs no more often than the closed form."""
    features, is_right = unseen
    unlabelled = features._replace(label=torch.full_like(features.label, UNKNOWN))
    late = features.percent >= 20

    def error(weights: Tensor) -> float:
        return float(((weights > 0.5) != (is_right == 1))[late].float().mean())

    learned = learn_mentor(0, 1.0)
    assert not any(parameter.requires_grad for parameter in learned.parameters())
    assert error(learned(unlabelled).sigmoid()) <= error(predefined_weights(features.difference, 1.0)) < 0.1


def test_learning_is_a_function_of_the_seed_and_leaves_the_global_generator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mentor, "IMITATION_STEPS", 2)
    monkeypatch.setattr(mentor, "DIGITS_STEPS", 2)
    monkeypatch.setattr(mentor, "DIGITS_EPOCHS", 1)
    learn = learn_mentor.__wrapped__  # not what was learnt before

    def weights(seed: int) -> Tensor:
        torch.rand(1)  # the global generator is elsewhere each time
        return torch.cat([value.flatten() for value in learn(seed, 1.0).state_dict().values()])

    before = torch.get_rng_state()
    learn(1, 1.0)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))
