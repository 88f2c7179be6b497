"""docs/cli.md is in step with the commands."""

from __future__ import annotations

from pathlib import Path

from noiseaudit_cli.docs import command_reference
from noiseaudit_cli.main import COMMANDS, GROUPS

DOCS = Path(__file__).parents[1] / "docs" / "cli.md"


def test_the_reference_is_in_step() -> None:
    assert DOCS.read_text("utf-8") == command_reference(), "run `make docs`"


def test_every_command_and_its_options_are_there() -> None:
    text = command_reference()
    grouped = [f"{group} {name}" for group, module in GROUPS.items() for name in module.COMMANDS]
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [*COMMANDS, *grouped]
    assert "| `--top N` | `20` | How many rows to list. |" in text
    assert "| `--all` |  | List every such row, whatever --top says. |" in text
    assert "| `--quiet, -q` |" in text
    assert "| `--by p_mislabeled, epsilon` | `p_mislabeled` |" in text
    assert "| `--epochs N` |  |" in text
