"""Shards with links, and shards that are cut, doubled or damaged: no row goes missing in silence."""

from __future__ import annotations

import io
import random
import tarfile
from pathlib import Path

import pytest

from noiseaudit.errors import DataError
from noiseaudit.labels.read import read_labels

WHOLE = [("0.png", b"x"), ("0.cls", b"cat"), ("1.png", b"y"), ("1.cls", b"dog")]


def tar_bytes(*members: tuple[str, bytes | tarfile.TarInfo]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                archive.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def special(kind: bytes, to: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, to
    return info


def write(folder: Path, content: bytes) -> Path:
    (folder / "x.tar").write_bytes(content)
    return folder / "x.tar"


def test_hard_links_are_the_member_that_they_name(tmp_path: Path) -> None:
    hard = tarfile.LNKTYPE
    file = write(
        tmp_path,
        tar_bytes(
            *WHOLE,
            *(("2.png", special(hard, "./0.png")), ("./2.cls", special(hard, "1.cls"))),
            *(
                ("pool/shared", b"cat"),
                ("3.png", special(hard, "2.png")),
                ("3.cls", special(hard, "pool/shared")),
            ),
        ),
    )
    table = read_labels(file)
    assert table.given_label.tolist() == ["cat", "dog", "dog", "cat"]
    assert table.image is not None
    assert table.image.tolist() == ["x.tar/0.png", "x.tar/1.png", "x.tar/2.png", "x.tar/3.png"]
    assert table.pictures is not None
    assert [picture.read() for picture in table.pictures if not isinstance(picture, Path)] == [
        *(b"x", b"y", b"x", b"x")
    ]


@pytest.mark.parametrize(
    ("name", "member", "message"),
    [
        ("2.cls", special(tarfile.SYMTYPE, "0.cls"), r"'2\.cls' is a link to '0\.cls'. .*--dereference"),
        ("a/2.PNG", special(tarfile.SYMTYPE, "0.png"), r"'a/2\.PNG' is a link to '0\.png'"),
        (
            "2.json",
            special(tarfile.LNKTYPE, "2.cls"),
            r"'2\.json' is a hard link to '2\.cls', which is not before",
        ),
        ("2.png", special(tarfile.FIFOTYPE), r"'2\.png' is not a plain file"),
        ("2.png", special(tarfile.GNUTYPE_SPARSE), r"'2\.png' is a sparse file"),
    ],
)
def test_members_without_bytes(tmp_path: Path, name: str, member: tarfile.TarInfo, message: str) -> None:
    with pytest.raises(DataError, match=r"x\.tar: member " + message):
        read_labels(write(tmp_path, tar_bytes(*WHOLE, (name, member))))


def test_links_that_no_sample_needs(tmp_path: Path) -> None:
    sym = tarfile.SYMTYPE
    members = [("README", special(sym, "a")), (".b.png", special(sym, "a")), ("0.npy", special(sym, "a"))]
    folder = ("d.png", special(tarfile.DIRTYPE))
    assert len(read_labels(write(tmp_path, tar_bytes(*members, folder, *WHOLE)))) == 2


@pytest.mark.parametrize("kept", [0, 1, 511, 512, 1023])
def test_a_shard_cut_between_members(tmp_path: Path, kept: int) -> None:
    content = tar_bytes(*WHOLE, ("2.png", b"z"), ("2.cls", b"cat"))
    cut = content[: 4 * 1024] + bytes(kept)
    with pytest.raises(DataError, match=r"x\.tar: ends early: .* missing. Copy it again"):
        read_labels(write(tmp_path, cut))
    assert len(read_labels(write(tmp_path, content[: 4 * 1024] + bytes(1024)))) == 2
    assert len(read_labels(write(tmp_path, content + bytes(3 << 20)))) == 3


@pytest.mark.parametrize("padding", [0, 3 << 20])
def test_two_shards_in_one_file(tmp_path: Path, padding: int) -> None:
    other = tar_bytes(("8.png", b"x"), ("8.cls", b"cat"))
    first = tar_bytes(*WHOLE) + bytes(padding)
    with pytest.raises(DataError, match=rf"holds a second archive.*\(byte {len(first)}\). Keep them as two"):
        read_labels(write(tmp_path, first + other))


def test_a_damaged_header_is_not_the_end(tmp_path: Path) -> None:
    content = bytearray(tar_bytes(*WHOLE))
    content[2048 + 150] ^= 1  # in the checksum of the third member
    with pytest.raises(DataError, match=r"x\.tar: no header of a member at byte 2048"):
        read_labels(write(tmp_path, bytes(content)))


def test_a_member_that_would_lead_back(tmp_path: Path) -> None:
    content = bytearray(tar_bytes(*WHOLE))
    header = content[1024:1536]
    header[124:136] = (-1024).to_bytes(12, "big", signed=True)  # as GNU writes what octal digits cannot hold
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 8 * 0x20 + sum(header[156:]))
    content[1024:1536] = header
    with pytest.raises(DataError, match=r"x\.tar: not a readable, .* \(-1024 bytes in member '0\.cls'\)"):
        read_labels(write(tmp_path, bytes(content)))


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"label": ' * 100_000, b"9" * 5000])
def test_json_beyond_bounds(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(DataError, match=r"x\.tar: member '2\.json' is not UTF-8 JSON"):
        read_labels(write(tmp_path, tar_bytes(*WHOLE, ("2.png", b"x"), ("2.json", text))))


def test_damage_anywhere_is_said_in_one_line(tmp_path: Path) -> None:
    """Headers with any byte changed, checksums made to fit: rows as before, or a DataError."""
    rng, whole = random.Random(0), tar_bytes(*WHOLE, ("2.cls", special(tarfile.LNKTYPE, "0.cls")))
    outcomes = []
    for _ in range(400):
        content, header = bytearray(whole), 1024 * rng.randrange(5)
        for _ in range(rng.randint(1, 3)):
            content[header + rng.randrange(100, 265)] = rng.choice([0, 0x20, 0x37, 0x78, 0x80, 0xFF])
        block = content[header : header + 512]
        content[header + 148 : header + 156] = b"%06o\0 " % (sum(block[:148]) + 8 * 0x20 + sum(block[156:]))
        try:
            outcomes.append(len(read_labels(write(tmp_path, bytes(content)))))
        except DataError:
            outcomes.append(-1)
    assert {-1, 3} <= {*outcomes}
