"""Pairs of given and suggested label in a report: counts, heat map, strips of pictures."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Callable

from noiseaudit.ranking import suspect_pairs
from noiseaudit.result import AuditResult
from noiseaudit_reports import build_view
from noiseaudit_reports.parts.pairs import MAX_EXAMPLES, MAX_HEAT_MAP_CLASSES, MAX_STRIPS, strips
from noiseaudit_reports.thumbnails import Thumbnails

MakeAudit = Callable[..., AuditResult]


def test_pairs_and_heat_map_count_the_same(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    frame = audit.to_pandas()
    issues = frame[frame.is_label_issue.eq(True)]
    expected = Counter(zip(issues.given_label, issues.suggested_label, strict=True))
    view = build_view(audit)
    assert {(p.given_label, p.suggested_label): p.count for p in view.pairs} == expected
    assert [p.count for p in view.pairs] == sorted(expected.values(), reverse=True)
    assert view.heat_map is not None
    for given, counts in zip(view.heat_map.classes, view.heat_map.counts, strict=True):
        assert list(counts) == [expected[given, suggested] for suggested in view.heat_map.classes]


def test_many_classes_have_no_heat_map(make_audit: MakeAudit) -> None:
    names = [f"class {i}" for i in range(MAX_HEAT_MAP_CLASSES + 1)]
    assert build_view(make_audit(400, names)).heat_map is None
    assert build_view(make_audit(400, names[:-1])).heat_map is not None


def test_strips_hold_the_most_suspicious_of_their_pair(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    view = build_view(audit)
    frame = audit.to_pandas()
    issues = frame[frame.is_label_issue.eq(True)].sort_values("rank")
    assert [strip.pair for strip in view.strips] == list(view.pairs[:MAX_STRIPS])
    for strip in view.strips:
        own = issues[
            (issues.given_label == strip.pair.given_label)
            & (issues.suggested_label == strip.pair.suggested_label)
        ]
        assert [e.row for e in strip.examples] == own.row.tolist()[:MAX_EXAMPLES]
        assert [e.p_mislabeled for e in strip.examples] == own.p_mislabeled.tolist()[:MAX_EXAMPLES]


def test_strips_take_no_room_for_the_longest_label(make_audit: MakeAudit) -> None:
    """In a numpy array of text every cell is as wide as the longest, here 200 kB for each of 200 suspects."""
    audit = make_audit(n=600, classes=("cat", "dog", "a" * 50_000), noise_rate=0.3)
    pairs = tuple(suspect_pairs(audit))
    tracemalloc.start()
    found = strips(audit, pairs, Thumbnails(None, 0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [len(strip.examples) for strip in found] == [8] * 6
    assert peak < 10e6
