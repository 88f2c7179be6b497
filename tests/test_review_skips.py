"""A skip is no decision, wherever they are counted: at the end of a review, in an export, on the page, in `clean`."""

from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.result import AuditResult
from noiseaudit.review.log import Answer
from tests.reviews import command, review_run
from tests.test_review_path import decided

END = "run/decisions.csv\n"


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditResult:
    pytest.importorskip("uvicorn", reason="comes with the extra `review`")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("noiseaudit_review.server.serve", lambda *_: None)
    return review_run(tmp_path, 40, n_images=1)


def stopped() -> str:
    told: str = command("review", "run", "--no-browser").stderr
    return told


@pytest.mark.parametrize(("skipped", "skips"), [(0, ""), (1, " and 1 skip"), (2, " and 2 skips")])
def test_a_review_and_clean_count_alike(audit: AuditResult, skipped: int, skips: str) -> None:
    kinds = ["keep"] * 3 + ["skip"] * skipped
    decided(audit, Path("run"), [Answer(f"s{i}", kind) for i, kind in enumerate(kinds)])
    assert f"3 decisions{skips} in {END}" in stopped()
    exported = command("review", "run", "--export", "out.csv").stderr
    assert exported == f"3 decisions{skips} in out.csv\n"
    said = command("clean", "run", "--decisions", "run/decisions.csv", "--out", "clean.csv").stderr
    assert "\n3 rows were decided by people, " in said
    assert (f"{skipped} skipped row" in said) == bool(skipped)


def test_where_all_was_skipped_nothing_is_to_be_applied(audit: AuditResult) -> None:
    decided(audit, Path("run"), [Answer("s0", "skip")])
    said = stopped()
    assert (f"0 decisions and 1 skip in {END}" in said, "Go on with" in said) == (True, False)
