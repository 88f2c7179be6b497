"""Blocks of rows scored on a cluster: a Ray Data job whose actors each load the model once.

Ray starts on this machine, or joins the cluster that RAY_ADDRESS names; model and images lie where every node finds
them under the same path.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import logging
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from noiseaudit.choose import choose_device
from noiseaudit.errors import ConfigError, NoiseAuditError
from noiseaudit.load_samples import SampleOptions
from noiseaudit.model_file import read_model
from noiseaudit.score_blocks import Block, Scorer, Scores

if TYPE_CHECKING:
    import numpy.typing as npt

Batch = dict[str, "npt.NDArray[Any]"]


class ScoreActor:
    """A Scorer that takes and returns Ray's batches, each of one block."""

    def __init__(self, checkpoint: Path, options: SampleOptions, device: str) -> None:
        self._score = Scorer(read_model(checkpoint), options, choose_device(device))

    def __call__(self, batch: Batch) -> Batch:
        (block,) = batch["block"]
        return {"scores": np.array([pickle.dumps(self._score(pickle.loads(block)))], dtype=np.object_)}


def check_installed() -> None:
    """Raise ConfigError unless the extra is there."""
    if importlib.util.find_spec("ray") is None:
        raise ConfigError("--backend ray needs Ray", fix="pip install 'noiseaudit[ray]'")


def map_blocks(
    checkpoint: Path, options: SampleOptions, device: str, blocks: Iterator[Block], actors: int | None
) -> Iterator[Scores]:
    """The scores of all blocks, in any order.

    `actors` is how many work, None for one a CPU of the cluster, or a GPU where `device` is one. Raises ConfigError
    without the extra `ray`, and what an actor raises on the user's account.
    """
    check_installed()
    import ray
    from ray.exceptions import RayError

    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # read when Ray starts
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    on_gpu = choose_device(device).type == "cuda"
    ray.init(ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    unit = "GPU" if on_gpu else "CPU"
    actors = actors or max(1, int(ray.cluster_resources().get(unit, 1)))
    items = [{"block": pickle.dumps(block)} for block in blocks]
    options = dataclasses.replace(options, workers=options.workers or 1)
    try:
        job = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            ScoreActor,
            batch_size=1,
            fn_constructor_args=(checkpoint.absolute(), options, device),
            compute=ray.data.ActorPoolStrategy(size=min(actors, len(items))),
            num_cpus=1,
            num_gpus=1 if on_gpu else 0,
        )
        for row in job.iter_rows():
            yield pickle.loads(row["scores"])
    except RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, NoiseAuditError):
            raise cause from error
        raise
