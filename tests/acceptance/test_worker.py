"""The worker: what is due runs once, whoever ticks; failures are retried, the dead are replaced, signals are obeyed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from monitor.build import House, build
from monitor.errors import PubmedUnavailable
from monitor.pubmed.sandbox import SetClock as SandboxClock
from monitor.scheduler import Ticker
from monitor.services.working import Job, Stopped, Turn, Working, daily, every
from monitor.settings import load, with_secret_key
from monitor.storage.engine import Database
from monitor.storage.tables import HeartbeatRow, SlotRow
from tests import processes
from tests.acceptance.polling import NOW, NoPace, records, sandbox
from tests.outbox import RealClock, SetClock, fill, rows
from tests.smtp_server import Relay

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Recorder:
    """A job that keeps its turns and does as told."""

    def __init__(self, does: Callable[[Turn], None] = lambda turn: None) -> None:
        self.turns: list[str | None] = []
        self.does = does

    def __call__(self, turn: Turn) -> None:
        self.turns.append(turn.slot)
        self.does(turn)


@contextmanager
def house(url: str, home: Path, clock: SandboxClock) -> Iterator[House]:
    """A real installation against a sandbox, without waits."""
    with build(with_secret_key(load(environ={}, home=home, eutils_url=url)), clock=clock, create=True) as here:
        here.pacer = NoPace()
        yield here


def fail(turn: Turn) -> None:
    raise PubmedUnavailable("PubMed is busy")


# Slots


@pytest.mark.parametrize(
    ("now", "slot"),
    [
        ("2026-11-23T04:59:59", "2026-11-22"),
        ("2026-11-23T05:00:00", "2026-11-23"),
        ("2026-11-23T22:59:59", "2026-11-23"),
        ("2026-11-24T04:00:00", "2026-11-23"),
    ],
)
def test_a_daily_slot_is_the_local_date_once_its_hour_has_come(now: str, slot: str) -> None:
    assert daily(6, BERLIN)(at(now)) == slot


def test_a_daily_slot_in_the_gap_of_spring_begins_where_the_gap_ends() -> None:
    # Berlin has no 02:00 on 29 March 2026; the clock goes from 01:59:59 to 03:00, which is 01:00 UTC.
    assert daily(2, BERLIN)(at("2026-03-29T00:59:59")) == "2026-03-28"
    assert daily(2, BERLIN)(at("2026-03-29T01:00:00")) == "2026-03-29"


def test_each_local_day_has_one_daily_slot() -> None:
    for name in ("America/Havana", "Pacific/Apia", "Australia/Lord_Howe"):
        zone = ZoneInfo(name)
        slots = daily(0, zone)
        seen: list[str] = []
        now = at("2009-01-01T00:30:00")
        while now < at("2015-01-01T00:00:00"):
            found = slots(now)
            if not seen or seen[-1] != found:
                seen.append(found)
            now += timedelta(hours=3)
        days = [date.fromisoformat(each) for each in seen]
        steps = [after - before for before, after in pairwise(days)]
        # Samoa had no 30 December 2011: that day alone has no slot of its own.
        skipped = [before for before, step in zip(days, steps, strict=False) if step != timedelta(days=1)]
        assert skipped == ([date(2011, 12, 29)] if name == "Pacific/Apia" else [])
        assert max(steps) <= timedelta(days=2)


def test_every_few_minutes_is_counted_from_midnight() -> None:
    assert [every(15)(at(f"2026-11-23T06:{minute:02}:59")) for minute in (0, 14, 15, 59)] == [
        "2026-11-23T06:00Z",
        "2026-11-23T06:00Z",
        "2026-11-23T06:15Z",
        "2026-11-23T06:45Z",
    ]


# Ticks


def last_run(worker: Working) -> SlotRow:
    with worker._database.read() as session:
        return session.scalars(select(SlotRow).order_by(SlotRow.taken_at.desc())).one()


def said_of_itself(worker: Working) -> dict[str, object]:
    with worker._database.read() as session:
        return session.scalars(select(HeartbeatRow.details).where(HeartbeatRow.name == worker.owner)).one()


def working(database: Database, clock: SetClock, *jobs: Job, owner: str | None = None) -> Working:
    return Working(database, clock, jobs, owner=owner)


def test_a_daily_job_runs_once_a_day_however_often_one_ticks(database: Database) -> None:
    clock, poll = SetClock(), Recorder()
    jobs = Job("poll", "poll", poll, daily(6, BERLIN))
    workers = [working(database, clock, jobs) for _ in range(3)]
    for _ in range(4 * 24 * 3):
        for each in workers:
            each.tick()
        clock.advance(minutes=15)
    assert poll.turns == ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"]


def test_after_an_outage_one_run_catches_up(database: Database) -> None:
    clock, poll = SetClock(), Recorder()
    worker = working(database, clock, Job("poll", "poll", poll, daily(6, BERLIN)))
    worker.tick()
    clock.advance(days=60)
    worker.tick()
    worker.tick()
    assert poll.turns == ["2026-11-23", "2027-01-22"]


@pytest.mark.parametrize("step", [{"hours": -1}, {"days": -1}, {"days": -365}])
def test_a_clock_set_back_and_right_again_makes_no_second_run(database: Database, step: dict[str, float]) -> None:
    clock, poll = SetClock(), Recorder()
    worker = working(database, clock, Job("poll", "poll", poll, daily(6, BERLIN)))
    worker.tick()
    clock.advance(**step)
    worker.tick()
    clock.advance(**{unit: -value for unit, value in step.items()})
    worker.tick()
    assert poll.turns.count("2026-11-23") == 1


def test_a_failed_job_is_recorded_tried_again_later_and_holds_up_nobody(database: Database) -> None:
    clock = SetClock()
    poll, send = Recorder(fail), Recorder()
    worker = working(database, clock, Job("poll", "poll", poll, daily(6, BERLIN)), Job("send", "mail", send))
    first = worker.tick()
    assert [(each.job, each.error) for each in first] == [("poll", "PubMed is busy"), ("send", None)]
    worker.tick()
    assert len(poll.turns) == 1
    assert last_run(worker).error == "PubMed is busy"
    clock.advance(minutes=15)
    poll.does = lambda turn: None
    worker.tick()
    clock.advance(minutes=15)
    worker.tick()
    assert len(poll.turns) == 2
    assert last_run(worker).error is None


def test_a_fault_of_ours_is_recorded_too(database: Database) -> None:
    def broken(turn: Turn) -> None:
        raise ZeroDivisionError("oops")

    worker = working(database, SetClock(), Job("poll", "poll", broken, daily(6, BERLIN)))
    assert [each.error for each in worker.tick()] == ["ZeroDivisionError: oops"]
    worker.beat()
    assert said_of_itself(worker)["errors"] == {"poll": "ZeroDivisionError: oops"}


def test_a_job_stopped_half_way_goes_on_at_the_next_tick_of_anyone(database: Database) -> None:
    def stopped(turn: Turn) -> None:
        raise Stopped

    clock, poll = SetClock(), Recorder(stopped)
    job = Job("poll", "poll", poll, daily(6, BERLIN))
    working(database, clock, job).tick()
    poll.does = lambda turn: None
    working(database, clock, job).tick()
    working(database, clock, job).tick()
    assert poll.turns == ["2026-11-23"] * 2


@pytest.mark.parametrize("job", ["poll", "recheck"])
def test_polls_and_checks_that_are_stopped_give_their_slot_back(tmp_path: Path, job: str) -> None:
    """Nothing failed, and the next tick goes on."""
    clock = SandboxClock()
    clock.set(NOW)
    found = records(1200, title="Invented CIK cells, cytokine-induced killer cells")
    with sandbox(*found) as server, house(server.url, tmp_path, clock) as here:
        if job == "recheck":
            here.polling.poll()
            clock.set(NOW + timedelta(days=12))
        asked = len(server.requests("efetch"))
        stopping = lambda: len(server.requests("efetch")) > asked  # noqa: E731
        (mine,) = [each for each in here.working._jobs.values() if each.name == job]
        worker = Working(here.database, clock, [mine])
        assert [(each.job, each.error) for each in worker.tick(stopping=stopping)] == [(job, "stopped")]
        with here.database.read() as session:
            assert session.scalars(select(SlotRow)).all() == []
        assert [(each.job, each.error) for each in worker.tick()] == [(job, None)]


def test_the_job_of_a_dead_worker_is_taken_over_when_it_has_been_silent(database: Database) -> None:
    def die(turn: Turn) -> None:
        raise KeyboardInterrupt

    clock, poll = SetClock(), Recorder(die)
    job = Job("poll", "poll", poll, daily(6, BERLIN))
    with pytest.raises(KeyboardInterrupt):
        working(database, clock, job, owner="dead").tick()
    poll.does = lambda turn: None
    second = working(database, clock, job)
    second.beat()
    second.tick()
    assert len(poll.turns) == 1
    clock.advance(minutes=6)
    second.beat()
    second.tick()
    assert len(poll.turns) == 2


def test_a_beat_says_what_is_being_done(database: Database) -> None:
    clock = SetClock()
    seen: list[dict[str, str]] = []

    def look(turn: Turn) -> None:
        worker.beat()
        seen.append(said_of_itself(worker)["doing"])

    worker = working(database, clock, Job("poll", "poll", look, daily(6, BERLIN)))
    worker.tick()
    worker.beat("stopped")
    assert seen == [{"poll": clock.at.isoformat()}]
    details = said_of_itself(worker)
    assert (details["doing"], details["state"], details["pid"]) == ({}, "stopped", os.getpid())


def test_housekeeping_forgets_old_slots(database: Database) -> None:
    clock = SetClock()
    worker = working(database, clock, Job("poll", "poll", Recorder(), every(5)))
    worker.tick()
    clock.advance(days=31)
    worker.housekeeping(Turn(None, clock.at, lambda: False))
    with database.read() as session:
        assert session.scalars(select(SlotRow)).all() == []


def test_two_jobs_of_one_name_are_refused(sqlite_database: Database) -> None:
    job = Job("poll", "poll", Recorder())
    with pytest.raises(ValueError, match="one name"):
        Working(sqlite_database, SetClock(), [job, job])


# The ticker


def test_a_long_poll_does_not_hold_up_sending_and_stop_waits_for_both(sqlite_database: Database) -> None:
    begun, sent, ended = threading.Event(), threading.Event(), threading.Event()

    def long_poll(turn: Turn) -> None:
        begun.set()
        while not turn.stopping():
            time.sleep(0.01)
        ended.set()

    worker = Working(
        sqlite_database,
        RealClock(),
        [Job("poll", "poll", long_poll, daily(0, UTC)), Job("send", "mail", lambda turn: sent.set())],
    )
    ticker = Ticker(worker, seconds=0.1)
    ticker.start()
    assert begun.wait(20)
    sent.clear()
    assert sent.wait(20)
    ticker.stop()
    assert ended.is_set()
    assert said_of_itself(worker)["state"] == "stopped"
    assert last_run(worker).finished_at is not None


def wait_for(met: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until
        time.sleep(0.005)


def said(connection: Connection) -> list[str]:
    words = []
    while connection.poll():
        try:
            words.append(connection.recv())
        except EOFError:
            break
    connection.close()
    return words


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_worker_after_the_letter_in_hand(sqlite_database: Database, number: signal.Signals) -> None:
    fill(sqlite_database, [f"reader{each}@lab.example" for each in range(300)], at=datetime.now(UTC))
    with Relay() as relay:
        process, connection = processes.start(processes.worker, sqlite_database.url, relay.port)
        try:
            wait_for(lambda: len(relay.accepted) >= 5)
            os.kill(process.pid, number)
            process.join(60)
        finally:
            process.kill()
        taken = len(relay.accepted)
    assert process.exitcode == 0
    assert said(connection) == ["polled", "bye"]
    states = [row.state for row in rows(sqlite_database).values()]
    assert set(states) == {"sent", "queued"}
    assert states.count("sent") == taken


def test_eight_workers_on_one_database_poll_once_and_send_each_letter_once(database: Database) -> None:
    fill(database, [f"reader{each}@lab.example" for each in range(80)], at=datetime.now(UTC))
    with Relay() as relay:
        workers = [processes.start(processes.worker, database.url, relay.port) for _ in range(8)]
        try:
            wait_for(lambda: len(relay.accepted) >= 80)
            wait_for(lambda: {row.state for row in rows(database).values()} == {"sent"})
            for process, _ in workers:
                os.kill(process.pid, signal.SIGTERM)
            for process, _ in workers:
                process.join(60)
        finally:
            for process, _ in workers:
                process.kill()
        recipients = [each.recipient for each in relay.accepted]
    assert {process.exitcode for process, _ in workers} == {0}
    assert [word for _, connection in workers for word in said(connection)].count("polled") == 1
    assert len(recipients) == len(set(recipients)) == 80
