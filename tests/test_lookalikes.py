"""Near duplicates: what is stored once more is recognised, what is another picture is not."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image, ImageEnhance
from sklearn.datasets import load_digits, load_sample_images

from noiseaudit.evidence import gather, issue_kind
from noiseaudit.lookalikes import HASH_BITS, Lookalikes, perceptual_hash
from noiseaudit.why import why
from tests.test_evidence import K, grounds

SIDE = 96


def photographs() -> list[Image.Image]:
    return [Image.fromarray(image).resize((SIDE, SIDE)) for image in load_sample_images().images]


def pixels(image: Image.Image) -> npt.NDArray[np.uint8]:
    return np.asarray(image.convert("RGB").resize((SIDE, SIDE))).transpose(2, 0, 1)


def stored_again(image: Image.Image) -> dict[str, Image.Image]:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=50)
    return {
        "jpeg": Image.open(file),
        "smaller": image.resize((SIDE // 2, SIDE // 2)),
        "brighter": ImageEnhance.Brightness(image).enhance(1.1),
    }


@pytest.mark.parametrize("how", ["jpeg", "smaller", "brighter"])
def test_a_picture_stored_again_is_recognised(how: str) -> None:
    palace, flower = photographs()
    parts = [flower.rotate(angle) for angle in (0, 90, 180, 270)]
    x = np.stack([pixels(image) for image in (palace, *parts, stored_again(palace)[how])])
    found = Lookalikes(torch.from_numpy(x), np.arange(6))
    duplicate = found.near_duplicate(0, np.arange(1, 6), np.ones(5, np.bool_))
    assert duplicate is not None
    assert duplicate[0] == 5
    assert duplicate[1] == found.distance(5, 0) <= 4 / 64
    assert found.near_duplicate(0, np.arange(1, 6), np.arange(1, 6) != 5) is None


def test_the_distance_is_the_share_of_bits_that_differ() -> None:
    digits = (load_digits().images[:50] * 15).astype(np.uint8)[:, None]
    hashes = np.array([perceptual_hash(image) for image in digits])
    assert hashes.shape == (50, HASH_BITS)
    found = Lookalikes(torch.from_numpy(digits), np.arange(50)[::-1].copy())
    expected = (hashes[0] != hashes).sum(axis=1) / 64
    assert [found.distance(49, 49 - place) for place in range(50)] == expected.tolist()


def test_vectors_are_compared_by_their_angle() -> None:
    x = torch.tensor([[1.0, 0.0], [9.0, 1.0], [1.0, 1.0], [0.0, 0.0], [-1.0, 0.0]])
    found = Lookalikes(x, np.arange(5))
    assert found.distance(0, 1) == pytest.approx(1 - 9 / 82**0.5, abs=1e-6)
    assert [found.distance(0, other) for other in (0, 3, 4)] == [0, 1, 2]


@pytest.mark.parametrize("dimensions", [2, 8, 64])
def test_neighbours_are_no_duplicates_of_one_another(dimensions: int) -> None:
    """Three dense groups of vectors: a wrong label's neighbours all have another one, and none is named."""
    rng = np.random.default_rng(0)
    centres = 5 * rng.normal(size=(3, dimensions))
    x = torch.from_numpy(
        (rng.normal(size=(300, dimensions)) + centres[np.arange(300) % 3]).astype(np.float32)
    )
    found, every = Lookalikes(x, np.arange(300)), np.ones(10, np.bool_)
    for row in range(0, 300, 10):
        distances = [found.distance(row, other) for other in range(300)]
        assert found.near_duplicate(row, np.argsort(distances)[1:11], every) is None


def test_a_near_duplicate_under_another_label_is_named() -> None:
    """Row 0 (cat) looks like row 3 (cat) and row 4 (dog): the one with another label counts."""
    x = torch.eye(K)
    x[3] = x[0]
    x[4] = 0.99 * x[0] + 0.05 * x[4]
    latent = np.arange(K, dtype=np.float32)[:, None] * 10
    of = grounds(lookalikes=Lookalikes(x, np.arange(K)))
    of = dataclasses.replace(of, fitted=dataclasses.replace(of.fitted, latent=latent))
    flagged = np.arange(K) == 0
    (facts, *_) = gather(of, flagged)
    assert facts is not None
    found = {fact["kind"]: fact for fact in facts}["near_duplicate"]
    assert found["reference"] == "id4"
    assert found["value"] == pytest.approx(1 - 0.99 / (0.99**2 + 0.05**2) ** 0.5, abs=1e-5)
    assert issue_kind(0.1, 0.8, facts) == "duplicate_conflict"
    row = {
        "given_label": "cat", "suggested_label": "dog", "p_given": 0.1, "p_suggested": 0.8, "p_mislabeled": 0.9,
        "evidence": facts,
    }  # fmt: skip
    assert "Almost the same picture, sample id4, has another label." in (why(row) or "")


def test_the_same_content_is_not_told_twice() -> None:
    x = torch.eye(K)
    x[4] = x[0]
    conflict = np.full(K, -1)
    conflict[0] = 4
    of = grounds(lookalikes=Lookalikes(x, np.arange(K)), conflict=conflict)
    (facts, *_) = gather(of, np.arange(K) == 0)
    assert facts is not None
    assert "duplicate" in {fact["kind"] for fact in facts}
    assert "near_duplicate" not in {fact["kind"] for fact in facts}
