"""Checks of an audit by which a pipeline stops: a small language of comparisons, and nothing that is evaluated.

    check   = all_of {"or" all_of}
    all_of  = compare {"and" compare}
    compare = name ("<" | "<=" | ">" | ">=" | "==" | "!=") number
    name    = word | word '["' class '"]'

Numbers may end in %. A comparison with a measure that is undefined does not hold.
"""

from __future__ import annotations

import difflib
import json
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from noiseaudit.errors import ConfigError

Value = float | None
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?:\s*%)?)"""
    r"""|(?P<name>[A-Za-z_]\w*(?:\[(?:"(?:[^"\\]|\\.)*"|'[^']*')\])?)|(?P<sign><=|>=|==|!=|<|>)|(?P<end>$))""",
    re.ASCII | re.DOTALL,
)
_WORDS = ("and", "or")
EXAMPLE = (
    """As in 'noise_rate > 0.05', 'class_noise_rate["cat"] > 10%' or 'n_missing > 0 and n_suspects > 100'."""
)


@dataclass(frozen=True)
class Comparison:
    """One measure against one number."""

    name: str
    sign: str
    number: float

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether it is true of `values`, by measure; never of one that is undefined."""
        value = values[self.name]
        return value is not None and _COMPARE[self.sign](value, self.number)


@dataclass(frozen=True)
class Check:
    """A condition on which the gate fails."""

    text: str  # as it was given
    any_of: tuple[tuple[Comparison, ...], ...]  # holds where all of one of these hold

    @property
    def names(self) -> list[str]:
        """The measures, each once."""
        return list(dict.fromkeys(part.name for parts in self.any_of for part in parts))


@dataclass(frozen=True)
class Result:
    """What a check came to."""

    check: Check
    failed: bool  # its condition holds
    values: Mapping[str, Value]  # of the measures it names


def parse_check(text: str) -> Check:
    """The check that `text` is. Raises ConfigError, saying where it is wrong."""
    tokens = _tokens(text)
    any_of: list[tuple[Comparison, ...]] = []
    parts: list[Comparison] = []
    while True:
        parts.append(_comparison(tokens, text))
        kind, word = tokens.pop(0)
        if kind == "name" and word == "and":
            continue
        any_of.append(tuple(parts))
        parts = []
        if kind == "end":
            return Check(text, tuple(any_of))
        if (kind, word) != ("name", "or"):
            raise _wrong(text, f"`{word}` where `and`, `or` or the end is due")


def check_names(
    checks: Sequence[Check], known: Collection[str], lacking: Mapping[str, tuple[str, str]] | None = None
) -> None:
    """Raise ConfigError, with the nearest of `known`, for a check that names no measure.

    `lacking` has what measures beyond those need: what it is, and how it is given.
    """
    for check in checks:
        for name in check.names:
            if name in known:
                continue
            if lacking is None or name not in lacking:
                raise _unknown(check, name, known)
            what, fix = lacking[name]
            raise ConfigError(f"--fail-if {check.text!r}: {name} needs {what}", fix=fix)


def _unknown(check: Check, name: str, known: Collection[str]) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}? " if near else ""
    plain = ", ".join(each for each in known if "[" not in each)
    return ConfigError(
        f"--fail-if {check.text!r}: no measure {name}",
        fix=f'{hint}There are {plain}, and class_noise_rate["NAME"].',
    )


def run_checks(checks: Sequence[Check], values: Mapping[str, Value]) -> list[Result]:
    """What each comes to; `values` has all names."""
    return [
        Result(
            check,
            any(all(part.holds(values) for part in parts) for parts in check.any_of),
            {name: values[name] for name in check.names},
        )
        for check in checks
    ]


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    place = 0
    while not found or found[-1][0] != "end":
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise _wrong(text, f"cannot read {text[place : place + 20].strip()!r}")
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


def _comparison(tokens: list[tuple[str, str]], text: str) -> Comparison:
    """Of the first three tokens, which it takes; the last token, the end, stays."""
    parts = [tokens.pop(0) if len(tokens) > 1 else tokens[0] for _ in range(3)]
    (kind, name), (middle, sign), (last, number) = parts
    if kind != "name" or name in _WORDS:
        raise _wrong(text, f"`{name or 'the end'}` where the name of a measure is due")
    if middle != "sign":
        raise _wrong(text, f"`{sign or 'the end'}` where one of {' '.join(_COMPARE)} is due")
    if last != "number":
        raise _wrong(text, f"`{number or 'the end'}` where a number is due")
    return Comparison(_plain_name(name, text), sign, _number(number))


def _plain_name(name: str, text: str) -> str:
    """A name with its class in double quotes, as JSON has it."""
    word, bracket, rest = name.partition("[")
    if not bracket:
        return word
    quoted = rest[:-1]
    if quoted[0] == "'":
        return class_measure(quoted[1:-1], word)
    try:
        return class_measure(json.loads(quoted, strict=False), word)
    except ValueError as error:
        raise _wrong(text, f"cannot read the class {quoted}") from error


def class_measure(label: str, word: str = "class_noise_rate") -> str:
    """The name of a class's measure: class_noise_rate["cat"]."""
    return f"{word}[{json.dumps(label, ensure_ascii=False)}]"


def _number(text: str) -> float:
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def _wrong(text: str, what: str) -> ConfigError:
    return ConfigError(f"--fail-if {text!r}: {what}", fix=EXAMPLE)
