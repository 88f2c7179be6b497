"""Hugging Face, ImageFolder, FiftyOne and CVAT: the right image under the right label, and what is left out is said."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from os.path import splitext
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from noiseaudit.clean import clean_labels
from noiseaudit.decided import Decided
from noiseaudit.decisions import Decision, run_id, write_decisions
from noiseaudit.errors import ConfigError, DataError, OutputError
from noiseaudit.exports import FORMATS, export_audit, fiftyone
from noiseaudit.exports.base import ExportOptions
from noiseaudit.exports.cvat import MOST_CHARS, tag_name
from noiseaudit.exports.huggingface import split_of
from noiseaudit.exports.pictures import find_pictures
from noiseaudit.labels import read_labels
from noiseaudit.labels.table import Source
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.runjson import write_run_json
from noiseaudit_cli.main import app
from tests.conftest import build_audit
from tests.trips import HEIGHT, WIDTH, draw_images, trip_audit

N, UNREAD = 20, 19
FOLDERS = [name for name, kind in FORMATS.items() if not kind.kinds]


@pytest.fixture
def audit(tmp_path: Path) -> AuditResult:
    """Every fourth row is of the test split; the last one's image is missing, two before have no label."""
    made = trip_audit(N)
    splits = pa.array([("Test", "dev", None, "train")[i % 4] for i in range(N)])
    table = made.table.set_column(SCHEMA.names.index("split"), SCHEMA.field("split"), splits)
    draw_images(made, tmp_path / "photos")
    return AuditResult(table, made.meta)


def options(tmp_path: Path, **more: Any) -> ExportOptions:
    return ExportOptions(pictures=find_pictures({}, tmp_path / "photos"), **more)


def same_image(path: Path, row: int, audit: AuditResult, tmp_path: Path) -> bool:
    wanted: bytes = (tmp_path / "photos" / audit.column("image")[row]).read_bytes()
    return path.read_bytes() == wanted


def test_hugging_face(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = export_audit(audit, "huggingface", out, options(tmp_path))
    assert (done.rows, done.notes) == (19, ("Left out because the image could not be read: 1.",))
    assert {path.name for path in out.iterdir() if path.is_dir()} == {"train", "validation", "test"}
    rows = {row["sample_id"]: row for row in audit.table.to_pylist()}
    seen = []
    for folder in ("train", "validation", "test"):
        with pq.ParquetFile(out / folder / "metadata.parquet") as file:
            table = file.read()
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        assert features["label"] == {"names": list(audit.classes), "_type": "ClassLabel"}
        assert features["p_mislabeled"] == {"dtype": "float64", "_type": "Value"}
        assert list(features) == table.schema.names
        for found in table.to_pylist():
            row = rows[found["sample_id"]]
            assert split_of(row["split"]) == folder
            assert same_image(out / folder / found["file_name"], row["row"], audit, tmp_path)
            label = found["label"]
            assert (None if label is None else audit.classes[label]) == row["given_label"]
            assert audit.classes[found["suggested_label"]] == row["suggested_label"]
            assert [found[name] for name in ("p_mislabeled", "is_label_issue", "rank", "split")] == [
                row[name] for name in ("p_mislabeled", "is_label_issue", "rank", "split")
            ]
            seen.append(row["row"])
    assert sorted(seen) == [*range(UNREAD)]


@pytest.mark.parametrize(
    ("text", "folder"),
    [(None, "train"), ("train", "train"), ("fold 3", "train"), (" VAL ", "validation"), ("eval", "test")],
)
def test_splits(text: str | None, folder: str) -> None:
    assert split_of(text) == folder


@pytest.mark.parametrize("policy", ["relabel", "blank", "drop", "none"])
@pytest.mark.parametrize("include_test", [False, True])
def test_the_tree_holds_what_clean_writes(
    audit: AuditResult, tmp_path: Path, policy: str, include_test: bool
) -> None:
    columns = ("sample_id", "image", "given_label")
    cells = zip(*(audit.column(name).tolist() for name in columns), strict=True)
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("id", "image", "label"), *cells])
    source = Source(tmp_path / "labels.csv", "csv", "label", image_column="image", id_column="id")
    suspects = [row for row, flag in enumerate(audit.suspects().tolist()) if flag]
    said = Decided(
        labels={suspects[0]: "a/new:label"},
        confirmed=frozenset(suspects[1:2]),
        unclear=frozenset(suspects[2:3]),
    )
    asked: dict[str, Any] = {"policy": policy, "decided": said, "include_test": include_test}
    clean_labels(audit, source, tmp_path / "clean.csv", **asked)
    with (tmp_path / "clean.csv").open(newline="") as file:
        wanted = {row["id"]: row["label"] for row in csv.DictReader(file) if row["label"]}
    missing = audit.column("sample_id")[UNREAD]
    wanted.pop(missing, None)
    out = tmp_path / "out"
    done = export_audit(audit, "imagefolder", out, options(tmp_path, **asked))
    with pq.ParquetFile(out / "noiseaudit-rows.parquet") as file:
        rows = file.read().to_pylist()
    found = {row["sample_id"]: row for row in rows if row["file"]}
    assert {name: row["label"] for name, row in found.items()} == wanted
    assert done.rows == len(wanted)
    for row in found.values():
        folder = row["file"].split("/")[0]
        assert "%~" in folder or unquote(folder) == row["label"]
        assert same_image(out / row["file"], row["row"], audit, tmp_path)
    files = [path for path in out.rglob("*") if path.is_file() and path.parent != out]
    assert len(files) == len(wanted)
    assert {path.parent.name for path in files} == {row["file"].split("/")[0] for row in found.values()}


