"""Which rows are shown, what is counted, and which are like one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from noiseaudit.decisions import run_id
from noiseaudit.errors import DataError
from noiseaudit.metrics import proportion
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.review.board import Board, Said
from noiseaudit.review.log import Answer, Log
from noiseaudit.review.queue import Filter, Queue
from noiseaudit.review.similar import Similar, read_embeddings
from tests.reviews import review_run


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    return review_run(tmp_path_factory.mktemp("queue"), 80, n_images=1)


@pytest.fixture
def log(audit: AuditResult, tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "decisions.sqlite", run_id(audit))
    yield made
    made.close()


def by_column(name: str, code: int) -> Filter:
    filters = {
        "split": Filter(split=code),
        "annotator": Filter(annotator=code),
        "issue_kind": Filter(issue_kind=code),
    }
    return filters[name]


def shown(queue: Queue, wanted: Filter, board: Board, reviewer: str = "ann") -> list[int]:
    board.refresh()
    rows: list[int] = queue.rows(wanted, board, reviewer).tolist()
    return rows


def test_suspects_come_by_rank(audit: AuditResult, log: Log) -> None:
    rows = shown(Queue(audit), Filter(), Board(audit, log))
    flagged = np.flatnonzero(audit.suspects())
    assert rows == flagged[np.argsort(audit.column("rank")[flagged])].tolist()
    assert len(rows) > 10


def test_everything_ends_with_what_has_no_rank(audit: AuditResult, log: Log) -> None:
    rows = shown(Queue(audit), Filter(rows="all"), Board(audit, log))
    assert len(rows) == 77  # three images are missing
    sureness = audit.column("p_suggested")
    assert rows[-4:] == sorted([73, 74, 75, 76], key=lambda row: -float(sureness[row]))  # unlabelled
    assert rows[0] == int(np.nanargmax(audit.column("p_mislabeled")))


def test_filters_are_what_they_say(audit: AuditResult, log: Log) -> None:
    queue, board = Queue(audit), Board(audit, log)
    everyone = shown(queue, Filter(), board)
    most = queue.pairs[0]
    of_pair = shown(queue, Filter(given=most.given, suggested=most.suggested), board)
    given, suggested = audit.column("given_label"), audit.column("suggested_label")
    assert len(of_pair) == most.count > 0
    assert {(given[row], suggested[row]) for row in of_pair} == {
        (queue.classes[most.given], queue.classes[most.suggested])
    }
    assert sum(pair.count for pair in queue.pairs) == len(everyone)
    for name in ("split", "annotator", "issue_kind"):
        column, found = audit.column(name), []
        for choice in queue.choices[name]:
            rows = shown(queue, by_column(name, choice.code), board)
            assert ({column[row] for row in rows} or {choice.name}) == {choice.name}
            assert len(rows) == choice.count
            found += rows
        assert sorted(found) == sorted(everyone)
    assert shown(queue, Filter(given=99), board) == []


def test_columns_that_the_audit_lacks_have_no_choices(audit: AuditResult) -> None:
    place = audit.table.column_names.index("split")
    bare = audit.table.set_column(place, SCHEMA.field("split"), pa.nulls(len(audit), pa.string()))
    assert Queue(AuditResult(bare, audit.meta)).choices["split"] == []


def test_by_what_was_decided(audit: AuditResult, log: Log) -> None:
    queue, board = Queue(audit), Board(audit, log)
    names, given = audit.column("sample_id"), audit.column("given_label")
    everyone = shown(queue, Filter(), board)
    first, second, third, fourth = everyone[:4]
    other = next(name for name in queue.classes if name != given[second])
    log.decide("event-01", "ann", [Answer(names[first], "keep"), Answer(names[second], "relabel", other)])
    log.decide("event-02", "ann", [Answer(names[third], "skip")])
    log.decide("event-03", "bob", [Answer(names[second], "keep"), Answer(names[fourth], "ambiguous")])

    def of(state: str, who: str = "ann") -> list[int]:
        return shown(queue, Filter(state=state), board, who)  # type: ignore[arg-type]

    assert of("mine") == [first, second, third]
    assert of("mine", "bob") == [second, fourth]
    assert of("not_mine") == everyone[3:]
    assert of("open") == [third, *everyone[4:]]
    assert of("disputed") == [second]
    assert of("mine", "nobody") == []


def test_the_counts(audit: AuditResult, log: Log) -> None:
    board = Board(audit, log)
    names, p = audit.column("sample_id"), audit.column("p_mislabeled")
    queue = Queue(audit)
    rows = shown(queue, Filter(), board)
    calm = int(np.flatnonzero(~audit.suspects() & ~np.isnan(p))[0])
    label = {row: queue.classes[int(queue.suggested[row])] for row in rows}
    before = board.progress("ann")
    assert (before.n_checked, before.precision.value, before.median_seconds) == (0, None, None)
    assert before.errors_left == pytest.approx(float(np.nansum(p)))
    relabel = [
        Answer(names[row], "relabel", label[row], seconds)
        for row, seconds in zip(rows[:3], (1, 2, 9), strict=True)
    ]
    log.decide("event-01", "ann", [*relabel, Answer(names[rows[3]], "keep", None, 4)])
    log.decide("event-02", "ann", [Answer(names[rows[4]], "ambiguous"), Answer(names[rows[5]], "skip")])
    log.decide("event-03", "bob", [Answer(names[rows[0]], "keep"), Answer(names[calm], "keep")])
    board.refresh()
    now = board.progress("ann")
    assert (now.n_asked, now.n_checked, now.n_disputed) == (len(rows), 5, 1)
    assert (now.n_mine, now.n_skipped) == (5, 1)  # a skipped row counts in neither
    assert now.precision == proportion(2, 3)  # one is disputed, one unclear, one of Bob's no suspect
    left = [row for row in range(len(audit)) if not np.isnan(p[row]) and row not in (*rows[:5], calm)]
    assert now.errors_left == pytest.approx(float(p[left].sum()))
    assert now.median_seconds == 3.0
    assert board.progress("bob").median_seconds is None
    assert now.n_top == 6
    log.undo("event-04", "bob")
    board.refresh()
    assert board.progress("ann").precision == proportion(3, 4)
    assert board.answers(rows[0]) == {"ann": Said("relabel", label[rows[0]])}


def test_precision_is_of_the_most_suspicious_without_a_gap(audit: AuditResult, log: Log) -> None:
    """What was judged under a filter, or further down, would make it that of the filter."""
    board, names, queue = Board(audit, log), audit.column("sample_id"), Queue(audit)
    rows = shown(queue, Filter(), board)
    assert len(rows) > 8

    def wrong(row: int) -> Answer:
        return Answer(names[row], "relabel", queue.classes[(int(queue.given[row]) + 1) % len(queue.classes)])

    log.decide("event-01", "ann", [wrong(row) for row in rows[3:8]])
    board.refresh()
    now = board.progress("ann")
    assert (now.n_wrong, now.n_judged, now.n_top, now.precision) == (5, 5, 0, proportion(0, 0))
    log.decide("event-02", "bob", [Answer(names[rows[0]], "keep"), Answer(names[rows[1]], "skip")])
    board.refresh()
    now = board.progress("ann")
    assert (now.n_wrong, now.n_judged, now.n_top, now.precision) == (5, 6, 2, proportion(0, 1))
    log.decide("event-03", "ann", [Answer(names[row], "keep") for row in (rows[2], *rows[8:])])
    board.refresh()
    now = board.progress("ann")
    assert (now.n_top, now.precision) == (len(rows), proportion(5, len(rows) - 1))


def test_rows_without_a_label_come_surest_first_ties_by_row(audit: AuditResult, log: Log) -> None:
    sureness = audit.table.column("p_suggested").to_pylist()
    sureness[73:77] = [0.5, 0.75, 0.5, 0.875]
    place = audit.table.column_names.index("p_suggested")
    column = pa.array(sureness, pa.float32())
    audit = AuditResult(audit.table.set_column(place, SCHEMA.field("p_suggested"), column), audit.meta)
    queue, board = Queue(audit), Board(audit, log)
    assert shown(queue, Filter(rows="unlabelled"), board) == [76, 74, 73, 75]
    suggested = queue.suggested[74]
    of_class = [row for row in (76, 74, 73, 75) if queue.suggested[row] == suggested]
    assert shown(queue, Filter(rows="unlabelled", suggested=int(suggested)), board) == of_class
    name = audit.column("sample_id")[74]
    log.decide("event-01", "ann", [Answer(name, "relabel", queue.classes[0])])
    assert shown(queue, Filter(rows="unlabelled", state="open"), board) == [76, 73, 75]
    assert shown(queue, Filter(rows="unlabelled", state="mine"), board) == [74]
    assert shown(queue, Filter(rows="unlabelled", given=0), board) == []


def test_rows_without_a_label_are_counted_apart(audit: AuditResult, log: Log) -> None:
    """Nothing that is said of given labels changes with them."""
    board, names, queue = Board(audit, log), audit.column("sample_id"), Queue(audit)
    first, second = shown(queue, Filter(), board)[:2]
    log.decide(
        "event-01", "ann", [Answer(names[first], "relabel", queue.classes[0]), Answer(names[second], "keep")]
    )
    board.refresh()
    before = board.progress("ann")
    assert (before.n_checked, before.n_mine, before.precision) == (2, 2, proportion(1, 2))
    assert (before.n_unlabelled, before.n_unlabelled_checked, before.n_unlabelled_mine) == (4, 0, 0)
    fills = [Answer(names[row], "relabel", queue.classes[1]) for row in (73, 74)]
    log.decide("event-02", "ann", [*fills, Answer(names[75], "skip")])
    log.decide("event-03", "bob", [Answer(names[76], "ambiguous")])
    board.refresh()
    after = board.progress("ann")
    assert after == dataclasses.replace(
        before, n_unlabelled_checked=3, n_unlabelled_mine=2, n_unlabelled_skipped=1
    )
    assert board.progress("bob").n_unlabelled_mine == 1
    assert board.progress("bob").n_mine == 0
    log.decide("event-04", "bob", [Answer(names[73], "relabel", queue.classes[2])])
    board.refresh()
    assert board.progress("ann") == dataclasses.replace(after, n_disputed=1)


def test_two_boards_of_one_log_come_to_the_same(audit: AuditResult, log: Log) -> None:
    """As in two processes: the one that is older takes in what is new."""
    old = Board(audit, log)
    old.refresh()
    names = audit.column("sample_id")
    log.decide("event-01", "ann", [Answer(names[0], "keep")])
    log.decide("event-02", "ann", [Answer("of no row", "keep")])
    new = Board(audit, log)
    for board in (old, new):
        board.refresh()
        assert board.all_answers() == {0: {"ann": Said("keep", None)}}


def test_the_nearest_of_a_class(audit: AuditResult) -> None:
    queue, n = Queue(audit), len(audit)
    points = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)
    found = Similar(audit, queue, points).rows(5, 2, 4)
    p = audit.column("p_mislabeled")
    admitted = [
        row
        for row in range(n)
        if queue.given[row] == 2 and not audit.suspects()[row] and p[row] == p[row] and row != 5
    ]
    by_distance = sorted(admitted, key=lambda row: float(((points[row] - points[5]) ** 2).sum()))
    assert found == by_distance[:4]
    points[5] = np.nan  # it was not read: examples of the class
    by_doubt = sorted(admitted, key=lambda row: (float(p[row]), row))
    assert Similar(audit, queue, points).rows(5, 2, 4) == by_doubt[:4]
    assert Similar(audit, queue).rows(5, 2, 4) == by_doubt[:4]


def test_embeddings_of_other_rows_are_refused(tmp_path: Path) -> None:
    assert read_embeddings(tmp_path, 3) is None
    np.save(tmp_path / "embeddings.npy", np.zeros((4, 2), np.float32))
    assert read_embeddings(tmp_path, 4) is not None
    with pytest.raises(DataError, match="the audit has 3 rows"):
        read_embeddings(tmp_path, 3)
    (tmp_path / "embeddings.npy").write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="not a readable array"):
        read_embeddings(tmp_path, 3)
