"""The README's figures are the committed results, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.bench.results import read_lines
from noiseaudit.bench.tables import table_text

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("README.md", ("demo_digits",)),
        ("docs/paper.md", ("table1", "explained", "table3", "theory")),
        ("docs/method.md", ("few_labels", "mnist")),
    ],
)
def test_the_tables_are_those_that_the_benchmarks_wrote(page: str, names: tuple[str, ...]) -> None:
    text = (ROOT / page).read_text("utf-8")
    for name in names:
        table = (ROOT / "benchmarks" / "results" / f"{name}.md").read_text("utf-8").strip()
        assert "\n| " in f"\n{table}"
        assert f"<!-- {name} -->\n{table}\n<!-- /{name} -->" in text


@pytest.mark.parametrize("table", ["table1", "table3"])
def test_the_papers_tables_are_what_the_kept_runs_come_to(table: str) -> None:
    results = ROOT / "benchmarks" / "results"
    names = ("table1", "table3") if table == "table3" else (table,)
    lines = [line for name in names for line in read_lines(results / f"{name}_mnist.jsonl")]
    assert table_text(table, lines).strip() == (results / f"{table}.md").read_text("utf-8").strip()


def test_so_are_the_runs_that_explain_the_gaps() -> None:
    results = ROOT / "benchmarks" / "results"
    lines = read_lines(results / "explained" / "table1_mnist.jsonl")
    assert table_text("table1", lines).strip() == (results / "explained.md").read_text("utf-8").strip()


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "DECISIONS.md",
        "docs/method.md",
        "docs/paper.md",
        "docs/audit-format.md",
        "docs/round-trips.md",
        "docs/pipelines.md",
        "docs/verified-audit.md",
        "docs/review.md",
    ],
)
def test_every_link_and_picture_is_there(page: str) -> None:
    import re

    text = (ROOT / page).read_text("utf-8")
    targets = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert all(((ROOT / page).parent / target).exists() for target in targets), targets
