"""Tables by hand: means, deviations, marks, and what is printed where nothing is known."""

from __future__ import annotations

from typing import Any

import pytest

from noiseaudit.bench.cells import identity
from noiseaudit.bench.recipes import as_text, recipe
from noiseaudit.bench.sections import sections
from noiseaudit.bench.tables import table_text


def line(method: str = "umn", seed: int = 0, error: float = 0.02, **other: Any) -> dict[str, Any]:
    changes = (
        ""
        if other.get("labels", 100) is None
        else as_text(recipe(other.get("dataset", "mnist"), method, other.get("variant", "default")))
    )
    return {
        "key": f"{method} {seed} {other}",
        "table": "table1",
        "dataset": "mnist",
        "method": method,
        "variant": "default",
        "labels": 100,
        "noise": "symmetric",
        "rate": 0.1,
        "seed": seed,
        "scale": "medium",
        "epochs": 60,
        "changes": changes,
        "settings": {},
        "backbone": "mlp",
        "batch": {"labelled": 5, "unlabelled": 95, "steps": 526},
        "classes": 10,
        "data": "sha256:0123456789",
        "rows": 50_000,
        "labelled": 100,
        "corrupted": round(100 * other.get("rate", 0.1)),
        "test_rows": 10_000,
        "source": "torchvision",
        "test_error": {"learner": 0.9, "guider": error},
        "hardware": {"device": "cpu", "name": "a processor", "precision": "float32"},
        **other,
    }


def rows(text: str) -> dict[str, list[str]]:
    """Cells of the rows of the first table by their first cell."""
    table = text.split("\n\n")[1]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    return {row[0]: row[1:] for row in cells if not row[0].startswith("---")}


def test_ours_beside_the_papers() -> None:
    lines = [line(seed=0, error=0.01), line(seed=1, error=0.03), line("mean_teacher", error=0.10)]
    text = table_text("table1", lines)
    assert text.startswith(
        "### Table 1: comparison of methods, mnist, symmetric noise, scale medium (60 epochs)\n"
    )
    assert rows(text) == {
        "system": ["10%"],
        "mean_teacher": ["10.0 (n=1) / 6.6"],
        "umn": ["**2.0 ± 1.4 (n=2)** / 2.5 ± 0.14"],  # no mark: nobody else has two
    }
    assert "Run on cpu (a processor), float32; 50,000 rows, 10,000 to test on, from torchvision." in text
    timed = [each | {"seconds": 1800.0, "versions": {"torch": "2.9.1"}} for each in lines]
    assert "from torchvision. 3 runs, 1.5 hours in all, torch 2.9.1." in table_text("table1", timed)


def test_a_baseline_that_wins_is_shown_as_winning() -> None:
    lines = [line("umn_plus", seed, 0.02 + 0.01 * seed) for seed in range(3)]
    lines += [line("reweight", seed, 0.01 + 0.01 * seed + 0.001 * (seed == 1)) for seed in range(3)]
    text = table_text("table1", lines)
    assert rows(text)["reweight"] == ["2.0 ± 1.0 (n=3) † / -"]
    assert rows(text)["umn_plus"] == ["3.0 ± 1.0 (n=3) / **2.5 ± 0.14**"]
    # Differences -1, -0.9, -1: mean -0.967, t(0.975, 2) = 4.303, standard error 0.0333.
    assert "| reweight | -1.0 [-1.1, -0.8] (n=3) |" in text
    assert "Difference to umn_plus" in text


def test_changed_settings_are_part_of_the_name() -> None:
    lines = [
        line(error=0.03),
        line(error=0.02, changes="alpha=20", settings={"alpha": 20.0}),
        line(changes="", settings={"alpha": 1.0}),
    ]
    found = rows(table_text("table1", lines))
    assert set(found) == {"system", "umn", "umn alpha=20", "umn (own settings)"}
    assert found["umn alpha=20"] == ["**2.0 (n=1)** † / 2.5 ± 0.14"]


def test_where_nothing_is_known() -> None:
    text = table_text("table1", [line("umn", rate=0.1), line("umn_plus", rate=0.15)])
    assert rows(text)["umn"] == ["**2.0 (n=1)** / 2.5 ± 0.14", "-"]
    assert rows(text)["umn_plus"] == ["-", "2.0 (n=1) / -"]
    inclusive = table_text("table1", [line(noise="uniform")])
    assert rows(inclusive)["umn"] == ["**2.0 (n=1)** / 2.5 ± 0.14"]
    other = table_text("table1", [line(noise="asymmetric")])
    assert rows(other)["umn"] == ["2.0 (n=1) / -"]
    assert table_text("table1", []) == ""


def test_runs_that_diverged_are_counted() -> None:
    broken = {k: v for k, v in line(seed=1, error=0).items() if k != "test_error"} | {"error": "NaN"}
    assert rows(table_text("table1", [line(), broken]))["umn"] == ["2.0 (n=1) / 2.5 ± 0.14 (1 diverged)"]
    assert rows(table_text("table1", [broken]))["umn"] == ["- / 2.5 ± 0.14 (1 diverged)"]


