from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from noiseaudit.corrupt import CorruptionSummary, corrupt_labels
from noiseaudit.errors import ConfigError
from noiseaudit.labels import LabelTable, read_labels
from noiseaudit.noise import uniform


@pytest.fixture
def table(tmp_path: Path) -> LabelTable:
    rows = [f'"img {i}.png", {i} ,{"abc"[i % 3]}\r\n' for i in range(30)] + ['"x,1",=1+1,\r\n', '"q""\r",,c']
    path = tmp_path / "data.csv"
    path.write_bytes(("path,note,label\r\n" + "".join(rows)).encode())
    return read_labels(path)


def truth_rows(summary: CorruptionSummary) -> list[dict[str, str]]:
    with summary.truth.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def test_the_file_and_the_truth_agree(table: LabelTable, tmp_path: Path) -> None:
    summary = corrupt_labels(table, kind="symmetric", rate=0.3, seed=1, out=tmp_path / "noisy.csv")
    noisy, truth = read_labels(summary.out), truth_rows(summary)
    assert summary.truth == tmp_path / "noisy.csv.truth.csv"
    assert list(truth[0]) == ["sample_id", "image", "true_label", "given_label", "is_corrupted"]
    labelled = [row for row in range(32) if row != 30]
    assert [row["sample_id"] for row in truth] == table.sample_id[labelled].tolist()
    assert [row["true_label"] for row in truth] == table.given_label[labelled].tolist()
    assert [row["given_label"] for row in truth] == noisy.given_label[labelled].tolist()
    flipped = [row["given_label"] != row["true_label"] for row in truth]
    assert [row["is_corrupted"] for row in truth] == ["true" if flip else "false" for flip in flipped]
    assert noisy.given_label[30] is None
    # 10 rows of a, 10 of b, 11 of c.
    assert Counter(row["true_label"] for row in truth if row["is_corrupted"] == "true") == dict.fromkeys(
        "abc", 3
    )
    assert (summary.n_rows, summary.n_labelled, summary.n_corrupted) == (32, 31, 9)
    assert summary.realised_rate == pytest.approx(9 / 31)


def test_untouched_rows_keep_their_bytes(table: LabelTable, tmp_path: Path) -> None:
    summary = corrupt_labels(table, kind="asymmetric", rate=0.5, seed=0, out=tmp_path / "noisy.csv")
    assert table.source is not None
    next_class = {"a": "b", "b": "c", "c": "a"}
    expected = table.source.path.read_bytes().decode()
    corrupted = [row for row in truth_rows(summary) if row["is_corrupted"] == "true"]
    assert len(corrupted) == 5 + 5 + round(5.5)
    lines = dict(zip(table.sample_id.tolist(), expected.split("\r\n")[1:], strict=True))
    for row in corrupted:
        line = lines[row["sample_id"]]
        lines[row["sample_id"]] = line[:-1] + next_class[line[-1]]
    assert summary.out.read_bytes().decode() == "\r\n".join(["path,note,label", *lines.values()])


def test_pairs_are_class_names(table: LabelTable, tmp_path: Path) -> None:
    summary = corrupt_labels(
        table, kind="asymmetric", rate=0.5, seed=0, out=tmp_path / "noisy.csv", pairs={"a": "c"}
    )
    moves = Counter((row["true_label"], row["given_label"]) for row in truth_rows(summary))
    assert moves == {("a", "a"): 5, ("a", "c"): 5, ("b", "b"): 10, ("c", "c"): 11}


