"""run_audit() end to end on scanned digits: a few epochs, so the plumbing is tested, not the finding."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from noiseaudit.audit import run_audit
from noiseaudit.audit_samples import Audit, audit_samples
from noiseaudit.config import AuditConfig
from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.data.inputs import Kind
from noiseaudit.demo import write_digits
from noiseaudit.labels.read import read_labels
from noiseaudit.load_samples import SampleOptions, load_samples
from noiseaudit.neighbours import Believed
from noiseaudit.plan import make_plan
from noiseaudit.readings import score_readings
from noiseaudit.runtime import flushes_denormals
from noiseaudit.score import Scored
from noiseaudit.why import records

N, UNLABELLED, CORRUPT = 300, slice(0, 40), slice(40, 80)


QUICK = AuditConfig(epochs=3, device="cpu", settings={"hidden": 32})


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 digits: 40 unlabelled, 40 with the next class's label, one image cut short and one missing."""
    labels = write_digits(tmp_path_factory.mktemp("digits"), limit=N)
    with labels.open(newline="") as file:
        rows = list(csv.reader(file))
    for row in rows[1:][UNLABELLED]:
        row[1] = ""
    for row in rows[1:][CORRUPT]:
        row[1] = str((int(row[1]) + 1) % 10)
    with labels.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    (labels.parent / "images" / "0100.png").write_bytes(b"\x89PNG")
    (labels.parent / "images" / "0101.png").unlink()
    return labels


@pytest.fixture(scope="module")
def audit(digits: Path) -> Audit:
    return run_audit(digits, digits.parent / "images", config=QUICK)


def content(audit: Audit, tmp_path: Path) -> bytes:
    audit.result.write(tmp_path / "audit.parquet")
    return (tmp_path / "audit.parquet").read_bytes()


def test_the_same_seed_gives_the_same_bytes(audit: Audit, digits: Path, tmp_path: Path) -> None:
    torch.rand(3)  # whatever ran before does not matter
    again = run_audit(str(digits), str(digits.parent / "images"), config=QUICK)
    assert content(again, tmp_path) == content(audit, tmp_path)
    assert np.array_equal(again.embeddings, audit.embeddings, equal_nan=True)


def test_another_seed_gives_another_audit(audit: Audit, digits: Path) -> None:
    config = AuditConfig(epochs=3, device="cpu", settings={"hidden": 32}, seed=1)
    other = run_audit(digits, digits.parent / "images", config=config)
    assert other.result.meta.seed == 1
    assert other.result.column("p_mislabeled").tolist() != audit.result.column("p_mislabeled").tolist()


def test_every_row_has_its_place_and_status(audit: Audit) -> None:
    assert audit.result.column("row").tolist() == list(range(N))
    assert audit.result.column("sample_id").tolist() == [f"{i:04d}.png" for i in range(N)]
    expected = ["unlabelled"] * 40 + ["ok"] * (N - 40)
    expected[100], expected[101] = "unreadable", "missing"
    assert audit.result.column("status").tolist() == expected
    reasons = audit.result.column("reason")
    assert [row for row in range(N) if reasons[row] is not None] == [100, 101]


def test_unlabelled_rows_get_suggestions_and_null_scores(audit: Audit) -> None:
    part = audit.result.table.slice(0, 40)
    for name in ("epsilon", "p_given", "p_mislabeled", "is_label_issue", "rank", "given_label", "evidence"):
        assert part.column(name).null_count == 40, name
    for name in ("suggested_label", "p_suggested", "top_labels", "top_probs"):
        assert part.column(name).null_count == 0, name


def test_unread_rows_get_neither(audit: Audit) -> None:
    part = audit.result.table.slice(100, 2)
    for name in (
        "epsilon",
        "p_mislabeled",
        "is_label_issue",
        "rank",
        "suggested_label",
        "top_labels",
        "p_given",
    ):
        assert part.column(name).null_count == 2, name
    assert part.column("given_label").null_count == 0
    assert np.isnan(audit.embeddings[100:102]).all()
    assert np.isfinite(np.delete(audit.embeddings, [100, 101], axis=0)).all()


