"""The README's figures are the committed results, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("page", "names"),
    [("README.md", ("demo_digits", "mnist")), ("docs/paper.md", ("table3", "theory", "recipe"))],
)
def test_the_tables_are_those_that_the_benchmarks_wrote(page: str, names: tuple[str, ...]) -> None:
    text = (ROOT / page).read_text("utf-8")
    for name in names:
        table = (ROOT / "benchmarks" / "results" / f"{name}.md").read_text("utf-8").strip()
        assert "\n| " in f"\n{table}"
        assert f"<!-- {name} -->\n{table}\n<!-- /{name} -->" in text


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "DECISIONS.md",
        "docs/method.md",
        "docs/paper.md",
        "docs/audit-format.md",
    ],
)
def test_every_link_and_picture_is_there(page: str) -> None:
    import re

    text = (ROOT / page).read_text("utf-8")
    targets = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert all(((ROOT / page).parent / target).exists() for target in targets), targets
