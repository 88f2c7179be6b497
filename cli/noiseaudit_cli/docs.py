"""docs/cli.md, made from the commands themselves: `python -m noiseaudit_cli.docs docs/cli.md`."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from noiseaudit.atomic import write_text
from noiseaudit_cli.main import COMMANDS, GROUPS, start
from noiseaudit_cli.options import paragraphs

_TITLE = "# Command line\n\nMade by `make docs` from the commands' own help; do not edit.\n"


class Parameter(NamedTuple):
    """An argument or option of a command, as its signature declares it."""

    name: str
    kind: Any  # its type, without None
    info: ArgumentInfo | OptionInfo
    default: Any  # inspect.Parameter.empty if required


def command_reference() -> str:
    """Every command with its description, examples and options, as Markdown."""
    grouped = {
        f"{group} {name}": command
        for group, module in GROUPS.items()
        for name, command in module.COMMANDS.items()
    }
    sections = [_section(name, command) for name, command in (COMMANDS | grouped).items()]
    return "\n".join([_TITLE, paragraphs(start), "", *sections])


def parameters(command: Callable[..., None]) -> Iterator[Parameter]:
    """The arguments and options of a command, in order."""
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        kind, *extras = get_args(hints[name]) or (hints[name],)
        infos = [extra for extra in extras if isinstance(extra, ArgumentInfo | OptionInfo)]
        if infos:
            yield Parameter(name, _without_none(kind), infos[0], parameter.default)


def _section(name: str, command: Callable[..., None]) -> str:
    found = list(parameters(command))
    arguments = [f"{_usage(p)} " for p in found if isinstance(p.info, ArgumentInfo)]
    return "\n".join(
        [
            f"## {name}\n",
            f"`noiseaudit {name} {''.join(arguments)}[OPTIONS]`\n",
            paragraphs(command),
            "\n```",
            sys.modules[command.__module__].__dict__["EXAMPLES"].strip(),
            "```\n",
            "| option | default | meaning |",
            "| --- | --- | --- |",
            *(_row(parameter) for parameter in found),
            "",
        ]
    )


def _usage(argument: Parameter) -> str:
    name = str(argument.info.metavar)
    return name if argument.default is inspect.Parameter.empty else f"[{name}]"


def _row(parameter: Parameter) -> str:
    meaning = str(parameter.info.help).replace("\\[", "[")  # escaped for rich
    names = _names(parameter)
    # A bar ends a cell of a table, in code, too.
    shown = f"<code>{names.replace('|', '&#124;')}</code>" if "|" in names else f"`{names}`"
    return f"| {shown} | {_default(parameter)} | {meaning} |"


def _names(parameter: Parameter) -> str:
    info = parameter.info
    if isinstance(info, ArgumentInfo):
        return str(info.metavar)
    names = ", ".join(_declared(info) or [f"--{parameter.name.replace('_', '-')}"])
    return names if parameter.kind is bool else f"{names} {info.metavar or _values(parameter.kind)}"


def _declared(info: OptionInfo) -> list[str]:
    # Inside Annotated there is no default, and Typer keeps the first name in its place.
    return [name for name in (info.default, *(info.param_decls or ())) if isinstance(name, str)]


def _values(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(str(choice.value) for choice in kind)
    return "TEXT" if kind is str else str(kind.__name__).upper()


def _default(parameter: Parameter) -> str:
    if parameter.default is inspect.Parameter.empty:
        return "required"
    if parameter.default is None or parameter.default is False:
        return ""
    return f"`{parameter.default}`"


def _without_none(kind: Any) -> Any:
    if isinstance(kind, types.UnionType):
        (kind,) = (part for part in get_args(kind) if part is not type(None))
    return kind


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), command_reference())
