"""Decisions become rows and labels of the audit, or are refused by name."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from noiseaudit.decided import Decided, decided, read_decided
from noiseaudit.decisions import Decision
from noiseaudit.errors import DataError
from noiseaudit.result import AuditResult
from tests.test_clean import audit, audit_of

__all__ = ["audit"]  # fixtures
HERE = Path("checks.csv")


def judged(audit: AuditResult, *answers: tuple[str, str, str | None]) -> Decided:
    return decided(audit, [(HERE, Decision(name, kind, label)) for name, kind, label in answers])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            ["0,relabel,Cta"],
            "line 2, column 'new_label': 'Cta' is no class of the audit (did you mean 'cat'?).",
        ),
        (
            ["0,keep,", "1,relabel,frog", "2,relabel,Cta"],
            "line 3, column 'new_label': 'frog' is no class of the audit, nor is 1 further new label.",
        ),
    ],
)
def test_a_label_that_is_no_class_is_an_error_unless_it_is_named(
    audit: AuditResult, tmp_path: Path, rows: list[str], said: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_text("\n".join(["sample_id,decision,new_label", *rows]))
    with pytest.raises(DataError) as error:
        read_decided(audit, [file])
    assert str(error.value).startswith(f"{file}, {said} Correct it, or allow a new class: --new-class ")
    with pytest.raises(DataError, match="Cta"):
        read_decided(audit, [file], new_classes=["frog"])
    assert "Cta" in read_decided(audit, [file], new_classes=["frog", "Cta"]).labels.values()


def test_to_relabel_to_the_same_is_to_keep(audit: AuditResult) -> None:
    said = judged(audit, ("0", "relabel", "cat"))
    assert said == Decided(confirmed=frozenset({0}))
    twice = [(HERE, Decision("0", "keep")), (Path("other.csv"), Decision("0", "relabel", "cat"))]
    assert decided(audit, twice) == said


@pytest.mark.parametrize(("typed", "label"), [(" dog ", "dog"), ("'dog", "dog"), (" new one ", "new one")])
def test_blanks_and_apostrophes_around_a_label_are_none_of_it(
    audit: AuditResult, typed: str, label: str
) -> None:
    assert judged(audit, ("0", "relabel", typed)) == Decided({0: label})


def test_unless_a_class_has_them() -> None:
    found = audit_of(["cat", " dog "], [True, False], [None, None])
    found = AuditResult(found.table, dataclasses.replace(found.meta, classes=(" dog ", "cat")))
    assert judged(found, ("0", "relabel", " dog ")) == Decided({0: " dog "})


@pytest.mark.parametrize("label", [" ", "\u00a0"])
def test_a_class_of_blanks_is_given(audit: AuditResult, label: str) -> None:
    found = AuditResult(audit.table, dataclasses.replace(audit.meta, classes=(*audit.meta.classes, label)))
    assert judged(found, ("0", "relabel", label)) == Decided({0: label})
    assert judged(audit, ("0", "relabel", label)) == Decided({0: label})  # never an empty label


class Unsearched(tuple[str, ...]):
    """Looked through for each decision, 20,000 classes took 25 seconds for 100,000."""

    def __contains__(self, name: object) -> bool:
        pytest.fail("classes are looked through one by one")


def test_many_classes_are_not_looked_through_for_each_decision(audit: AuditResult) -> None:
    meta = dataclasses.replace(audit.meta, classes=Unsearched(audit.meta.classes))
    assert judged(AuditResult(audit.table, meta), ("0", "relabel", "'dog")) == Decided({0: "dog"})


def test_people_who_disagree_are_named(audit: AuditResult) -> None:
    said = [
        (HERE, Decision("0", "keep", reviewer="ann")),
        (HERE, Decision("0", "relabel", "dog", reviewer="bob")),
    ]
    with pytest.raises(
        DataError, match=r"'0' is relabelled 'dog' by bob here, and kept by ann in checks\.csv"
    ):
        decided(audit, said)
    assert decided(audit, [said[0], (HERE, Decision("0", "keep", reviewer="bob"))]).confirmed == {0}


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([("9", "keep", None)], "checks.csv: '9' is no sample of the audit"),
        ([("2", "keep", None)], "checks.csv: '2' has no label to keep"),
        (
            [("0", "relabel", "dog"), ("0", "keep", None)],
            "'0' is kept here, and relabelled 'dog' in checks.csv",
        ),
        (
            [("0", "relabel", "dog"), ("0", "relabel", "frog")],
            "'0' is relabelled 'frog' here, and relabelled 'dog'",
        ),
    ],
)
def test_what_cannot_be_done(
    audit: AuditResult, answers: list[tuple[str, str, str | None]], message: str
) -> None:
    with pytest.raises(DataError) as error:
        judged(audit, *answers)
    assert message in str(error.value)
