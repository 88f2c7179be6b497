"""The lines of a file that `compare` wrote, each field checked, so that what reads them may rely on all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from noiseaudit.errors import DataError
from noiseaudit.noise import BY_CLASS

AGAIN = "Run `noiseaudit compare` again."
ONE_FILE = "Give the file of one comparison."

Line = dict[str, Any]


def read_lines(file: Path) -> list[Line]:
    """The results of one comparison, at least one. Raises DataError, which names the line."""
    lines = dict(_objects(file))
    if not lines:
        raise DataError("holds no results", file=file, fix=AGAIN)
    first, *_ = lines.values()
    seen: set[tuple[str, int]] = set()
    for number, line in lines.items():
        what = _problem(line) or _difference(first, line) or _repetition(line, seen)
        if what:
            raise DataError(what[0], file=file, line=number, fix=what[1])
    return [*lines.values()]


def _objects(file: Path) -> Iterator[tuple[int, Line]]:
    """The objects of a JSONL file with their lines, blank ones left out."""
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise DataError(
            f"cannot be read ({error.strerror or error})", file=file, fix="Check the path."
        ) from error
    except ValueError as error:
        raise DataError(
            "not UTF-8 text", file=file, fix="Give a file that `noiseaudit compare` wrote."
        ) from error
    for number, part in enumerate(text.split("\n"), start=1):
        if not part.strip():
            continue
        try:
            line = json.loads(part)
        except (ValueError, RecursionError) as error:
            raise DataError("not JSON", file=file, line=number, fix=AGAIN) from error
        if not isinstance(line, dict):
            raise DataError("not a JSON object", file=file, line=number, fix=AGAIN)
        yield number, line


def _is_whole(value: object) -> bool:
    return type(value) is int and abs(value) < 2**53


_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "tool": (lambda value: isinstance(value, str) and value != "", "a name"),
    "seed": (_is_whole, "a whole number"),
    "plant": (lambda value: value is None or value in [*BY_CLASS], f"null or one of {', '.join(BY_CLASS)}"),
    "rate": (
        lambda value: value is None or (isinstance(value, float) and 0 < value < 1),
        "null or between 0 and 1",
    ),
    "n": (lambda value: _is_whole(value) and value > 1, "a number of labels"),
    "wrong": (lambda value: _is_whole(value) and value > 0, "a number of wrong labels"),
    "data_fingerprint": (lambda value: isinstance(value, str), "a text"),
    "review": (lambda value: isinstance(value, dict), "an object"),
}

Problem = tuple[str, str] | None  # what is wrong, and how to mend it


def _problem(line: Line) -> Problem:
    """What a line lacks, or has wrongly."""
    for name, (is_right, kind) in _FIELDS.items():
        if name not in line:
            older = " (an older noiseaudit wrote the file)" if name in ("review", "data_fingerprint") else ""
            return f"no `{name}`{older}", AGAIN
        if not is_right(line[name]):
            return f"`{name}` is not {kind}", AGAIN
    if (line["plant"] is None) != (line["rate"] is None):
        return "`plant` and `rate` do not go together", AGAIN
    if line["wrong"] >= line["n"]:
        return "`wrong` is not below `n`", AGAIN
    what = _review_problem(line["review"], line["n"], line["wrong"])
    return (f"`review` {what}", AGAIN) if what else None


def _review_problem(review: dict[str, Any], n: int, wrong: int) -> str | None:
    reviewed, found = review.get("reviewed"), review.get("found")
    if not (isinstance(reviewed, list) and isinstance(found, list) and all(map(_is_whole, reviewed + found))):
        return "has no whole numbers `reviewed` and `found`"
    if len(reviewed) != len(found):
        return "has not as many numbers `found` as `reviewed`"
    ends = [(numbers[0], numbers[-1]) for numbers in (reviewed, found) if numbers]
    if ends != [(0, n), (0, wrong)]:
        return "does not lead from 0 images to all of them"
    steps = zip(pairwise(reviewed), pairwise(found), strict=True)
    if not all(low < high and 0 <= more - less <= high - low for (low, high), (less, more) in steps):
        return "does not rise as a review does"
    return None


def _difference(first: Line, line: Line) -> Problem:
    """What tells a line from the first, though one comparison has it alike throughout."""
    for name in ("data_fingerprint", "plant", "rate"):
        if line[name] != first[name]:
            return f"another `{name}` than in the first line", ONE_FILE
    return None


def _repetition(line: Line, seen: set[tuple[str, int]]) -> Problem:
    """Notes the tool and seed of a line in `seen`."""
    place = line["tool"], line["seed"]
    if place in seen:
        return f"{place[0]!r} with seed {place[1]} a second time", ONE_FILE
    seen.add(place)
    return None
