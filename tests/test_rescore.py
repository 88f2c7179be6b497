"""noiseaudit score: other rows, judged by the model that a scan left behind."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from noiseaudit import score_blocks
from noiseaudit.demo import write_digits
from noiseaudit.result import AuditResult, read_audit
from noiseaudit.runnames import MODEL_FILE
from noiseaudit.threshold import choose_cutoff
from tests.scoring import done, read_dynamics, score, write_rows

N = 1_400


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits, a fifth of the labels planted wrong: seen.csv and new.csv hold every other row; a scan of the first."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, limit=N)
    done(
        "corrupt", folder / "labels.csv", "--kind", "symmetric", "--rate", 0.2, "--out", folder / "noisy.csv"
    )
    with (folder / "noisy.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    write_rows(folder / "seen.csv", rows[0::2])
    write_rows(folder / "new.csv", rows[1::2])
    done(
        "scan", folder / "seen.csv", "--images", folder / "images", "--out", folder / "run",
        "--epochs", 40, "--device", "cpu",
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def scored(data: Path) -> AuditResult:
    """new.csv by the model of seen.csv."""
    result = score(data, data / "new.csv", data / "scored")
    assert result.exit_code == 0, result.stderr
    assert "Read 700 rows: 700 labelled; the model has 10 classes." in result.stderr
    assert "scored 700 of 700 rows" in result.stderr
    return read_audit(data / "scored")


def planted(data: Path, audit: AuditResult) -> np.ndarray[Any, np.dtype[np.bool_]]:
    with (data / "noisy.csv.truth.csv").open(newline="") as file:
        wrong = {row["sample_id"]: row["is_corrupted"] == "true" for row in csv.DictReader(file)}
    return np.array([wrong[name] for name in audit.column("sample_id")])


def test_labels_that_the_network_never_saw_are_ranked_well(data: Path, scored: AuditResult) -> None:
    wrong = planted(data, scored)
    assert average_precision_score(wrong, scored.column("p_mislabeled")) > 0.96
    assert scored.column("p_mislabeled").sum() == pytest.approx(wrong.sum(), rel=0.25)
    flagged = scored.suspects()
    assert (wrong & flagged).sum() / (wrong | flagged).sum() > 0.8


def test_rows_that_were_trained_on_get_the_last_epochs_probabilities(data: Path, tmp_path: Path) -> None:
    assert score(data, data / "seen.csv", tmp_path / "again").exit_code == 0
    audit, dynamics = (
        read_audit(tmp_path / "again"),
        read_dynamics(data / "run" / "dynamics.parquet").to_pandas(),
    )
    last = dynamics[dynamics.epoch == 40]
    np.testing.assert_array_equal(audit.column("p_given"), last.p_given_guider)
    np.testing.assert_array_equal(audit.column("epsilon"), last.epsilon)
    assert (data / "run" / "embeddings.npy").read_bytes() == (
        tmp_path / "again" / "embeddings.npy"
    ).read_bytes()


def test_the_folder_is_a_runs_without_dynamics_and_model(data: Path, scored: AuditResult) -> None:
    here, there = ({path.name for path in (data / name).iterdir()} for name in ("scored", "run"))
    assert there - here == {"dynamics.parquet", MODEL_FILE}
    assert here < there
    saved = json.loads((data / "scored" / "run.json").read_text("utf-8"))
    assert saved["paths"]["checkpoint"] == str(data / "run")
    assert saved["counts"]["checked"] == 700
    config, trained = scored.meta.config, read_audit(data / "run").meta
    assert config["scored_by"]["data_fingerprint"] == trained.data_fingerprint
    assert config["chosen"]["settings"] == trained.config["chosen"]["settings"]
    assert config["chosen"]["folds"] == 0
    assert scored.meta.data_fingerprint != trained.data_fingerprint
    done("clean", data / "scored", "--policy", "relabel", "--out", data / "cleaned.csv")


def test_nothing_is_said_of_how_a_row_was_learnt(scored: AuditResult) -> None:
    facts = [row for row in scored.column("evidence") if row is not None]
    kinds = {fact["kind"] for row in facts for fact in row}
    assert "guider" in kinds
    assert not kinds & {"peak", "learnt_late", "duplicate", "near_duplicate", "unlabelled_neighbours"}


def test_suspects_say_why_without_epochs(data: Path, scored: AuditResult) -> None:
    with (data / "scored" / "suspects.csv").open(newline="") as file:
        why = [row["why"] for row in csv.DictReader(file)]
    assert any(text.startswith("Looks like ") for text in why)
    assert not any("epoch" in text for text in why)


def test_the_order_of_classes_is_the_models(data: Path, scored: AuditResult, tmp_path: Path) -> None:
    """A file with three rows of two classes, or none: p_mislabeled is of the row alone."""
    with (data / "new.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    few = write_rows(tmp_path / "few.csv", [rows[7], [rows[8][0], ""], rows[9]])
    assert score(data, few, tmp_path / "few").exit_code == 0
    audit = read_audit(tmp_path / "few")
    assert audit.classes == scored.classes == tuple(str(digit) for digit in range(10))
    assert audit.column("status").tolist() == ["ok", "unlabelled", "ok"]
    for name in ("p_given", "p_mislabeled", "epsilon"):
        expected = scored.column(name)[[7, 9]]
        assert audit.column(name)[[0, 2]] == pytest.approx(expected, rel=1e-4, abs=1e-9)
    assert audit.column("top_labels")[1] == scored.column("top_labels")[8]
    assert audit.column("suggested_label")[1] == scored.column("top_labels")[8][0]
    nothing = write_rows(tmp_path / "none.csv", [[row[0], ""] for row in rows[:5]])
    assert score(data, nothing, tmp_path / "none").exit_code == 0
    assert read_audit(tmp_path / "none").column("suggested_label").tolist() == [
        labels[0] for labels in scored.column("top_labels")[:5]
    ]


def test_blocks_do_not_change_a_row(
    data: Path, scored: AuditResult, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(score_blocks, "block_rows", lambda model: 90)
    monkeypatch.setattr("noiseaudit.rescore.block_rows", lambda model: 90)
    assert score(data, data / "new.csv", tmp_path / "small").exit_code == 0
    audit = read_audit(tmp_path / "small")
    assert audit.column("p_mislabeled") == pytest.approx(scored.column("p_mislabeled"), rel=1e-3, abs=1e-9)
    assert audit.column("rank")[:20].tolist() == scored.column("rank")[:20].tolist()


def test_the_even_rule_goes_by_the_classes_of_the_rows(data: Path, tmp_path: Path) -> None:
    assert score(data, data / "new.csv", tmp_path / "out", "--cutoff", "even").exit_code == 0
    found = read_audit(tmp_path / "out")
    p = found.table.column("p_mislabeled").to_pylist()
    given = [
        None if label is None else found.meta.classes.index(label) for label in found.column("given_label")
    ]
    rows = [row for row, score_of in enumerate(p) if score_of is not None]
    p_of, given_of = np.array([p[row] for row in rows]), np.array([given[row] for row in rows])
    expected = choose_cutoff("even", p_of, None, given_of)
    assert found.meta.cutoff == expected.cutoff
    assert np.flatnonzero(found.suspects()).tolist() == np.array(rows)[expected.flagged].tolist()


def test_a_cutoff_of_its_own_can_be_asked_for(data: Path, tmp_path: Path) -> None:
    assert score(data, data / "new.csv", tmp_path / "out", "--cutoff", "budget=7").exit_code == 0
    assert read_audit(tmp_path / "out").suspects().sum() == 7


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning:ray")
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra `ray` is not installed")
def test_ray_gives_the_same_rows(data: Path, scored: AuditResult, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two actors, and blocks that come as they are ready."""
    import ray

    monkeypatch.setattr("noiseaudit.rescore.block_rows", lambda model: 100)
    try:
        small = score(data, data / "new.csv", data / "small")
        result = score(data, data / "new.csv", data / "ray", "--backend", "ray", "--actors", 2)
    finally:
        ray.shutdown()
    assert small.exit_code == result.exit_code == 0, result.stderr
    assert (data / "ray" / "audit.parquet").read_bytes() == (data / "small" / "audit.parquet").read_bytes()
    assert (data / "ray" / "embeddings.npy").read_bytes() == (data / "small" / "embeddings.npy").read_bytes()
