"""Which runs stand in one table: never those of other data, or of another number of labels."""

from __future__ import annotations

from typing import Any

from noiseaudit.bench.sections import sections
from noiseaudit.bench.tables import table_text
from tests.test_bench_tables import line, rows

FINAL = {rule: {"f1": 0.5, "recall": 0.5, "precision": 0.5} for rule in ("default", "own")}
FULL: dict[str, Any] = {"table": "table3", "variant": "fully-labelled", "labels": None}


def test_data_of_one_name_are_never_compared() -> None:
    first = [line(seed=s, error=0.03, dataset="mine", data="sha256:aaaaaaaaaa") for s in range(3)]
    second = [
        line("mean_teacher", s, 0.2 + s / 100, dataset="mine", data="bbbbbbbbbb", settings={"alpha": 2.0})
        for s in range(3)
    ]
    found = sections([*first, *second], "table1")
    assert {section.title.split(",")[1] for section in found} == {
        " mine (data aaaaaaaa)",
        " mine (data bbbbbbbb)",
    }
    assert "Difference" not in table_text("table1", [*first, *second])
    assert sections(first, "table1")[0].title.split(",")[1] == " mine"


def test_numbers_of_labels_are_not_mixed() -> None:
    own: dict[str, Any] = {"dataset": "mine"}
    few = line(error=0.30, **own)
    everything = line(error=0.05, labels=None, labelled=800, settings={"alpha": 2.0}, **own)
    for order in ([few, everything], [everything, few]):
        texts = {section.detail: section.lines for section in sections(order, "table1")}
        assert texts == {", 100 labels": (few,), ", 800 labels": (everything,)}
        assert "30.0 (n=1)" in table_text("table1", order)
        assert "5.0 (n=1)" in table_text("table1", order)


def test_table_3_has_few_labels_apart_from_all() -> None:
    own: dict[str, Any] = {"dataset": "mine"}
    other = {"default": {"f1": 0.9, "recall": 0.9, "precision": 0.9}}
    lines = [
        line(final=FINAL, **own),
        line(final=other, labels=None, labelled=800, settings={"alpha": 2.0}, **own),
    ]
    text = table_text("table3", lines)
    assert "100-labels (100 labels)" in text
    assert "| umn, noiseaudit's default score and cut-off | 0.50 (n=1) (0.50, 0.50) |" in text
    assert "0.90" not in text  # a run of Table 1 with all labels is none of Table 3
    (few, everything) = table_text("table3", [*lines, line(final=other, labelled=800, **own, **FULL)]).split(
        "fully-labelled (800 labels):"
    )
    assert "0.90" not in few
    assert "0.50 (n=1)" not in everything


def test_own_data_with_all_labels_runs_on_own_settings() -> None:
    found = rows(table_text("table1", [line(dataset="mine", labels=None, changes="")]))
    assert set(found) == {"system", "umn"}


def test_table_3_is_about_the_papers_methods_and_those_that_were_run_for_it() -> None:
    few = [line(method, final=FINAL) for method in ("umn", "mean_teacher", "reweight")]
    asked = line("mean_teacher", final=FINAL, labelled=800, **FULL)
    for lines, expected in ((few, {"umn", "umn_plus"}), ([*few, asked], {"umn", "umn_plus", "mean_teacher"})):
        (section,) = sections(lines, "table3")
        assert section.subjects() == expected
        assert {run["method"] for run in section.lines} == {"umn", "mean_teacher", "reweight"}
