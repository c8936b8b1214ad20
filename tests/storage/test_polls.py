"""Polls as rows: who holds one, what is gone on with, what is kept of each, and hits that are never lost."""

from __future__ import annotations

import dataclasses
import os
import socket
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from monitor.core.polling import SearchResult
from monitor.core.strategy import Line, Strategy, Topic
from monitor.services import owners
from monitor.storage import hits, polls, strategies, work
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from monitor.storage.hits import FoundHit
from monitor.storage.polls import LEASE, RESUMABLE, ClaimLost, Counts, Order, Running
from monitor.storage.tables import HitRow, PollBatchRow, PollRow
from tests.factories import FIRST_PMID, citation

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
SINCE = date(2026, 11, 8)


@pytest.fixture(autouse=True)
def topics(database: Database) -> None:
    with database.write() as session:
        strategies.load_starter(
            session, [Topic(name, name.upper(), Strategy((Line("x[ti]", "x"),))) for name in ("one", "two")], NOW
        )


def order(topic: str = "one", lane: str = "core", **more: object) -> Order:
    given = {"kind": "window", "query": "x[ti]", "topic_id": topic, "lane": lane, "since": SINCE, "covers": True}
    return Order(**{**given, **more})  # type: ignore[arg-type]


def begin(
    database: Database, what: Order, owner: str = "a", now: datetime = NOW, gone: tuple[str, ...] = ()
) -> Running | None:
    with database.write() as session:
        return polls.begin(session, what, owner, now, lambda name: name in gone)


def begun(
    database: Database, what: Order, owner: str = "a", now: datetime = NOW, gone: tuple[str, ...] = ()
) -> Running:
    running = begin(database, what, owner, now, gone)
    assert running is not None
    return running


def batch(database: Database, running: Running, *pmids: int, now: datetime = NOW) -> None:
    with database.write() as session:
        polls.note_batch(session, running, pmids, Counts(new=len(pmids)), (), now)


def finish(database: Database, running: Running, state: str, now: datetime = NOW, error: str | None = None) -> None:
    with database.write() as session:
        polls.finish(session, running, state, now, error)


def states(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(PollRow.state).order_by(PollRow.id)))


def test_a_poll_that_runs_is_left_to_its_owner(database: Database) -> None:
    begun(database, order())
    assert begin(database, order(), "b") is None
    assert begin(database, order(kind="full", since=None), "b") is None, "one topic's lane, whatever the kind"
    begun(database, order(lane="wide"), "b")
    begun(database, order("two"), "b")
    begun(database, Order("check", "due"), "b")
    assert begin(database, Order("check", "due"), "c") is None


@pytest.mark.parametrize("why", ["gone", "silent"])
def test_a_poll_whose_owner_is_no_more_is_gone_on_with(database: Database, why: str) -> None:
    first = begun(database, order())
    batch(database, first, 1, 2, 3)
    batch(database, first, 4)
    later = NOW + (LEASE + timedelta(seconds=1) if why == "silent" else timedelta(seconds=1))
    again = begun(database, order(since=SINCE + timedelta(days=1)), "b", later, ("a",) if why == "gone" else ())
    assert (again.id, again.resumed, again.done, again.next_position) == (first.id, True, {1, 2, 3, 4}, 2)
    assert again.order.since == SINCE, "the older window is the wider one"
    assert states(database) == ["running"]
    with pytest.raises(ClaimLost):
        batch(database, first, 5)
    with pytest.raises(ClaimLost):
        finish(database, first, "done")
    batch(database, again, 5, now=later)


def test_a_claim_of_a_clock_that_was_ahead_holds_nothing(database: Database) -> None:
    first = begun(database, order(), now=NOW + timedelta(days=300))
    batch(database, first, 1, now=NOW + timedelta(days=300))
    again = begun(database, order(), "b")
    assert (again.id != first.id, again.resumed) == (True, False)


def test_a_batch_keeps_the_claim(database: Database) -> None:
    running = begun(database, order())
    batch(database, running, 1, now=NOW + LEASE)
    assert begin(database, order(), "b", NOW + LEASE + timedelta(minutes=1)) is None


def test_what_stored_nothing_or_is_a_day_old_starts_afresh(database: Database) -> None:
    first = begun(database, order())
    second = begun(database, order(), "b", NOW, ("a",))
    assert second.id != first.id
    assert states(database) == ["interrupted", "running"]
    batch(database, second, 1)
    third = begun(database, order(), "c", NOW + RESUMABLE + timedelta(minutes=1), ("b",))
    assert (third.id != second.id, third.resumed) == (True, False)


