"""Options that the environment set: an error about one names the variable."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

_PLAIN = {
    "int_parsing": "{input!r} is not a whole number",
    "int_parsing_size": "the number is too large",
    "float_parsing": "{input!r} is not a number",
    "bool_parsing": "{input!r} is neither true nor false",
    "greater_than_equal": "{input!r} is less than {ge}",
    "less_than_equal": "{input!r} is more than {le}",
}
_PREFIX = "Value error, "  # of the messages of Typer's own checks


def usage_line(error: Any) -> str:
    """What a usage error of Typer says, in plain words; the variable in place of the option if it was set there."""
    param, context = getattr(error, "param", None), getattr(error, "ctx", None)
    plain = _plain_message(error)
    variable = variable_of(param, context) if param is not None and context is not None else None
    if variable is not None:
        return f"Invalid value for the environment variable {variable}: {plain or error.message}"
    text = str(error.format_message()) + _folder_hint(error)
    return text.replace(error.message, plain) if plain else text


def _folder_hint(error: Any) -> str:
    """`: did you mean --images photos?` where that folder stands after the arguments of a command with --images."""
    found = re.search(r"extra arguments?(?:\(s\))? \((.+)\)$", str(error.message))
    command = getattr(getattr(error, "ctx", None), "command", None)
    if found is None or not os.path.isdir(found[1]):
        return ""
    has_images = any("--images" in param.opts for param in getattr(command, "params", ()))
    return f": did you mean --images {shlex.quote(found[1])}?" if has_images else ""


def without_variable(option: Any) -> Any:
    """An option, or None, that no environment variable sets: --help in place of every command helps nobody."""
    if option is not None:
        option.allow_from_autoenv = False
    return option


def without_type(params: list[Any]) -> list[Any]:
    """Parameters whose flags take no value: help would say `<bool>` where nothing is to be given."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


def one_a_line(
    context: typer.Context, param: typer.CallbackParam, value: list[str] | None
) -> list[str] | None:
    """Callback of a repeatable option whose values may hold blanks, at which Typer takes a variable apart."""
    variable = variable_of(param, context)
    if variable is None:
        return value
    return [line.strip() for line in os.environ[variable].split("\n") if line.strip()]


def set_by_environment(message: str, context: Any) -> list[str]:
    """A note for each option that `message` is about and that the environment set."""
    notes = []
    for param in context.command.params:
        variable = variable_of(param, context)
        if variable and (name := _named(param, context.params[param.name], message)):
            notes.append(f"{name} is set by the environment variable {variable}")
    return notes


def _named(param: Any, value: object, message: str) -> str | None:
    """The name of the option if `message` holds it, or the path that is the option's value."""
    for name in param.opts:
        if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", message):
            return str(name)
    return str(param.opts[0]) if any(_holds(message, path) for path in _paths(value)) else None


def _holds(message: str, path: str) -> bool:
    """Whether a message names this path. A bare name may be any word: it counts at the beginning only."""
    before = r"(?<![\w/.-])" if os.sep in path else r"\A"
    return re.search(rf"{before}{re.escape(path)}(?![.-]?\w)", message) is not None


def _paths(value: object) -> list[str]:
    """The paths among the values of an option; text counts if it is the name of a file."""
    if isinstance(value, list | tuple):
        return [path for part in value for path in _paths(part)]
    if isinstance(value, Path) or (isinstance(value, str) and os.path.isfile(value)):
        return [str(value)]
    return []


def variable_of(param: Any, context: Any) -> str | None:
    """The environment variable that the value of `param` came from; None if it came from elsewhere."""
    source = context.get_parameter_source(param.name)
    if source is None or source.name != "ENVIRONMENT":
        return None
    named = [param.envvar] if isinstance(param.envvar, str) else list(param.envvar or ())
    names = [*named, f"{context.auto_envvar_prefix}_{param.name.upper()}"]
    return next((name for name in names if os.environ.get(name)), names[0])


def _plain_message(error: Any) -> str | None:
    """In the place of a message of Pydantic, which Typer hands on; None if there is none."""
    details = getattr(error.__cause__, "errors", None)
    if details is None:
        return None
    first: Mapping[str, Any] = details()[0]
    plain = _PLAIN.get(first["type"])
    if plain is None:
        return str(first["msg"]).removeprefix(_PREFIX).rstrip(".")
    return plain.format(input=str(first["input"]), **first.get("ctx", {}))
