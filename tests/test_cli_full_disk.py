"""A disk that fills up while a command writes: one line that names the file, and nothing half-written."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app


def fill(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("words", "out", "where"),
    [
        (["sample", "--n", "20"], "checks.csv", "noiseaudit.atomic._sync_file"),
        (["report"], "page.html", "noiseaudit.atomic._sync_file"),
        (["export", "--format", "cleanlab"], "issues.csv", "noiseaudit.exports.cleanlab.cleanlab_table"),
        (["export", "--format", "cleanlab"], "issues.parquet", "pyarrow.parquet.ParquetWriter.write_table"),
    ],
)
def test_the_file_is_named_and_not_there(
    tmp_path: Path,
    make_audit: Callable[..., AuditResult],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    out: str,
    where: str,
) -> None:
    make_audit(n=60).write(tmp_path / "audit.parquet")
    monkeypatch.setattr(where, fill)
    command, *options = words
    result = CliRunner().invoke(app, [command, str(tmp_path), *options, "--out", str(tmp_path / out)])
    assert result.exit_code == 1
    told = f"error: {tmp_path / out}: cannot be written, the disk is full. Make room there and run the command again."
    assert result.stderr.splitlines() == [told]
    assert os.listdir(tmp_path) == ["audit.parquet"]
