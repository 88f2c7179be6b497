"""Commands in the pages, the workflow and the hook are ones that there are, with options that they have."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.gate import parse_check
from noiseaudit_cli.docs import parameters
from noiseaudit_cli.main import COMMANDS
from tests.pages import blocks

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW = ROOT / "docs" / "examples" / "noiseaudit.yml"
PAGES = ("README.md", "docs/round-trips.md", "docs/pipelines.md", "docs/review.md")


def load(path: Path) -> Any:
    yaml = pytest.importorskip("yaml", reason="comes with the extra `pretrained`")
    return yaml.safe_load(path.read_text("utf-8"))


def options_of(command: str) -> set[str]:
    names: set[str] = set()
    for parameter in parameters(COMMANDS[command]):
        declared = [parameter.info.default, *(parameter.info.param_decls or ())]
        named = [name for name in declared if isinstance(name, str) and name.startswith("-")]
        names |= set(named or [f"--{parameter.name.replace('_', '-')}"])
    return names


def check(line: str) -> None:
    """Raises AssertionError or ConfigError for a line that is no command of ours."""
    _, command, *words = shlex.split(line, comments=True)
    assert command in COMMANDS, line
    for word in words:
        assert not word.startswith("--") or word in options_of(command), (line, word)
    for option, value in itertools.pairwise(words):
        if option == "--fail-if":
            parse_check(value)


def commands(text: str) -> Iterator[str]:
    for block in blocks(text):
        yield from (line for line in block.text.splitlines() if line.startswith("noiseaudit "))


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_commands(page: str) -> None:
    found = list(commands((ROOT / page).read_text("utf-8")))
    assert len(found) >= 3
    for line in found:
        check(line)


def test_a_wrong_option_would_be_found() -> None:
    with pytest.raises(AssertionError):
        check("noiseaudit gate run --fail 'n_rows > 1'")


def test_the_workflow() -> None:
    steps = load(WORKFLOW)["jobs"]["audit"]["steps"]
    lines = [step["run"] for step in steps if step.get("run", "").startswith("noiseaudit ")]
    assert [shlex.split(line)[1] for line in lines] == ["scan", "gate"]
    for line in lines:
        check(line)
    # No package of our name is published, so a line without a path would install somebody else's.
    installs = [step["run"] for step in steps if step.get("run", "").startswith("pip ")]
    assert "noiseaudit" in installs[-1]
    assert all(re.search(r"'\./[\w/]*noiseaudit\b", line) for line in installs if "noiseaudit" in line)


def test_the_hook() -> None:
    (hook,) = load(ROOT / ".pre-commit-hooks.yaml")
    assert (hook["id"], hook["pass_filenames"]) == ("noiseaudit-gate", False)
    check(hook["entry"])
    assert re.search(hook["files"], "data/run/audit.parquet")
    assert not re.search(hook["files"], "labels.csv")
