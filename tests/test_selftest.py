"""The self-test: planted labels are counted, calibrate the score, and reach no output."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit, logit
from typer.testing import CliRunner

from noiseaudit.audit import run_audit
from noiseaudit.audit_samples import Audit
from noiseaudit.config import AuditConfig
from noiseaudit.demo import write_digits
from noiseaudit.errors import ConfigError, TrainingDiverged
from noiseaudit.expected import self_test_sentence
from noiseaudit.planting import Planted, plant
from noiseaudit.score import Noise
from noiseaudit.selftest import Scale, count_found, fit_scale, how_many
from noiseaudit.threshold import choose_cutoff
from noiseaudit_cli.main import app
from tests.test_audit_rows import QUICK

TESTED = dataclasses.replace(QUICK, epochs=20, self_test=True)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_digits(tmp_path_factory.mktemp("digits"), limit=400)


@pytest.fixture(scope="module")
def tested(digits: Path) -> Audit:
    return run_audit(digits, digits.parent / "images", config=TESTED)


Floats = npt.NDArray[np.float64]


def second_training(n: int, wrong: int, planted: int, seed: int = 0, d: float = 4.0) -> tuple[Floats, Floats]:
    """What a model says that is right about all labels, planted ones among them: of the planted, and of the others.

    A score s is normal, of variance 1, about 0 for right labels and about d for wrong ones.
    """
    rng = np.random.default_rng(seed)
    is_wrong = np.arange(n) < wrong + planted
    s = rng.normal(np.where(is_wrong, d, 0.0), 1)
    said = expit(d * s - d * d / 2 + np.log(is_wrong.sum() / (~is_wrong).sum()))
    return said[:planted], said[planted:]


@pytest.mark.parametrize(("offset", "slope"), [(0.0, 1.0), (-0.5, 0.5), (0.7, 1.0), (0.0, 1.6)])
@pytest.mark.parametrize(("wrong", "planted"), [(1_000, 1_000), (10_000, 1_000)])
def test_offset_and_slope_of_the_second_training_are_found(
    offset: float, slope: float, wrong: int, planted: int
) -> None:
    """What is said is wrong by them: they lead back to what is right."""
    right = second_training(100_000, wrong, planted)
    said = [expit((logit(p) - offset) / slope) for p in right]
    found = fit_scale(said[0], np.concatenate(said))
    assert found.slope == pytest.approx(slope, rel=0.15)
    everything = np.concatenate(right)
    assert found(np.concatenate(said)).sum() == pytest.approx(everything.sum(), rel=0.1)


def test_few_planted_labels_change_little() -> None:
    planted, others = second_training(500, 10, 10)
    said = expit(3 * logit(planted)), expit(3 * logit(others))
    assert 0.33 < fit_scale(said[0], np.concatenate(said)).slope < 1
    assert fit_scale(np.zeros(0), np.array([0.1, 0.9])) == pytest.approx((0.0, 1.0), abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_clean_data_changes_nothing_much(seed: int) -> None:
    planted, others = second_training(5_000, 0, 100, seed)
    found = fit_scale(planted, np.concatenate([planted, others]))
    assert abs(found.offset) < 1
    assert 0.6 < found.slope < 1.6
    assert np.isfinite(fit_scale(np.full(5, 0.99), np.full(900, 1e-6))).all()  # nothing in between


@pytest.mark.parametrize("rule", ["auto", "even", "budget=300", "rate=0.03", "precision=0.9", "recall=0.8"])
def test_planted_labels_do_not_shift_the_cut_off(rule: str) -> None:
    """As many are found as of the real ones where only these are there."""
    planted, others = second_training(10_000, 300, 200, d=3.0)
    is_planted = np.arange(10_000) < 200
    given = np.zeros(10_000, np.int64)
    found = count_found(rule, np.concatenate([planted, others]), None, given, is_planted)
    alone = np.concatenate(second_training(9_800, 300, 0, d=3.0))
    true = choose_cutoff(rule, alone, None, np.zeros(9_800, np.int64)).flagged[:300].mean()
    assert found / 200 == pytest.approx(true, abs=0.1)


def test_planted_labels_by_the_papers_rule() -> None:
    epsilon = np.array([0.0, 0.5, 0.2, 0.0], np.float32)
    is_planted = np.array([True, True, True, False])
    assert count_found("epsilon", np.full(4, 0.5), epsilon, np.zeros(4, np.int64), is_planted) == 2


def test_a_scale_keeps_the_order_and_does_what_it_says() -> None:
    p = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    assert np.allclose(Scale(0.0, 1.0)(p[1:4]), p[1:4])
    found = Scale(-0.5, 0.5)(p)
    assert (np.diff(found) > 0).all()
    assert found[3] == pytest.approx(expit(-0.5 + 0.5 * np.log(9)))
    assert (found[0], found[4]) == (0, 1)


def test_how_many_are_planted() -> None:
    assert [how_many(n) for n in (100, 400, 1_000, 5_000, 10_000, 1_000_000)] == [10, 20, 20, 100, 200, 1_000]


def test_planted_labels_reach_no_output(tested: Audit, digits: Path) -> None:
    plain = run_audit(digits, digits.parent / "images", config=dataclasses.replace(TESTED, self_test=False))
    for name in ("given_label", "rank", "p_given", "epsilon"):
        ours, theirs = tested.result.column(name), plain.result.column(name)
        assert ours.tolist() == theirs.tolist(), name
    alike = tested.result.suspects() == plain.result.suspects()  # a suspect is suggested another class
    ours, theirs = (audit.result.column("suggested_label")[alike] for audit in (tested, plain))
    assert alike.mean() > 0.8
    assert ours.tolist() == theirs.tolist()
    chosen = tested.result.meta.config["chosen"]["self_test"]
    scale = Scale(**chosen["scale"])
    assert np.allclose(tested.result.column("p_mislabeled"), scale(plain.result.column("p_mislabeled")))
    assert "self_test" not in plain.result.meta.config["chosen"]


def test_what_is_told_of_it(tested: Audit) -> None:
    chosen = tested.result.meta.config["chosen"]["self_test"]
    assert chosen["planted"] == 20
    assert 10 <= chosen["found"] <= 20  # clean digits, and a network that has learnt them
    assert chosen["recall"]["value"] == chosen["found"] / 20
    assert (
        chosen["recall"]["low"] < chosen["recall"]["value"] < chosen["recall"]["high"]
        or chosen["found"] == 20
    )
    json.dumps(chosen)


def test_the_same_seed_plants_the_same(tested: Audit, digits: Path) -> None:
    again = run_audit(digits, digits.parent / "images", config=TESTED)
    assert again.result.meta.config == tested.result.meta.config
    assert again.result.column("p_mislabeled").tolist() == tested.result.column("p_mislabeled").tolist()


def test_trusted_labels_are_not_touched(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted: list[int] = []

    def noted(*arguments: Any) -> Planted:
        found = plant(*arguments)
        planted.extend(found.rows.tolist())
        return found

    monkeypatch.setattr("noiseaudit.selftest.plant", noted)
    trusted = np.arange(400) % 2 == 0
    config = AuditConfig(method="reweight", epochs=2, device="cpu", settings={"hidden": 16}, self_test=True)
    run_audit(digits, digits.parent / "images", config=config, trusted=trusted)
    assert len(planted) == 20
    assert not trusted[planted].any()


def test_too_few_labels_are_refused(tmp_path: Path) -> None:
    labels = write_digits(tmp_path, limit=60)
    with pytest.raises(ConfigError, match=r"--self-test needs 100 labelled rows .*, and there are 60"):
        run_audit(labels, tmp_path / "images", config=TESTED)


def test_an_audit_stands_though_its_self_test_fails(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: Any) -> None:
        raise TrainingDiverged("NaN in epoch 2")

    monkeypatch.setattr("noiseaudit.audit_samples.self_test", fails)
    found = run_audit(
        digits, digits.parent / "images", config=dataclasses.replace(QUICK, epochs=2, self_test=True)
    )
    assert found.warnings[-1] == "the self-test failed: NaN in epoch 2"
    assert "self_test" not in found.result.meta.config["chosen"]


def test_nothing_can_be_planted_where_every_label_is_doubted() -> None:
    noise = Noise(np.arange(4), np.log([0.9, 0.1, 0.1, 0.9]), np.full(3, -9.0), 1.0)
    found = plant(
        np.full((6, 2), 0.5, np.float32),
        np.zeros(6, np.int64),
        np.full(6, 0.9),
        noise,
        3,
        np.random.default_rng(0),
    )
    assert len(found.rows) == len(found.labels) == 0
    assert "planted none" in self_test_sentence({"planted": 0, "found": 0, "recall": {"value": None}})


def test_on_the_command_line(digits: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = [
        "scan",
        digits,
        "--images",
        digits.parent / "images",
        "--out",
        run,
        "--epochs",
        3,
        "--self-test",
        "--set",
        "hidden=32",
    ]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    assert "self-test, epoch 3/3" in result.stderr
    chosen = json.loads((run / "run.json").read_text())["config"]["chosen"]["self_test"]
    said = f"found {chosen['found']} of 20 planted errors"
    assert f"  self-test {said}" in result.stdout
    assert said in (run / "report.html").read_text("utf-8")
    assert said in (run / "report.md").read_text("utf-8")
    assert (
        len({path.name for path in (run / "dynamics.parquet").iterdir()}) == 3
    )  # the first training's alone