@pytest.mark.parametrize("state", ["failed", "interrupted"])
def test_unfinished_polls_are_gone_on_with_and_finished_ones_are_not(database: Database, state: str) -> None:
    first = begun(database, order())
    batch(database, first, 1)
    finish(database, first, state, error="why")
    again = begun(database, order(), "b")
    assert (again.id, again.done) == (first.id, {1})
    finish(database, again, "done")
    third = begun(database, order(), "c")
    assert third.id != first.id
    with database.read() as session:
        found = polls.poll(session, first.id)
        assert found is not None
        assert (found.state, found.error) == ("done", None)


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "full", "since": None},
        {"covers": False},
        {"since": SINCE - timedelta(days=400)},
        {"until": date(2026, 11, 10)},
    ],
)
def test_another_question_is_another_poll(database: Database, other: dict[str, object]) -> None:
    first = begun(database, order())
    batch(database, first, 1)
    finish(database, first, "failed")
    assert begun(database, order(**other), "b").id != first.id


def test_a_new_strategy_version_is_another_poll(database: Database) -> None:
    with database.write() as session:
        one = strategies.topics_named(session, ["one"])[0]
    first = begun(database, order(strategy_id=one.strategy_id))
    batch(database, first, 1)
    finish(database, first, "failed")
    with database.write() as session:
        newer = strategies.save_version(
            session, "one", Strategy((Line("y[ti]", "y"),)), origin="lab", reason="", person_id=None, now=NOW
        )
    assert begun(database, order(strategy_id=newer), "b").id != first.id


@pytest.mark.parametrize("state", ["done", "failed", "interrupted"])
def test_batches_of_polls_that_cannot_be_gone_on_with_are_forgotten(database: Database, state: str) -> None:
    first = begun(database, order())
    batch(database, first, 1)
    finish(database, first, state)
    second = begun(database, order("two"), now=NOW + timedelta(days=30))
    batch(database, second, 2, now=NOW + timedelta(days=30))
    with database.write() as session:
        assert work.forget(session, NOW + timedelta(days=2))["poll batches"] == 1
    with database.read() as session:
        assert session.scalars(select(PollBatchRow.poll_id)).all() == [second.id]


def test_a_failure_that_stored_nothing_takes_the_place_of_the_one_before(database: Database) -> None:
    def fail(days: int, *, stored: bool = False, **more: object) -> None:
        running = begun(database, order(since=SINCE + timedelta(days=days), **more), now=NOW + timedelta(days=days))
        if stored:
            batch(database, running, 1, now=NOW + timedelta(days=days))
        finish(database, running, "failed", NOW + timedelta(days=days), f"error {days}")

    def rows() -> list[tuple[datetime, str | None]]:
        with database.read() as session:
            return [
                tuple(row) for row in session.execute(select(PollRow.started_at, PollRow.error).order_by(PollRow.id))
            ]

    fail(0)
    fail(1)
    assert rows() == [(NOW, "error 1")]
    fail(2, covers=False)
    fail(3, covers=False)
    assert len(rows()) == 3, "ranges by hand are different questions"
    fail(4, stored=True)
    fail(6)
    assert [error for _, error in rows()] == ["error 1", "error 2", "error 3", "error 4", "error 6"]
    finish(database, begun(database, order(), now=NOW + timedelta(days=7)), "done")
    fail(8)
    assert rows()[-1] == (NOW + timedelta(days=8), "error 8")


