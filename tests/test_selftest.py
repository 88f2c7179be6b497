"""The self-test: planted labels are counted, calibrate the score, and reach no output."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit
from typer.testing import CliRunner

from noiseaudit.audit import Audit, run_audit
from noiseaudit.config import AuditConfig
from noiseaudit.demo import write_digits
from noiseaudit.errors import ConfigError
from noiseaudit.planting import Planted, plant
from noiseaudit.selftest import Scale, fit_scale, how_many, share
from noiseaudit_cli.main import app
from tests.test_audit_rows import QUICK

TESTED = dataclasses.replace(QUICK, epochs=20, self_test=True)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_digits(tmp_path_factory.mktemp("digits"), limit=400)


@pytest.fixture(scope="module")
def tested(digits: Path) -> Audit:
    return run_audit(digits, digits.parent / "images", config=TESTED)


def scored(
    n: int, offset: float, slope: float, seed: int = 0
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What a model says of planted labels and of others, if its log-odds are to be corrected by these."""
    rng = np.random.default_rng(seed)
    said = expit(rng.normal(-3, 4, n))
    right_odds = Scale(offset, slope)(said)
    planted = rng.choice(said, n // 50, replace=False, p=right_odds / right_odds.sum())
    return planted, said


@pytest.mark.parametrize(("offset", "slope"), [(0.0, 1.0), (-0.5, 0.5), (0.7, 1.0), (0.0, 1.6)])
def test_offset_and_slope_are_found(offset: float, slope: float) -> None:
    found = fit_scale(*scored(200_000, offset, slope))
    assert found.slope == pytest.approx(slope, rel=0.1)
    assert found.offset == pytest.approx(offset, abs=0.35)


def test_few_planted_labels_change_little() -> None:
    found = fit_scale(*scored(200, -2.0, 0.3))
    assert 0.3 < found.slope < 1
    assert fit_scale(np.zeros(0), np.array([0.1, 0.9])) == pytest.approx((0.0, 1.0), abs=1e-3)


def test_a_scale_keeps_the_order_and_does_what_it_says() -> None:
    p = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    assert np.allclose(Scale(0.0, 1.0)(p[1:4]), p[1:4])
    found = Scale(-0.5, 0.5)(p)
    assert (np.diff(found) > 0).all()
    assert found[3] == pytest.approx(expit(-0.5 + 0.5 * np.log(9)))
    assert 0 < found[0] < 1e-5
    assert 1 - 1e-5 < found[4] < 1


def test_how_many_are_planted() -> None:
    assert [how_many(n) for n in (100, 400, 1_000, 5_000, 10_000, 1_000_000)] == [10, 20, 20, 100, 200, 1_000]


def test_wilsons_interval() -> None:
    """8 of 10: centre (0.8 + z^2 / 20) / (1 + z^2 / 10), z = 1.96."""
    found = share(8, 10)
    assert [found.low, found.high] == pytest.approx([0.4902, 0.9433], abs=1e-4)
    assert found.value == 0.8
    assert share(0, 0).value is None


def test_planted_labels_reach_no_output(tested: Audit, digits: Path) -> None:
    plain = run_audit(digits, digits.parent / "images", config=dataclasses.replace(TESTED, self_test=False))
    for name in ("given_label", "rank", "suggested_label", "p_given", "epsilon"):
        ours, theirs = tested.result.column(name), plain.result.column(name)
        assert ours.tolist() == theirs.tolist(), name
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
