"""compare from the command line: truth from either file, images, and what it refuses or leaves behind."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from noiseaudit.compare.case import Case
from noiseaudit.compare.tools import TOOLS
from noiseaudit.compare.verdict import Verdict
from noiseaudit_cli.main import app
from tests.test_compare_tools import CLASSES, N, blobs


@pytest.fixture
def label_file(tmp_path: Path) -> Path:
    data, wrong = blobs()
    np.save(tmp_path / "x.npy", data.x.numpy())
    true = np.arange(N) % CLASSES
    rows = [f"s{i},{'abcd'[code]},{'abcd'[true[i]]}" for i, code in enumerate(data.codes.tolist())]
    (tmp_path / "labels.csv").write_text("\n".join(["id,label,true_label", *rows]) + "\n")
    (tmp_path / "truth.csv").write_text(
        "\n".join(["sample_id,is_corrupted", *(f"s{i},{w}" for i, w in enumerate(wrong.tolist()))]) + "\n"
    )
    return tmp_path


def run(folder: Path, out: str, *options: object) -> Any:
    words = ["compare", folder / "labels.csv", "--embeddings", folder / "x.npy", "--out", folder / out,
             "--tools", "guider,knn", "--epochs", 2, *options]  # fmt: skip
    return CliRunner().invoke(app, [str(word) for word in words])


def test_the_command_with_truth_of_the_label_file_or_of_a_file(label_file: Path) -> None:
    own = run(label_file, "own.jsonl", "--seeds", "0-1")
    assert own.exit_code == 0, own.stderr
    assert own.stdout.startswith("| tool | AP |")
    assert re.search(r"seed 1, knn \.\.\.\nseed 1, knn: \d+ s\n", own.stderr)
    lines = [json.loads(line) for line in (label_file / "own.jsonl").read_text().splitlines()]
    assert [(line["seed"], line["tool"]) for line in lines] == [
        (0, "guider"), (0, "knn"), (1, "guider"), (1, "knn"),
    ]  # fmt: skip
    other = run(label_file, "file.jsonl", "--truth", label_file / "truth.csv", "--seeds", "0", "--quiet")
    assert other.exit_code == 0, other.stderr
    assert other.stderr == ""
    first = json.loads((label_file / "file.jsonl").read_text().splitlines()[0])
    assert first["average_precision"] == lines[0]["average_precision"]
    assert first["wrong"] == lines[0]["wrong"] > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--plant", "symmetric", "--truth", "truth.csv"], "--truth and --plant are both given"),
        (["--plant", "symetric"], "Did you mean 'symmetric'"),
        (["--plant", "symmetric", "--rate", "1.5"], "--rate is out of range"),
        (["--plant", "symmetric", "--rate", "0.001"], "no label is wrong among the 240"),
        (["--rate", "0.5"], "--rate is for --plant"),
        (["--tools", ""], "--tools names none"),
        (["--tools", "sparse"], "--tools: no such choice 'sparse'"),
        (["--seeds", "a"], "--seeds 'a' is not a list of numbers"),
    ],
)
def test_bad_options_leave_nothing(
    label_file: Path, options: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(label_file)
    result = run(label_file, "bad.jsonl", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (label_file / "bad.jsonl").exists()


def test_no_truth_is_noticed_before_features_are_computed(tmp_path: Path) -> None:
    from noiseaudit.demo import write_digits

    write_digits(tmp_path, limit=20)
    (tmp_path / "plain.csv").write_text("image,label\n0000.png,0\n0001.png,1\n")
    words = [
        "compare",
        tmp_path / "plain.csv",
        "--images",
        tmp_path / "images",
        "--out",
        tmp_path / "out.jsonl",
    ]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 2
    assert "it is not known which labels are wrong. Give a file with --truth" in result.stderr
    assert not list(tmp_path.glob("out.jsonl*"))


def test_every_tool_runs_on_images_some_of_them_unread(tmp_path: Path) -> None:
    from noiseaudit.demo import write_digits

    labels = write_digits(tmp_path, limit=80)
    (tmp_path / "images" / "0003.png").unlink()
    words = ["compare", labels, "--images", tmp_path / "images", "--plant", "symmetric", "--seeds", 0, "--epochs", 3,
             "--out", tmp_path / "out.jsonl"]  # fmt: skip
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {line["n"] for line in lines} == {79}
    expected = [name for name, tool in TOOLS.items() if not tool.needs_vectors]
    if importlib.util.find_spec("cleanlab") is None:
        expected.remove("cleanlab")
    assert [line["tool"] for line in lines] == expected
    assert not (tmp_path / "out.jsonl.partial").exists()


def test_a_tool_that_fails_leaves_the_earlier_result_and_what_is_done(
    label_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (label_file / "out.jsonl").write_text("precious")

    def fails(at: Case) -> Verdict:
        raise RuntimeError("broken")

    monkeypatch.setitem(TOOLS, "knn", TOOLS["knn"]._replace(judge=fails))
    result = run(label_file, "out.jsonl", "--force", "--seeds", "0")
    assert result.exit_code == 1
    assert (label_file / "out.jsonl").read_text() == "precious"
    assert "| guider |" in result.stdout
    assert len((label_file / "out.jsonl.partial").read_text().splitlines()) == 1


@pytest.mark.parametrize("name", ["labels.csv", "x.npy", "truth.csv"])
def test_no_input_is_overwritten(label_file: Path, name: str) -> None:
    before = (label_file / name).read_bytes()
    result = run(label_file, name, "--force", "--truth", label_file / "truth.csv")
    assert result.exit_code == 2
    assert "is the input file" in result.stderr
    assert (label_file / name).read_bytes() == before


@pytest.mark.parametrize(
    ("options", "why"), [(["--strict"], "0003.png"), (["--max-pixels", 10], "80 of 80 images cannot be read")]
)
def test_images_are_read_as_scan_reads_them(tmp_path: Path, options: list[object], why: str) -> None:
    from noiseaudit.demo import write_digits

    labels = write_digits(tmp_path, limit=80)
    (tmp_path / "images" / "0003.png").unlink()
    words = ["compare", labels, "--images", tmp_path / "images", "--plant", "symmetric", "--workers", 1, *options,
             "--out", tmp_path / "out.jsonl"]  # fmt: skip
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert (result.exit_code, why in result.stderr) == (2, True), result.stderr
    assert not (tmp_path / "out.jsonl").exists()
