"""p_mislabeled of networks that learnt from the labels they judge: with what each drew to itself taken away."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, logit, softmax
from sklearn.metrics import average_precision_score

from noiseaudit import class_noise, image_noise, readings
from noiseaudit.class_noise import fit_people
from noiseaudit.data.inputs import Kind
from noiseaudit.image_noise import GammaPrior, ImageNoise, fit_image_noise, p_mislabeled
from noiseaudit.objective import noisy_label_loss
from noiseaudit.odds import mean_odds, moved
from noiseaudit.score import Codes, Noise, Scored, best_classes, score_with_noise
from tests.test_image_noise import Probs, with_rest, world


def plain(q: Probs, label: Codes) -> Scored:
    """Of images, and a network that was trained as the paper has it."""
    return readings.score_readings(q, label, Kind.IMAGES, noise_known=False)


def test_noise_that_follows_the_image_misleads_the_other_reading() -> None:
    """Which is why there are two: it is off by more than a fifth here."""
    q, true, label = world(0.5)
    wrong = (label != true).sum()
    assert score_with_noise(q, label).p.sum() < 0.8 * wrong
    class_reading, image_reading = plain(q, label).counts
    assert class_reading < image_reading


def test_the_score_is_the_calmed_mean_of_both_readings() -> None:
    q, _, label = world(0.5, n=2_000)
    scored, candidates = plain(q, label), best_classes(q, label)
    by_class = score_with_noise(q, label)
    assert isinstance(by_class.noise, Noise)
    by_image = p_mislabeled(candidates, fit_image_noise(candidates, by_class.noise, 5))
    assert (scored.p == moved(mean_odds([by_class.p, by_image]), slope=0.7)).all()
    assert scored.counts == (moved(by_class.p, slope=0.7).sum(), moved(by_image, slope=0.7).sum())


def test_where_the_second_reading_is_the_first_it_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted noise, fewer labels than it takes, or more classes."""
    rng = np.random.default_rng(0)
    true = rng.integers(5, size=2_000)
    q = softmax(rng.normal(0, 1, (2_000, 5)) + 6 * np.eye(5)[true], axis=1).astype(np.float32)
    label = np.where(rng.random(2_000) < 0.2, (true + rng.integers(1, 5, 2_000)) % 5, true)
    human, _, of_people = world(0.5, n=1_000)
    cases = [(q, label), (human[:499], of_people[:499])]
    for probs, given in cases:
        assert plain(probs, given).p == pytest.approx(
            moved(score_with_noise(probs, given).p, slope=0.7), abs=0
        )
        assert plain(probs, given).counts == ()
    assert plain(human, of_people).counts != ()
    monkeypatch.setattr(image_noise, "MOST_CLASSES", 4)
    assert plain(human, of_people).counts == ()


def test_what_a_label_drew_to_itself_is_taken_away() -> None:
    """The gradient of log sum_y q(y) T[y, y_hat] by the logit of y_hat, numerically, times 1 + 10 gamma."""
    q, _, label = world(0.5, n=2_000)
    scored, by_class = (
        readings.score_readings(q, label, Kind.IMAGES, noise_known=True),
        score_with_noise(q, label),
    )
    assert by_class.noise is not None
    gamma = fit_people(best_classes(q, label), by_class.noise, 5).gamma
    assert 0.08 < gamma <= 0.2
    pulls = (1 + 10 * gamma) * (1 - by_class.p - q[np.arange(2_000), label]).clip(0)
    assert (pulls > 0.1).any()
    assert scored.p == pytest.approx(expit(0.9 * (logit(by_class.p) + pulls)), abs=1e-9)
    assert scored.counts == pytest.approx(
        [expit(0.9 * (logit(by_class.p) + k * pulls)).sum() for k in (0, 2)]
    )
    assert scored.counts[0] < scored.p.sum() < scored.counts[1]
    assert isinstance(scored.noise, Noise)
    assert (scored.noise.log_rates == by_class.noise.log_rates).all()


def test_the_pull_is_the_gradient_of_the_loss() -> None:
    """By the logit of the given class, as autograd has it, where T and the temperature are those trained with."""
    rng = np.random.default_rng(1)
    logits = torch.from_numpy(rng.normal(0, 2, (40, 4))).requires_grad_()
    given, rates = torch.arange(40) % 4, rng.dirichlet(np.ones(4), size=4)
    q = torch.softmax(logits, 1)
    noisy_label_loss(q, given, torch.from_numpy(rates)).sum().backward()
    assert logits.grad is not None
    drew = -logits.grad[torch.arange(40), given].numpy()

    probs, label = q.detach().numpy(), given.numpy()
    joint = probs * rates[:, label].T
    p = 1 - joint[np.arange(40), label] / joint.sum(axis=1)  # Bayes' rule
    pulls = readings._pulls(Scored(p, None), probs, label)
    assert pulls == pytest.approx(drew.clip(0), abs=1e-6)
    assert (pulls > 0.2).any()


@pytest.mark.parametrize(
    ("labelled", "rows", "times"),
    [(10, 10, 1.0), (8, 16, 2**0.5), (4, 16, 2.0), (1, 100, 2.0), (0, 5, 2.0), (0, 0, 2.0)],
)
def test_labels_draw_the_more_the_fewer_rows_have_one(labelled: int, rows: int, times: float) -> None:
    """A batch is a quarter of labelled rows at least, so no label weighs more than it does there."""
    assert readings.labels_strength(labelled, rows) == pytest.approx(times)


