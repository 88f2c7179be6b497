"""--trusted and --noise-rate in whole audits: they reach the methods that need them, and the audit says so."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pandas as pd
import pytest

from noiseaudit.audit import run_audit
from noiseaudit.config import AuditConfig
from noiseaudit.errors import ConfigError
from noiseaudit.estimator import NoiseAuditClassifier
from noiseaudit.labels.read import read_labels
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.result import read_audit
from noiseaudit.trusted import with_trusted
from noiseaudit_cli import scan as scan_command
from tests.test_trusted_bad_input import data, scan, stops
from tests.test_trusted_rows import TRUSTED, UNLABELLED, N, digits, names, text

__all__ = ["data", "digits"]  # fixtures


QUICK = AuditConfig(method="reweight", epochs=2, device="cpu", settings={"hidden": 16})


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
        model = NoiseAuditClassifier(
            method=name, noise_rate=rate, epochs=1, folds=0, random_state=0, device="cpu"
        )
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

    assert words("method") - {"our", "reading", "of", "the", "paper", "or"} == set(METHODS)
    for option in ("noise_rate", "trusted"):
        users = {name for name, kind in METHODS.items() if option in kind.needs}
        assert words(option) & set(METHODS) == users
