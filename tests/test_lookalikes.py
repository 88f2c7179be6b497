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
    found = Lookalikes(torch.from_numpy(x), np.arange(6), np.zeros(6, np.int64))
    duplicate = found.near_duplicate(0, np.arange(1, 6), np.ones(5, np.bool_))
    assert duplicate is not None
    assert duplicate[0] == 5
    assert duplicate[1] == found.distance(5, 0) <= 4 / 64
    assert found.near_duplicate(0, np.arange(1, 6), np.arange(1, 6) != 5) is None


def test_the_distance_is_the_share_of_bits_that_differ() -> None:
    digits = (load_digits().images[:50] * 15).astype(np.uint8)[:, None]
    hashes = np.array([perceptual_hash(image) for image in digits])
    assert hashes.shape == (50, HASH_BITS)
    found = Lookalikes(torch.from_numpy(digits), np.arange(50)[::-1].copy(), np.zeros(50, np.int64))
    expected = (hashes[0] != hashes).sum(axis=1) / 64
    assert [found.distance(49, 49 - place) for place in range(50)] == expected.tolist()


def test_vectors_are_compared_by_their_angle() -> None:
    x = torch.tensor([[1.0, 0.0], [9.0, 1.0], [1.0, 1.0], [0.0, 0.0], [-1.0, 0.0]])
    found = Lookalikes(x, np.arange(5), np.zeros(5, np.int64))
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
    found, every = Lookalikes(x, np.arange(300), np.arange(300) % 3), np.ones(10, np.bool_)
    for row in range(0, 300, 10):
        distances = [found.distance(row, other) for other in range(300)]
        assert found.near_duplicate(row, np.argsort(distances)[1:11], every) is None


def nearest(found: Lookalikes, row: int, n: int) -> npt.NDArray[np.int64]:
    distances = [found.distance(row, other) for other in range(n)]
    return np.array([other for other in np.argsort(distances, kind="stable") if other != row][:10])


@pytest.mark.parametrize("copies", [2, 5, 6, 12, 40])
def test_a_group_of_near_copies_is_named_whatever_its_size(copies: int) -> None:
    """Row 0 has label 0, its copies have 1 as have 100 ordinary rows; with noise of 1 %, angles differ by 1e-4."""
    rng = np.random.default_rng(copies)
    ordinary = rng.normal(size=(200, 64))
    group = ordinary[:1] + 0.01 * rng.normal(size=(copies, 64))
    x = torch.from_numpy(np.concatenate([ordinary, group]).astype(np.float32))
    given = np.concatenate([np.arange(200) % 2, np.ones(copies, np.int64)])
    found = Lookalikes(x, np.arange(len(x)), given)
    around = nearest(found, 0, len(x))
    named = found.near_duplicate(0, around, given[around] == 1)
    assert named is not None
    assert named[0] >= 200
    assert named[1] == min(found.distance(0, other) for other in range(200, 200 + copies)) < 3e-4
    stranger = nearest(found, 2, len(x))
    assert found.near_duplicate(2, stranger, given[stranger] == 1) is None


@pytest.mark.parametrize("spread", [0.3, 0.03, 0.003])
def test_ordinary_rows_of_a_dense_class_are_no_copies(spread: float) -> None:
    """Class 1 is up to 1e5 times as dense as class 0. Rows 0 to 9 belong to it, but have label 0."""
    rng = np.random.default_rng(0)
    centre = rng.normal(size=(1, 64))
    dense, wide = centre + spread * rng.normal(size=(100, 64)), rng.normal(size=(100, 64))
    x = torch.from_numpy(np.concatenate([dense, wide]).astype(np.float32))
    given = np.where((np.arange(200) >= 10) & (np.arange(200) < 100), 1, 0)
    found = Lookalikes(x, np.arange(200), given)
    for row in range(10):
        around = nearest(found, row, 200)
        assert (around < 100).all()
        assert found.near_duplicate(row, around, given[around] == 1) is None


@pytest.mark.parametrize("copies", [2, 12])
def test_a_group_of_copies_of_a_picture_is_named(copies: int) -> None:
    """Copies, each of 1 to 3 other bits, among hashes that differ by half of 64 bits."""
    rng = np.random.default_rng(1)
    ordinary = rng.integers(0, 2, (60, HASH_BITS)).astype(np.bool_)
    group = np.repeat(ordinary[:1], copies, axis=0)
    for number, bits in enumerate(group):
        bits[rng.choice(HASH_BITS, 1 + number % 3, replace=False)] ^= True
    hashes = np.concatenate([ordinary, group])
    given = np.concatenate([np.arange(60) % 2, np.ones(copies, np.int64)])
    found = Lookalikes(torch.zeros(len(hashes), 1, 8, 8, dtype=torch.uint8), np.arange(len(hashes)), given)
    found._hashes = dict(enumerate(hashes))
    around = nearest(found, 0, len(hashes))
    assert found.near_duplicate(0, around, given[around] == 1) == (60, 1 / 64)


def test_a_near_duplicate_under_another_label_is_named() -> None:
    """Row 0 (cat) looks like row 3 (cat) and row 4 (dog): the one with another label counts."""
    x = torch.eye(K)
    x[3] = x[0]
    x[4] = 0.99 * x[0] + 0.05 * x[4]
    latent = np.arange(K, dtype=np.float32)[:, None] * 10
    of = grounds(lookalikes=Lookalikes(x, np.arange(K), np.zeros(K, np.int64)))
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
    of = grounds(lookalikes=Lookalikes(x, np.arange(K), np.zeros(K, np.int64)), conflict=conflict)
    (facts, *_) = gather(of, np.arange(K) == 0)
    assert facts is not None
    assert "duplicate" in {fact["kind"] for fact in facts}
    assert "near_duplicate" not in {fact["kind"] for fact in facts}
