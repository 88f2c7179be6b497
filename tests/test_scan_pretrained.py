"""scan --backbone pretrained on real photographs, from the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images
from typer.testing import CliRunner

from noiseaudit import pretrained
from noiseaudit.crossfit import believe_folds
from noiseaudit.data.inputs import Kind
from noiseaudit.result import read_audit
from noiseaudit_cli.main import app
from tests.scoring import read_dynamics

N = 80  # crops of two photographs, 8 of them under the other's name


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    photographs = [Image.fromarray(image) for image in load_sample_images().images]
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "label", "is_corrupted"])
        for i in range(N):
            kind = i % 2
            left, top = rng.integers(0, [640 - 120, 427 - 100])
            photographs[kind].crop((left, top, left + 120, top + 100)).save(folder / f"{i}.jpg")
            rows.writerow([f"{i}.jpg", ["palace", "flower"][kind ^ (i < 8)], i < 8])
    return folder


def scan(data: Path, out: str, *options: object) -> Any:
    words = [
        "scan",
        data / "labels.csv",
        "--images",
        data,
        "--out",
        data / out,
        "--epochs",
        30,
        "--folds",
        0,
        *options,
    ]
    return CliRunner().invoke(app, [str(word) for word in words])


def test_photographs_are_audited_on_features_that_are_kept(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--feature-cache", data / "cache", "--folds", 2)
    first = scan(data, "first", *words)
    monkeypatch.setattr(pretrained, "load_network", pytest.fail)  # nothing is left to do for it
    second = scan(data, "second", *words)
    assert first.exit_code == second.exit_code == 0, first.stderr
    assert "backbone pretrained (frozen features of EfficientNet-Lite0 at 224 px)" in first.stderr
    assert f"features of {N} of {N} images" in first.stderr
    assert "features of" not in second.stderr.replace("frozen features of", "")
    tables = [(data / out / "audit.parquet").read_bytes() for out in ("first", "second")]
    assert tables[0] == tables[1]
    audit = read_audit(data / "first")
    ranks = audit.column("rank")[:8]
    assert np.isin(np.arange(1, 6), ranks).all()  # the five most suspicious were planted
    assert (audit.column("suggested_label")[:8][audit.suspects()[:8]] != "").all()
    run = json.loads((data / "first" / "run.json").read_text())
    assert run["config"]["chosen"]["backbone"] == "pretrained"
    assert run["config"]["chosen"]["shape"] == [1280]


def test_photographs_are_scored_on_features_made_and_scaled_as_the_scans_were(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone, too, although the side of what features are made of goes by all images of a scan."""
    words = ("--feature-cache", data / "scored-cache")
    assert scan(data, "trained", *words).exit_code == 0
    asked = ("score", data / "labels.csv", "--images", data, "--checkpoint", data / "trained", "--out")
    command = [str(word) for word in (*asked, data / "scored", *words)]
    with monkeypatch.context() as patch:
        patch.setattr(pretrained, "load_network", pytest.fail)  # the cache has all features
        assert CliRunner().invoke(app, command).exit_code == 0
    found, dynamics = (
        read_audit(data / "scored"),
        read_dynamics(data / "trained" / "dynamics.parquet").to_pandas(),
    )
    np.testing.assert_array_equal(found.column("p_given"), dynamics[dynamics.epoch == 30].p_given_guider)
    Image.open(data / "9.jpg").resize((60, 50)).save(data / "small.jpg")
    (data / "small.csv").write_text("image,label\nsmall.jpg,flower\n9.jpg,flower\n")
    command[1], command[7] = str(data / "small.csv"), str(data / "scored small")
    assert CliRunner().invoke(app, command).exit_code == 0
    small = read_audit(data / "scored small")
    assert small.column("p_given")[1] == pytest.approx(found.column("p_given")[9], rel=1e-3)
    assert small.column("suggested_label")[0] == found.column("suggested_label")[9]


@pytest.mark.slow
def test_no_cache_is_kept_if_none_is_wanted(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(data / "home"))
    assert scan(data, "without", "--feature-cache", "none").exit_code == 0
    assert not (data / "home").exists()
    monkeypatch.delenv("NOISEAUDIT_SCAN_FEATURE_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: data / "home" / name)
    assert scan(data, "with").exit_code == 0
    assert (data / "home" / "noiseaudit" / "features" / "features.sqlite").stat().st_size > N * 1280 * 2


def test_a_cache_that_cannot_be_written_is_named_before_any_work(data: Path) -> None:
    (data / "file").write_text("")
    result = scan(data, "broken", "--feature-cache", data / "file")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith(f"error: {data / 'file'}")
    assert "--feature-cache none" in result.stderr
    assert not (data / "broken").exists()


@pytest.mark.slow
def test_the_network_is_trained_too(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: list[Kind] = []

    def spy(crossed: Any, given: Any, kind: Kind) -> Any:
        kinds.append(kind)
        return believe_folds(crossed, given, kind)

    monkeypatch.setattr("noiseaudit.learn.believe_folds", spy)
    words = ("--fine-tune", "--image-size", 32, "--backbone", "pretrained", "--epochs", 30)
    result = scan(data, "tuned", *words)
    assert result.exit_code == 0, result.stderr
    assert "30 epochs of 5 steps, then with the network behind the features 10 of 5" in result.stderr
    run = json.loads((data / "tuned" / "run.json").read_text())
    assert run["config"]["chosen"]["fine_tune"]["epochs"] == 10
    assert run["config"]["chosen"]["fine_tune"]["settings"]["generative_weight"] == 0
    dynamics = pq.read_table(data / "tuned" / "dynamics.parquet", columns=["epoch"])["epoch"].to_numpy()
    assert sorted(set(dynamics)) == list(range(1, 41))
    audit = read_audit(data / "tuned")
    before_planted = audit.column("rank")[:8].sum() - 36  # pairs of a right label ranked before a planted one
    assert before_planted < 0.15 * 8 * (N - 8)
    epsilon = pq.read_table(data / "tuned" / "dynamics.parquet", filters=[("epoch", "=", 40)])[
        "epsilon"
    ].to_numpy()
    np.testing.assert_array_equal(audit.column("epsilon"), epsilon)  # of the final epoch
    of_labels = [
        data / "labels.csv",
        "--images",
        data,
        "--checkpoint",
        data / "tuned",
        "--out",
        data / "by tuned",
    ]
    assert CliRunner().invoke(app, ["score", *map(str, of_labels)]).exit_code == 0
    scored = read_audit(data / "by tuned")
    np.testing.assert_array_equal(scored.column("epsilon"), epsilon)  # images go through the tuned network
    again = scan(data, "again", *words)
    assert again.exit_code == 0
    tables = [(data / out / "audit.parquet").read_bytes() for out in ("tuned", "again")]
    assert tables[0] == tables[1]
    assert kinds == [Kind.IMAGES] * 2  # what the last stage saw


def test_there_is_nothing_to_tune_without_a_pretrained_network(data: Path) -> None:
    result = scan(data, "pixels", "--fine-tune", "--backbone", "mlp")
    assert result.exit_code == 2
    assert "--fine-tune trains the network behind frozen features" in result.stderr
    assert not (data / "pixels").exists()