def test_scored_rows_agree_with_one_another(audit: Audit) -> None:
    scored = audit.result.to_pandas().dropna(subset="p_mislabeled").sort_values("rank")
    assert len(scored) == N - 42
    assert scored["rank"].tolist() == list(range(1, N - 41))
    assert (scored["p_mislabeled"].diff().dropna() <= 0).all()
    assert scored["p_mislabeled"].between(0, 1).all()
    flagged = scored["is_label_issue"].astype(bool)
    threshold = audit.result.meta.cutoff.threshold
    assert (flagged == (scored["p_mislabeled"] >= threshold)).all()
    assert (scored["suggested_label"] != scored["given_label"])[flagged].all()
    for _, row in scored.iterrows():
        top = dict(zip(row["top_labels"], row["top_probs"], strict=True))
        assert top[row["given_label"]] == row["p_given"]
        assert top[row["suggested_label"]] == row["p_suggested"]


def test_the_last_epochs_epsilon_is_the_audits(audit: Audit) -> None:
    assert audit.last.epoch == 3
    rows = [i for i in range(40, N) if i not in (100, 101)]
    assert audit.scored_ids == [f"{i:04d}.png" for i in rows]
    assert audit.result.column("epsilon")[rows].tolist() == audit.last.epsilon.tolist()
    gap = np.abs(audit.last.p_given_guider - audit.last.p_given_learner)
    assert audit.last.epsilon == pytest.approx(gap, abs=1e-6)


def test_wrong_labels_are_found_when_there_is_time_to_learn(digits: Path) -> None:
    from sklearn.metrics import roc_auc_score

    longer = run_audit(digits, digits.parent / "images", config=AuditConfig(epochs=40, device="cpu"))
    scored = longer.result.to_pandas().dropna(subset="p_mislabeled")
    wrong = scored["row"].between(40, 79)
    assert roc_auc_score(wrong, scored["p_mislabeled"]) > 0.95
    assert scored["p_mislabeled"].sum() == pytest.approx(40, rel=0.5)


def test_a_memory_map_gives_the_same_bytes(audit: Audit, digits: Path, tmp_path: Path) -> None:
    table = read_labels(digits)
    options = SampleOptions(images=digits.parent / "images", max_memory=0)
    samples = load_samples(table, options, image_size=None, cache_dir=tmp_path / "cache")
    assert (tmp_path / "cache").is_dir()
    mapped = audit_samples(table, samples, make_plan(table, samples, QUICK))
    assert content(mapped, tmp_path) == content(audit, tmp_path)


def test_epochs_are_reported_as_they_end(digits: Path, audit: Audit) -> None:
    seen: list[EpochRecord] = []
    run_audit(digits, digits.parent / "images", config=QUICK, on_epoch=seen.append)
    assert [record.epoch for record in seen] == [1, 2, 3]
    assert seen[-1].losses == audit.last.losses


def test_the_process_is_left_as_it_was(digits: Path, audit: Audit) -> None:
    before, state = flushes_denormals(), torch.get_rng_state()

    def stop(record: EpochRecord) -> None:
        assert flushes_denormals()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_audit(digits, digits.parent / "images", config=QUICK, on_epoch=stop)
    assert flushes_denormals() is before
    assert torch.equal(torch.get_rng_state(), state)


def test_what_neighbours_say_reaches_the_audit(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the network had learnt half of the doubtful labels by heart, and the neighbours doubted the first row."""

    def learnt(fitted: Fitted, given: npt.NDArray[np.int64], score: Callable[..., Scored]) -> Believed:
        probs = fitted.guider_mean[fitted.labelled]
        assert (
            score(probs, given).p
            == score_readings(probs, given, Kind.IMAGES, noise_known=fitted.noise_known).p
        ).all()
        scores = np.zeros(len(given))
        scores[0] = 0.9
        asked = np.ones(len(given), np.bool_)
        return Believed(fitted, scores, scores, None, by_heart=0.5, trust=0.25, by_neighbours=asked)

    monkeypatch.setattr("noiseaudit.crossfit.believe", learnt)
    found = run_audit(digits, digits.parent / "images", config=QUICK)
    flagged = np.flatnonzero(found.result.column("is_label_issue") == True)  # noqa: E712
    assert found.result.column("p_mislabeled")[flagged].tolist() == [0.9]
    assert "learnt by heart" in records(found.result.table, ["why"])[flagged[0]]["why"]
    assert "about 50% of the labels in doubt" in found.warnings[-1]
    assert "75 % of the score" in found.warnings[-1]
    assert found.result.meta.config["chosen"]["neighbours"] == {"by_heart": 0.5, "trust": 0.25}


def test_an_audit_that_asks_no_neighbours_does_not_mention_them(audit: Audit) -> None:
    assert "neighbours" not in audit.result.meta.config["chosen"]
    assert not any("by heart" in warning for warning in audit.warnings)
