"""The members of a tar shard by the key of their sample, and whether the shard is whole."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

from noiseaudit.errors import DataError
from noiseaudit.labels.folder import IMAGE_SUFFIXES
from noiseaudit.labels.stored import TarMember

LABELS = ("cls", "txt", "json")
_END = 2 * tarfile.BLOCKSIZE  # zero bytes that end an archive
_PIECE = 1 << 20  # bytes of padding looked at in one go
Members = dict[str, tuple[str, TarMember]]  # what follows the key's dot -> name and place


def samples(shard: Path) -> Iterator[tuple[str, Members]]:
    """Every key with its members, in the order of their first ones.

    Raises DataError if the shard is damaged, cut or two in one, or naming a member that holds no bytes.
    """
    found: dict[str, Members] = {}
    places: dict[str, TarMember] = {}
    try:
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                if member.size < 0:  # would be read again for ever
                    raise tarfile.ReadError(f"{member.size} bytes in member {member.name!r}")
                name = member.name.removeprefix("./")
                folder, _, last = name.rpartition("/")
                stem, dot, ending = last.partition(".")
                place = _place(shard, member, places)
                if place:
                    places[name] = place
                if member.isdir() or not (stem and dot):
                    continue  # hidden files, and files without a kind, belong to no sample
                if place is None:
                    _check_unneeded(shard, member, ending.lower())
                    continue
                members = found.setdefault(f"{folder}/{stem}" if folder else stem, {})
                if ending.lower() in members:
                    raise DataError(f"member {member.name!r} is there twice", file=shard, fix="Rename one.")
                members[ending.lower()] = (name, place)
            end = archive.offset
        _check_end(shard, end)
    except (tarfile.TarError, OSError, ValueError, OverflowError) as error:  # the latter two: absurd sizes
        raise DataError(
            f"not a readable, uncompressed tar archive ({error})",
            file=shard,
            fix="Make it anew, without compression: images are read where they lie.",
        ) from error
    yield from found.items()


def is_image(ending: str) -> bool:
    """Whether a member whose name goes on so behind the key's dot is an image."""
    return f".{ending.rpartition('.')[2]}" in IMAGE_SUFFIXES


def _place(shard: Path, member: tarfile.TarInfo, places: dict[str, TarMember]) -> TarMember | None:
    """Where its bytes lie; those of a hard link are an earlier member's. None if there are none in one piece."""
    if member.islnk():
        return places.get(member.linkname.removeprefix("./"))
    if not member.isfile() or member.issparse():
        return None
    return TarMember(shard, member.offset_data, member.size)


def _check_unneeded(shard: Path, member: tarfile.TarInfo, ending: str) -> None:
    """Raises DataError if a member without bytes of its own would be a sample's image or label."""
    if ending not in LABELS and not is_image(ending):
        return
    kind, fix = "not a plain file", "Pack it as one."
    if member.issym():
        kind, fix = f"a link to {member.linkname!r}", "Pack the files themselves (`tar --dereference`)."
    elif member.islnk():
        kind = f"a hard link to {member.linkname!r}, which is not before it in the archive"
        fix = "Pack the files themselves (`tar --hard-dereference`)."
    elif member.issparse():
        kind, fix = "a sparse file", "Pack it without `--sparse`."
    raise DataError(f"member {member.name!r} is {kind}", file=shard, fix=fix)


def _check_end(shard: Path, end: int) -> None:
    """Raises DataError unless there is nothing but zeros from `end` on, and enough of them.

    Readers of tar archives take whatever is no header for the end, and so lose what was cut off or comes behind.
    """
    at = end
    with open(shard, "rb") as file:
        file.seek(end)
        while piece := file.read(_PIECE):
            if piece.strip(b"\0"):
                at += len(piece) - len(piece.lstrip(b"\0"))
                raise _not_the_end(shard, end, at)
            at += len(piece)
    if at - end < _END:
        raise DataError(
            "ends early: the zeros that end an archive are not there, and members may be missing",
            file=shard,
            fix="Copy it again, or make it anew.",
        )


def _not_the_end(shard: Path, end: int, at: int) -> DataError:
    if at - end < tarfile.BLOCKSIZE:
        return DataError(
            f"no header of a member at byte {end}", file=shard, fix="Copy it again, or make it anew."
        )
    return DataError(
        f"holds a second archive, or something else, behind its end (byte {at})",
        file=shard,
        fix="Keep them as two shards, or join them with `tar --concatenate`.",
    )
