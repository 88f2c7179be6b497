"""Whether the fields of a dataclass of options hold what their annotations say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from noiseaudit.errors import ConfigError

_SHOWN_CHARACTERS = 60
_TYPES: dict[Any, tuple[type, str]] = {  # what a field takes, in code and in words
    bool: (bool, "True or False"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "text"),
    Mapping: (Mapping, "a mapping of names to values"),
}


def check_types(options: Any, option: Callable[[str], str]) -> None:
    """Raise ConfigError, naming the field by `option`, unless each holds its type; numbers become Python's own.

    Fields may be bool, int, float, str, a Literal of texts, a Mapping, or one of these or None.
    """
    hints = get_type_hints(type(options))
    for item in dataclasses.fields(options):
        value, hint = getattr(options, item.name), hints[item.name]
        if get_origin(hint) is UnionType:
            if value is None:
                continue
            hint = get_args(hint)[0]
        kind, words = _TYPES[str if get_origin(hint) is Literal else get_origin(hint) or hint]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            default = "empty" if item.default is dataclasses.MISSING else item.default
            shown = repr(value)[:_SHOWN_CHARACTERS]
            raise ConfigError(f"{option(item.name)}={shown}: not {words}", fix=f"The default is {default}.")
        object.__setattr__(options, item.name, python_number(value))


def python_number(value: Any) -> Any:
    """A number of another library (NumPy's) as int or float, so that it can be recorded; all else as it is."""
    if not isinstance(value, Real) or isinstance(value, int | float):
        return value
    return int(value) if isinstance(value, Integral) else float(value)
