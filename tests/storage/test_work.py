"""A slot has one owner: among many processes, across failures, and when its owner dies."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from monitor.storage import work
from monitor.storage.engine import Database
from monitor.storage.tables import HeartbeatRow, SlotRow
from tests import processes
from tests.outbox import START

STALE = START - timedelta(minutes=5)


def take(database: Database, owner: str, now=START, slot: str = "2026-11-23", job: str = "poll") -> bool:
    with database.write() as session:
        return work.take_slot(
            session, job, slot, owner, now, stale=now - timedelta(minutes=5), retry=now - timedelta(minutes=15)
        )


def finish(database: Database, owner: str, error: str | None = None, now=START) -> bool:
    with database.write() as session:
        return work.finish_slot(session, "poll", "2026-11-23", owner, now, error)


def beat(database: Database, owner: str, now=START) -> None:
    with database.write() as session:
        work.beat(session, owner, now, {"state": "working"})


def test_a_slot_is_taken_once(database: Database) -> None:
    assert [take(database, owner) for owner in ("one", "two")] == [True, False]
    assert finish(database, "one")
    assert not take(database, "two", START + timedelta(days=300))
    with database.read() as session:
        assert work.finished(session, "poll", "2026-11-23")
        assert not work.finished(session, "poll", "2026-11-24")


def test_jobs_and_slots_do_not_mix(database: Database) -> None:
    assert take(database, "one")
    assert take(database, "one", slot="2026-11-24")
    assert take(database, "one", job="digest")


def test_a_failed_slot_may_be_taken_again_after_a_pause(database: Database) -> None:
    assert take(database, "one")
    finish(database, "one", "PubMed is out of reach")
    assert not take(database, "two", START + timedelta(minutes=14))
    assert take(database, "two", START + timedelta(minutes=15))
    assert not take(database, "three", START + timedelta(minutes=15))
    assert not finish(database, "one")
    assert finish(database, "two")


def test_a_living_owner_keeps_a_long_slot(database: Database) -> None:
    assert take(database, "one")
    for minutes in range(0, 600, 4):
        now = START + timedelta(minutes=minutes)
        beat(database, "one", now)
        assert not take(database, "two", now)


def test_the_slot_of_a_dead_owner_is_taken_over_by_one(database: Database) -> None:
    beat(database, "one")
    assert take(database, "one")
    later = START + timedelta(minutes=6)
    beat(database, "two", later)
    assert take(database, "two", later)
    assert not take(database, "three", later)
    assert not finish(database, "one", now=later)
    assert finish(database, "two", now=later)


def test_a_sign_of_life_of_the_future_keeps_no_slot(database: Database) -> None:
    ahead = START + timedelta(days=300)
    beat(database, "one", ahead)
    assert take(database, "one", ahead)
    assert take(database, "two", START)


def test_an_owner_that_asks_for_its_own_unfinished_slot_gets_it(database: Database) -> None:
    assert take(database, "one")
    assert take(database, "one")


def test_a_released_slot_is_free_at_once(database: Database) -> None:
    assert take(database, "one")
    with database.write() as session:
        work.release_slot(session, "poll", "2026-11-23", "two")
    assert not take(database, "two")
    with database.write() as session:
        work.release_slot(session, "poll", "2026-11-23", "one")
    assert take(database, "two")


def test_heartbeats_are_one_row_a_worker(database: Database) -> None:
    for minute, owner in enumerate(["one", "two", "one"]):
        beat(database, owner, START + timedelta(minutes=minute))
    with database.read() as session:
        beats = session.scalars(select(HeartbeatRow).order_by(HeartbeatRow.name))
        assert [(each.name, each.at.minute) for each in beats] == [("one", 2), ("two", 1)]


def test_old_traces_are_forgotten_and_unfinished_slots_kept(database: Database) -> None:
    beat(database, "one")
    take(database, "one")
    finish(database, "one")
    take(database, "one", slot="2026-11-24")
    with database.write() as session:
        counts = work.forget(session, START + timedelta(days=1))
    assert (counts["slots"], counts["heartbeats"]) == (1, 1)
    with database.read() as session:
        assert session.get(SlotRow, ("poll", "2026-11-24")) is not None
        assert session.scalars(select(SlotRow.slot)).all() == ["2026-11-24"]


def race(database: Database, slots: int) -> Counter[int]:
    racers = [processes.start(processes.race, database.url, f"racer {number}", slots) for number in range(8)]
    for _, racer in racers:
        assert racer.recv() == "ready"
    for _, racer in racers:
        racer.send("go")
    runs: Counter[int] = Counter()
    for process, racer in racers:
        runs.update(racer.recv())
        process.join()
        racer.close()
    return runs


def test_eight_processes_give_a_hundred_slots_one_run_each(database: Database) -> None:
    assert race(database, 100) == Counter(range(100))


@pytest.mark.torture
def test_eight_processes_give_ten_thousand_slots_one_run_each(database: Database) -> None:
    assert race(database, 10_000) == Counter(range(10_000))