def test_instance_noise_uses_the_features(table: LabelTable, tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(size=(32, 4))
    summary = corrupt_labels(
        table, kind="instance", rate=0.4, seed=3, out=tmp_path / "noisy.csv", features=features
    )
    assert 0 < summary.n_corrupted < 31
    assert all(row["given_label"] in "abc" for row in truth_rows(summary))


def test_the_seed_decides(table: LabelTable, tmp_path: Path) -> None:
    outs = [tmp_path / f"{name}.csv" for name in ("one", "two", "three")]
    for seed, out in zip((1, 1, 2), outs, strict=True):
        corrupt_labels(table, kind="symmetric", rate=0.5, seed=seed, out=out)
    one, two, three = (out.read_bytes() for out in outs)
    assert one == two != three


def test_a_folder_becomes_a_csv(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).touch()
    out = tmp_path / "noisy.csv"
    corrupt_labels(read_labels(tmp_path / "tree"), kind="symmetric", rate=0.5, seed=0, out=out)
    noisy = read_labels(out)
    assert noisy.sample_id.tolist() == ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"]
    assert Counter(noisy.given_label) == {"cat": 2, "dog": 2}
    assert noisy.given_label.tolist() != ["cat", "cat", "dog", "dog"]


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.2, 1.5, float("nan")])
def test_rates_out_of_range_name_the_option(table: LabelTable, tmp_path: Path, rate: float) -> None:
    with pytest.raises(ConfigError, match="--rate"):
        corrupt_labels(table, kind="symmetric", rate=rate, seed=0, out=tmp_path / "noisy.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_options_that_do_not_fit_are_refused(table: LabelTable, tmp_path: Path) -> None:
    out, features = tmp_path / "noisy.csv", np.zeros((32, 2))
    with pytest.raises(ConfigError, match="--kind 'odd' is unknown"):
        corrupt_labels(table, kind="odd", rate=0.5, seed=0, out=out)
    with pytest.raises(ConfigError, match="--seed -1 is negative"):
        corrupt_labels(table, kind="symmetric", rate=0.5, seed=-1, out=out)
    with pytest.raises(ConfigError, match="class pairs do not go with --kind symmetric"):
        corrupt_labels(table, kind="symmetric", rate=0.5, seed=0, out=out, pairs={"a": "b"})
    with pytest.raises(ConfigError, match=r"--pair: no such choice 'x'\. Choose one of a, b, c"):
        corrupt_labels(table, kind="asymmetric", rate=0.5, seed=0, out=out, pairs={"a": "x"})
    with pytest.raises(ConfigError, match="maps 'a' to itself"):
        corrupt_labels(table, kind="asymmetric", rate=0.5, seed=0, out=out, pairs={"a": "a"})
    for kind, given in (("instance", None), ("symmetric", features)):
        with pytest.raises(ConfigError, match="features are for --kind instance"):
            corrupt_labels(table, kind=kind, rate=0.5, seed=0, out=out, features=given)
    memory = LabelTable(None, table.sample_id, None, table.given_label)
    with pytest.raises(ConfigError, match="no file to corrupt"):
        corrupt_labels(memory, kind="symmetric", rate=0.5, seed=0, out=out)


def test_a_rate_that_changes_nothing_is_refused_with_the_smallest_that_does(
    table: LabelTable, tmp_path: Path
) -> None:
    out = tmp_path / "noisy.csv"
    with pytest.raises(ConfigError, match=r"corrupts no label.* even of 11\. Give --rate 0\.0459 or more"):
        corrupt_labels(table, kind="symmetric", rate=0.04, seed=0, out=out)
    with pytest.raises(ConfigError, match=r"even of 10\. Give --rate 0\.0505 or more"):
        corrupt_labels(table, kind="asymmetric", rate=0.05, seed=0, out=out, pairs={"a": "b"})
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]
    assert corrupt_labels(table, kind="symmetric", rate=0.0459, seed=0, out=out).n_corrupted == 1


def test_instance_noise_that_draws_no_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("image,label\na,x\nb,y\n")
    two, out = read_labels(tmp_path / "data.csv"), tmp_path / "noisy.csv"
    with pytest.raises(ConfigError, match=r"no label of 2: no row was drawn.* another --seed"):
        corrupt_labels(two, kind="instance", rate=0.01, seed=0, out=out, features=np.zeros((2, 2)))
    assert not out.exists()


def test_uniform_noise_may_draw_the_own_class(table: LabelTable, tmp_path: Path) -> None:
    out = tmp_path / "noisy.csv"
    summary = corrupt_labels(
        table, kind="uniform", rate=0.9, seed=0, out=out
    )  # draws 9, 9 and 10 labels anew
    assert 9 <= summary.n_corrupted < 28
    assert summary.expected_rate == pytest.approx(0.6)
    with pytest.raises(ConfigError, match=r"even of 11\. Give --rate 0\.0459 or more"):
        corrupt_labels(table, kind="uniform", rate=0.04, seed=0, out=tmp_path / "other.csv")


def test_uniform_noise_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("image,label\na,x\nb,y\n")
    two, out = read_labels(tmp_path / "data.csv"), tmp_path / "noisy.csv"
    kept = next(
        seed
        for seed in range(99)
        if not uniform(two.codes, 2, 0.9, np.random.default_rng(seed)).flipped.any()
    )
    with pytest.raises(ConfigError, match=r"no label of 2: all that were drawn drew their own class"):
        corrupt_labels(two, kind="uniform", rate=0.9, seed=kept, out=out)
    assert not out.exists()


def test_a_realised_rate_far_from_the_asked_one_is_known(table: LabelTable, tmp_path: Path) -> None:
    out = tmp_path / "noisy.csv"
    off = corrupt_labels(table, kind="symmetric", rate=0.25, seed=0, out=out)  # 2 of 10, 2 of 10, 3 of 11
    assert (off.n_corrupted, off.is_off) == (7, False)
    off = corrupt_labels(table, kind="symmetric", rate=0.0459, seed=0, out=out)
    assert (off.n_corrupted, off.is_off) == (1, True)