def test_networks_that_learnt_their_labels_are_corrected() -> None:
    """Each label drew its row by twice the gradient, in small steps: without the pull, too few are expected."""
    rng = np.random.default_rng(0)
    n, true = 20_000, rng.integers(10, size=20_000)
    logits = rng.normal(0, 2, (n, 10)) + 7 * np.eye(10)[true]
    true = (softmax(logits, axis=1).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    wrong = rng.random(n) < 0.2
    label = np.where(wrong, (true + rng.integers(1, 10, n)) % 10, true)
    rates = np.full((10, 10), 0.2 / 9) + (0.8 - 0.2 / 9) * np.eye(10)
    for _ in range(20):
        q = softmax(logits, axis=1)
        joint = q * rates[:, label].T
        gradient = joint[np.arange(n), label] / joint.sum(axis=1) - q[np.arange(n), label]
        logits[np.arange(n), label] += 2 / 20 * gradient
    drawn = softmax(logits, axis=1).astype(np.float32)
    found = readings.score_readings(drawn, label, Kind.IMAGES, noise_known=True)
    by_class = score_with_noise(drawn, label)
    assert by_class.p.sum() < 0.95 * wrong.sum()
    assert abs(found.p.sum() - wrong.sum()) < 0.5 * abs(by_class.p.sum() - wrong.sum())
    assert ((found.p - wrong) ** 2).mean() < ((by_class.p - wrong) ** 2).mean()
    assert average_precision_score(wrong, found.p) > average_precision_score(wrong, by_class.p) - 1e-3


@pytest.mark.parametrize(("kind", "known", "slope"), [
    (Kind.IMAGES, False, 0.7), (Kind.IMAGES, True, 0.9), (Kind.VECTORS, False, 0.7), (Kind.VECTORS, True, 0.7),
    (Kind.SHORT_VECTORS, True, 0.7), (Kind.WIDE_VECTORS, False, 0.45), (Kind.WIDE_VECTORS, True, 0.45),
])  # fmt: skip
def test_networks_are_believed_by_what_they_learn_by_heart(kind: Kind, known: bool, slope: float) -> None:
    q, _, label = world(0.5, n=2_000)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SLOPE", "IMAGES_SLOPE", "WIDE_SLOPE"):
            patch.setattr(readings, name, 1.0)
        raw = readings.score_readings(q, label, kind, noise_known=known).p
    found = readings.score_readings(q, label, kind, noise_known=known).p
    assert found == pytest.approx(moved(raw, slope=slope))


@pytest.mark.parametrize("n_wrong", [1, 100, 1_400, 3_000])
def test_the_prior_about_people_holds_against_so_many_wrong_labels(
    n_wrong: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    q, _, label = world(0.0, n=6_000)
    asked: list[GammaPrior] = []

    def fit(*args: Any) -> ImageNoise:
        asked.append(args[3])
        return ImageNoise(with_rest(np.full((5, 5), 0.2)), 1.0, 0.1)

    monkeypatch.setattr(class_noise, "p_mislabeled", lambda *_: np.full(6_000, n_wrong / 6_000))
    monkeypatch.setattr(class_noise, "fit_image_noise", fit)
    noise = score_with_noise(q, label).noise
    assert noise is not None
    fit_people(best_classes(q, label), noise, 5)
    assert asked[0] == pytest.approx((0.2, 0.5 / math.sqrt(min(n_wrong, 1_400)), 0.2))


def test_labels_that_speak_against_people_outweigh_the_prior() -> None:
    """A sharp network of ten classes with planted noise."""
    rng = np.random.default_rng(0)
    true = rng.integers(10, size=8_000)
    q = softmax(rng.normal(0, 2, (8_000, 10)) + 8 * np.eye(10)[true], axis=1).astype(np.float32)
    label = np.where(rng.random(8_000) < 0.2, (true + rng.integers(1, 10, 8_000)) % 10, true)
    noise = score_with_noise(q, label).noise
    assert noise is not None
    assert fit_people(best_classes(q, label), noise, 10).gamma < 0.08


def test_few_labels_have_the_least_pull() -> None:
    """As where learning through the noise was asked for."""
    q, _, label = world(0.5, n=499)
    by_class = score_with_noise(q, label)
    gradient = (1 - by_class.p - q[np.arange(499), label]).clip(0)
    found = readings.score_readings(q, label, Kind.VECTORS, noise_known=True).p
    assert found == pytest.approx(moved(moved(by_class.p, gradient), slope=0.7), abs=1e-12)


@pytest.mark.parametrize("known", [True, False])
def test_edges(known: bool) -> None:
    def score(q: Any, label: Any) -> Scored:
        found = readings.score_readings(
            np.array(q, np.float32), np.array(label), Kind.IMAGES, noise_known=known
        )
        assert np.isfinite(found.p).all()
        return found

    assert score(np.zeros((0, 3)), np.zeros(0, np.int64)).p.shape == (0,)
    assert 0 <= score([[0.5, 0.5]], [0]).p[0] <= 1
    found = score([[1.0, 0.0], [0.0, 1.0]] * 50, np.zeros(100, np.int64)).p
    assert (found[1::2] > 0.99).all()
    assert (found[::2] < 0.01).all()
