"""Not even --force writes over an audit, its run.json, or the label file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reviews import command, review_run

WRITING = {
    "run/audit.parquet": ["sample", "clean", "export", "import"],
    "run/run.json": ["report"],
    "labels.csv": ["sample", "clean", "export", "import"],
}
OPTIONS: dict[str, list[object]] = {
    "sample": ["run", "--n", 10],
    "clean": ["run", "--policy", "drop"],
    "export": ["run", "--format", "cleanlab"],
    "import": ["answers.xml", "--from", "cvat", "--audit", "run"],
    "report": ["run"],
}


@pytest.mark.parametrize(("name", "of"), [(name, of) for name, all_ in WRITING.items() for of in all_])
def test_what_a_run_is_made_of_is_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, of: str
) -> None:
    review_run(tmp_path, 40, n_images=1)
    (tmp_path / "answers.xml").write_text("<annotations/>")
    monkeypatch.chdir(tmp_path)
    before = Path(name).read_bytes()
    done = command(of, *OPTIONS[of], "--out", name, "--force")
    assert (done.exit_code, "never overwritten" in done.stderr) == (2, True), done.stderr
    assert Path(name).read_bytes() == before


def test_a_report_may_be_written_again(tmp_path: Path) -> None:
    review_run(tmp_path, 40, n_images=1)
    out = tmp_path / "run" / "report.json"
    out.write_text("older")
    assert command("report", tmp_path / "run", "--out", out, "--force").exit_code == 0
    assert out.read_text() != "older"
