"""report.json: strict, whole and stable."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.evaluation import evaluate
from noiseaudit.result import AuditResult
from noiseaudit.truth import truth_from_audit
from noiseaudit_reports import build_view, write_json
from noiseaudit_reports.json_file import render_json

MakeAudit = Callable[..., AuditResult]
DOCS = Path(__file__).resolve().parent.parent / "docs" / "audit-format.md"


def strict(text: str) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise ValueError(name)

    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


def test_it_has_what_the_view_has(make_audit: MakeAudit) -> None:
    audit = make_audit(400, annotators=[f"a{i % 4}" for i in range(400)])
    truth = truth_from_audit(audit)
    evaluation = evaluate(audit, truth)
    view = build_view(audit, {"warnings": ["w"]}, evaluation, lambda row: b"\x89PNG", truth=truth)
    found = strict(render_json(view))
    assert found["counts"] == {
        "rows": 400, "checked": 393, "unlabelled": 4, "unread": 3, "suspects": view.n_suspects, "classes": 3,
    }  # fmt: skip
    assert [row["row"] for row in found["suspects"]] == [s.row for s in view.suspects]
    assert found["suspects"][0]["annotator"] == view.suspects[0].annotator
    assert [pair["count"] for pair in found["pairs"]] == [pair.count for pair in view.pairs]
    assert [len(pair["examples"]) for pair in found["pair_examples"]] == [
        len(s.examples) for s in view.strips
    ]
    assert view.annotators is not None
    rates = [group["rate"] for group in found["annotators"]["groups"]]
    assert rates == [dataclasses.asdict(group.rate) for group in view.annotators.groups]
    assert found["batches"] is None
    assert found["cost"]["reviewed"][-1] == 393
    assert found["warnings"] == ["w"]
    assert "thumbnail" not in render_json(view)
    assert "data:image" not in render_json(view)


def test_with_truth_it_has_the_figures_of_table_3(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    truth = truth_from_audit(audit)
    evaluation = evaluate(audit, truth)
    found = strict(render_json(build_view(audit, None, evaluation, truth=truth)))["truth"]
    for rule, expected in zip(found["rules"], evaluation.rules, strict=True):
        assert rule["rule"] == expected.rule
        for name in ("precision", "recall", "f1"):
            assert rule[name] == dataclasses.asdict(getattr(expected, name))
    assert [rule["rule"] for rule in found["rules"]] == ["paper", "default"]
    assert set(found["precision_recall"]) == {"paper", "default"}
    assert found["calibration"]["ece"] >= 0
    assert sum(group["n"] for group in found["reliability"]) == 393
    assert strict(render_json(build_view(audit)))["truth"] is None


def test_what_is_not_finite_is_null(make_audit: MakeAudit) -> None:
    audit = make_audit(cutoff=2.0)
    cutoff = dataclasses.replace(audit.meta.cutoff, threshold=float("inf"))
    audit = AuditResult(audit.table, dataclasses.replace(audit.meta, cutoff=cutoff))
    found = strict(render_json(build_view(audit)))
    assert found["cutoff"]["threshold"] is None
    assert found["expected"]["precision"]["value"] is None
    assert found["cost"]["at_cutoff"] is None


@pytest.mark.parametrize(
    "label", ["\u202egnp.exe", "two\nlines", "\x1b[31m", '"quoted"', "عربي", "\ud83d\ude00"]
)
def test_a_label_comes_back_as_it_was_and_does_nothing_on_the_way(label: str, make_audit: MakeAudit) -> None:
    label = label.encode("utf-16", "surrogatepass").decode("utf-16")
    text = render_json(build_view(make_audit(60, ["cat", "dog", label], noise_rate=0.5)))
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    assert label in [each["name"] for each in strict(text)["classes"]]


def test_its_keys_are_documented(make_audit: MakeAudit, tmp_path: Path) -> None:
    write_json(build_view(make_audit()), tmp_path / "r.json")
    section = DOCS.read_text("utf-8").partition("## report.json")[2].partition("\n## ")[0]
    found = strict((tmp_path / "r.json").read_text("utf-8"))
    assert found["schema_version"] == 1
    assert [name for name in found if f"`{name}`" not in section] == []
