from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.text import read_text

TEXT = "image,label\r\na.png,café\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "UTF-8-SIG"),
        (TEXT.encode(), "utf-8-sig"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-le"), "utf-16"),
        (codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"), "utf-32"),
        (TEXT.encode("cp1252"), "cp1252"),
    ],
)
def test_decoded_without_its_mark_and_written_back_byte_for_byte(
    tmp_path: Path, data: bytes, encoding: str
) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_bytes(data)
    file = read_text(path, encoding)
    assert file.text == TEXT
    file.write_as(out, file.text)
    assert out.read_bytes() == data


def test_bytes_of_another_encoding_name_line_and_option(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(TEXT.encode("cp1252"))
    with pytest.raises(DataError, match=r"in\.csv, line 2: bytes that are not valid utf-8\. Give --encoding"):
        read_text(path, "utf-8")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_recognised(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(TEXT.encode(encoding))
    with pytest.raises(DataError, match="give --encoding utf-16"):
        read_text(path, "utf-8")


def test_unknown_encodings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a")
    for encoding in ("utf-9", "hex", "\0"):
        with pytest.raises(ConfigError, match="--encoding"):
            read_text(path, encoding)


def test_an_unreadable_path_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_text(tmp_path, "utf-8")


def test_a_character_outside_the_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a\n")
    with pytest.raises(DataError, match="cannot be written in iso8859-1"):
        read_text(path, "latin-1").write_as(tmp_path / "out.csv", "Ω")
    assert not (tmp_path / "out.csv").exists()


def test_an_encoding_that_does_not_return_its_own_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"label\n+AGE-\n")  # UTF-7 has several spellings of "a"
    file = read_text(path, "utf-7")
    assert file.text == "label\na\n"
    with pytest.raises(DataError, match="byte for byte"):
        file.write_as(tmp_path / "out.csv", file.text)
