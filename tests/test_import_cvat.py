"""CVAT and back: what people do to the tags of an export, as CVAT writes it out again."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from noiseaudit.decisions import Decision, run_id
from noiseaudit.errors import DataError
from noiseaudit.exports.base import records_of
from noiseaudit.exports.cvat import COLUMNS, MOST_CHARS, annotations_xml, tag_name
from noiseaudit.imports import ANSWERED, cvat, import_answers
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app
from tests.conftest import build_audit
from tests.hostile import HOSTILE, writable
from tests.trips import refused_or_written, trip_audit

KINDS = ("keep", "relabel", "replaced", "ambiguous", "skip", "open")


@pytest.fixture
def audit() -> AuditResult:
    return build_audit(8, n_unlabelled=1, n_unread=0)


def exported(audit: AuditResult) -> ET.Element:
    """As CVAT would write the task that our file made: its tags have the source `file`, its frames all names."""
    rows = records_of(audit, range(len(audit)), COLUMNS)
    return annotations_xml(rows, [(16, 12)] * len(rows), audit.classes, run_id(audit))


def answer(image: ET.Element, kind: str, label: str | None, run: str) -> None:
    """What a person does to an image: set `decision`, change the tag's label, or put another tag in its place."""
    tag = image.find("tag")
    if kind == "replaced" or tag is None:
        if tag is not None:
            image.remove(tag)
        tag = ET.SubElement(image, "tag", label=tag_name(str(label)), source="manual")
        defaults = {"decision": "open", "sample_id": "", "run_id": run}
        for name, value in defaults.items():
            ET.SubElement(tag, "attribute", name=name).text = value
    elif kind == "relabel":
        tag.set("label", tag_name(str(label)))
    else:
        decision = tag.find("attribute[@name='decision']")
        assert decision is not None
        decision.text = kind


def read(root: ET.Element, audit: AuditResult, folder: Path) -> list[Decision]:
    path = folder / "annotations.xml"
    ET.ElementTree(root).write(path, "utf-8", xml_declaration=True)
    return import_answers(path, "cvat", audit).decisions


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_labels_and_ids_are_called_the_answers_come_back(data: st.DataObject) -> None:
    labels = data.draw(st.lists(HOSTILE.filter(writable), min_size=3, max_size=4, unique=True))
    names = data.draw(st.lists(HOSTILE.filter(writable), min_size=8, max_size=8, unique=True))
    audit = build_audit(8, labels, n_unlabelled=1, n_unread=0, images=[f"{i}.png" for i in range(8)])
    place = audit.table.schema.get_field_index("sample_id")
    audit = AuditResult(audit.table.set_column(place, audit.table.schema.field(place), [names]), audit.meta)
    root, run, wanted = exported(audit), run_id(audit), {}
    given_labels = audit.column("given_label").tolist()
    for image, name, label in zip(root.findall("image"), names, given_labels, strict=True):
        other = data.draw(st.sampled_from([each for each in audit.classes if each != label]))
        kind = "replaced" if label is None else data.draw(st.sampled_from(KINDS))
        answer(image, kind, other, run)
        if kind != "open":
            is_new = kind in ("relabel", "replaced")
            wanted[name] = Decision(
                name, "relabel" if is_new else kind, other if is_new else None, run_id=run
            )
    with tempfile.TemporaryDirectory() as folder:
        assert {each.sample_id: each for each in read(root, audit, Path(folder))} == wanted


def test_long_names_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    shared = "$" * 60 + "x" * 60
    labels = [shared, f"{shared}y", "y" * MOST_CHARS, "y" * (MOST_CHARS + 1)]
    audit = build_audit(8, labels, n_unlabelled=0, n_unread=0)
    names = [tag_name(label) for label in audit.classes]
    assert sorted(map(len, names)) == [MOST_CHARS] * 4
    assert len({*names}) == 4
    assert tag_name("y" * MOST_CHARS) == "y" * MOST_CHARS
    root, given_labels = exported(audit), audit.column("given_label").tolist()
    assert read(root, audit, tmp_path) == []  # every tag is still taken for the given label
    others = [next(each for each in labels if each != label) for label in given_labels]
    for image, other in zip(root.findall("image"), others, strict=True):
        answer(image, "relabel", other, run_id(audit))
    assert [each.new_label for each in read(root, audit, tmp_path)] == others


def test_what_nobody_touched_is_no_answer(audit: AuditResult, tmp_path: Path) -> None:
    assert read(exported(audit), audit, tmp_path) == []


def test_a_file_without_an_answer_says_how_one_is_given(audit: AuditResult, tmp_path: Path) -> None:
    audit.write(tmp_path / "audit.parquet")
    root, path = exported(audit), tmp_path / "a.xml"
    words = [
        "import",
        str(path),
        "--from",
        "cvat",
        "--audit",
        str(tmp_path),
        "--out",
        str(tmp_path / "d.csv"),
    ]
    ET.ElementTree(root).write(path, "utf-8")
    result = CliRunner().invoke(app, words)
    hint = f"No row is answered in {path}. {ANSWERED['cvat']}"
    assert (result.exit_code, result.stderr.splitlines()[1:]) == (0, [hint])
    answer(root.findall("image")[0], "keep", None, run_id(audit))
    ET.ElementTree(root).write(path, "utf-8")
    assert "No row" not in CliRunner().invoke(app, [*words, "--force"]).stderr


def test_the_archive_is_read_too(audit: AuditResult, tmp_path: Path) -> None:
    root = exported(audit)
    answer(root.findall("image")[0], "keep", None, run_id(audit))
    found = read(root, audit, tmp_path)
    with zipfile.ZipFile(tmp_path / "task.zip", "w") as archive:
        archive.write(tmp_path / "annotations.xml", "annotations.xml")
    assert import_answers(tmp_path / "task.zip", "cvat", audit).decisions == found
    assert [each.decision for each in found] == ["keep"]
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("x", "")
    with pytest.raises(DataError, match=r"the archive holds no annotations\.xml"):
        import_answers(tmp_path / "other.zip", "cvat", audit)


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


def test_one_image_of_two_rows_takes_the_sample(tmp_path: Path) -> None:
    audit = build_audit(8, n_unlabelled=0, n_unread=0)
    place = audit.table.schema.get_field_index("image")
    same = [["same.png"] * 8]
    audit = AuditResult(audit.table.set_column(place, audit.table.schema.field(place), same), audit.meta)
    root = exported(audit)
    answer(root.findall("image")[3], "keep", None, run_id(audit))
    assert [each.sample_id for each in read(root, audit, tmp_path)] == [audit.column("sample_id")[3]]
    answer(root.findall("image")[3], "replaced", "dog", run_id(audit))
    with pytest.raises(DataError, match=r"8 rows have the image 'same\.png', and the tag does not say which"):
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
