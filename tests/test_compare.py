"""Comparing tools: every tool finds planted errors, shares what it may, and is measured as scikit-learn measures."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve, roc_auc_score
from typer.testing import CliRunner

from noiseaudit.choose import choose_epochs
from noiseaudit.compare.case import FOLDS, Case
from noiseaudit.compare.run import Question, best_f1, compare, measured, tools_for
from noiseaudit.compare.table import table
from noiseaudit.compare.tools import TOOLS
from noiseaudit.compare.verdict import Verdict
from noiseaudit.config import AuditConfig
from noiseaudit.course import _margin
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import ConfigError
from noiseaudit_cli.main import app

CPU = torch.device("cpu")
N, CLASSES = 240, 4


def blobs(seed: int = 0, unlabelled: int = 0) -> tuple[TrainingData, np.ndarray[Any, Any]]:
    """Four clusters of 8-dimensional vectors with a fifth of the labels flipped, and which are."""
    rng = np.random.default_rng(seed)
    true = np.arange(N) % CLASSES
    x = rng.normal(size=(N, 8)) + 3 * np.eye(8)[true]
    wrong = rng.random(N) < 0.2
    codes = np.where(wrong, (true + rng.integers(1, CLASSES, N)) % CLASSES, true)
    codes[:unlabelled] = -1
    data = TrainingData(
        torch.from_numpy(x.astype(np.float32)), torch.arange(N), torch.from_numpy(codes), CLASSES
    )
    return data, wrong


def case(data: TrainingData, epochs: int = 12) -> Case:
    return Case(data, "embeddings", AuditConfig(epochs=epochs, batch_size=32), seed=0, device=CPU)


@pytest.mark.parametrize("name", TOOLS)
def test_every_tool_ranks_planted_errors_first(name: str) -> None:
    if TOOLS[name].package:
        pytest.importorskip(str(TOOLS[name].package), reason="the extra `bench` is not installed")
    data, wrong = blobs(unlabelled=20)
    verdict = TOOLS[name].judge(case(data))
    assert verdict.scores.shape == verdict.flagged.shape == (N - 20,)
    assert verdict.flagged.dtype == np.bool_
    assert np.isfinite(verdict.scores).all()
    assert roc_auc_score(wrong[20:], verdict.scores) > 0.9
    assert f1_score(wrong[20:], verdict.flagged) > 0.55


def test_every_tool_is_trained_as_long_as_scan_would_train_it() -> None:
    """With few labels among many rows, an epoch of a tool that sees labels only is short: it gets more of them."""
    data, _ = blobs(unlabelled=200)
    at = Case(data, "embeddings", AuditConfig(), seed=0, device=CPU)
    found: dict[str, list[Any]] = {}
    for name in ("umn_plus", "supervised"):
        plans: list[Any] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "noiseaudit.compare.case.fit",
                lambda *a, plans=plans, **k: plans.append((a[2].steps, k["epochs"])),
            )
            at.train(name, data.codes.numpy())
        found[name] = plans[0]
    for steps, epochs in found.values():
        assert epochs == choose_epochs(AuditConfig(), steps)
    assert found["umn_plus"] != found["supervised"]


def test_all_networks_see_inputs_that_are_perturbed_alike() -> None:
    data, _ = blobs()
    seen: list[tuple[float, float]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "noiseaudit.compare.case.fit",
            lambda method, *args, **kwargs: seen.append((method.values.input_noise, method.values.jitter)),
        )
        for method in ("umn_plus", "supervised"):
            case(data).train(method, data.codes.numpy())
    assert seen[0] == seen[1]


def test_rare_classes_and_few_rows(recwarn: pytest.WarningsRecorder) -> None:
    rng = np.random.default_rng(0)
    for labels in ([0] * 12 + [1], [0, 1, 0, 1]):
        x = torch.from_numpy(rng.normal(size=(len(labels), 8)).astype(np.float32))
        data = TrainingData(x, torch.arange(len(labels)), torch.tensor(labels), 2)
        at = Case(data, "embeddings", AuditConfig(epochs=2, batch_size=4), seed=0, device=CPU)
        for name, tool in TOOLS.items():
            if tool.package and importlib.util.find_spec(tool.package) is None:
                continue
            assert np.isfinite(tool.judge(at).scores).all(), name
    assert not recwarn.list


def test_folds_are_a_partition_with_every_class_in_each() -> None:
    data, _ = blobs(unlabelled=30)
    folds = case(data).folds()
    assert len(folds) == FOLDS
    assert sorted(np.concatenate(folds).tolist()) == list(range(N - 30))
    labels = case(data).given
    for fold in folds:
        counts = np.bincount(labels[fold], minlength=CLASSES)
        expected = np.bincount(labels, minlength=CLASSES) / FOLDS
        assert np.abs(counts - expected).max() <= 1


def test_out_of_fold_probabilities_do_not_know_the_label() -> None:
    """A row whose label alone is changed keeps its out-of-fold probabilities."""
    data, _ = blobs()
    before = case(data, epochs=2)
    row = int(before.folds()[0][0])
    probs = before.out_of_fold()
    assert probs.sum(axis=1) == pytest.approx(np.ones(N))
    changed = data.codes.clone()
    changed[row] = (changed[row] + 1) % CLASSES
    after = case(TrainingData(data.x, data.usable, changed, CLASSES), epochs=2)
    after.folds = before.folds  # type: ignore[method-assign]
    held_out = before.folds()[0]
    assert np.array_equal(after.out_of_fold()[held_out], probs[held_out])
    assert not np.array_equal(after.out_of_fold(), probs)


def test_shared_work_is_done_once_and_counts_for_everyone() -> None:
    data, _ = blobs()
    at = case(data, epochs=2)
    times: list[int] = []
    for _ in range(3):
        assert at.shared("name", lambda: times.append(1) or "value") == "value"  # type: ignore[func-returns-value]
    assert times == [1]
    assert at.borrowed == 2 * at._shared["name"][1]


def test_the_margin_is_a_difference_of_logits() -> None:
    logits = torch.tensor([[2.0, 1.0, -1.0], [0.5, 3.0, 3.5]])
    given = torch.tensor([[0], [1]])
    assert _margin(logits.softmax(1), given).tolist() == pytest.approx([1.0, -0.5], abs=1e-6)
    assert _margin(torch.tensor([[1.0, 0.0]]), torch.tensor([[1]])).isfinite().all()


scores = st.lists(st.integers(0, 6).map(lambda k: k / 6), min_size=2, max_size=30)


@settings(max_examples=100, deadline=None)
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
    return Question(data, "embeddings", "vectors", **({"wrong": wrong} | changes))


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
    with pytest.raises(ConfigError, match=r"--tools cleanlab cannot run here.*noiseaudit\[bench\]"):
        tools_for(question(), ["knn", "cleanlab"])
    with pytest.raises(ConfigError, match="Did you mean 'cleanlab'"):
        tools_for(question(), ["cleanlabs"])


def test_the_table_by_hand() -> None:
    def line(tool: str, seed: int, ap: float, f1: float | None) -> dict[str, Any]:
        return {
            "tool": tool,
            "seed": seed,
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
        "- noiseaudit minus knn: AP +0.250 [-0.385, 0.885] (n=2); F1, own cut-off needs two seeds."
    )


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


def test_rows_with_the_same_content_are_in_one_fold() -> None:
    data, _ = blobs()
    x = data.x.clone()
    x[1::3] = x[0::3]  # pairs, of other classes too
    twice = case(dataclasses.replace(data, x=x))
    fold_of = np.empty(N, np.int64)
    for number, rows in enumerate(twice.folds()):
        fold_of[rows] = number
    assert (fold_of[1::3] == fold_of[0::3]).all()
    assert sorted(np.concatenate(twice.folds()).tolist()) == list(range(N))
    assert [len(rows) for rows in case(data).folds()] == [48] * 5


def test_the_command_with_truth_of_the_label_file_or_of_a_file(label_file: Path) -> None:
    own = run(label_file, "own.jsonl", "--seeds", "0-1")
    assert own.exit_code == 0, own.stderr
    assert own.stdout.startswith("| tool | AP |")
    assert "seed 1, knn:" in own.stderr
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
