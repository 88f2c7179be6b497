"""Tar shards as WebDataset lays them out: a sample is the members of one key, an image and its label.

The key is a member's path up to the first dot of its name. The label is the text of `.cls` or `.txt`, or a field
of `.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.columns import USUAL_NAMES, find_usual, listed
from noiseaudit.labels.stored import Stored, TarMember
from noiseaudit.labels.tar_members import LABELS, Members, is_image, samples

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


class TarReader:
    """The columns `image` (shard/member) and `label` of all shards, and where the images lie."""

    nested: frozenset[str] = frozenset()

    def __init__(self, path: Path, label: str | None = None) -> None:
        """`label` is the field of .json members; None, or "label", is for labels of any kind.

        Raises DataError naming the shard and the member that is not usable.
        """
        self.image, field = "image", None if label == "label" else label
        self.names = [self.image, label or "label"]
        images: list[str] = []
        labels: list[Any] = []
        self.pictures: list[Stored] = []
        for shard in shards(path):
            for key, members in samples(shard):
                name, place = _image(shard, key, members)
                images.append(f"{shard.name}/{name}")
                labels.append(_label(shard, members, field))
                self.pictures.append(place)
        self._cells: dict[str, list[Any]] = {"image": images, self.names[1]: labels}

    def columns(self, wanted: Sequence[str]) -> Mapping[str, Sequence[object]]:
        """The values of these columns."""
        return {name: self._cells[name] for name in wanted}


def is_tar(path: Path) -> bool:
    """Whether `path` is a shard, a pattern of shards, or a folder with nothing but shards and files beside them."""
    if path.is_dir():
        names = [each for each in path.iterdir() if not each.name.startswith(".")]
        return any(each.suffix == ".tar" for each in names) and not any(each.is_dir() for each in names)
    return path.suffix == ".tar"


def shards(path: Path) -> list[Path]:
    """The files that `path` names: one, those of a folder by name, or those of a pattern such as x-{000..012}.tar.

    Raises DataError if one is not there.
    """
    if path.is_dir():
        return sorted(each for each in path.iterdir() if each.suffix == ".tar" and each.name[0] != ".")
    found = [Path(text) for text in _expanded(str(path))]
    for each in found:
        if not each.is_file():
            raise DataError("no such shard", file=each, fix="Check the path and the numbers between braces.")
    return found


def _expanded(text: str) -> Iterator[str]:
    match = _RANGE.search(text)
    if not match:
        yield text
        return
    first, last = match.groups()
    if int(last) < int(first):
        raise ConfigError(f"{match[0]} counts down", fix="As in {000..012}.")
    for number in range(int(first), int(last) + 1):
        yield from _expanded(f"{text[: match.start()]}{number:0{len(first)}d}{text[match.end() :]}")


def _image(shard: Path, key: str, members: Members) -> tuple[str, TarMember]:
    images = [member for ending, member in members.items() if is_image(ending)]
    if len(images) > 1:
        names = ", ".join(repr(name) for name, _ in images)
        raise DataError(f"sample {key!r} has several images ({names})", file=shard, fix="Keep one a key.")
    return images[0] if images else (key, TarMember(shard, 0, -1))


def _label(shard: Path, members: Members, field: str | None) -> object:
    """The label's text or, of .json, value; None where there is none."""
    for ending in LABELS if field is None else ("json",):
        if ending not in members:
            continue
        name, place = members[ending]
        try:
            text = _content(place).decode("utf-8").strip()
            return _field(json.loads(text), field) if ending == "json" else text
        except (ValueError, RecursionError) as error:
            kind = "UTF-8 JSON" if ending == "json" else "UTF-8 text"
            raise DataError(f"member {name!r} is not {kind}", file=shard, fix="Mend it.") from error
        except KeyError as error:
            raise DataError(
                f"member {name!r} has no label",
                file=shard,
                fix=f"Name its field with --label-column. {listed(error.args[0])}",
            ) from error
    return None


def _content(place: TarMember) -> bytes:
    with open(place.shard, "rb") as file:
        file.seek(place.offset)
        return file.read(place.size)


def _field(value: object, field: str | None) -> object:
    """Raises KeyError, with the fields, where the one of the label is not there."""
    if not isinstance(value, dict):
        return value
    name = field if field is not None else find_usual(USUAL_NAMES["label"], [*value])
    if name is None or name not in value:
        raise KeyError([*value])
    return value[name]
