"""What a table says of its numbers: marks, intervals, and who was told more than labels."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from noiseaudit.bench.tables import table_text
from noiseaudit.bench.told import told_note
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.methods import METHODS
from tests.test_bench_tables import detected, line, rows

FULL: dict[str, Any] = {"table": "table3", "variant": "fully-labelled", "labels": None}


def diverged(*place: Any, **other: Any) -> dict[str, Any]:
    whole = line(*place, **other)
    return {name: value for name, value in whole.items() if name not in ("test_error", "final")} | {
        "error": "NaN"
    }


def test_survivors_do_not_win() -> None:
    lines = [line(seed=seed, error=0.03 + 0.001 * seed) for seed in range(3)]
    lines += [line("mean_teacher", 0, 0.02), *(diverged("mean_teacher", seed) for seed in (1, 2))]
    found = rows(table_text("table1", lines))
    assert found["mean_teacher"] == ["2.0 (n=1) / 6.6 (2 diverged)"]
    assert found["umn"] == ["3.1 ± 0.1 (n=3) / **2.5 ± 0.14**"]


def test_fewer_seeds_do_not_win() -> None:
    lines = [line(seed=seed, error=0.03) for seed in range(3)] + [line("mean_teacher", 1, 0.02)]
    lines += [line("mean_teacher", 1, 0.02, rate=0.2)]  # where no one has more
    found = rows(table_text("table1", lines))
    assert found["mean_teacher"] == ["2.0 (n=1) / 6.6", "**2.0 (n=1)** / 11.7"]
    assert found["umn"] == ["3.0 ± 0.0 (n=3) / **2.5 ± 0.14**", "-"]


def test_without_a_rival_nobody_has_the_lowest_error() -> None:
    lines = [line("umn", rate=0.1), line("umn", rate=0.2), line("mean_teacher", error=0.5, rate=0.2)]
    assert rows(table_text("table1", lines))["umn"] == [
        "**2.0 (n=1)** / 2.5 ± 0.14",
        "**2.0 (n=1)** † / 2.8 ± 0.37",
    ]


def test_all_who_share_the_lowest_are_marked() -> None:
    found = rows(table_text("table1", [line(error=0.02), line("reweight", error=0.02)]))
    assert all("†" in cells[0] for name, cells in found.items() if name != "system")


def test_table_2_marks_the_lowest_of_each_rate() -> None:
    place: dict[str, Any] = {"table": "table2", "dataset": "svhn", "labels": 1_000, "labelled": 1_000}
    lines = [
        line(method, error=error, rate=rate, **place)
        for method, errors in (("mentornet", (0.2, 0.4)), ("umn", (0.1, 0.5)))
        for rate, error in zip((0.1, 0.2), errors, strict=True)
    ]
    marked = {name for name, cells in rows(table_text("table2", lines)).items() if "†" in cells[0]}
    assert marked == {"umn, 10% corrupt", "mentornet, 20% corrupt"}


def test_fewer_labels_than_the_papers_are_told_and_not_compared() -> None:
    place: dict[str, Any] = {"table": "table2", "dataset": "svhn", "scale": "smoke"}
    lines = [
        line(method, labels=labels, labelled=50, **place)
        for method in ("umn", "mentornet")
        for labels in (1_000, 20_000)
    ]
    found = rows(table_text("table2", lines))
    assert found["system"] == ["1,000 labels (here 50)", "20,000 labels (here 50)"]
    assert not any(mark in cell for row in found.values() for cell in row for mark in ("†", "**"))


def test_settings_beside_the_defaults_are_told() -> None:
    own = METHODS["umn"].settings(SOME_IMAGES)
    searched = dataclasses.asdict(own) | {"learning_rate": 0.003, "jitter": 1.0}
    text = table_text("table1", [line(settings=searched), line("umn_plus")])
    assert "\nSettings beside the defaults: umn (jitter=1.0 learning_rate=0.003).\n" in text
    assert "Settings" not in table_text("table1", [line(settings=dataclasses.asdict(own))])


def test_a_new_score_is_another_system_where_suspects_are_looked_at_and_nowhere_else() -> None:
    lines = [line(seed=seed, score=seed + 1, final={"default": detected(0.9)}) for seed in (0, 1)]
    assert rows(table_text("table1", lines))["umn"][0].startswith("**2.0 ± 0.0 (n=2)**")
    assert table_text("table3", lines).count("[settings ") == 2


@pytest.mark.parametrize("what", ["batch", "rows", "labelled", "precision"])
def test_runs_of_other_batches_rows_labels_or_precision_are_no_seeds_of_one_system(what: str) -> None:
    machine = {"device": "cuda", "name": "a GPU", "precision": "bfloat16"}
    changed: dict[str, Any] = {"batch": {}, "rows": 9, "labelled": 99, "precision": machine}
    other = {"hardware" if what == "precision" else what: changed[what]}
    text = table_text("table1", [line(), line(seed=1, **other)])
    assert text.count("umn [settings ") == 2


def test_no_interval_of_one_pair() -> None:
    lines = [line("umn_plus", rate=0.1), line("umn", rate=0.1)]
    assert "Difference" not in table_text("table1", lines)
    lines += [line(method, seed, 0.1 * seed, rate=0.2) for method in ("umn", "umn_plus") for seed in (0, 1)]
    text = table_text("table1", lines)
    assert "| umn | - | +0.0 [0.0, 0.0] (n=2) |" in text
    assert "cover seeds only, and are not corrected for the number of comparisons" in text


def test_who_was_told_more_is_named() -> None:
    lines = [line(method) for method in ("umn", "reweight", "mentornet")]
    told = next(text for text in table_text("table1", lines).splitlines() if text.startswith("Told more"))
    assert told == (
        "Told more than their labels: mentornet (the true share of wrong labels); "
        "reweight (which labels, a tenth of them, are known to be right)."
    )
    assert told in table_text(
        "table3", [line(m, final={"default": detected(0.5)}) for m in ("reweight", "mentornet")]
    )
    assert told_note(["umn", "supervised"]) == []
    (every,) = told_note(METHODS)
    assert all(name in every for name, kind in METHODS.items() if kind.needs)


def test_of_rivals_the_default_score_alone_is_shown() -> None:
    rules = {rule: detected(0.8) for rule in ("epsilon", "step_epsilon", "default", "own")}
    text = table_text("table3", [line(method, final=rules) for method in ("mean_teacher", "umn")])
    systems = [row.split(",")[0] for row in text.splitlines() if row.startswith(("| umn", "| mean"))]
    assert systems == ["| umn"] * 3 + ["| mean_teacher"]
    assert "| mean_teacher, noiseaudit's default score and cut-off | **0.80" in text


def test_only_the_score_without_neighbours_may_be_left_out() -> None:
    same = {rule: detected(1.0) for rule in ("default", "own")}
    other = {"default": detected(0.9), "own": detected(0.8)}
    lines = [line(method, final=same, **FULL) for method in ("umn", "umn_plus")]
    text = table_text("table3", [*lines, line("mean_teacher", final=other, **FULL)])
    assert "| umn, noiseaudit's default score and cut-off |" in text
    assert "| umn_plus, noiseaudit's default score and cut-off |" in text
    assert "| mean_teacher, the same without neighbours | **0.80" in text
    assert text.count("the same without neighbours") == 1


def test_precision_has_its_own_n() -> None:
    lines = [
        line(seed=seed, final={"default": detected(f1, 0.5, precision)}, **FULL)
        for seed, (f1, precision) in enumerate([(0.6, 1.0), (0.0, None)])
    ]
    assert "0.30 ± 0.42 (n=2) (0.50, 1.00 [n=1]) |" in table_text("table3", lines)


def test_survivors_do_not_beat_the_paper_in_finding_labels() -> None:
    lines = [line(final={"default": detected(0.9)}, **FULL), diverged(seed=1, **FULL)]
    assert "| 0.90 (n=1) (0.50, 0.25) (1 diverged) |" in table_text("table3", lines)