def test_the_tree_needs_to_know_what_to_do(audit: AuditResult, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither --policy nor --decisions is given"):
        export_audit(audit, "imagefolder", tmp_path / "out", options(tmp_path))


def test_decisions_on_the_command_line(audit: AuditResult, tmp_path: Path) -> None:
    audit.write(tmp_path / "audit.parquet")
    first = audit.column("sample_id")[0]
    write_decisions(tmp_path / "d.csv", [Decision(first, "relabel", "NA", "ann", None, run_id(audit))])
    words = ["export", tmp_path, "--format", "imagefolder", "--out", tmp_path / "out", "--copy"]
    words += ["--images", tmp_path / "photos", "--decisions", tmp_path / "d.csv"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.stderr
    assert "17 rows in" in result.stderr
    assert "Left out because there is no label: 2." in result.stderr
    assert (tmp_path / "out" / "NA" / "0000.png").is_file()
    assert not (tmp_path / "out" / "NA" / "0000.png").is_symlink()


def test_fiftyone(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_audit(audit, "fiftyone", out, options(tmp_path))
    labels, suggestions = (
        json.loads((out / f"{name}.json").read_text()) for name in ("labels", "suggestions")
    )
    assert labels["classes"] == suggestions["classes"] == list(audit.classes)
    files = {path.name.rsplit(".", 1)[0]: path for path in (out / "data").iterdir()}
    assert files.keys() == labels["labels"].keys() == suggestions["labels"].keys()
    rows = {row["sample_id"]: row for row in audit.table.to_pylist()}
    for key, suggested in suggestions["labels"].items():
        row, given = rows[suggested["attributes"]["sample_id"]], labels["labels"][key]
        assert same_image(files[key], row["row"], audit, tmp_path)
        assert (suggested["label"], suggested["confidence"]) == (row["suggested_label"], row["p_suggested"])
        if row["given_label"] is None:
            assert given is None
            continue
        assert given["label"] == row["given_label"]
        facts = given["attributes"]
        assert (facts["p_mislabeled"], facts["is_label_issue"]) == (
            row["p_mislabeled"],
            row["is_label_issue"],
        )


def test_cvat(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export_audit(audit, "cvat", out, options(tmp_path, everything=True)).rows == 19
    root = ET.parse(out / "annotations.xml").getroot()
    assert [part.tag for part in root][:3] == ["version", "meta", "image"]
    named = [label.findtext("name") for label in root.iterfind("meta/task/labels/label")]
    assert named == [tag_name(label) for label in audit.classes]
    assert max(len(str(name)) for name in named) == MOST_CHARS  # one class has a name of hundreds
    images = root.findall("image")
    rows = {row["image"]: row for row in audit.table.to_pylist()}
    assert [image.get("id") for image in images] == [str(i) for i in range(19)]
    assert (out / "images.txt").read_text().splitlines() == [image.get("name") for image in images]
    for image in images:
        row, tags = rows[str(image.get("name"))], image.findall("tag")
        assert (image.get("width"), image.get("height")) == (str(WIDTH), str(HEIGHT))
        if row["given_label"] is None:
            assert tags == []
            continue
        assert tags[0].get("label") == tag_name(row["given_label"])
        facts = {part.get("name"): part.text for part in tags[0].findall("attribute")}
        assert (facts["decision"], facts["run_id"]) == ("open", run_id(audit))
        assert facts["sample_id"] == row["sample_id"]
    labels = json.loads((out / "labels.json").read_text())
    assert [label["name"] for label in labels] == [tag_name(label) for label in audit.classes]
    run = next(each for each in labels[0]["attributes"] if each["name"] == "run_id")
    assert run["default_value"] == run_id(audit)  # of a tag that a person adds


def test_cvat_takes_the_labels(audit: AuditResult, tmp_path: Path) -> None:
    """What its constructor and its server ask of labels: limits of characters, and no two alike, ends trimmed."""
    export_audit(audit, "cvat", tmp_path / "out", options(tmp_path))
    labels = json.loads((tmp_path / "out" / "labels.json").read_text())
    names = [label["name"] for label in labels]
    assert [name.strip() for name in names] == names
    assert len({*names}) == len(names)
    assert {label["type"] for label in labels} == {"tag"}
    for label in labels:
        assert 0 < len(label["name"]) <= 64
        for part in label["attributes"]:
            values = part["values"]
            assert len({value.strip() for value in values}) == len(values) > 0
            assert max(map(len, values)) <= 200
            assert len(part["default_value"]) <= 128
            assert part["default_value"] in values
            assert (part["mutable"], part["input_type"] in ("select", "text")) == (False, True)
            assert 0 < len(part["name"]) <= 64


def test_cvat_knows_an_image_by_its_name_without_suffix(tmp_path: Path) -> None:
    names = ["a/1.png", "a/1.jpg", "b/1.png"]
    for name in names:
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 3)).save(tmp_path / "photos" / name)
    audit = build_audit(3, n_unlabelled=0, n_unread=0, images=names, cutoff=0.0)
    done = export_audit(audit, "cvat", tmp_path / "out", options(tmp_path))
    assert (done.rows, done.notes) == (
        2, ("Left out because another image has the same name, suffix aside: 1.",),
    )  # fmt: skip


def test_cvat_cannot_hold_every_name(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    audit = build_audit(3, n_unlabelled=0, n_unread=0, images=["a\n.png", "b", "c"], cutoff=0.0)
    with pytest.raises(DataError, match=r"row 0, column 'image': 'a\\n\.png' has characters"):
        export_audit(audit, "cvat", tmp_path / "out", options(tmp_path))


def named(tmp_path: Path, images: list[str]) -> AuditResult:
    """An audit of such files, each another picture."""
    audit = build_audit(len(images), n_unlabelled=0, n_unread=0, images=images)
    for i, name in enumerate(images):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 3), i).save(tmp_path / "photos" / name, format="png")
    return audit


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize(
    "name", ["metadata.parquet", "sub/Metadata.PARQUET", "metadata.csv", "metadata.jsonl"]
)
def test_the_table_of_hugging_face_takes_no_image_s_place(tmp_path: Path, name: str, copy: bool) -> None:
    audit = named(tmp_path, [name, "b.png", "c.png", "metadata.png"])
    before = (tmp_path / "photos" / name).read_bytes()
    export_audit(audit, "huggingface", tmp_path / "out", options(tmp_path, copy=copy))
    assert (tmp_path / "photos" / name).read_bytes() == before
    found: dict[str, Path] = {}
    for table in (tmp_path / "out").glob("*/metadata.parquet"):
        with pq.ParquetFile(table) as file:
            found |= {row["sample_id"]: table.parent / row["file_name"] for row in file.read().to_pylist()}
    assert len(found) == 4
    for row in range(4):
        assert same_image(found[audit.column("sample_id")[row]], row, audit, tmp_path)
    assert found["metadata.png"].name == "metadata.png"


def test_a_class_like_a_file_of_ours(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    labels = ["noiseaudit-export.json", "noiseaudit-rows.parquet"]
    audit = build_audit(4, labels, n_unlabelled=0, n_unread=0, images=[f"{i}.png" for i in range(4)])
    draw_images(audit, tmp_path / "photos")
    out = tmp_path / "out"
    export_audit(audit, "imagefolder", out, options(tmp_path, policy="none"))
    assert (out / "noiseaudit-export.json").is_file()
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == [f"%6E{x[1:]}" for x in labels]
    table = read_labels(out)
    assert (len(table.given_label), table.warnings) == (4, ())


def test_fiftyone_knows_images_by_names_with_dots_and_no_suffix(tmp_path: Path) -> None:
    images = [f"1.2.840.113619.{17625831000 + i}" for i in range(12)] + ["1.2.840.113619.png", "a.b", "a.c"]
    audit = named(tmp_path, images)
    out = tmp_path / "out"
    assert export_audit(audit, "fiftyone", out, options(tmp_path)).rows == 15
    labels = json.loads((out / "labels.json").read_text())["labels"]
    files = {splitext(path.name)[0]: path for path in (out / "data").iterdir()}  # as FiftyOne does
    assert len(labels) == 15
    assert labels.keys() == files.keys()
    rows = {name: row for row, name in enumerate(audit.column("sample_id").tolist())}
    for key, label in labels.items():
        row = rows[label["attributes"]["sample_id"]]
        assert same_image(files[key], row, audit, tmp_path)
        assert label["label"] == audit.column("given_label")[row]


def test_fiftyone_loses_no_label_in_silence(
    audit: AuditResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fiftyone, "place_all", lambda out, rows, **more: dict.fromkeys(rows, "data/1.png"))
    with pytest.raises(OutputError, match="only 1 of 19 labels: images share a name"):
        export_audit(audit, "fiftyone", tmp_path / "out", options(tmp_path))


@pytest.mark.parametrize("format_", ["huggingface", "fiftyone"])
@pytest.mark.parametrize("copy", [False, True])
def test_links_or_copies(audit: AuditResult, tmp_path: Path, format_: str, copy: bool) -> None:
    export_audit(audit, format_, tmp_path / "out", options(tmp_path, copy=copy))
    files = [*(tmp_path / "out").rglob("*.png")]
    assert len(files) == 19
    assert {file.is_symlink() for file in files} == {not copy}


@pytest.mark.parametrize("format_", ["huggingface", "imagefolder", "fiftyone"])
def test_an_image_that_is_gone_leaves_nothing_behind(
    audit: AuditResult, tmp_path: Path, format_: str
) -> None:
    (tmp_path / "photos" / audit.column("image")[4]).unlink()
    asked = options(tmp_path, policy="none") if format_ == "imagefolder" else options(tmp_path)
    with pytest.raises(DataError, match=r"0004\.png: the image is gone\. Say where the images are now"):
        export_audit(audit, format_, tmp_path / "out", asked)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


@pytest.mark.parametrize("format_", FOLDERS)
def test_an_audit_of_embeddings_has_no_images(tmp_path: Path, format_: str) -> None:
    audit = build_audit(12)
    place = SCHEMA.names.index("image")
    table = audit.table.set_column(place, SCHEMA.field("image"), pa.nulls(12, pa.string()))
    (tmp_path / "photos").mkdir()
    asked = options(tmp_path, policy="none") if format_ == "imagefolder" else options(tmp_path)
    with pytest.raises(ConfigError, match="the audit is of embeddings"):
        export_audit(AuditResult(table, audit.meta), format_, tmp_path / "out", asked)


@pytest.mark.parametrize(
    ("format_", "asked", "flag"),
    [
        ("cleanlab", {"copy": True}, "--copy"),
        ("label-studio", {"policy": "relabel"}, "--policy"),
        ("huggingface", {"everything": True}, "--all"),
        ("cvat", {"document_root": Path("x")}, "--document-root"),
        ("fiftyone", {"include_test": True}, "--include-test"),
        ("cvat", {"decided": Decided(confirmed=frozenset({1}))}, "--decisions"),
    ],
)
def test_no_option_does_nothing(format_: str, asked: dict[str, Any], flag: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{flag} is of no use to --format {format_}"):
        export_audit(build_audit(12), format_, tmp_path / "a.csv", ExportOptions(**asked))


def test_a_folder_in_use_is_left_alone(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="even --force does not replace it"):
        export_audit(audit, "fiftyone", out, options(tmp_path), force=True)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is not a folder"):
        export_audit(audit, "fiftyone", tmp_path / "file", options(tmp_path))
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_an_export_is_not_replaced_by_one_of_its_own_images(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_audit(audit, "huggingface", out, options(tmp_path, copy=True))
    own = ExportOptions(pictures=find_pictures({}, out / "train"))
    with pytest.raises(OutputError, match="--force would delete the input"):
        export_audit(audit, "huggingface", out, own, force=True)
    assert (out / "train" / "metadata.parquet").is_file()


@pytest.mark.parametrize("format_", [name for name in FOLDERS if name != "imagefolder"])
def test_the_commands(audit: AuditResult, tmp_path: Path, format_: str) -> None:
    """By run.json, which says where the images are; once more only by --force."""
    run = tmp_path / "run"
    run.mkdir()
    audit.write(run / "audit.parquet")
    paths = {"images": str(tmp_path / "photos"), "allow_roots": []}
    write_run_json(run, {"status": "complete", "paths": paths})
    words = ["export", str(run), "--format", format_, "--out", str(tmp_path / "out")]
    first, again, forced = (CliRunner().invoke(app, [*words, *more]) for more in ([], [], ["--force"]))
    assert (first.exit_code, again.exit_code, forced.exit_code) == (0, 2, 0), (first.stderr, forced.stderr)
    assert "Give --force to replace it" in again.stderr
    marker = json.loads((tmp_path / "out" / "noiseaudit-export.json").read_text())
    assert (marker["format"], marker["run_id"]) == (format_, run_id(audit))
    assert f"{marker['rows']} rows in" in first.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos", "run"]
