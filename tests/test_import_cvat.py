"""CVAT and back: what people do to the tags of an export, as CVAT writes it out again."""

from __future__ import annotations

import tempfile
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from noiseaudit.decisions import Decision, run_id
from noiseaudit.errors import DataError
from noiseaudit.exports.base import records_of
from noiseaudit.exports.cvat import COLUMNS, MOST_CHARS, annotations_xml, tag_name
from noiseaudit.imports import ANSWERED, import_answers
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app
from tests.conftest import build_audit
from tests.hostile import HOSTILE, writable

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
