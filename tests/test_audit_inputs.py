"""run_audit() takes other settings, folder trees, embeddings, frames, and classes with few or no images."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from noiseaudit.audit import as_table, run_audit
from noiseaudit.config import AuditConfig
from noiseaudit.demo import write_digits
from noiseaudit.errors import ConfigError
from noiseaudit.labels.read import read_labels
from noiseaudit.load_samples import SampleOptions
from tests.test_audit_rows import QUICK, N, _one_thread, digits

__all__ = ["_one_thread", "digits"]  # fixtures


def test_settings_and_method_reach_the_training(digits: Path) -> None:
    config = AuditConfig(
        method="umn", epochs=1, batch_size=50, device="cpu", cutoff="budget=7",
        settings={"hidden": "16", "latent_a": 5},
    )  # fmt: skip
    audit = run_audit(digits, digits.parent / "images", config=config)
    assert audit.embeddings.shape == (N, 5)
    assert audit.plan.settings.hidden == 16
    assert audit.plan.batches.labelled + audit.plan.batches.unlabelled == 50
    assert sum(audit.result.column("is_label_issue") == True) == 7  # noqa: E712
    assert audit.result.meta.config["asked"]["method"] == "umn"
    assert audit.result.meta.cutoff.rule == "budget=7"


def test_the_epsilon_rule_flags_epsilon_above_zero(digits: Path) -> None:
    config = AuditConfig(epochs=2, device="cpu", cutoff="epsilon", settings={"hidden": 32})
    frame = run_audit(digits, digits.parent / "images", config=config).result.to_pandas()
    scored = frame.dropna(subset="epsilon")
    assert (scored["is_label_issue"].astype(bool) == (scored["epsilon"] > 0)).all()
    assert scored["is_label_issue"].any()


def test_a_folder_tree_needs_no_second_path(tmp_path: Path) -> None:
    from PIL import Image

    for place, name in enumerate(["cat", "dog"]):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new("L", (8, 8), 90 * place + i).save(tmp_path / name / f"{i}.png")
    audit = run_audit(tmp_path, config=QUICK)
    assert audit.result.column("given_label").tolist() == ["cat"] * 3 + ["dog"] * 3
    assert set(audit.result.column("status")) == {"ok"}


def test_embeddings_in_place_of_images(digits: Path, tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    np.save(tmp_path / "e.npy", load_digits().data[:N])
    audit = run_audit(digits, samples=SampleOptions(embeddings=tmp_path / "e.npy"), config=QUICK)
    assert audit.plan.backbone.value == "embeddings"
    assert audit.result.meta.config["chosen"]["shape"] == [64]
    assert set(audit.result.column("status")) == {"ok", "unlabelled"}
    assert np.isfinite(audit.result.column("p_mislabeled")[40:]).all()


def test_a_class_whose_images_are_all_unreadable(tmp_path: Path) -> None:
    labels = write_digits(tmp_path, limit=60)
    with labels.open(newline="") as file:
        nines = [name for name, label in list(csv.reader(file))[1:] if label == "9"]
    for name in nines:
        (tmp_path / "images" / name).unlink()
    audit = run_audit(labels, tmp_path / "images", config=QUICK)
    assert audit.result.meta.classes == tuple("0123456789")
    assert any("'9'" in warning for warning in audit.warnings)
    frame = audit.result.to_pandas()
    assert (frame["status"][frame["given_label"] == "9"] == "missing").all()
    assert frame["p_mislabeled"][frame["given_label"] != "9"].notna().all()


def test_one_labelled_row_a_class(tmp_path: Path) -> None:
    labels = write_digits(tmp_path, limit=10)
    audit = run_audit(labels, tmp_path / "images", config=QUICK)
    assert np.isfinite(audit.result.column("p_mislabeled")).all()
    assert any("10 classes have fewer than two" in warning for warning in audit.warnings)


def test_samples_must_be_given_once(digits: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither --images nor --embeddings given"):
        run_audit(digits, config=QUICK)


def test_tables_and_frames_are_taken_as_they_are(digits: Path) -> None:
    import pandas as pd

    table = read_labels(digits)
    assert as_table(table) is table
    frame = as_table(pd.read_csv(digits, dtype=str))
    assert frame.codes.tolist() == table.codes.tolist()
    assert frame.sample_id.tolist() == table.sample_id.tolist()


def test_the_same_picture_under_two_labels_is_named(digits: Path, tmp_path: Path) -> None:
    with digits.open(newline="") as file:
        rows = [*csv.DictReader(file)]
    labelled = [row for row in rows if row["label"]]
    twin = labelled[0] | {"label": "3" if labelled[0]["label"] != "3" else "4"}
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]])
        writer.writeheader()
        writer.writerows([*rows, twin])
    flag_all = dataclasses.replace(QUICK, cutoff="budget=1000")
    found = run_audit(tmp_path / "labels.csv", digits.parent / "images", config=flag_all)
    assert found.warnings[-1].startswith(
        "2 labelled rows have the same content as another one under another label"
    )
    kinds, names = found.result.column("issue_kind"), found.result.column("sample_id")
    first, second = rows.index(labelled[0]), len(rows)
    for row, other in ((first, second), (second, first)):
        assert kinds[row] == "duplicate_conflict"
        (fact,) = [
            fact for fact in found.result.table["evidence"][row].as_py() if fact["kind"] == "duplicate"
        ]
        assert fact["reference"] == names[other]
    stored = [fact["kind"] for facts in found.result.table["evidence"].to_pylist() for fact in facts or ()]
    assert stored.count("duplicate") == 2
