"""dynamics.parquet/: what each epoch left behind, one file an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from noiseaudit.atomic import atomic_path

if TYPE_CHECKING:
    from noiseaudit.course import EpochRecord

SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("epoch", pa.int32(), nullable=False),
        pa.field("epsilon", pa.float32()),
        pa.field("p_given_learner", pa.float32(), nullable=False),
        pa.field("p_given_guider", pa.float32(), nullable=False),
    ]
)


def write_epoch(folder: Path, sample_ids: Sequence[str], record: EpochRecord, *, has_guider: bool) -> None:
    """Write `folder/epoch_0001.parquet` and so on: one row per labelled row that was read, in input order."""
    folder.mkdir(exist_ok=True)
    n = len(record.epsilon)
    epsilon = pa.array(record.epsilon) if has_guider else pa.nulls(n, pa.float32())
    table = pa.table(
        {
            "sample_id": pa.array(sample_ids, pa.string()),
            "epoch": pa.repeat(pa.scalar(record.epoch, pa.int32()), n),
            "epsilon": epsilon,
            "p_given_learner": record.p_given_learner,
            "p_given_guider": record.p_given_guider,
        },
        schema=SCHEMA,
    )
    with atomic_path(folder / f"epoch_{record.epoch:04d}.parquet") as temporary:
        pq.write_table(table, temporary, compression="zstd")
