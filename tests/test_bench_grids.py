"""The grids hold the paper's settings, and a variant where it leaves one open."""

from __future__ import annotations

import pytest

from noiseaudit.bench.grids import SCALES, Choices, grid
from noiseaudit.bench.recipes import as_text, recipe
from noiseaudit.bench.systems import System, systems
from noiseaudit.errors import ConfigError
from noiseaudit.methods import METHODS


def test_table_1_at_paper_scale() -> None:
    cells = grid("table1", Choices(scale="paper"))
    assert {cell.dataset for cell in cells} == {"mnist", "svhn", "cifar10"}
    assert {cell.rate for cell in cells} == {0.1, 0.2, 0.3, 0.4, 0.5}
    assert {cell.seed for cell in cells} == {0, 1, 2, 3, 4}
    assert {cell.epochs for cell in cells} == {350}
    assert {cell.noise for cell in cells} == {"symmetric"}
    assert {(cell.dataset, cell.labels) for cell in cells} == {
        ("mnist", 100),
        ("svhn", 500),
        ("cifar10", 4_000),
    }
    assert {cell.method for cell in cells} == set(METHODS)
    assert len(set(cells)) == len(cells) == 25 * sum(len(systems("table1", d)) for d in SETTLED)


SETTLED = ("mnist", "svhn", "cifar10")


def test_the_supervised_variants() -> None:
    variants = {
        dataset: {s.variant: s.column for s in systems("table1", dataset) if s.method == "supervised"}
        for dataset in SETTLED
    }
    assert variants["mnist"] == {"mlp-784": "S-1", "S-1": "S-1", "S-2": "S-2", "shared": None}
    assert variants["svhn"] == variants["cifar10"] == {"S-1": "S-1", "S-2": "S-2", "shared": None}
    assert [s for s in systems("table1", "mine") if s.method == "supervised"] == [
        System("supervised", "shared")
    ]


def test_table_2_runs_both_corruption_rates() -> None:
    cells = grid("table2", Choices(scale="paper"))
    assert {cell.dataset for cell in cells} == {"svhn"}
    assert {cell.method for cell in cells} == {"mentornet", "umn", "umn_plus"}
    assert {cell.rate for cell in cells} == {0.1, 0.2}
    assert {cell.labels for cell in cells} == {1_000, 2_000, 3_000, 10_000, 20_000}
    assert len(cells) == 3 * 2 * 5 * 5


def test_table_3_runs_both_readings() -> None:
    cells = grid("table3", Choices(scale="medium"))
    assert {(c.table, c.dataset, c.variant, c.labels) for c in cells} == {
        ("table1", "mnist", "default", 100),
        ("table3", "mnist", "fully-labelled", None),
    }
    few = {cell for cell in cells if cell.labels}
    assert few <= set(grid("table1", Choices(scale="medium")))
    assert {cell.method for cell in cells} == {"umn", "umn_plus"}
    assert len(cells) == 2 * 2 * 5 * 3
    assert {cell.epochs for cell in cells} == {60}


def test_figure_2_is_part_of_table_1() -> None:
    cells = grid("figure2", Choices())
    assert {(cell.table, cell.dataset) for cell in cells} == {("table1", "svhn")}
    assert {cell.rate for cell in cells} == {0.2, 0.3, 0.4}
    assert set(cells) <= set(grid("table1", Choices()))


def test_high_noise() -> None:
    cells = grid("high-noise", Choices())
    assert {cell.rate for cell in cells} == {0.6, 0.7, 0.8}
    assert {(cell.dataset, cell.labels) for cell in cells} == {("svhn", 500)}
    assert {cell.method for cell in cells} == {"mentornet", "umn", "umn_plus"}


def test_choices_narrow_the_grid() -> None:
    choices = Choices("mnist", ["umn", "supervised:S-2"], [0.15], [7], "smoke", 9, "asymmetric")
    cells = grid("table1", choices)
    assert [(c.method, c.variant) for c in cells] == [("supervised", "S-2"), ("umn", "default")][::-1]
    assert {(c.rate, c.seed, c.scale, c.epochs, c.noise) for c in cells} == {
        (0.15, 7, "smoke", 9, "asymmetric")
    }


def test_a_method_that_a_table_has_not_is_added() -> None:
    cells = grid("table3", Choices(methods=["mean_teacher", "supervised"], rates=[0.1], seeds=[0]))
    assert {(c.method, c.variant) for c in cells} == {
        (method, variant)
        for method in ("mean_teacher", "supervised")
        for variant in ("default", "fully-labelled")
    }


def test_scales() -> None:
    assert {name: (scale.epochs, scale.seeds) for name, scale in SCALES.items()} == {
        "paper": (350, 5),
        "medium": (60, 3),
        "smoke": (2, 1),
    }


@pytest.mark.parametrize(
    ("table", "choices", "words"),
    [
        ("table4", Choices(), "TABLE"),
        ("table1", Choices(scale="big"), "--scale"),
        ("table1", Choices(noise="odd"), "--noise"),
        ("table1", Choices(methods=["unm"]), "--methods.*'umn'"),
        ("table1", Choices("mnist", ["supervised:S-3"]), "no such variant.*supervised:S-1"),
        ("table1", Choices(rates=[0.0]), "--rates"),
        ("table1", Choices(rates=[1.0]), "--rates"),
        ("table1", Choices(seeds=[-1]), "--seeds"),
        ("table1", Choices(epochs=0), "--epochs"),
        ("table1", Choices(seeds=[]), "--seeds is an empty list"),
        ("table1", Choices(rates=[]), "--rates is an empty list"),
        ("table1", Choices(methods=[]), "--methods is an empty list"),
    ],
)
def test_what_there_is_not(table: str, choices: Choices, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        grid(table, choices)


def test_what_is_named_twice_is_run_once() -> None:
    cells = grid("table1", Choices("mnist", ["umn"], rates=[0.1, 0.1], seeds=[0, 0, 1]))
    assert [(cell.rate, cell.seed) for cell in cells] == [(0.1, 0), (0.1, 1)]


def test_where_no_label_is_left_out_methods_run_on_their_own_settings() -> None:
    choices = Choices("mine", ["umn"], [0.1], [0])
    (everything,) = grid("table1", choices)
    assert (everything.labels, everything.changes) == (None, "")
    few, full = grid("table3", choices)
    assert (few.labels, few.changes) == (100, as_text(recipe("mine", "umn", "default")))
    assert (full.labels, full.changes) == (None, "")
    (changed,) = grid("table1", Choices("mine", ["umn"], [0.1], [0], settings={"alpha": "20"}))
    assert changed.changes == "alpha=20"


def test_table_3_in_one_reading_with_changed_settings() -> None:
    cells = grid(
        "table3", Choices(methods=["umn:fully-labelled"], rates=[0.1], seeds=[0], settings={"alpha": "20"})
    )
    assert [(cell.method, cell.variant, cell.labels, cell.changes) for cell in cells] == [
        ("umn", "fully-labelled", None, "alpha=20")
    ]
    with pytest.raises(ConfigError, match="no such variant"):
        grid("table1", Choices(dataset="mnist", methods=["umn:fully-labelled"]))