def test_of_many_that_begin_at_once_one_has_it(database: Database) -> None:
    won: list[Running] = []
    lost: list[str] = []
    barrier = threading.Barrier(6)

    def start(name: str) -> None:
        barrier.wait()
        try:
            running = begin(database, order(), name)
        except IntegrityError as error:
            lost.append(str(error))
            return
        if running is not None:
            won.append(running)

    threads = [threading.Thread(target=start, args=(f"owner {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert all("uq_poll_running" in each for each in lost)
    assert states(database) == ["running"]


def test_everything_about_a_poll_is_kept(database: Database) -> None:
    running = begun(database, order())
    result = SearchResult((1, 2), 5, "x[Title]", ("odd phrase",), ("a warning",))
    with database.write() as session:
        polls.note_search(session, running, result, 4, ["a warning", "another"], NOW)
        polls.note_batch(session, running, [1, 2], Counts(1, 1, 0, 0), ["PMID 7: broken"], NOW)
        polls.note_batch(session, running, [3, 4], Counts(0, 0, 1, 1), ["PMID 8: broken"], NOW)
    finish(database, running, "warned", NOW + timedelta(seconds=90))
    with database.read() as session:
        (found,) = polls.latest(session)
    assert dataclasses.asdict(found) == {
        "id": running.id,
        "topic_id": "one",
        "lane": "core",
        "strategy_id": None,
        "kind": "window",
        "state": "warned",
        "started_at": NOW,
        "finished_at": NOW + timedelta(seconds=90),
        "since": SINCE,
        "until": None,
        "query": "x[ti]",
        "translation": "x[Title]",
        "warnings": ("a warning", "another"),
        "unknown_phrases": ("odd phrase",),
        "count": 5,
        "found": 4,
        "new": 1,
        "revised": 1,
        "unchanged": 1,
        "missing": 2,
        "refused": ("PMID 7: broken", "PMID 8: broken"),
        "seconds": 90.0,
        "error": None,
    }


def test_the_mark_moves_only_with_whole_polls_that_cover(database: Database) -> None:
    def covered() -> date | None:
        with database.read() as session:
            return polls.covered_until(session, "one", "core", NOW + timedelta(days=9))

    assert covered() is None
    for days, state, covers in [(0, "failed", True), (1, "done", False), (2, "interrupted", True)]:
        finish(database, begun(database, order(covers=covers), now=NOW + timedelta(days=days)), state)
        assert covered() is None
    finish(database, begun(database, order(), now=NOW + timedelta(days=3)), "warned")
    assert covered() == date(2026, 11, 25)
    finish(database, begun(database, order(kind="full", since=None), now=NOW + timedelta(days=5)), "done")
    assert covered() == date(2026, 11, 25), "a comparison does not fetch what was revised"
    finish(database, begun(database, order(), now=NOW + timedelta(days=7)), "done")
    assert covered() == date(2026, 11, 29)
    finish(database, begun(database, order(), now=NOW + timedelta(days=300)), "done")
    assert covered() == date(2026, 11, 29), "a poll of the future was made while the clock was wrong"
    later = NOW + timedelta(days=9)
    with database.read() as session:
        assert polls.first_and_last(session, "one", "core", "window", later) == (
            NOW + timedelta(days=3),
            NOW + timedelta(days=7),
        )
        assert polls.first_and_last(session, "one", "core", "full", later) == (NOW + timedelta(days=5),) * 2
        assert polls.first_and_last(session, "one", "wide", "window", later) == (None, None)


def test_hits_stand_end_and_stand_again_and_remember_when_they_were_found(database: Database) -> None:
    with database.write() as session:
        keep(session, [citation(FIRST_PMID + n) for n in range(3)], NOW)
        strategy_id = strategies.topics_named(session, ["one"])[0].strategy_id
    running = begun(database, order(strategy_id=strategy_id))

    def add(now: datetime, *found: FoundHit) -> None:
        with database.write() as session:
            hits.add(session, running, found, now)

    def row(pmid: int) -> HitRow:
        with database.read() as session:
            return session.get_one(HitRow, ("one", pmid, "core"))

    add(
        NOW,
        FoundHit(FIRST_PMID, True, (1,), "created"),
        FoundHit(FIRST_PMID + 1, False, (), "created"),
        FoundHit(FIRST_PMID, True, (1,), "created"),
    )
    with database.write() as session:
        hits.end(session, "one", "core", [FIRST_PMID, FIRST_PMID + 2], NOW + timedelta(days=1))
    assert row(FIRST_PMID).ended_at == NOW + timedelta(days=1)
    with database.read() as session:
        assert hits.standing(session, "one", "core") == {FIRST_PMID + 1}
        assert hits.counts(session) == {("one", "core"): 1}
    assert (row(FIRST_PMID).first_lines, row(FIRST_PMID).route) == ([1], "created")
    add(NOW + timedelta(days=2), FoundHit(FIRST_PMID, False, (1, 2), "reconciled"))
    again = row(FIRST_PMID)
    assert (again.first_lines, again.route) == ([1, 2], "reconciled")
    assert (again.ended_at, again.news, again.lines) == (None, False, [1, 2]), "what is brought again is news no more"
    assert again.found_at == NOW + timedelta(days=2), "it is found anew, so that a digest of now may carry it"
    add(NOW + timedelta(days=3), FoundHit(FIRST_PMID, True, (1,), "revised"))
    assert row(FIRST_PMID).found_at == NOW + timedelta(days=2)
    assert (row(FIRST_PMID).lines, row(FIRST_PMID).first_lines, row(FIRST_PMID).route) == ([1], [1, 2], "reconciled")


def test_owners_are_told_apart() -> None:
    with owners.owner() as living, owners.owner() as other:
        assert living != other
        assert not owners.is_gone(living)
        assert not owners.is_gone(other)
    assert owners.is_gone(living), "its run is over"
    host = socket.gethostname()
    assert owners.is_gone(f"{host}:{os.getpid()}:000000"), "the same number in an earlier life of a container"
    assert not owners.is_gone(f"{host}:{os.getppid()}:000000")
    assert owners.is_gone(f"{host}:{2**22 - 3}:000000")
    assert not owners.is_gone("elsewhere:1:000000"), "of other machines nothing is known"
    assert not owners.is_gone("nonsense")
