"""What the texts of options say: sizes, lists, seeds, and how samples are read."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from noiseaudit.load_samples import SampleOptions


N = TypeVar("N", int, float)

LABEL_FILES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")


def share(text: str | float) -> float:
    """A share as 0.9 or 90%, as an option's parser. Raises typer.BadParameter for what is no number."""
    import typer

    number = str(text).strip()
    try:
        return float(number[:-1]) / 100 if number.endswith("%") else float(number)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a number") from error


def named_values(texts: list[str] | None) -> dict[str, str]:
    """What --set options say, by name. Raises ConfigError for one that is not NAME=VALUE."""
    from noiseaudit.errors import ConfigError

    found = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise ConfigError(f"--set {text!r} is not of the form NAME=VALUE", fix="As in --set alpha=20.")
        found[name] = value
    return found


def feature_folder(text: str | None) -> Path | None:
    """What --feature-cache says: a folder, none, or by default a part of the user's cache folder."""
    import platformdirs

    if text is None:
        return platformdirs.user_cache_path("noiseaudit") / "features"
    return None if text == "none" else Path(text)


def memory_size(text: str) -> int:
    """Bytes, from a number with a unit: powers of 1,000 (GB) or 1,024 (GiB). Raises ConfigError for what is none."""
    from noiseaudit.errors import ConfigError

    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(?:([KMGT])(I?))?B?", text.strip().upper())
    if not found:
        raise ConfigError(f"--max-memory {text!r} is not a size", fix="As in 4GB, 500MB or 2GiB.")
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** ("KMGT".find(unit) + 1 if unit else 0))


def check_places(data: Path, images: Path | None, embeddings: Path | None) -> None:
    """Raise DataError for a path that is not there, before the engine is loaded, which takes seconds."""
    from os.path import exists, isdir  # Path's own raise for names that are too long

    from noiseaudit.errors import DataError

    if not (exists(data) or set(str(data)) & set(":*{")):
        what = "label file" if data.suffix.lower() in LABEL_FILES else "label file or folder"
        raise DataError(f"no such {what}", file=data, fix=_meant(data))
    if images is not None and not isdir(images):
        problem = "not a folder" if exists(images) else "no such folder"
        raise DataError(problem, file=images, fix="Give --images a folder that holds images.")
    if embeddings is not None and not exists(embeddings):
        raise DataError("no such file", file=embeddings, fix="Give --embeddings a .npy or .parquet file.")


def _meant(path: Path) -> str:
    """Which file or folder beside `path` has almost its name, if one has."""
    import difflib

    with contextlib.suppress(OSError):
        names = [each.name for each in path.parent.iterdir() if not each.name.startswith(".")]
        if near := difflib.get_close_matches(path.name, names, n=1, cutoff=0.8):
            return f"Did you mean {path.with_name(near[0])}?"
    return "Check the path."


def sample_options(
    data: Path,
    images: Path | None,
    embeddings: Path | None,
    feature_cache: str | None,
    *,
    allow_root: list[Path] | None,
    max_pixels: int,
    max_memory: str,
    strict: bool,
    workers: int | None,
) -> SampleOptions:
    """What the options of the Images panel say; a folder as DATA holds its own images."""
    from noiseaudit.load_samples import SampleOptions

    return SampleOptions(
        images=data if images is None and embeddings is None and data.is_dir() else images,
        embeddings=embeddings,
        allow_roots=tuple(allow_root or ()),
        max_pixels=max_pixels,
        max_memory=memory_size(max_memory),
        strict=strict,
        workers=workers,
        feature_cache=feature_folder(feature_cache),
        must_cache=feature_cache is not None,
    )


def listed(text: str | None) -> list[str] | None:
    """What stands between commas."""
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]


def numbers(name: str, text: str | None, kind: Callable[[str], N]) -> list[N] | None:
    """Numbers between commas. Raises ConfigError, for the option `name`, for what is none."""
    from noiseaudit.errors import ConfigError

    try:
        return None if text is None else [kind(part) for part in listed(text) or ()]
    except ValueError as error:
        example = "0.1,0.3" if kind is float else "0,1,2 or 0-4"
        raise ConfigError(f"{name} {text!r} is not a list of numbers", fix=f"As in {example}.") from error


def seed_list(text: str | None) -> list[int] | None:
    """Seeds as in 0,1,2 or 0-4. Raises ConfigError for what is none, or less than 0."""
    from noiseaudit.errors import ConfigError

    first, dash, last = (text or "").partition("-")
    if dash and first.strip().isdigit() and last.strip().isdigit():
        found: list[int] | None = list(range(int(first), int(last) + 1))
    else:
        found = numbers("--seeds", text, int)
    if found is not None and (not found or min(found) < 0):
        raise ConfigError(f"--seeds {text!r} is not a list of seeds", fix="As in 0,1,2 or 0-4.")
    return found
