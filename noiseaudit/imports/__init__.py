"""Answers from other tools, read into decisions. A new one is a file here and a line in READERS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from noiseaudit.errors import ConfigError
from noiseaudit.imports import cvat, label_studio
from noiseaudit.imports.base import Answer, Imported, to_decisions
from noiseaudit.result import AuditResult

READERS: Mapping[str, Callable[[Path, AuditResult], list[Answer]]] = {
    "label-studio": label_studio.read,
    "cvat": cvat.read,
}
ANSWERED: Mapping[str, str] = {"label-studio": label_studio.ANSWERED, "cvat": cvat.ANSWERED}  # how a row is


def check_tool(tool: str) -> None:
    """Raise ConfigError for a tool that is not in READERS."""
    if tool not in READERS:
        raise ConfigError(f"--from {tool!r} is not known", fix=f"Use {' or '.join(READERS)}.")


def import_answers(path: Path, tool: str, audit: AuditResult) -> Imported:
    """The decisions that people made in `tool` about an export of `audit`.

    Raises ConfigError for an unknown tool; DataError if the file is not readable, holds what cannot be meant, or is
    not about this audit, naming the row.
    """
    check_tool(tool)
    return to_decisions(audit, READERS[tool](path, audit), path)
