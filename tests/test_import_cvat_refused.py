"""Files of CVAT that cannot be read: one line each."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noiseaudit.errors import DataError
from noiseaudit.imports import cvat, import_answers
from noiseaudit.result import AuditResult
from tests.conftest import build_audit
from tests.test_import_cvat import audit, exported, read
from tests.trips import refused_or_written, trip_audit

__all__ = ["audit"]  # fixture


def _scrambled(archive: bytearray) -> None:
    archive[60:400] = bytes((7 * byte + 13) % 256 for byte in archive[60:400])


def _cut(archive: bytearray) -> None:
    """The directory at its end says more bytes than there are."""
    entry = archive.rfind(b"PK\x01\x02")
    for place in (entry + 20, entry + 24):
        size = int.from_bytes(archive[place : place + 4], "little") + 10**6
        archive[place : place + 4] = size.to_bytes(4, "little")


@pytest.mark.parametrize(("kind", "damage"), [(zipfile.ZIP_LZMA, _scrambled), (zipfile.ZIP_STORED, _cut)])
def test_a_damaged_archive_is_named(
    audit: AuditResult, tmp_path: Path, kind: int, damage: Callable[[bytearray], None]
) -> None:
    file = tmp_path / "task.zip"
    with zipfile.ZipFile(file, "w", kind) as archive:
        archive.writestr("annotations.xml", ET.tostring(exported(audit)))
    content = bytearray(file.read_bytes())
    damage(content)
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"task\.zip: not readable XML \(\w.*\)"):
        cvat.read(file, audit)


def test_two_tags_are_one_too_many(audit: AuditResult, tmp_path: Path) -> None:
    root = exported(audit)
    ET.SubElement(root.findall("image")[2], "tag", label="dog")
    with pytest.raises(DataError, match=r"row 2: 'images/00002\.png' has 2 tags: '\w+', 'dog'\. Leave one"):
        read(root, audit, tmp_path)


def test_an_image_of_nobody(audit: AuditResult, tmp_path: Path) -> None:
    root = exported(audit)
    image = ET.SubElement(root, "image", id="8", name="other.png")
    assert read(root, audit, tmp_path) == []
    ET.SubElement(image, "tag", label="dog")
    with pytest.raises(DataError, match=r"row 8: 'other\.png' is no image of the audit"):
        read(root, audit, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<annotations>", "not readable XML"),
        ("<a/>", "holds <a>, not <annotations>"),
        (
            '<annotations><image name="images/00000.png"><tag label="dog"/></image></annotations>',
            "of no audit",
        ),
        (
            '<annotations><image name="images/00000.png"><tag label="dog"><attribute name="decision">maybe'
            "</attribute></tag></image></annotations>",
            "row 0: no such decision 'maybe'",
        ),
        (
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations><image name="&x;"/></annotations>',
            "not readable XML",
        ),
    ],
)
def test_what_is_refused(audit: AuditResult, tmp_path: Path, text: str, message: str) -> None:
    place = audit.table.schema.get_field_index("given_label")
    cats = audit.table.set_column(place, audit.table.schema.field(place), [["cat"] * len(audit)])
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(DataError, match=message):
        import_answers(tmp_path / "a.xml", "cvat", AuditResult(cats, audit.meta))


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_other_xml_is_refused_in_one_line_or_can_be_written(data: st.DataObject) -> None:
    audit = build_audit(8, n_unlabelled=1, n_unread=0)
    root = exported(audit)
    words = st.sampled_from(
        [
            "",
            "decision",
            "keep",
            "skip",
            "sample_id",
            "run_id",
            "label",
            "name",
            "\\Uffffffff",
            "\\ud800",
            "\\x0",
            "cat",
        ]
    ) | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=3)
    places = [each for each in root.iter() if each.tag in ("image", "tag", "attribute")]
    for place in data.draw(st.lists(st.sampled_from(places), max_size=4)):
        change = data.draw(st.sampled_from(["text", "set", "drop", "add", "clear"]))
        if change == "text":
            place.text = data.draw(words)
        elif change == "set":
            place.set(data.draw(st.sampled_from(["label", "name", "id"])), data.draw(words))
        elif change == "add":
            ET.SubElement(
                place, data.draw(st.sampled_from(["tag", "attribute", "image"])), name=data.draw(words)
            )
        elif change == "clear":
            place.clear()
        else:
            place.attrib.clear()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "annotations.xml")
        ET.ElementTree(root).write(path, "utf-8", xml_declaration=True)
        assert refused_or_written(path, "cvat", audit)


@pytest.mark.parametrize("label", ["\\ud800", "\\Uffffffff", ""])
def test_labels_that_are_no_text(audit: AuditResult, tmp_path: Path, label: str) -> None:
    root = exported(audit)
    tag = root.findall("image")[0].find("tag")
    assert tag is not None
    tag.set("label", label)
    if label.startswith("\\U"):
        assert [each.new_label for each in read(root, audit, tmp_path)] == [label]
        return
    with pytest.raises(DataError, match=r"row 0, column 'label': holds '.*', which is no text"):
        read(root, audit, tmp_path)


@pytest.mark.parametrize(
    "text", [b'<?xml version="1.0" encoding="none-such"?><annotations/>', b"<annotations>"]
)
def test_a_file_that_is_no_xml_is_named(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "odd.xml").write_bytes(text)
    with pytest.raises(DataError, match=r"odd.xml: not readable XML"):
        import_answers(tmp_path / "odd.xml", "cvat", trip_audit())


def test_an_archive_of_more_than_a_limit_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cvat, "LARGEST", 10)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w") as archive:
        archive.writestr(cvat.FILE, "<annotations/>")
    with pytest.raises(DataError, match=r"more than 1 GiB"):
        import_answers(tmp_path / "bomb.zip", "cvat", trip_audit())
