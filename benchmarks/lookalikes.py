"""How many pictures stored once more are recognised, and how many different ones are taken for the same.

NOISEAUDIT_DATA=... python benchmarks/lookalikes.py     # writes benchmarks/results/lookalikes.md
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from detection_sets import folder, mnist
from PIL import Image, ImageEnhance

from noiseaudit.lookalikes import BITS, HASH_BITS, perceptual_hash

ROWS, TRIED = 3_000, 300
RESULTS = Path(__file__).parent / "results" / "lookalikes.md"


def jpeg(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=50)
    return Image.open(file)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG of quality 50": jpeg,
    "70 % of the size": lambda image: image.resize((int(image.width * 0.7), int(image.height * 0.7))),
    "15 % brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "2 % cut off": lambda image: image.crop((1 + image.width // 50, 1 + image.height // 50, *image.size)),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}


def pictures(name: str) -> tuple[list[Image.Image], Any]:
    """ROWS pictures of a data set, drawn at random, and their classes."""
    rng = np.random.default_rng(0)
    if name == "mnist":
        x, truth = mnist()
        rows = rng.choice(len(x), ROWS, replace=False)
        return [Image.fromarray(x[row, 0].numpy()).convert("RGB") for row in rows], truth[rows]
    table = pq.read_table(folder() / name / "train.parquet", columns=["image", "label"])
    table = table.take(rng.choice(len(table), ROWS, replace=False))
    files = [cell["bytes"] if isinstance(cell, dict) else cell for cell in table["image"].to_pylist()]
    return [Image.open(io.BytesIO(file)).convert("RGB") for file in files], table["label"].to_numpy()


def hashed(image: Image.Image) -> Any:
    return perceptual_hash(np.asarray(image.convert("RGB")).transpose(2, 0, 1))


def main() -> None:
    rows = [f"| data | {' | '.join(CHANGES)} | different pictures taken for one | of these in one class |",
            "|---" * (len(CHANGES) + 3) + "|"]  # fmt: skip
    for name in ("cifar10", "chars74k", "mnist"):
        images, truth = pictures(name)
        hashes = np.array([hashed(image) for image in images])
        found = [
            np.mean([(hashed(change(images[i])) != hashes[i]).sum() <= BITS for i in range(TRIED)])
            for change in CHANGES.values()
        ]
        signs = np.where(hashes, 1.0, -1.0)
        one, other = np.nonzero(np.triu((HASH_BITS - signs @ signs.T) / 2 <= BITS, 1))
        pairs = ROWS * (ROWS - 1) // 2
        same = f"{(truth[one] == truth[other]).mean():.0%}" if len(one) else "-"
        shares = " | ".join(f"{share:.0%}" for share in found)
        rows.append(f"| {name} | {shares} | {len(one):,} of {pairs:,} pairs | {same} |")
    text = (
        "\n".join(rows)
        + f"\n\n{ROWS:,} pictures each, {TRIED} of them changed; at most {BITS} of {HASH_BITS} bits.\n"
    )
    RESULTS.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
