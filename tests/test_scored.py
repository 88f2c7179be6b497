"""gather: blocks that come in any order, as a cluster's do."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from noiseaudit.errors import DataError
from noiseaudit.methods.base import Prediction
from noiseaudit.score_blocks import Scores
from noiseaudit.scored import gather


def block(first: int, *reasons: str | None) -> Scores:
    """Rows that were read where there is no reason; the prediction of each is its number."""
    rows = [first + i for i, reason in enumerate(reasons) if reason is None]
    values = torch.tensor(rows, dtype=torch.float32)[:, None]
    status = np.array(["ok" if reason is None else "missing" for reason in reasons], np.object_)
    digest = bytes([first]) * 32
    return Scores(
        first, status, np.array(reasons, np.object_), Prediction(values, values, values), digest, ("w",)
    )


def refused(row: int, reason: str) -> DataError:
    return DataError(reason, row=row)


def test_rows_are_in_order_whatever_the_order_of_blocks() -> None:
    told: list[tuple[int, int]] = []
    blocks = [block(4, None), block(0, None, "gone"), block(2, "cut", None)]
    found = gather(blocks, 5, on_rows=lambda done, total: told.append((done, total)))
    assert found.status.tolist() == ["ok", "missing", "missing", "ok", "ok"]
    assert found.reason.tolist() == [None, "gone", "cut", None, None]
    assert found.prediction.guider[:, 0].tolist() == [0, 3, 4]
    assert found.digests[:, 0].tolist() == [0, 2, 4]
    assert found.warnings == ("w",)
    assert told == [(1, 5), (3, 5), (5, 5)]


def test_a_refused_row_is_named_though_blocks_before_it_are_still_out() -> None:
    def blocks() -> Iterator[Scores]:
        yield block(150, None)
        yield block(100, None, "no such file", "cut")
        pytest.fail("no block is asked for after that")

    with pytest.raises(DataError, match=r"^row 101: no such file"):
        gather(blocks(), 200, on_rows=lambda done, total: None, refused=refused)


def test_nothing_is_refused_where_all_was_read() -> None:
    found = gather([block(0, None, None)], 2, on_rows=lambda done, total: None, refused=refused)
    assert found.status.tolist() == ["ok", "ok"]
