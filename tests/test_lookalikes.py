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
    x = np.stack([pixels(palace), pixels(flower), pixels(stored_again(palace)[how])])
    found = Lookalikes(torch.from_numpy(x), np.arange(3))
    distance = found.distance(0, 2)
    assert distance is not None
    assert distance <= 4 / 64
    assert found.distance(2, 0) == distance
    assert found.distance(0, 1) is None


def test_the_distance_is_the_share_of_bits_that_differ() -> None:
    digits = (load_digits().images[:300] * 15).astype(np.uint8)[:, None]
    hashes = np.array([perceptual_hash(image) for image in digits])
    assert hashes.shape == (300, HASH_BITS)
    bits = (hashes[0] != hashes).sum(axis=1)
    found = Lookalikes(torch.from_numpy(digits), np.arange(300)[::-1].copy())
    for place in range(300):
        expected = int(bits[299 - place])
        assert found.distance(299, place) == (expected / 64 if expected <= 4 else None)


def test_vectors_are_compared_by_their_angle() -> None:
    x = torch.tensor([[1.0, 0.0], [9.0, 1.0], [1.0, 1.0], [0.0, 0.0], [-1.0, 0.0]])
    found = Lookalikes(x, np.arange(5))
    assert found.distance(0, 1) == pytest.approx(1 - 9 / 82**0.5, abs=1e-6)
    assert found.distance(0, 0) == 0
    assert [found.distance(0, other) for other in (2, 3, 4)] == [None] * 3


def test_a_near_duplicate_under_another_label_is_named() -> None:
    """Row 0 (cat) looks like row 3 (cat) and row 4 (dog); the first with another label counts."""
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
    assert "Almost the same picture has another label as id4." in (why(row) or "")


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
