"""Rows in order of suspicion."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa
import pytest

from noiseaudit.errors import ConfigError
from noiseaudit.ranking import Pair, dominant_pair, suspect_pairs
from noiseaudit.result import SCHEMA, AuditResult
from tests.ranked import ranked_rows

MakeAudit = Callable[..., AuditResult]


def _with(audit: AuditResult, name: str, values: Sequence[object]) -> AuditResult:
    place = SCHEMA.names.index(name)
    return AuditResult(
        audit.table.set_column(place, SCHEMA.field(name), pa.array(values, SCHEMA.field(name).type)),
        audit.meta,
    )


def test_by_p_mislabeled_is_the_audits_rank(make_audit: MakeAudit) -> None:
    rows = ranked_rows(make_audit(n=60, n_unlabelled=4, n_unread=3), ["rank", "p_mislabeled"])
    assert [row["rank"] for row in rows] == list(range(1, 54))
    assert [row["p_mislabeled"] for row in rows] == sorted(
        (row["p_mislabeled"] for row in rows), reverse=True
    )


def test_ties_are_broken_by_row(make_audit: MakeAudit) -> None:
    audit = _with(make_audit(n=6, n_unlabelled=0, n_unread=0), "epsilon", [0.5, 0.0, 0.5, None, 0.75, 0.0])
    assert [row["row"] for row in ranked_rows(audit, ["row"], by="epsilon")] == [4, 0, 2, 1, 5]


def test_top_and_class(make_audit: MakeAudit) -> None:
    audit = make_audit()
    dogs = ranked_rows(audit, ["given_label", "rank"], given=["dog"])
    assert {row["given_label"] for row in dogs} == {"dog"}
    assert len(dogs) == audit.table.slice(0, 53).column("given_label").to_pylist().count("dog")
    assert ranked_rows(audit, ["given_label", "rank"], given=["dog"], top=2) == dogs[:2]


def test_several_classes_are_those_of_any(make_audit: MakeAudit) -> None:
    audit, names = make_audit(), ["row", "given_label", "suggested_label"]
    wanted = [
        row
        for row in ranked_rows(audit, names)
        if row["given_label"] in ("cat", "dog") and row["suggested_label"] in ("dog", "frog")
    ]
    assert ranked_rows(audit, names, given=["cat", "dog"], suggested=["frog", "dog"]) == wanted
    assert {row["given_label"] for row in wanted} == {"cat", "dog"}
    with pytest.raises(ConfigError, match=r"no class 'fog' \(--class\)"):
        ranked_rows(audit, names, given=["cat", "fog"])


def test_a_pair_of_classes(make_audit: MakeAudit) -> None:
    audit, names = make_audit(), ["row", "given_label", "suggested_label"]
    both = [
        row
        for row in ranked_rows(audit, names)
        if (row["given_label"], row["suggested_label"]) == ("cat", "dog")
    ]
    assert ranked_rows(audit, names, given=["cat"], suggested=["dog"]) == both
    assert len(both) > 1
    with pytest.raises(ConfigError, match=r"no class 'fog' \(--suggested\)"):
        ranked_rows(audit, names, suggested=["fog"])


def test_an_unknown_class_suggests_the_nearest(make_audit: MakeAudit) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'frog'"):
        ranked_rows(make_audit(), ["row"], given=["fog"])
    with pytest.raises(ConfigError, match="Its classes are 'cat', 'dog', 'frog'"):
        ranked_rows(make_audit(), ["row"], given=["42"])


def test_a_method_without_epsilon_cannot_rank_by_it(make_audit: MakeAudit) -> None:
    audit = make_audit(has_epsilon=False)
    assert audit.table.column("epsilon").null_count == len(audit)
    with pytest.raises(ConfigError, match="--by p_mislabeled"):
        ranked_rows(audit, ["row"], by="epsilon")


def _with_pairs(audit: AuditResult, pairs: Sequence[tuple[str, str | None]]) -> AuditResult:
    """The first rows are suspects with these given and suggested labels; there is no other suspect."""
    n, rest = len(audit), ["cat"] * (len(audit) - len(pairs))
    audit = _with(audit, "is_label_issue", [True] * len(pairs) + [False] * (n - len(pairs) - 1) + [None])
    audit = _with(audit, "given_label", [*(given for given, _ in pairs), *rest])
    return _with(audit, "suggested_label", [*(suggested for _, suggested in pairs), *rest])


def test_pairs_are_counted_over_the_suspects_alone(make_audit: MakeAudit) -> None:
    pairs = [("dog", "cat"), ("cat", "dog"), ("frog", "cat"), ("frog", "cat"), ("frog", None)]
    assert suspect_pairs(_with_pairs(make_audit(), pairs)) == [
        Pair("frog", "cat", 2),
        Pair("cat", "dog", 1),
        Pair("dog", "cat", 1),
    ]


@pytest.mark.parametrize(
    ("n_pair", "n_other", "dominant"),
    [
        (0, 0, False),
        (9, 0, False),
        (10, 0, True),
        (5, 5, False),
        (6, 5, True),
        (11, 11, False),
        (20, 19, True),
    ],
)
def test_a_pair_dominates_with_more_than_half_of_ten_suspects(
    n_pair: int, n_other: int, dominant: bool, make_audit: MakeAudit
) -> None:
    pairs = [("frog", "cat")] * n_pair + [("dog", "frog")] * n_other
    expected = Pair("frog", "cat", n_pair) if dominant else None
    assert dominant_pair(_with_pairs(make_audit(), pairs)) == expected


def test_suspects_without_a_suggestion_count_against_a_pair(make_audit: MakeAudit) -> None:
    assert dominant_pair(_with_pairs(make_audit(), [("frog", "cat")] * 6 + [("frog", None)] * 6)) is None
