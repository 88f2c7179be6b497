"""The paper's numbers, checked against a second transcription: rows of the tables as they are printed."""

from __future__ import annotations

import pytest

from noiseaudit.bench.paper import HIGH_RATES, LABEL_COUNTS, PUBLISHED, RATES, SYSTEMS, published

TABLE1 = """
mnist 10 | 29.4 29.5 6.6 4.3 25.6 - 10.1 2.5±0.14
mnist 20 | 36.2 36.6 11.7 2.7 39.7 - 18.1 2.8±0.37
mnist 30 | 41.1 43.0 14.6 7.4 45.8 - 26.7 5.3±3.9
mnist 40 | 51.3 49.0 17.9 9.9 57.7 - 29.5 5.8±3.8
mnist 50 | 57.5 59.4 34.4 28.0 65.3 - 55.3 18.0±12.0
svhn 10 | 34.9 32.0 18.0 26.1 29.1 27.3 26.6 23.9±0.2
svhn 20 | 46.3 46.0 45.5 35.2 42.1 39.0 33.3 30.5±0.3
svhn 30 | 61.4 58.9 53.0 37.2 53.8 51.9 42.3 30.9±0.6
svhn 40 | 61.8 60.5 63.9 40.1 59.1 53.7 56.6 37.1±0.9
svhn 50 | 65.1 63.3 65.9 48.3 62.0 57.9 65.1 43.2±1.4
cifar10 10 | 43.2 41.3 39.2 41.2 41.2 39.4 40.3 37.8±0.5
cifar10 20 | 46.3 44.7 42.1 43.9 42.4 41.9 42.5 39.8±0.8
cifar10 30 | 52.9 50.0 47.8 51.4 51.6 49.9 46.7 43.5±0.5
cifar10 40 | 57.1 56.9 52.2 52.1 54.1 53.9 48.7 43.5±1.2
cifar10 50 | 63.3 61.3 65.4 56.3 57.1 58.3 55.4 51.9±1.7
"""
OTHERS = {
    ("table2", "UMN"): "23.9 18.1 16.3 14.8 13.2",
    ("table2", "MN"): "30.5 27.9 25.1 18.3 11.2",
    ("table3", "recall"): "1.0 0.85 0.71 0.85 0.8",
    ("table3", "precision"): "0.32 0.55 0.71 0.79 0.7",
    ("table3", "f1"): "0.48 0.67 0.71 0.82 0.75",
    ("high-noise", "UMN"): "49.1 53.1 54.5",
    ("high-noise", "MN"): "67.1 70.0 71.2",
}
DATASETS = {"table2": "svhn", "table3": "mnist", "high-noise": "svhn"}


@pytest.mark.parametrize("line", TABLE1.split("\n")[1:-1])
def test_table_1(line: str) -> None:
    place, _, values = line.partition(" | ")
    dataset, rate = place.split()
    for system, text in zip(SYSTEMS, values.split(), strict=True):
        value, _, std = text.partition("±")
        entry = published("table1", dataset, system, rate=int(rate) / 100)
        assert entry is not None
        assert entry.value == (None if value == "-" else float(value))
        assert entry.std == (float(std) if std else None)
        assert entry.labels == {"mnist": 100, "svhn": 500, "cifar10": 4_000}[dataset]


@pytest.mark.parametrize(("table", "column"), OTHERS)
def test_the_other_tables(table: str, column: str) -> None:
    by_labels = table == "table2"
    places: tuple[float, ...] = LABEL_COUNTS if by_labels else HIGH_RATES if table == "high-noise" else RATES
    for place, text in zip(places, OTHERS[table, column].split(), strict=True):
        labels, rate = (int(place), None) if by_labels else (None, place)
        entry = published(table, DATASETS[table], column, rate=rate, labels=labels)
        assert entry is not None
        assert (entry.value, entry.std) == (float(text), None)


def test_nothing_else_is_there() -> None:
    assert len(PUBLISHED) == 3 * 5 * 8 + 2 * 5 + 3 * 5 + 2 * 3
    assert published("table1", "mnist", "UMN", rate=0.6) is None
    assert published("table2", "svhn", "UMN", labels=500) is None


def test_the_harmonic_mean_of_table_3_is_its_f1() -> None:
    for rate in RATES:
        f1, recall, precision = (
            published("table3", "mnist", name, rate=rate) for name in ("f1", "recall", "precision")
        )
        assert f1
        assert recall
        assert precision
        assert f1.value
        assert recall.value
        assert precision.value
        mean = 2 * recall.value * precision.value / (recall.value + precision.value)
        assert f1.value == pytest.approx(mean, abs=0.011)


@pytest.mark.parametrize(
    ("dataset", "column", "text"),
    [("mnist", "UMN", "2.5 ± 0.14"), ("mnist", "RW", "-"), ("svhn", "MT", "18")],
)
def test_as_text(dataset: str, column: str, text: str) -> None:
    assert str(published("table1", dataset, column, rate=0.1)) == text
