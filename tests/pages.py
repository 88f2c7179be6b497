"""Run what the pages of docs/ tell their readers to type, in order, in one folder.

A fenced block of `bash` is run, one of `python` too; a block of `text` right after one shows what it prints.
`<!-- norun: why -->` before a block says that it takes what a test has not, `<!-- exit code N -->` that its last
command is meant to end so. (A comment in the command itself would be read as arguments by an interactive zsh.)
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from noiseaudit_cli.main import app

_FENCE = re.compile(
    r"^(?:<!-- (?:norun: (?P<why>[^\n]+)|exit code (?P<code>\d+)) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_REDIRECTED = re.compile(r"[|;&$*`]|> \w+(\.\w+)+$")
_NUMBER = re.compile(r"(?<![\w-])-?\d[\d,.]*|\d[\d,.]*")


class Block(NamedTuple):
    """A fenced block; `why` says why it is not run, if it is not."""

    language: str
    text: str
    why: str | None = None
    code: int = 0  # of its last command


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [
        Block(match["language"], match["text"], match["why"], int(match["code"] or 0))
        for match in _FENCE.finditer(page)
    ]


def commands(text: str) -> list[str]:
    """The commands of a bash block: its lines, with a document where one follows."""
    return [found.strip() for found in re.findall(r"(?:.*<<'END'\n(?:.*\n)*?END\n)|(?:.+\n)", text)]


def run_block(block: Block, folder: Path) -> str:
    """Run a block of bash or python in `folder`; return all that it prints. AssertionError if it fails."""
    if block.language == "bash":
        *others, last = commands(block.text)
        return "".join([*(_run(command, folder) for command in others), _run(last, folder, block.code)])
    printed = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(printed):
        exec(compile(block.text, "page", "exec"), {"__name__": "page"})
    return printed.getvalue()


def _run(command: str, folder: Path, code: int = 0) -> str:
    words = [] if "\n" in command else shlex.split(command)
    if words[:1] == ["noiseaudit"] and not _REDIRECTED.search(command):
        with contextlib.chdir(folder):  # here, because each process would import PyTorch anew
            done = CliRunner().invoke(app, words[1:], prog_name="noiseaudit")
        returned, printed = done.exit_code, done.output
    else:
        ended = subprocess.run(
            ["bash", "-euc", command],
            cwd=folder,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        returned, printed = ended.returncode, ended.stdout
    assert returned == code, (command, printed)
    return printed


def parse(line: str) -> None:
    """Read a line as noiseaudit would, without doing it. Raises click's UsageError if it is no command of ours."""
    words = shlex.split(line)[1:]
    name: str | None = "noiseaudit"
    command: Any = get_command(app)
    while command is not None:
        context = command.make_context(name, words)
        if not isinstance(command, TyperGroup):
            return
        name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])


def differences(shown: str, printed: str) -> list[str]:
    """Lines that a page shows and the real output has not, in this order.

    Numbers may be others, and a line may be shown without its end.
    """
    real = iter([_plain(line) for line in printed.splitlines()])
    return [line for line in shown.splitlines() if not _found(_plain(line), real)]


def _found(line: str, real: Iterator[str]) -> bool:
    return any(other.startswith(line) for other in real)


def _plain(line: str) -> str:
    return _NUMBER.sub("0", " ".join(line.split()))
