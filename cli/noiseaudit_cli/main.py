"""The `noiseaudit` command. Errors are caught only here: every one leaves as one line and an exit code."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from io import TextIOWrapper
from types import FrameType, ModuleType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from noiseaudit.errors import NoiseAuditError
from noiseaudit_cli import bench
from noiseaudit_cli.clean import clean
from noiseaudit_cli.compare import compare
from noiseaudit_cli.complaints import complain
from noiseaudit_cli.corrupt import corrupt
from noiseaudit_cli.demo import demo
from noiseaudit_cli.diff import diff
from noiseaudit_cli.environment import set_by_environment, without_type, without_variable
from noiseaudit_cli.estimate import estimate
from noiseaudit_cli.evaluate import evaluate
from noiseaudit_cli.export import export
from noiseaudit_cli.gate import gate
from noiseaudit_cli.import_ import import_
from noiseaudit_cli.options import examples, option, paragraphs
from noiseaudit_cli.rank import rank
from noiseaudit_cli.report import report
from noiseaudit_cli.review import review
from noiseaudit_cli.sample import sample
from noiseaudit_cli.scan import scan
from noiseaudit_cli.score import score

COMMANDS: dict[str, Callable[..., None]] = {
    "scan": scan,
    "rank": rank,
    "evaluate": evaluate,
    "clean": clean,
    "report": report,
    "review": review,
    "sample": sample,
    "estimate": estimate,
    "export": export,
    "import": import_,
    "gate": gate,
    "diff": diff,
    "score": score,
    "compare": compare,
    "corrupt": corrupt,
    "demo": demo,
}
GROUPS: dict[str, ModuleType] = {"bench": bench}  # of commands: modules with COMMANDS and HELP
INTERRUPTED, TERMINATED = 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM: what schedulers send before they kill. Everything ends as by Ctrl-C."""


class Command(TyperCommand):
    """A command; its errors say which environment variable set the option that they are about."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except NoiseAuditError as error:
            for note in set_by_environment(str(error), ctx):
                error.add_note(note)
            raise

    def get_params(self, ctx: Any) -> Any:
        return without_type(super().get_params(ctx))

    def get_help_option(self, ctx: Any) -> Any:
        return without_variable(super().get_help_option(ctx))


class Group(TyperGroup):
    """A group of commands."""

    def get_params(self, ctx: Any) -> Any:
        return without_type(super().get_params(ctx))

    def get_help_option(self, ctx: Any) -> Any:
        return without_variable(super().get_help_option(ctx))


class Commands(Group):
    """The command group; errors of every command end here."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            what, code = (
                ("terminated", TERMINATED) if isinstance(error, Terminated) else ("interrupted", INTERRUPTED)
            )
            typer.echo("; ".join([what, *getattr(error, "__notes__", [])]), err=True)
            raise typer.Exit(code) from error

    def main(
        self, args: Sequence[str] | None = None, *rest: Any, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        run = functools.partial(super().main, args, *rest, **extra)
        if not standalone_mode:
            return run(standalone_mode=False)
        try:
            code = run(standalone_mode=False)
        except Exception as error:
            code = complain(error)
        sys.exit(code)


app = typer.Typer(
    cls=Commands,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": "NOISEAUDIT", "help_option_names": ["-h", "--help"]},
)


def _add_commands(to: typer.Typer, commands: Mapping[str, Callable[..., None]]) -> None:
    for name, command in commands.items():
        to.command(name, cls=Command, help=paragraphs(command), epilog=examples(command))(command)


def _help_if_alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


_add_commands(app, COMMANDS)
for _name, _module in GROUPS.items():
    _group = typer.Typer(cls=Group, rich_markup_mode="rich", help=_module.HELP)
    _group.callback(invoke_without_command=True)(_help_if_alone)
    _add_commands(_group, _module.COMMANDS)
    app.add_typer(_group, name=_name)


def entry() -> None:
    """Run the command line. An interrupted process leaves at once: threads of libraries may crash its teardown."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # who ignores it had it ignored
        signal.signal(signal.SIGTERM, _terminate)
    try:
        app()
    except SystemExit as stop:
        if stop.code not in (INTERRUPTED, TERMINATED):
            raise
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(stop.code)


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once
    raise Terminated


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"noiseaudit {version('noiseaudit')}")
        raise typer.Exit


def start(
    context: typer.Context,
    version: Annotated[
        bool,
        option(
            "--version",
            callback=_show_version,
            is_eager=True,
            allow_from_autoenv=False,
            help="Print the version and stop.",
        ),
    ] = False,
) -> None:
    """Find wrong labels in image classification data.

    Every option can also be set as NOISEAUDIT_COMMAND_OPTION, for example NOISEAUDIT_SCAN_EPOCHS=20; where it may
    be given more than once, one value a line, or paths with the separator of PATH between them.

    Exit codes: 0 done, 1 failed while running, 2 wrong option or bad input, 3 a gate failed, 130
    interrupted, 143 terminated.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a label must not crash a terminal that cannot show it
    _help_if_alone(context)


app.callback(invoke_without_command=True, help=paragraphs(start))(start)


if __name__ == "__main__":
    entry()
