"""A comparison read back: means by hand, and every field that may be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.compare.stored import Compared, read_compared
from noiseaudit.errors import DataError
from tests.comparisons import FINGERPRINT, line, planted, write_lines


def read(folder: Path, *lines: dict[str, Any]) -> Compared:
    return read_compared(write_lines(folder / "c.jsonl", *lines), FINGERPRINT)


def at(compared: Compared, tool: int, reviewed: float) -> float:
    return compared.tools[tool].found[compared.reviewed.index(reviewed)]


def test_means_over_seeds_by_hand(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line("knn", 0, [0, 0, 0, 1, 2]),
        line("noiseaudit", 0, [0, 1, 2, 2, 2]),
        line("noiseaudit", 1, [0, 0, 1, 1, 2]),
    )
    assert [(tool.tool, tool.n_seeds) for tool in found.tools] == [("noiseaudit", 2), ("knn", 1)]
    assert (found.n, found.wrong, found.plant, found.rate) == (4, 2, None, None)
    assert (found.reviewed[0], found.reviewed[-1]) == (0, 1)
    # after half of the images 2 and 1 of 2 wrong labels; after an eighth (half an image) 1/2 and 0
    half = min(found.reviewed, key=lambda share: abs(share - 0.5))
    assert at(found, 0, half) == pytest.approx(0.75, abs=0.02)
    assert at(found, 1, half) == pytest.approx(0, abs=0.02)
    assert (at(found, 0, 0), at(found, 0, 1)) == (0, 1)
    assert found.tools[0].images == (1.5, 3, 3, 3)  # of 1 wrong label, and of both: 1 and 2, then 2 and 4
    assert found.tools[1].images == (3, 4, 4, 4)


def test_seeds_may_differ_in_size(tmp_path: Path) -> None:
    found = read(tmp_path, planted("knn", 0, [0, 1, 1]), planted("knn", 1, [0, 1, 2, 2, 2]))
    assert (found.n, found.wrong, found.plant, found.rate) == (3, 1.5, "symmetric", 0.2)
    assert found.tools[0].images == (1, 1.5, 1.5, 1.5)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in line("knn").items() if key != name}


def review(reviewed: Any, found: Any) -> dict[str, Any]:
    return line("knn", review={"reviewed": reviewed, "found": found})


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (without("review"), "no `review` (an older noiseaudit wrote the file). Run `noiseaudit compare` again."),
        (without("data_fingerprint"), "no `data_fingerprint` (an older noiseaudit"),
        (without("tool"), "no `tool`. Run"),
        (line(""), "`tool` is not a name"),
        (line("knn") | {"tool": ["knn"]}, "`tool` is not a name"),
        (line("knn", seed=True), "`seed` is not a whole number"),
        (line("knn", seed=10**400), "`seed` is not a whole number"),
        (line("knn", plant=["symmetric"]), "`plant` is not null or one of symmetric, uniform, asymmetric"),
        (line("knn", rate=1.0), "`rate` is not null or between 0 and 1"),
        (line("knn", rate=0.2), "`plant` and `rate` do not go together"),
        (line("knn", n="4"), "`n` is not a number of labels"),
        (line("knn", wrong=0), "`wrong` is not a number of wrong labels"),
        (line("knn", wrong=4), "`wrong` is not below `n`"),
        (line("knn", data_fingerprint=None), "`data_fingerprint` is not a text"),
        (line("knn", review=[]), "`review` is not an object"),
        (line("knn", review={}), "`review` has no whole numbers `reviewed` and `found`"),
        (review([0, 4.0], [0, 2]), "`review` has no whole numbers"),
        (review([0, 4], [0, True]), "`review` has no whole numbers"),
        (review([], []), "`review` does not lead from 0 images to all of them"),
        (review([0, 2, 4], [0, 2]), "`review` has not as many numbers `found` as `reviewed`"),
        (review([1, 4], [0, 2]), "`review` does not lead from 0"),
        (review([0, 3], [0, 2]), "`review` does not lead from 0"),
        (review([0, 4], [0, 1]), "`review` does not lead from 0"),
        (review([0, 2, 2, 4], [0, 1, 1, 2]), "`review` does not rise"),
        (review([0, 1, 4], [0, 2, 2]), "`review` does not rise"),
        (review([0, 2, 3, 4], [0, 2, 1, 2]), "`review` does not rise"),
        (planted("knn"), "another `plant` than in the first line"),
        (line("knn", data_fingerprint="sha256:1"), "another `data_fingerprint` than in the first line"),
        (line("noiseaudit"), "'noiseaudit' with seed 0 a second time. Give the file of one comparison."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, bad: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, line("noiseaudit"), bad)
    assert str(caught.value).startswith(f"{tmp_path / 'c.jsonl'}, line 2: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no results"),
        (b"\n \n", "holds no results"),
        (b"\xff\xfe", "not UTF-8 text"),
        (b"\n{", "line 2: not JSON"),
        (b"[" * 100_000, "line 1: not JSON"),
        (b"[1]\n", "line 1: not a JSON object"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "c.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_compared(tmp_path / "c.jsonl", FINGERPRINT)
    with pytest.raises(DataError, match="cannot be read"):
        read_compared(tmp_path, FINGERPRINT)


def test_blank_lines_and_more_fields_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text(f"\n{json.dumps(line('knn', device='cpu'))}\r\n\n")
    assert read_compared(tmp_path / "c.jsonl", FINGERPRINT).tools[0].tool == "knn"


def test_other_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="other labels or images than those of the audit"):
        read_compared(write_lines(tmp_path / "c.jsonl", line("knn")), "sha256:other")
