"""Names that others can hold: every label comes back, and no two are taken for one."""

from __future__ import annotations

import posixpath
import unicodedata
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.exports.names import (
    MAX_BYTES,
    choice_text,
    file_name,
    folder_names,
    image_suffix,
    label_of,
    unique_file,
)
from tests.hostile import HOSTILE


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("cat", "cat"),
        ("tabby cat (2)", "tabby cat (2)"),
        ("a/b\\c", "a%2Fb%5Cc"),
        ("..", "%2E%2E"),
        ("CON", "%43ON"),
        ("aux.txt", "%61ux.txt"),
        (" x ", "%20x%20"),
        ("50%", "50%25"),
        ("naïve 猫", "naïve 猫"),
        ("\u202eevil", "%E2%80%AEevil"),
        ('<b>"', "%3Cb%3E%22"),
    ],
)
def test_folder_names(label: str, folder: str) -> None:
    assert folder_names([label]) == {label: folder}
    assert unquote(folder) == label


def test_names_that_differ_by_case_or_form_alone_stay_apart() -> None:
    composed, apart = "é", unicodedata.normalize("NFD", "é")
    names = folder_names(["Cat", "cat", "CAT", "dog", composed, apart])
    assert names == {
        "Cat": "%43at", "cat": "cat", "CAT": "%43%41%54", "dog": "dog", composed: "%C3%A9", apart: "e%CC%81",
    }  # fmt: skip


def test_a_label_like_a_file_beside_the_folders_is_kept_apart_from_it() -> None:
    names = folder_names(["Rows.parquet", "rows", "%52ows.parquet"], taken=["rows.parquet"])
    assert names == {
        "Rows.parquet": "%52ows.parquet", "rows": "rows", "%52ows.parquet": "%2552ows.parquet",
    }  # fmt: skip


@given(st.lists(HOSTILE, unique=True, max_size=8))
def test_every_folder_gives_its_label_back(labels: list[str]) -> None:
    names = folder_names(labels)
    folded = {unicodedata.normalize("NFC", name).casefold() for name in names.values()}
    assert len(folded) == len(labels)
    for label, name in names.items():
        assert len(name.encode()) <= MAX_BYTES
        assert not set(name) & set('/\\:*?"<>|\0\n\r\u202e')
        assert name == name.strip(". ")
        if "%~" not in name:
            assert unquote(name) == label


def test_a_long_name_loses_its_end_and_stays_its_own() -> None:
    first, second = file_name("é" * 300), file_name("é" * 301)
    assert first.startswith("é" * 93)
    assert len(first.encode()) <= MAX_BYTES
    assert first != second
    assert file_name("x" * MAX_BYTES) == "x" * MAX_BYTES
    assert file_name("") == "%~e3b0c44298fc"


def test_stems_are_taken_once() -> None:
    taken: set[str] = set()
    names = [unique_file(["1", "a/1"], ".png", taken) for _ in range(4)]
    assert names == ["1.png", "a%2F1.png", "1%~2.png", "1%~3.png"]
    assert unique_file(["X"], ".png", {"x"}) == "X%~2.png"


def test_names_of_other_files_are_not_taken() -> None:
    kept = ("metadata.parquet",)
    assert unique_file(["Metadata", "7"], ".PARQUET", set(), kept) == "7.PARQUET"
    assert unique_file(["metadata"], ".parquet", set(), kept) == "metadata%~2.parquet"
    assert unique_file(["metadata"], ".png", set(), kept) == "metadata.png"


@given(st.lists(st.tuples(HOSTILE, st.sampled_from(["", ".png", ".jpg"])), max_size=8))
def test_no_two_files_are_alike_without_what_others_take_for_a_suffix(names: list[tuple[str, str]]) -> None:
    taken: set[str] = set()
    made = [unique_file([stem, f"id/{stem}"], suffix, taken) for stem, suffix in names]
    assert len({posixpath.splitext(name)[0].casefold() for name in made}) == len(names)
    assert unique_file(["1.2.840.5"], "", set()) == "1%2E2%2E840%2E5"


@pytest.mark.parametrize(
    ("name", "suffix"), [("a/b.PNG", ".PNG"), ("a.b/c", ""), ("a.p\nng", ""), ("a.tar.gz", ".gz")]
)
def test_suffixes(name: str, suffix: str) -> None:
    assert image_suffix(name) == suffix


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("<b>plain, though 猫</b>", "<b>plain, though 猫</b>"),
        ("two\nlines", "two\\nlines"),
        (" a ", "\\x20a\\x20"),
        ("  ", "\\x20\\x20"),
        ("\u202eabc", "\\u202eabc"),
        ("a\\nb", "a\\\\nb"),
        ("nul\0", "nul\\x00"),
        ("a\u00a0b", "a\\xa0b"),
        ("\ufeffsoft\u00adhyphen\u200b", "\\ufeffsoft\\xadhyphen\\u200b"),
        ("\U0001f469\u200d\U0001f52c", "\U0001f469\u200d\U0001f52c"),
        ("$image", "\\x24image"),
        ("5 $", "5 \\x24"),
        ('{"choices": ["cat"]}', '\\x7b"choices": ["cat"]}'),
        ('{"choice": 1}', '{"choice": 1}'),
    ],
)
def test_choices(label: str, text: str) -> None:
    assert choice_text(label) == text
    assert label_of(text) == label


@given(HOSTILE)
def test_every_choice_gives_its_label_back_from_xml(label: str) -> None:
    text = choice_text(label)
    assert label_of(text) == label
    assert "$" not in text  # Label Studio would look for a variable
    parsed = ET.fromstring(ET.tostring(ET.Element("Choice", value=text), encoding="utf-8"))
    assert parsed.get("value") == text


@pytest.mark.parametrize("text", ["\\Uffffffff", "\\U00110000", "\\x2", "\\uzzzz", "\\"])
def test_what_is_no_escape_stays_as_it_is(text: str) -> None:
    assert label_of(text) == text


def test_the_last_character_that_there_is() -> None:
    assert label_of("\\U0010ffff\\U000e0001") == "\U0010ffff\U000e0001"
