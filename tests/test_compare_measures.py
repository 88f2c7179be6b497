"""Comparing tools: the measures are those of scikit-learn, on the rows that count, and the table is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve

from noiseaudit.compare.run import Question, best_f1, compare, measured, tools_for
from noiseaudit.compare.table import table
from noiseaudit.compare.verdict import Verdict
from noiseaudit.config import AuditConfig
from noiseaudit.errors import ConfigError
from tests.test_compare_tools import CLASSES, CPU, N, blobs

scores = st.lists(st.integers(0, 6).map(lambda k: k / 6), min_size=2, max_size=30)


@settings(max_examples=100)
@given(scores, st.randoms(use_true_random=False))
def test_measures_are_those_of_scikit_learn(values: list[float], random: Any) -> None:
    truth = np.array([random.random() < 0.4 for _ in values])
    flagged = np.array([random.random() < 0.5 for _ in values])
    known = np.array([random.random() < 0.9 for _ in values])
    found = measured(Verdict(np.array(values), flagged), truth, known)
    t, s = truth[known], np.array(values)[known]
    assert found["flagged"] == flagged[known].sum()
    if not t.any():
        assert found["average_precision"] is None
        assert found["oracle_f1"] is None
        return
    assert found["average_precision"] == pytest.approx(average_precision_score(t, s))
    assert found["f1"] == pytest.approx(f1_score(t, flagged[known]))
    precision, recall, _ = precision_recall_curve(t, s)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    assert best_f1(t, s) == pytest.approx(f1.max())


def question(**changes: Any) -> Question:
    data, wrong = blobs()
    return Question(data, "embeddings", "vectors", "sha256:ab", **({"wrong": wrong} | changes))


def test_planted_noise_is_new_with_every_seed_and_the_same_for_all_tools() -> None:
    asked = question(wrong=None, plant="asymmetric", rate=0.25)
    lines = [*compare(asked, ["knn", "guider"], [3, 4], AuditConfig(epochs=3), CPU)]
    assert [(line["seed"], line["tool"]) for line in lines] == [
        (3, "knn"), (3, "guider"), (4, "knn"), (4, "guider"),
    ]  # fmt: skip
    per_class = np.bincount(asked.data.codes.numpy(), minlength=CLASSES)
    assert {line["wrong"] for line in lines} == {int(np.round(0.25 * per_class).sum())}
    assert lines[0]["average_precision"] != lines[2]["average_precision"]
    again = [*compare(asked, ["guider", "knn"], [3], AuditConfig(epochs=3), CPU)]
    assert again[1]["average_precision"] == lines[0]["average_precision"]
    assert again[0]["average_precision"] == lines[1]["average_precision"]


def test_rows_without_truth_are_not_measured() -> None:
    known = np.arange(N) < 100
    (line,) = compare(question(known=known), ["knn"], [0], AuditConfig(epochs=2), CPU)
    assert line["n"] == 100
    assert line["wrong"] == int(question().wrong[known].sum())  # type: ignore[index]


def test_tools_that_cannot_run_are_left_out_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert tools_for(question(), None) == ["noiseaudit", "guider", "aum", "small_loss", "knn"]
    with pytest.raises(
        ConfigError, match=r"--tools cleanlab cannot run here.*noiseaudit\[bench\]' brings it\.$"
    ):
        tools_for(question(), ["knn", "cleanlab"])
    with pytest.raises(ConfigError, match="Did you mean 'cleanlab'"):
        tools_for(question(), ["cleanlabs"])


@pytest.mark.parametrize(
    ("plant", "covered"),
    [
        (None, "trainings alone: rows and errors are the same with every seed"),
        ("symmetric", "trainings and planted errors, on the same rows with every seed"),
    ],
)
def test_the_table_by_hand(plant: str | None, covered: str) -> None:
    def line(tool: str, seed: int, ap: float, f1: float | None) -> dict[str, Any]:
        return {
            "tool": tool,
            "seed": seed,
            "plant": plant,
            "average_precision": ap,
            "auroc": 0.5,
            "f1": f1,
            "oracle_f1": 1.0,
            "seconds": 9.6,
        }

    text = table([line("noiseaudit", 0, 0.9, 0.8), line("noiseaudit", 1, 0.8, 0.8), line("knn", 0, 0.7, 0.5),
                  line("knn", 1, 0.5, None)])  # fmt: skip
    lines = text.splitlines()
    assert lines[2] == (
        "| noiseaudit | 0.850 ± 0.071 (n=2) | 0.500 ± 0.000 (n=2) | 0.800 ± 0.000 (n=2) | 1.000 ± 0.000 (n=2) "
        "| 10 ± 0 (n=2) |"
    )
    assert lines[3].startswith("| knn | 0.600 ± 0.141 (n=2) | ")
    assert "0.500 (n=1)" in lines[3]
    # differences 0.2 and 0.3: 0.25 +- 12.706 x 0.0707 / sqrt(2)
    assert lines[5].startswith(
        "- noiseaudit minus knn (vote of the 10 nearest rows): AP +0.250 [-0.385, 0.885] (n=2); "
        "F1, own cut-off needs two seeds."
    )
    assert lines[6:] == [
        "", f"The intervals cover {covered}; on other rows the tools may differ by more or less."
    ]  # fmt: skip
    assert "intervals" not in table([line("noiseaudit", 0, 0.9, 0.8), line("knn", 0, 0.7, 0.5)])
    assert "intervals" not in table([line("knn", 0, 0.9, 0.8), line("knn", 1, 0.7, 0.5)])