def test_scales_and_settings_are_not_mixed() -> None:
    lines = [line(), line(scale="paper", epochs=350), line(seed=1, error=0.5, settings={"alpha": 3.0})]
    assert [section.title.rpartition(", ")[2] for section in sections(lines, "table1")] == [
        "scale medium (60 epochs)",
        "scale paper (350 epochs)",
    ]
    assert len(sections(lines, "table1", scale="paper")) == len(sections(lines, "table1", epochs=60)) == 1
    assert set(rows(table_text("table1", lines, epochs=60))) == {
        "system",
        *(f"umn [settings {identity(each, with_score=False)}]" for each in (lines[0], lines[2])),
    }


def test_of_a_cell_that_ran_twice_the_last_line_counts() -> None:
    assert rows(table_text("table1", [line(error=0.5), line(error=0.03)]))["umn"][0].startswith("3.0 (n=1)")


def test_systems_and_data_sets_are_in_the_papers_order() -> None:
    lines = [line("umn_plus"), line("umn"), line("supervised", variant="S-1"), line("mean_teacher")]
    lines += [line(dataset="mine"), line(dataset="cifar10")]
    assert list(rows(table_text("table1", lines))) == [
        "system", "supervised S-1", "mean_teacher", "umn", "umn_plus",
    ]  # fmt: skip
    assert [section.dataset for section in sections(lines, "table1")] == ["mnist", "cifar10", "mine"]


def test_table_2_names_the_rates_that_were_run() -> None:
    place: dict[str, Any] = {"table": "table2", "dataset": "svhn"}
    lines = [
        line("mentornet", error=0.2, labels=n, labelled=n, rate=r, **place)
        for n in (1_000, 20_000)
        for r in (0.1, 0.2)
    ]
    umn = line("umn", error=0.1, labels=1_000, labelled=1_000, **place)
    found = rows(table_text("table2", [*lines, umn]))
    assert found["system"] == ["1,000 labels", "20,000 labels"]
    assert found["mentornet, 10% corrupt"] == ["**20.0 (n=1)** / 30.5", "20.0 (n=1) / **11.2**"]
    assert found["mentornet, 20% corrupt"] == ["**20.0 (n=1)** / 30.5", "20.0 (n=1) / **11.2**"]
    assert found["umn, 10% corrupt"] == ["**10.0 (n=1)** † / 23.9", "-"]


def detected(f1: float | None, recall: float | None = 0.5, precision: float | None = 0.25) -> dict[str, Any]:
    return {"f1": f1, "recall": recall, "precision": precision}


def test_table_3_has_both_readings_and_all_rules() -> None:
    final = {"epsilon": detected(0.4), "step_epsilon": detected(0.5), "default": detected(0.96)}
    place: dict[str, Any] = {"table": "table3", "labels": None, "variant": "fully-labelled"}
    better = final | {"epsilon": detected(0.6, 0.7, 0.35)}
    lines = [line(final=final, **place), line(seed=1, final=better, **place)]
    lines.append(line("umn_plus", final={"default": detected(None, None)}))
    text = table_text("table3", lines)
    few, everything = text.split("fully-labelled (100 labels):")
    assert "| the paper | 0.48 (1, 0.32) |" in few
    assert "umn_plus" not in few.split("100-labels (100 labels):")[1]
    assert (
        "| umn, epsilon > 0, recorded after the last epoch | **0.50 ± 0.14 (n=2)** (0.60, 0.30) |"
        in everything
    )
    assert (
        "| umn, epsilon > 0, in the last step of each row | **0.50 ± 0.00 (n=2)** (0.50, 0.25) |"
        in everything
    )
    assert (
        "| umn, noiseaudit's default score and cut-off | **0.96 ± 0.00 (n=2)** (0.50, 0.25) |" in everything
    )


@pytest.mark.parametrize(("f1", "marked"), [(0.47, False), (0.48, True)])
def test_a_rule_at_or_above_the_paper_is_marked(f1: float, marked: bool) -> None:
    place: dict[str, Any] = {"table": "table3", "variant": "fully-labelled", "labels": None}
    text = table_text("table3", [line(final={"epsilon": detected(f1)}, **place)])
    assert (f"**{f1:.2f} (n=1)**" in text) == marked


def test_shares_that_were_not_drawn_as_asked_are_said() -> None:
    exact = table_text("table1", [line(), line(rate=0.3)])
    assert "In truth wrong" not in exact
    other = table_text("table1", [line(), line(rate=0.3, labelled=50, corrupted=20)])
    assert "In truth wrong: 40% at 30%." in other


def test_a_data_set_of_ones_own_is_taken_as_true() -> None:
    said = "The labels of the data set are taken as true"
    assert said not in table_text("table1", [line()])
    assert said in table_text("table1", [line(source="label file")])
