"""Files that spreadsheets separate by semicolons or tabs are read, and written back so."""

from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.labels import edit_label_file, read_labels
from noiseaudit.labels.separator import find_separator


@pytest.mark.parametrize(
    ("text", "kind", "separator"),
    [
        ("image,label\n", "csv", ","),
        ("image;label\n", "csv", ";"),
        ("image\tlabel\n", "csv", "\t"),
        ("image\tlabel\n", "tsv", "\t"),
        ("image,label\n", "tsv", ","),
        ("image;label\n", "tsv", ";"),
        ('\r\n"image";"label"\r\n', "csv", ";"),
        ("image;x,label\n", "csv", ","),  # two columns by the comma
        ("a;b;c\td\n", "csv", ";"),
        ('"image;label"\n', "csv", ","),
        ("label\na;b\n", "csv", ","),  # only the header counts
        ("image|label\n", "csv", ","),
        ("", "tsv", "\t"),
        ("n" * 200_000 + ";label\n", "csv", ";"),
    ],
)
def test_the_header_tells(text: str, kind: str, separator: str) -> None:
    assert find_separator(text, kind) == separator


@pytest.mark.parametrize("mark", [";", "\t"])
def test_edits_keep_the_separator_and_every_other_byte(mark: str, tmp_path: Path) -> None:
    before = '\ufeff"filename";label;"note"\r\na.png;"cat";"x;y"\r\nb.png;dog;1,5\n\nc.png;;'.replace(
        ";", mark
    )
    path, out = tmp_path / "data.csv", tmp_path / "out.csv"
    path.write_bytes(before.encode())
    table = read_labels(path)
    assert table.given_label.tolist() == ["cat", "dog", None]
    assert table.source is not None
    assert table.source.image_column == "filename"
    edit_label_file(table.source, out, labels={})
    assert out.read_bytes() == before.encode()
    edit_label_file(table.source, out, labels={1: f"a{mark}b"}, drop={0}, extra={"p": [None, 0.5, True]})
    after = f'\ufeff"filename";label;"note";p\r\nb.png;"a{mark}b";1,5;0.5\n\nc.png;;;true'
    assert out.read_bytes() == after.replace(";", mark).encode()
