"""The paper's tables with our numbers beside the published ones, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from noiseaudit.bench.detection_table import detection_section
from noiseaudit.bench.error_table import error_section
from noiseaudit.bench.results import Line
from noiseaudit.bench.sections import sections


def table_text(
    table: str, lines: Iterable[Line], *, scale: str | None = None, epochs: int | None = None
) -> str:
    """A table in Markdown: a section for each data set, noise, scale and number of epochs; "" without lines."""
    write = detection_section if table == "table3" else error_section
    return "\n".join(write(section) for section in sections(lines, table, scale=scale, epochs=epochs))
