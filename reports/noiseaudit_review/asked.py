"""What the page may ask: the bodies of its requests, checked, and what they come to."""

from __future__ import annotations

import getpass
import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from noiseaudit.errors import ConfigError
from noiseaudit.review.log import Answer
from noiseaudit.review.queue import Filter, Kind, State
from noiseaudit_review.review import Review, rows_once

MOST_ROWS = 500  # of one action
MOST_NAME = 80  # characters
NOBODY = "reviewer"  # where the login has no name
_FORMULA = ("=", "+", "-", "@")  # a spreadsheet would run what begins so


class Refused(Exception):
    """A request that cannot be done as it is: status and one line."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def reviewer_name(name: str) -> str:
    """A name without blanks around it. Raises ValueError for one that a file or a page cannot show as it is."""
    bare = unicodedata.normalize("NFC", name.strip())
    if len(bare) > MOST_NAME:
        raise ValueError(f"a name has {MOST_NAME} characters at most")
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for char in bare):
        raise ValueError("a name has no control characters")
    if bare.startswith(_FORMULA):
        raise ValueError(f"a name does not begin with {' or '.join(_FORMULA)}")
    return bare


def checked_reviewer(name: str) -> str:
    """`reviewer_name` for the option. Raises ConfigError."""
    try:
        return reviewer_name(name)
    except ValueError as error:
        raise ConfigError(f"--reviewer {name!r}: {error}", fix="Give another.") from error


def login_name() -> str:
    """Who decides where nobody says so: the name of the login, as far as a file can hold it."""
    try:
        return reviewer_name(getpass.getuser()) or NOBODY
    except (ValueError, OSError, KeyError, ImportError):  # no such user, as in some containers
        return NOBODY


Who = Annotated[str, Field(max_length=4 * MOST_NAME), AfterValidator(reviewer_name)]
Named = Annotated[Who, Field(min_length=1)]
EventId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Row = Annotated[int, Field(ge=0, lt=2**53)]
Code = Annotated[int, Field(ge=0, lt=2**31)]
RunId = Annotated[str, Field(max_length=200)]


class Body(BaseModel):
    """Types are not guessed, and nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid", strict=True)


class OfRun(Body):
    """`run`: the run_id of the audit that the page shows; its rows and classes are numbers of that one alone."""

    run: RunId


class AskedList(OfRun):
    """A list of rows by a filter."""

    reviewer: Who = ""
    rows: Kind = "suspects"
    given: Code | None = None
    suggested: Code | None = None
    issue_kind: Code | None = None
    split: Code | None = None
    annotator: Code | None = None
    state: State = "any"


class AskedAnswer(Body):
    """One answer: `label` is a class's number, where it is relabel."""

    row: Row
    decision: Literal["keep", "relabel", "ambiguous", "skip"]
    label: Code | None = None


class AskedDecisions(OfRun):
    """One action: answers about one row or many."""

    event_id: EventId
    reviewer: Named
    answers: Annotated[list[AskedAnswer], Field(min_length=1, max_length=MOST_ROWS)]
    seconds: Annotated[float, Field(ge=0, le=3600, strict=False)] | None = None  # for all of them


class AskedUndo(OfRun):
    """Take back the reviewer's last action."""

    event_id: EventId
    reviewer: Named


def filter_of(review: Review, asked: AskedList) -> Filter:
    """What is to be shown. Raises Refused for a filter that would tell what the audit thinks of drawn rows."""
    wanted = Filter(**asked.model_dump(exclude={"reviewer", "run"}))
    if review.is_blind and wanted != Filter(state=wanted.state):
        raise Refused(422, "rows that were drawn are filtered by decisions alone")
    if review.is_blind and wanted.state == "disputed":
        raise Refused(422, "which rows reviewers disagree about would tell what others answered")
    return wanted


def answers_of(review: Review, asked: AskedDecisions) -> list[Answer]:
    """What is to be recorded. Raises Refused for a row or label that there is not, and an answer without sense."""
    if not rows_once([answer.row for answer in asked.answers]):
        raise Refused(422, "a row is named twice")
    seconds = None if asked.seconds is None else asked.seconds / len(asked.answers)
    return [_answer(review, answer, seconds) for answer in asked.answers]


def _answer(review: Review, asked: AskedAnswer, seconds: float | None) -> Answer:
    row = known_row(review, asked.row)
    if review.drawn is not None and row not in review.drawn.rows:
        raise Refused(422, "this row was not drawn")
    given, classes = int(review.queue.given[row]), review.queue.classes
    if (asked.label is not None) != (asked.decision == "relabel"):
        raise Refused(422, "relabel has a label, and nothing else has one")
    if asked.label is not None and asked.label >= len(classes):
        raise Refused(422, "no such class")
    decision = "keep" if asked.label is not None and asked.label == given else asked.decision
    if decision == "keep" and given < 0:
        raise Refused(422, "this row has no label to keep")
    label = classes[asked.label] if asked.label is not None and decision == "relabel" else None
    return Answer(review.audit.table.column("sample_id")[row].as_py(), decision, label, seconds)


def check_run(review: Review, run: str) -> None:
    """Raises Refused where a page shows another run than this server's: a server that came after it has its port."""
    if run != review.log.run_id:
        raise Refused(409, "this page is of another run: reload it")


def known_row(review: Review, row: int) -> int:
    """`row`, which the audit has. Raises Refused."""
    if not 0 <= row < len(review.audit):
        raise Refused(404, "no such row")
    return row
