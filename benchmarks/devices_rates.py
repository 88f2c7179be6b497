"""How many images and rows one thread reads, trains on and predicts a second, for devices.py."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np


def rates() -> Iterator[dict[str, Any]]:
    """A line for each kind of work."""
    import torch

    torch.set_num_threads(1)
    yield from reading()
    for shape, n_classes in (((1, 28, 28), 10), ((1280,), 10), ((1280,), 100), ((1280,), 1000)):
        yield from networks(shape, n_classes)


@contextmanager
def timed(line: dict[str, Any], n: int) -> Iterator[None]:
    clock, used = time.perf_counter(), time.process_time()
    yield
    seconds, used = time.perf_counter() - clock, time.process_time() - used
    line |= {"n": n, "per_processor_second": round(n / used, 1), "per_second": round(n / seconds, 1)}


def reading() -> Iterator[dict[str, Any]]:
    """Images decoded, and features of photographs made."""
    from PIL import Image

    from noiseaudit import pretrained
    from noiseaudit.data.decode import decode_images
    from noiseaudit.data.embed import embed_images
    from noiseaudit.data.probe import probe_images

    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        grey, photographs = [], []
        for i in range(2000):
            grey.append(Path(folder, f"{i}.png"))
            Image.fromarray(rng.integers(0, 256, (28, 28), dtype=np.uint8)).save(grey[-1])
        for i in range(192):
            photographs.append(Path(folder, f"{i}.jpg"))
            coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
            coarse.resize((256, 256)).save(photographs[-1], quality=90)
        for name, paths, size, channels in (
            ("PNG 28 px", grey, 28, 1),
            ("JPEG 256 px to 64 px", photographs, 64, 3),
        ):
            line: dict[str, Any] = {"what": "decode", "data": name}
            with timed(line, len(paths)):
                probe = probe_images(paths)
                decode_images(paths, probe, size=(size, size), channels=channels, workers=1, memory_limit=2**40,
                              cache_dir=Path(folder))  # fmt: skip
            yield line
        if pretrained.is_installed():
            import torch

            line = {"what": "features", "data": "JPEG 256 px at 224 px"}
            probe = probe_images(photographs)
            extractor = pretrained.load_extractor(probe, 224, torch.device("cpu"))
            embed_images(photographs[:64], probe_images(photographs[:64]), extractor, store=None, workers=1)
            with timed(line, len(photographs)):
                embed_images(photographs, probe, extractor, store=None, workers=1)
            yield line


def networks(shape: tuple[int, ...], n_classes: int) -> Iterator[dict[str, Any]]:
    """Rows trained and predicted, of batches of 256, by umn_plus on the dense backbone."""
    import torch

    from noiseaudit.data.training import TrainingData
    from noiseaudit.methods.base import Setup
    from noiseaudit.methods.umn_plus import UMNPlus
    from noiseaudit.runtime import training_runtime
    from noiseaudit.train import predict_all

    n, batch, device = 10_240, 256, torch.device("cpu")
    draws = torch.Generator().manual_seed(0)
    x = torch.randint(256, (n, *shape), dtype=torch.uint8) if len(shape) > 1 else torch.randn(n, *shape)
    codes = torch.randint(n_classes, (n,), generator=draws)
    data = TrainingData(x, torch.arange(n), codes, n_classes)
    backbone = "mlp" if len(shape) > 1 else "embeddings"
    with training_runtime(1):
        method = UMNPlus(Setup(data, backbone, 0, device), UMNPlus.settings(data.inputs))
        steps = 40 if n_classes <= 100 else 10

        def train(first: int, last: int) -> None:
            for step in range(first, last):
                rows = torch.arange(step * batch, (step + 1) * batch) % n
                method.step(data.batch(rows, device), step / 1000)

        jobs: dict[str, tuple[int, Callable[[], object]]] = {
            "train": (steps * batch, lambda: train(3, 3 + steps)),
            "predict": (n, lambda: predict_all(method, data, device)),
        }
        train(0, 3)
        for what, (rows, job) in jobs.items():
            line: dict[str, Any] = {"what": what, "data": f"{'x'.join(map(str, shape))}, {n_classes} classes"}
            with timed(line, rows):
                job()
            yield line
