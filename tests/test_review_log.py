"""Decisions as events: what holds now, undoing, retries, several reviewers, and what is left after a crash."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.review.log import Answer, EventIdTaken, Log

RUN = "0123456789ab"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "decisions.sqlite", RUN)
    yield made
    made.close()


def now(log: Log) -> set[tuple[str, str | None, str | None, str | None]]:
    return {(d.sample_id, d.reviewer, d.decision, d.new_label) for d in log.decisions()}


def test_the_last_word_counts_and_the_first_is_kept_as_an_event(log: Log) -> None:
    log.decide("event-01", "ann", [Answer("a", "keep", seconds=1.5)])
    log.decide("event-02", "ann", [Answer("a", "relabel", "dog"), Answer("b", "skip")])
    assert now(log) == {("a", "ann", "relabel", "dog"), ("b", "ann", "skip", None)}
    assert [(e.sample_id, e.decision, e.seconds) for e in log.since(0)] == [
        ("a", "keep", 1.5),
        ("a", "relabel", None),
        ("b", "skip", None),
    ]
    rows = sqlite3.connect(log.path)
    old = rows.execute("SELECT old_decision, decision FROM events ORDER BY seq").fetchall()
    rows.close()
    assert old == [(None, "keep"), ("keep", "relabel"), (None, "skip")]


def test_a_decision_is_in_the_one_schema(log: Log) -> None:
    log.decide("event-01", "ann", [Answer("a", "relabel", "dog")])
    (decision,) = log.decisions()
    assert (decision.run_id, decision.sampling_weight) == (RUN, None)
    assert decision.decided_at is not None
    assert decision.decided_at.endswith("+00:00")


def test_undo_takes_back_whole_actions_from_the_last_to_the_first(log: Log) -> None:
    log.decide("event-01", "ann", [Answer("a", "keep"), Answer("b", "keep")])
    log.decide("event-02", "ann", [Answer("a", "relabel", "dog")])
    log.decide("event-03", "bob", [Answer("a", "ambiguous")])
    log.undo("event-04", "ann")
    assert now(log) == {
        ("a", "ann", "keep", None),
        ("b", "ann", "keep", None),
        ("a", "bob", "ambiguous", None),
    }
    log.undo("event-05", "ann")
    assert log.of("event-05") == ["a", "b"]
    assert now(log) == {("a", "bob", "ambiguous", None)}
    log.undo("event-06", "ann")
    assert log.of("event-06") == []
    assert now(log) == {("a", "bob", "ambiguous", None)}


def test_a_retried_event_adds_nothing(log: Log) -> None:
    for _ in range(3):
        log.decide("event-01", "ann", [Answer("a", "keep")])
    log.decide("event-02", "ann", [Answer("b", "keep")])
    for _ in range(3):
        log.undo("event-03", "ann")
    assert len(log.since(0)) == 3
    assert now(log) == {("a", "ann", "keep", None)}
    with pytest.raises(EventIdTaken):
        log.decide("event-01", "bob", [Answer("a", "keep")])


def test_a_retried_undo_that_undid_nothing_takes_back_nothing_later(log: Log) -> None:
    log.undo("event-01", "ann")
    log.decide("event-02", "ann", [Answer("a", "keep")])
    log.undo("event-01", "ann")
    assert now(log) == {("a", "ann", "keep", None)}
    assert (log.of("event-01"), [event.sample_id for event in log.since(0)]) == ([], ["a"])
    with pytest.raises(EventIdTaken):
        log.undo("event-01", "bob")
    log.undo("event-03", "ann")
    assert now(log) == set()


def test_runs_do_not_mix(log: Log, tmp_path: Path) -> None:
    log.decide("event-01", "ann", [Answer("a", "keep")])
    other = Log(tmp_path / "decisions.sqlite", "another")
    assert (other.decisions(), other.since(0)) == ([], [])
    with pytest.raises(EventIdTaken):
        other.decide("event-01", "ann", [Answer("a", "keep")])
    other.undo("event-02", "ann")
    other.close()
    assert now(log) == {("a", "ann", "keep", None)}


def test_events_are_only_added(log: Log) -> None:
    log.decide("event-01", "ann", [Answer("a", "keep")])
    db = sqlite3.connect(log.path)
    for statement in ("UPDATE events SET decision = 'skip'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="only added"):
            db.execute(statement)
    with pytest.raises(sqlite3.IntegrityError):
        db.execute(
            "INSERT INTO events (event_id, run_id, sample_id, reviewer, decision, decided_at) "
            "VALUES ('x', 'r', 's', 'w', 'relabel', 't')"
        )
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_all_or_nothing(log: Log) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        log.decide("event-01", "ann", [Answer("a", "keep"), Answer("b", "relabel")])
    assert log.since(0) == []


def test_a_full_disk_takes_nothing_half_and_can_be_mended(log: Log) -> None:
    (pages,) = log._db.execute("PRAGMA page_count").fetchone()
    log._db.execute(f"PRAGMA max_page_count = {pages}")
    many = [Answer("s" * 500 + str(i), "keep") for i in range(100)]
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="full"):
            log.decide("event-01", "ann", many)
    assert log.since(0) == []
    log._db.execute("PRAGMA max_page_count = 100000")
    log.decide("event-01", "ann", many)
    assert len(log.decisions()) == 100


def test_many_threads(log: Log) -> None:
    def work(who: int) -> None:
        for i in range(20):
            log.decide(f"event-{who}-{i}", f"r{who}", [Answer(f"s{i}", "keep")])

    threads = [threading.Thread(target=work, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(now(log)) == len(log.since(0)) == 160


def test_what_was_acknowledged_outlives_a_process_that_ends_at_once(tmp_path: Path) -> None:
    db = tmp_path / "decisions.sqlite"
    code = (
        "import os, sys; from pathlib import Path; from noiseaudit.review.log import Answer, Log\n"
        f"log = Log(Path(sys.argv[1]), {RUN!r})\n"
        "[log.decide(f'event-{i:02}', 'ann', [Answer(f's{i}', 'keep')]) for i in range(30)]\n"
        "log._db.execute('BEGIN IMMEDIATE'); log._add('event-99', 'ann', Answer('lost', 'keep')); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(db)], check=False).returncode == 9
    log = Log(db, RUN)
    assert {d.sample_id for d in log.decisions()} == {f"s{i}" for i in range(30)}
    log.close()


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("undo"), st.sampled_from("ab"), st.none()),
        st.tuples(
            st.just("decide"),
            st.sampled_from("ab"),
            st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["keep", "skip", "relabel"]), min_size=1),
        ),
    ),
    max_size=15,
)


@settings(max_examples=40)
@given(ACTIONS)
def test_it_is_what_a_stack_of_actions_for_each_reviewer_gives(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[str, str, dict[str, str] | None]]
) -> None:
    log = Log(tmp_path_factory.mktemp("log") / "decisions.sqlite", RUN)
    stacks: dict[str, list[dict[str, str]]] = {"a": [], "b": []}
    for number, (what, who, answers) in enumerate(actions):
        for _ in range(2):  # each is sent twice
            if what == "undo":
                log.undo(f"event-{number}", who)
            else:
                labels = {"relabel": "dog"}
                given_answers = [Answer(s, d, labels.get(d)) for s, d in (answers or {}).items()]
                log.decide(f"event-{number}", who, given_answers)
        if what == "undo":
            stacks[who][-1:] = []
        else:
            stacks[who].append(answers or {})
    expected = {
        (sample, who, decision)
        for who, stack in stacks.items()
        for sample, decision in {s: d for action in stack for s, d in action.items()}.items()
    }
    assert {(d.sample_id, d.reviewer, d.decision) for d in log.decisions()} == expected
    log.close()
