"""Outputs of an export: made beside their place and moved there when they are whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from noiseaudit.atomic import write_text
from noiseaudit.errors import OutputError
from noiseaudit.lock import RunLock
from noiseaudit.outputs import check_parent, has_content, unwritable
from noiseaudit.runnames import LOCK_FILE

MARKER = "noiseaudit-export.json"  # in every exported folder: what it is, and that --force may replace it

_NAMES, _FILES = "holds", "files"  # of the MARKER: what is in the folder, and in its folders
_OF_SYSTEMS = ("Thumbs.db", "desktop.ini")
_REPLACED = "replaced"  # beside the new output, the old one for the moment in which they change places


def check_folder(out: Path, *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Raise OutputError unless the folder `out` may be written: it is new, empty, or, by `force`, an earlier export.

    Never one that holds one of `inputs`.
    """
    if out.exists() and not out.is_dir():
        raise OutputError("exists and is not a folder", file=out, fix="Choose another --out.")
    if has_content(out):
        if not _marked(out):
            raise OutputError(
                "the folder exists and is not an export of noiseaudit, so even --force does not replace it",
                file=out,
                fix="Choose another --out.",
            )
        if not force:
            raise OutputError("exists", file=out, fix="Give --force to replace it, or choose another --out.")
        if theirs := _of_people(out):
            raise OutputError(
                f"holds {', '.join(theirs[:3])}, which the export did not write and --force would delete",
                file=out,
                fix="Move that away, or choose another --out.",
            )
        for path in inputs:
            if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(out)):
                raise OutputError(
                    f"--force would delete the input {path}", file=out, fix="Choose another --out."
                )
    check_parent(out)


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """A folder in the folder of `out`, which is gone afterwards. Raises OutputError if it cannot be made.

    It is locked as long as its process lives, so that `settle` knows one that a killed process left.
    """
    start, end = _around(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(dir=out.parent, prefix=start, suffix=end)
    except OSError as error:
        raise unwritable(out, error) from error
    with made as folder:
        lock = RunLock(Path(folder))
        try:
            yield Path(folder)
        finally:
            lock.release()


def settle(out: Path) -> None:
    """Remove what a killed export to `out` left beside it; the output that it was about to replace goes back.

    One that is at work is left alone. Raises OutputError if the old output cannot be moved.
    """
    for left in _left_beside(out):
        try:
            lock = RunLock(left)
        except (OutputError, OSError):  # at work, or somebody else's
            continue
        try:
            if (left / _REPLACED).exists() and not os.path.lexists(out):
                os.rename(left / _REPLACED, out)
        except OSError as error:
            raise unwritable(out, error) from error
        finally:
            lock.release()
        shutil.rmtree(left, ignore_errors=True)


def _left_beside(out: Path) -> list[Path]:
    start, end = map(re.escape, _around(out))
    name = re.compile(rf"{start}[a-z0-9_]{{8}}{end}")
    try:
        found = [path for path in out.parent.iterdir() if name.fullmatch(path.name)]
    except OSError:
        return []
    return [path for path in found if (path / LOCK_FILE).exists()]


def _around(out: Path) -> tuple[str, str]:
    """What is before and behind the random part of the name of a folder beside `out`."""
    return f".{out.name[:100]}.", ".new"


def put(new: Path, out: Path) -> None:
    """Move `new`, a file or folder, to `out`, in the place of what is there. Raises OutputError if it cannot be."""
    old = new.with_name(_REPLACED)
    try:
        if out.is_dir():
            os.rename(out, old)
        os.replace(new, out)
    except BaseException as error:  # an interrupt, too, must not cost the old one
        if old.exists() and not out.exists():
            os.rename(old, out)
        if isinstance(error, OSError):
            raise unwritable(out, error) from error
        raise


def mark(folder: Path, content: Mapping[str, Any]) -> None:
    """Write the MARKER of an exported folder, with the names of what is in it.

    Of folders the number of files and a hash of their names: all of them could take as much as the rest.
    """
    paths = sorted(folder.iterdir())
    inside = {path.name: _files(path) for path in paths if path.is_dir()}
    told = {**content, _NAMES: [path.name for path in paths], _FILES: inside}
    write_text(folder / MARKER, json.dumps(told, indent=2, ensure_ascii=True) + "\n")


def _marked(folder: Path) -> dict[str, Any]:
    """What the MARKER says; empty where there is none of ours."""
    try:
        content = json.loads((folder / MARKER).read_text("ascii"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) and "run_id" in content else {}


def _of_people(out: Path) -> list[str]:
    """What is in an export that it did not write, such as answers of the tool, in words; not what systems make."""
    marked = _marked(out)
    written, inside = marked.get(_NAMES), marked.get(_FILES)
    if not isinstance(written, list):  # an older one does not say
        return []
    names = sorted(path.name for path in out.iterdir() if _is_of_people(path.name))
    known = inside.items() if isinstance(inside, dict) else ()
    others = [(name, was, _files(out / name)) for name, was in known if (out / name).is_dir()]
    return [
        *(repr(name) for name in names if name not in (*written, MARKER)),
        *(_more(name, was, now) for name, was, now in others if was != now),
    ]


def _more(name: str, was: Any, now: Mapping[str, Any]) -> str:
    n = now["n"] - was["n"] if isinstance(was, dict) and isinstance(was.get("n"), int) else 0
    return (
        f"{n:,} {'file' if n == 1 else 'files'} in {name!r}" if n > 0 else f"another set of files in {name!r}"
    )


def _files(folder: Path) -> dict[str, Any]:
    """How many there are in a folder and below, and a hash of their places."""
    places = (Path(at, name) for at, _, names in os.walk(folder) for name in names if _is_of_people(name))
    found = sorted(place.relative_to(folder).as_posix() for place in places)
    return {"n": len(found), "names": sha256(json.dumps(found).encode()).hexdigest()[:16]}


def _is_of_people(name: str) -> bool:
    """Whether people, or an export, may have made a file of this name; systems make others by themselves."""
    return not name.startswith(".") and name not in _OF_SYSTEMS
