"""noiseaudit score: what it refuses, lists or gives up, and what is left then."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from noiseaudit import score_blocks
from noiseaudit.demo import write_digits
from noiseaudit.result import read_audit
from tests.containers import pictures, write_shards
from tests.scoring import done, score, write_rows


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits of all ten classes: a short scan of the first half, new.csv names the others."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, limit=120)
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    write_rows(folder / "seen.csv", rows[:60])
    write_rows(folder / "new.csv", rows[60:])
    done(
        "scan", folder / "seen.csv", "--images", folder / "images", "--out", folder / "run",
        "--epochs", 2, "--folds", 0, "--device", "cpu",
    )  # fmt: skip
    return folder


def test_a_label_that_the_model_has_no_class_for_is_named(data: Path, tmp_path: Path) -> None:
    with (data / "new.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:6]
    odd = write_rows(tmp_path / "odd.csv", [*rows[:3], [rows[3][0], "ten"], rows[4]])
    result = score(data, odd, tmp_path / "odd")
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: {odd}, row 3, column 'label': label 'ten' is none of the model's 10 classes. Scan with this class in "
        "the data, or let these rows count as unlabelled: --missing-label ten (rows count from 0: row 3 is line 5)\n"
    )
    assert not (tmp_path / "odd").exists()
    assert score(data, odd, tmp_path / "odd", "--missing-label", "ten").exit_code == 0
    assert read_audit(tmp_path / "odd").column("status").tolist() == ["ok"] * 3 + ["unlabelled", "ok"]


def test_bad_images_are_listed_and_too_many_stop_it(data: Path, tmp_path: Path) -> None:
    rows = [[f"{i:04d}.png", "1"] for i in range(6)]
    rows[4][0] = "absent.png"
    assert score(data, write_rows(tmp_path / "bad.csv", rows), tmp_path / "bad").exit_code == 0
    audit = read_audit(tmp_path / "bad")
    assert audit.column("status").tolist() == ["ok"] * 4 + ["missing", "ok"]
    assert np.isnan(np.load(tmp_path / "bad" / "embeddings.npy")[4]).all()
    strict = score(data, tmp_path / "bad.csv", tmp_path / "strict", "--strict")
    assert strict.exit_code == 2
    assert "row 4, column 'image': 'absent.png': no such file" in strict.stderr
    gone = write_rows(tmp_path / "gone.csv", [[f"no-{i}.png", "1"] for i in range(5)])
    result = score(data, gone, tmp_path / "gone")
    assert result.exit_code == 2
    assert "5 of 5 images cannot be read" in result.stderr


def test_an_interrupt_leaves_no_folder_to_go_on_in(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(self: object, block: object) -> None:
        run_json = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
        assert run_json["fix"] == "start again with --force"  # should the process be killed now
        raise KeyboardInterrupt

    monkeypatch.setattr(score_blocks.Scorer, "__call__", interrupted)
    assert score(data, data / "new.csv", tmp_path / "out").exit_code == 130
    assert not (tmp_path / "out").exists()


def test_several_processes_of_a_launcher_are_refused(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    result = score(data, data / "new.csv", tmp_path / "out")
    assert result.exit_code == 2
    assert (
        "error: score is not shared by processes of a launcher. Start one, or give --backend ray"
        in result.stderr
    )


def test_a_data_set_that_holds_its_images_is_refused(data: Path, tmp_path: Path) -> None:
    pattern = write_shards(tmp_path / "shards", pictures(8))
    result = score(data, pattern, tmp_path / "out")
    assert result.exit_code == 2
    assert "score does not read data sets that hold their images" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--embeddings", __file__), "the model was trained on images, and --embeddings is given"),
        (("--cutoff", "best"), "--cutoff 'best' is not a rule"),
        (("--actors", 2), "--actors is for --backend ray"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    data: Path, tmp_path: Path, options: tuple[object, ...], message: str
) -> None:
    result = score(data, data / "new.csv", tmp_path / "out", *options)
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert message in result.stderr
    assert not (tmp_path / "out").exists()
