"""What people who checked rows of `noiseaudit sample` say of an audit, beside what it expected of itself."""

from __future__ import annotations

from noiseaudit.checked import SHARES, agreed_text, contradictions, in_words, unjudged_text
from noiseaudit.estimate import Estimate
from noiseaudit.expected import Expected
from noiseaudit_reports.text import count, counted_range
from noiseaudit_reports.view_parts import Checked, CheckedShare

MEANINGS = {
    "precision": "of the suspects, wrong",
    "recall": "of all wrong labels, among the suspects",
    "noise_rate": "of all labels, wrong",
}


def checked(expected: Expected, found: Estimate | None) -> Checked | None:
    """None where nobody checked rows."""
    if found is None:
        return None
    against = tuple(contradictions(expected, found))
    shares = tuple(_share(name, expected, found, name in against) for name in SHARES)
    return Checked(found, against, _measured(found), _verdict(against), shares, _basis(found))


def _share(name: str, expected: Expected, found: Estimate, is_contradicted: bool) -> CheckedShare:
    return CheckedShare(
        name=name.replace("_", " "),
        meaning=MEANINGS[name],
        measured=getattr(found, name),
        expected=getattr(expected, name),
        is_contradicted=is_contradicted,
    )


def _measured(found: Estimate) -> str:
    """In plain words, as the summary has them."""
    parts = []
    if found.precision.value is not None:
        parts.append(f"{counted_range(found.precision)} of the suspects are wrong")
    if found.recall.value is not None:
        parts.append(f"{counted_range(found.recall)} of all wrong labels are among the suspects")
    assert found.mislabeled.value is not None
    parts.append(
        f"about {count(round(found.mislabeled.value), 'label')} of {found.n_scored:,} are wrong in all: "
        f"{counted_range(found.noise_rate)}"
    )
    return f"Checked by people: {count(found.n_answers, 'row')}. By their answers, {'; '.join(parts)}."


def _verdict(against: tuple[str, ...]) -> str:
    if not against:
        return "The answers do not contradict what the audit expected of itself."
    return (
        f"The answers contradict what the audit expected of itself about {in_words(against)}, where the intervals do "
        "not meet: believe the answers, not p_mislabeled."
    )


def _basis(found: Estimate) -> str:
    """What the figures rest on."""
    verb = "is" if found.n_not_drawn == 1 else "are"
    others = f"{count(found.n_not_drawn, 'answer')} about rows that it did not draw {verb} left out."
    basis = (
        f"95 % intervals from {count(found.n_answers, 'answer')} about rows that noiseaudit sample drew from "
        f"{count(found.n_scored, 'label')}; {found.n_ambiguous:,} ambiguous and {found.n_open:,} open rows count as "
        "not asked."
    )
    return " ".join(
        filter(None, [basis, unjudged_text(found), agreed_text(found), others if found.n_not_drawn else ""])
    )
