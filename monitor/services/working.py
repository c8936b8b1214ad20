"""What is due, and who does it: slot rows decide, whichever process asks and however often.

A job names its slots; whoever inserts the row of a slot runs it. Jobs that are safe to run anywhere at any time (the
outbox guards each delivery itself) have no slots and run at every tick.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import structlog

from monitor.core.accounts import LONGEST, REMEMBERED
from monitor.core.slots import instant
from monitor.errors import MonitorError
from monitor.services.ports import Clock
from monitor.storage import accounts, indexing, work
from monitor.storage.engine import Database

KEEP_TRACES = timedelta(days=30)
"""How long slots, signs of life and poll batches are kept after they have done their work."""

Slots = Callable[[datetime], str | None]
"""The slot of a job that is due at a moment, by name; None while there is none. Missed ones before it are caught up
by it alone."""

_log = structlog.get_logger()


class Stopped(Exception):
    """Raised by a job that was asked to stop and is not done: its slot is given back and taken up at the next tick."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a job is told: its slot, the moment of the tick, and whether to stop soon (asked between small steps)."""

    slot: str | None
    now: datetime
    stopping: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do in its turn. Jobs of one `lane` run after one another, lanes run side by side.

    `run` raises MonitorError when it failed and should be tried again after `retry`, Stopped when it was interrupted.
    """

    name: str
    lane: str
    run: Callable[[Turn], None]
    slots: Slots | None = None
    retry: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Ran:
    """A job that had its turn; `error` says in a sentence how it failed."""

    job: str
    slot: str | None
    error: str | None = None


def daily(hour: int, zone: tzinfo) -> Slots:
    """Every local date from `hour` o'clock on; the date is the slot. In a gap of the clock, the first instant after."""

    def slot(now: datetime) -> str | None:
        today = now.astimezone(zone).date()
        return (today if instant(today, hour, zone) <= now else today - timedelta(days=1)).isoformat()

    return slot


def every(minutes: int) -> Slots:
    """Every so many minutes of UTC, counted from midnight; `2026-11-23T06:15Z` is the slot."""

    def slot(now: datetime) -> str | None:
        utc = now.astimezone(UTC)
        start = (utc.hour * 60 + utc.minute) // minutes * minutes
        return f"{date(utc.year, utc.month, utc.day).isoformat()}T{start // 60:02}:{start % 60:02}Z"

    return slot


def new_owner() -> str:
    """Return a name for this process that no other process ever had."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Working:
    """Gives every job its turn and leaves signs of life. Lanes may tick from several threads at once.

    A slot left unfinished by an owner without a sign of life for `stale` is taken over; so `beat` must be called more
    often than that, from a thread that no job holds up.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        jobs: Sequence[Job],
        *,
        owner: str | None = None,
        stale: timedelta = timedelta(minutes=5),
    ) -> None:
        self._database = database
        self._clock = clock
        self._jobs = {job.name: job for job in jobs}
        if len(self._jobs) != len(jobs):
            raise ValueError("two jobs have one name")
        self.owner = owner or new_owner()
        self._stale = stale
        self._started_at = clock.now()
        self._doing: dict[str, str] = {}
        self._errors: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes of the jobs, in their order."""
        return tuple(dict.fromkeys(job.lane for job in self._jobs.values()))

    def tick(self, lane: str | None = None, stopping: Callable[[], bool] = lambda: False) -> list[Ran]:
        """Do whatever is due, in one lane or in all. Safe at any moment, any number of times, from any process.

        A job that fails is recorded and logged, and the next one still has its turn.
        """
        ran = []
        for job in self._jobs.values():
            if (lane is None or job.lane == lane) and not stopping():
                done = self._turn(job, stopping)
                if done is not None:
                    ran.append(done)
        return ran

    def beat(self, state: str = "working") -> None:
        """Leave a sign of life with what is being done."""
        with self._lock:
            details: dict[str, Any] = {
                "state": state,
                "started_at": self._started_at.isoformat(),
                "doing": dict(self._doing),
                "errors": dict(self._errors),
                "host": socket.gethostname(),
                "pid": os.getpid(),
            }
        with self._database.write() as session:
            work.beat(session, self.owner, self._clock.now(), details)

    def housekeeping(self, turn: Turn) -> None:
        """Delete traces that have done their work, and merge a search index of many parts; a job like the others."""
        with self._database.write() as session:
            counts = work.forget(session, turn.now - KEEP_TRACES)
            counts |= accounts.forget(
                session,
                tries_before=turn.now - REMEMBERED,
                ended_before=turn.now - KEEP_TRACES,
                created_before=turn.now - LONGEST - KEEP_TRACES,
            )
        merged = indexing.tidy(self._database, turn.stopping)
        _log.info("housekeeping", **{name.replace(" ", "_"): count for name, count in counts.items()}, merged=merged)

    def _turn(self, job: Job, stopping: Callable[[], bool]) -> Ran | None:
        now = self._clock.now()
        slot = None
        if job.slots is not None:
            slot = job.slots(now)
            if slot is None or not self._take(job, slot, now):
                return None
        with self._lock:
            self._doing[job.name] = now.isoformat()
        if slot is not None:
            # Others judge by this whether the slot's owner is alive, so it must stand before a long run begins.
            self.beat()
        error: str | None = None
        finished = False
        try:
            job.run(Turn(slot, now, stopping))
            finished = True
        except Stopped:
            if slot is not None:
                with self._database.write() as session:
                    work.release_slot(session, job.name, slot, self.owner)
            return Ran(job.name, slot, "stopped")
        except MonitorError as failure:
            error, finished = str(failure), True
            _log.warning("job failed", job=job.name, slot=slot, reason=error)
        except Exception as failure:
            # A fault of ours: kept with its traceback, and the other jobs still have their turn.
            error, finished = f"{type(failure).__name__}: {failure}", True
            _log.exception("job broke", job=job.name, slot=slot)
        finally:
            with self._lock:
                self._doing.pop(job.name, None)
                if finished and error is None:
                    self._errors.pop(job.name, None)
                elif error is not None:
                    self._errors[job.name] = error
        if slot is not None:
            with self._database.write() as session:
                work.finish_slot(session, job.name, slot, self.owner, self._clock.now(), error)
        return Ran(job.name, slot, error)

    def _take(self, job: Job, slot: str, now: datetime) -> bool:
        with self._database.read() as session:
            if work.finished(session, job.name, slot):
                return False
        with self._database.write() as session:
            return work.take_slot(
                session, job.name, slot, self.owner, now, stale=now - self._stale, retry=now - job.retry
            )
