"""--trusted and --noise-rate: which labels are known to be right, and which methods may be told."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from typer.testing import CliRunner

from noiseaudit.audit import run_audit
from noiseaudit.config import AuditConfig
from noiseaudit.demo import write_digits
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.estimator import NoiseAuditClassifier
from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import LabelTable
from noiseaudit.learn import usable_data
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.result import read_audit
from noiseaudit.samples import Samples
from noiseaudit.trusted import with_trusted
from noiseaudit_cli import scan as scan_command
from noiseaudit_cli.main import app

N, UNLABELLED = 60, 30
TRUSTED = list(range(20))  # two of each digit: the demo goes 0, 1, 2, ... round
QUICK = AuditConfig(method="reweight", epochs=2, device="cpu", settings={"hidden": 16})


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 digits, of which the 30th is unlabelled, and a column that trusts the first 20."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, limit=N)
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    lines = ["image,label,checked,key"]
    for i, (image, label) in enumerate(rows):
        checked = ["no", "Yes"][i in TRUSTED]
        lines.append(f"{image},{'' if i == UNLABELLED else label},{checked},k{i}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def data(digits: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(digits, tmp_path / "data"))


@pytest.fixture
def table(digits: Path) -> LabelTable:
    return read_labels(digits / "labels.csv")


def marked(table: LabelTable, trusted: Any) -> list[int]:
    found = with_trusted(table, trusted).trusted
    assert found is not None
    assert found.dtype == np.bool_
    return [int(row) for row in np.flatnonzero(found)]


def names(rows: list[int]) -> list[str]:
    return [f"{row:04d}.png" for row in rows]


def text(folder: Path) -> Path:
    file = folder / "ids.txt"
    file.write_text("\ufeff" + "\r\n".join(names(TRUSTED)) + "\r\n\r\n", "utf-8")
    return file


def csv_of_images(folder: Path) -> Path:
    file = folder / "ids.csv"
    file.write_text("Image;why\n" + "".join(f"{name};x\n" for name in names(TRUSTED)))
    return file


def jsonl_of_ids(folder: Path) -> Path:
    file = folder / "ids.jsonl"
    file.write_text("".join(json.dumps({"sample_id": name}) + "\n" for name in names(TRUSTED)))
    return file


def parquet_of_ids(folder: Path) -> Path:
    pq.write_table(pa.table({"sample_id": names(TRUSTED)}), folder / "ids.parquet")
    return folder / "ids.parquet"


@pytest.mark.parametrize("write", [text, csv_of_images, jsonl_of_ids, parquet_of_ids])
def test_a_file_names_the_trusted_rows(table: LabelTable, tmp_path: Path, write: Callable[..., Path]) -> None:
    assert marked(table, write(tmp_path)) == TRUSTED
    assert marked(table, str(write(tmp_path))) == TRUSTED


def test_ids_of_a_named_column_and_image_paths_both_do(digits: Path, tmp_path: Path) -> None:
    table = read_labels(digits / "labels.csv", columns=ColumnNames(id="key"))
    (tmp_path / "a.csv").write_text("key\n" + "".join(f"k{row}\n" for row in TRUSTED))
    assert marked(table, tmp_path / "a.csv") == TRUSTED
    assert marked(table, text(tmp_path)) == TRUSTED  # image paths


def test_a_column_names_the_trusted_rows(table: LabelTable) -> None:
    assert marked(table, "checked") == TRUSTED


def test_a_file_goes_before_a_column_of_its_name(
    table: LabelTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checked").mkdir()  # a folder is no file
    assert marked(table, "checked") == TRUSTED
    (tmp_path / "checked").rmdir()
    (tmp_path / "checked").write_text("\n".join(names(list(range(10)))))
    assert marked(table, "checked") == list(range(10))


@pytest.mark.parametrize("cells", [[True, False], [1, 0], [1.0, 0.0], ["TRUE", "false"], [" yes", "No"]])
def test_columns_of_several_types(tmp_path: Path, cells: list[Any]) -> None:
    yes, no = cells
    frame = {"id": list("abcd"), "label": list("xyxy"), "ok": [yes, yes, no, no]}
    pq.write_table(pa.table(frame), tmp_path / "labels.parquet")
    table = read_labels(tmp_path / "labels.parquet", images_required=False)
    assert marked(table, "ok") == [0, 1]


def test_an_array_names_the_trusted_rows(table: LabelTable) -> None:
    assert marked(table, np.arange(N) < 20) == TRUSTED
    assert marked(table, [row < 20 for row in range(N)]) == TRUSTED


def write_text(data: Path, lines: list[str], name: str = "ids.txt") -> list[str]:
    (data / name).write_text("\n".join(lines) + "\n")
    return [str(data / name)]


def absent_file(data: Path) -> list[str]:
    return [str(data / "idz.txt")]


def near_column(data: Path) -> list[str]:
    return ["cheked"]


def odd_column(data: Path) -> list[str]:
    return ["label"]


def empty_cell(data: Path) -> list[str]:
    lines = (data / "labels.csv").read_text().replace(",no,k25", ",,k25")
    (data / "labels.csv").write_text(lines)
    return ["checked"]


def unlabelled_in_column(data: Path) -> list[str]:
    lines = (data / "labels.csv").read_text().replace(",no,k30", ",yes,k30")
    (data / "labels.csv").write_text(lines)
    return ["checked"]


def unlabelled_in_file(data: Path) -> list[str]:
    return write_text(data, names([0, 1, UNLABELLED]))


def unknown_id(data: Path) -> list[str]:
    return write_text(data, [*names([0, 1]), "", "0400.png"])


def no_id_known(data: Path) -> list[str]:
    return write_text(data, ["0", "1"])


def twice(data: Path) -> list[str]:
    return write_text(data, ["image", *names([0, 1, 0])], "ids.csv")


def empty_name(data: Path) -> list[str]:
    return write_text(data, ["image,x", "0000.png,1", ",1"], "ids.csv")


def no_key_column(data: Path) -> list[str]:
    return write_text(data, ["name", *names([0, 1])], "ids.csv")


def empty_file(data: Path) -> list[str]:
    return write_text(data, [""])


def header_only(data: Path) -> list[str]:
    return write_text(data, ["image"], "ids.csv")


def not_utf_8(data: Path) -> list[str]:
    (data / "ids.txt").write_bytes("é".encode("utf-16"))
    return [str(data / "ids.txt")]


def class_without(data: Path) -> list[str]:
    return write_text(data, names([*range(3), 13]))


def all_of_them(data: Path) -> list[str]:
    return write_text(data, names([row for row in range(N) if row != UNLABELLED]))


def damaged_parquet(data: Path) -> list[str]:
    return write_text(data, ["PAR1"], "ids.parquet")


def class_unreadable(data: Path) -> list[str]:
    """Row 0 and 10 are the trusted zeros."""
    for row in (0, 10):
        (data / "images" / f"{row:04d}.png").write_bytes(b"")
    return ["checked"]


CASES: list[tuple[Callable[[Path], list[str]], tuple[str, ...]]] = [
    (absent_file, ("--trusted", "idz.txt", "no such file", "labels.csv", "'checked'")),
    (near_column, ("--trusted", "'cheked'", "Did you mean 'checked'")),
    (odd_column, ("--trusted", "row 2", "column 'label'", "'2'", "true or false")),
    (empty_cell, ("--trusted", "row 25", "column 'checked'", "''")),
    (unlabelled_in_column, ("row 30", "column 'checked'", "unlabelled")),
    (unlabelled_in_file, ("ids.txt", "line 3", "'0030.png'", "unlabelled", "row 30")),
    (unknown_id, ("ids.txt", "line 4", "'0400.png'", "not in the label file", "'0000.png'")),
    (no_id_known, ("ids.txt", "line 1", "'0'", "not in the label file")),
    (twice, ("ids.csv", "line 4", "column 'image'", "'0000.png' stands twice")),
    (empty_name, ("ids.csv", "line 3", "column 'image'", "empty")),
    (no_key_column, ("ids.csv", "no column names the rows", "sample_id", "image", "'name'")),
    (empty_file, ("ids.txt", "no rows")),
    (header_only, ("ids.csv", "no rows")),
    (not_utf_8, ("ids.txt", "UTF-8")),
    (class_without, ("--trusted", "6 of 10 classes", "'4', '5', '6', '7', '8' and 1 more")),
    (all_of_them, ("--trusted", "every label is trusted")),
    (damaged_parquet, ("ids.parquet", "Parquet")),
    (class_unreadable, ("--trusted", "1 of 10 classes", "'0'")),
]


def scan(data: Path, *options: str) -> Any:
    common = ["--images", str(data / "images"), "--out", str(data.parent / "run"), "--epochs", "2"]
    return CliRunner().invoke(app, ["scan", str(data / "labels.csv"), *common, "--device", "cpu", *options])


def stops(result: Any, *words: str) -> str:
    assert result.exit_code == 2, result.stderr
    (line,) = (line for line in result.stderr.splitlines() if not line.startswith("Read "))
    assert line.startswith("error: ")
    for word in words:
        assert word in line
    return str(line)


@pytest.mark.parametrize(("spoil", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_what_cannot_be_trusted_stops_the_scan(
    data: Path, spoil: Callable[[Path], list[str]], words: tuple[str, ...]
) -> None:
    (value,) = spoil(data)
    stops(scan(data, "--method", "reweight", "--trusted", value), *words)
    assert [path.name for path in data.parent.iterdir()] == ["data"]


def test_an_image_of_two_rows_must_be_named_by_its_id(data: Path) -> None:
    with (data / "labels.csv").open("a") as file:
        file.write("0000.png,3,no,k60\n")
    (data / "ids.csv").write_text("image\n0000.png\n")
    table = read_labels(data / "labels.csv")
    with pytest.raises(DataError, match=r"line 2, column 'image': '0000\.png' is the image of 2 rows"):
        with_trusted(table, data / "ids.csv")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros(N - 1, np.bool_), r"bool with shape \(59,\)\. Give a bool for each of the 60 rows"),
        (np.ones(N), r"float64 with shape \(60,\)"),
        (np.ones(N, np.bool_), "row 30: trusted, but unlabelled"),
        (np.zeros(N, np.bool_), "10 of 10 classes have no trusted label"),
    ],
)
def test_arrays_that_will_not_do(table: LabelTable, value: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        with_trusted(table, value)


def test_a_folder_tree_has_no_columns(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"no such file, and no column of .*Give a file of sample ids"):
        with_trusted(read_labels(tmp_path), "checked")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "reweight"], ("--method reweight needs --trusted FILE|COLUMN",)),
        (["--method", "mislabeled_vae"], ("--method mislabeled_vae needs --noise-rate R",)),
        (["--trusted", "checked"], ("--method umn_plus does not use --trusted", "--method reweight")),
        (["--noise-rate", "0.2"], ("--method umn_plus does not use --noise-rate", "mislabeled_vae")),
        (
            ["--method", "reweight", "--trusted", "checked", "--noise-rate", "0.2"],
            ("--method reweight does not use --noise-rate",),
        ),
        (["--noise-rate", "0"], ("--noise-rate", "above 0 and below 1")),
        (["--noise-rate", "1"], ("--noise-rate", "above 0 and below 1")),
        (["--noise-rate", "nan"], ("--noise-rate", "above 0 and below 1")),
    ],
    ids=" ".join,
)
def test_options_that_are_missing_or_do_nothing_stop_the_scan(
    tmp_path: Path, options: list[str], words: tuple[str, ...]
) -> None:
    """Before anything is read: there is no label file."""
    stops(scan(tmp_path / "absent", *options), *words)


def test_a_scan_with_trusted_labels(data: Path) -> None:
    """They are scored like all others, and the audit says that they were there."""
    (data / "ids.txt").write_text("\n".join(names(TRUSTED)))
    (data / "run.json").write_text('{"status": "complete"}')  # --force would replace this folder
    options = ["--method", "reweight", "--trusted", str(data / "ids.txt")]
    stops(scan(data, *options, "--out", str(data), "--force"), "would delete the input")
    result = scan(data, *options)
    assert result.exit_code == 0, result.stderr
    audit = read_audit(data.parent / "run")
    assert np.isfinite(audit.column("p_mislabeled")[TRUSTED]).all()
    assert audit.meta.config["chosen"]["trusted"] == 20
    run = json.loads((data.parent / "run" / "run.json").read_text())
    assert run["paths"]["trusted"] == str(data / "ids.txt")


def test_the_audit_depends_on_which_labels_are_trusted_not_on_how_that_is_said(
    digits: Path, tmp_path: Path
) -> None:
    def audit(trusted: Any, source: Any = digits / "labels.csv") -> Any:
        return run_audit(source, digits / "images", config=QUICK, trusted=trusted).result

    frame = pd.read_csv(digits / "labels.csv", dtype=str)
    frame["checked"] = frame["checked"] == "Yes"
    by_file, by_column = audit(text(tmp_path)), audit("checked")
    by_array, by_frame = audit(np.arange(N) < 20), audit("checked", frame)
    by_table = audit(None, with_trusted(read_labels(digits / "labels.csv"), "checked"))
    other = audit(np.arange(N) < 21)
    for same in (by_column, by_array, by_frame, by_table):
        assert same.meta.data_fingerprint == by_file.meta.data_fingerprint
        assert same.table.equals(by_file.table)
    assert other.meta.data_fingerprint != by_file.meta.data_fingerprint
    plain = run_audit(digits / "labels.csv", digits / "images", config=AuditConfig(epochs=1, device="cpu"))
    assert "trusted" not in plain.result.meta.config["chosen"]


def test_marks_stay_with_their_rows_where_images_are_missing(table: LabelTable) -> None:
    status = np.full(N, "ok", dtype=np.object_)
    status[[0, 3, 40]] = "missing"
    samples = Samples(torch.zeros(N, 1, 2, 2), status, np.full(N, None, dtype=np.object_), "sha256:0")
    data = usable_data(with_trusted(table, "checked"), samples)
    assert data.trusted is not None
    assert data.usable[data.trusted].tolist() == [row for row in TRUSTED if row not in (0, 3)]
    assert usable_data(table, samples).trusted is None


def test_run_audit_checks_before_it_reads(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--method reweight needs --trusted"):
        run_audit(tmp_path / "absent.csv", tmp_path, config=QUICK)
    with pytest.raises(ConfigError, match="--method umn_plus does not use --trusted"):
        run_audit(tmp_path / "absent.csv", tmp_path, trusted="checked")


def test_the_noise_rate_is_recorded(digits: Path) -> None:
    config = AuditConfig(
        method="mislabeled_vae", noise_rate=0.3, epochs=1, device="cpu", settings={"hidden": 16}
    )
    audit = run_audit(digits / "labels.csv", digits / "images", config=config)
    assert audit.result.meta.config["asked"]["noise_rate"] == 0.3


def test_the_estimator_takes_both() -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    y = (x[:, 0] > 0).astype(int)
    model = NoiseAuditClassifier(method="reweight", epochs=2, random_state=0, device="cpu")
    with pytest.raises(ConfigError, match="needs --trusted"):
        model.fit(x, y)
    model.fit(x, y, is_trusted=np.arange(40) < 20)
    assert model.audit_.meta.config["chosen"]["trusted"] == 20
    assert np.isfinite(model.p_mislabeled_).all()
    rated = NoiseAuditClassifier(
        method="mislabeled_vae", noise_rate=0.1, epochs=1, random_state=0, device="cpu"
    )
    assert rated.fit(x, y).audit_.meta.config["asked"]["noise_rate"] == 0.1


@pytest.mark.parametrize("way", ["run_audit", "scan", "estimator"])
@pytest.mark.parametrize("name", ["reweight", "mislabeled_vae"])
def test_what_a_method_needs_reaches_it(
    data: Path, monkeypatch: pytest.MonkeyPatch, name: str, way: str
) -> None:
    seen: list[Setup] = []
    kind: Any = METHODS[name]

    build = kind.__init__

    def spy(self: Any, setup: Setup, settings: Any) -> None:
        seen.append(setup)
        build(self, setup, settings)

    monkeypatch.setattr(kind, "__init__", spy)
    trusts = name == "reweight"
    rate = None if trusts else 0.3
    if way == "run_audit":
        config = AuditConfig(method=name, noise_rate=rate, epochs=1, device="cpu")
        trusted = "checked" if trusts else None
        run_audit(data / "labels.csv", data / "images", config=config, trusted=trusted)
    elif way == "scan":
        asked = ["--trusted", "checked"] if trusts else ["--noise-rate", "0.3"]
        assert scan(data, "--method", name, *asked).exit_code == 0
    else:
        vectors, y = np.random.default_rng(0).normal(size=(N, 3)), np.arange(N) % 10
        model = NoiseAuditClassifier(method=name, noise_rate=rate, epochs=1, random_state=0, device="cpu")
        flags = np.isin(np.arange(N), TRUSTED) if trusts else None
        model.fit(vectors, y, is_labelled=np.arange(N) != UNLABELLED, is_trusted=flags)
    (setup,) = seen
    assert setup.noise_rate == rate
    if trusts:
        assert setup.data.trusted is not None
        assert setup.data.usable[setup.data.trusted].tolist() == TRUSTED
    else:
        assert setup.data.trusted is None


def test_help_lists_every_method_and_who_needs_what() -> None:
    """The command does not import the methods for its help, which would load torch."""
    hints = get_type_hints(scan_command.scan, include_extras=True)

    def words(option: str) -> set[str]:
        return set(re.findall(r"\w+", hints[option].__metadata__[0].help))

    assert words("method") - {"as", "the", "paper", "has", "it", "or"} == set(METHODS)
    for option in ("noise_rate", "trusted"):
        users = {name for name, kind in METHODS.items() if option in kind.needs}
        assert words(option) & set(METHODS) == users
