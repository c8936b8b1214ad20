"""APScheduler as the ticker and nothing else: its jobs are ticks, its memory holds no business."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from monitor.errors import MonitorError
from monitor.services.working import Working

SECONDS = 30

_log = structlog.get_logger()


class Ticker:
    """Ticks each lane in a thread of its own, so that a long poll never holds up sending, and beats beside them."""

    def __init__(self, working: Working, seconds: float = SECONDS) -> None:
        self._working = working
        self._stop = threading.Event()
        # Missed ticks are one tick (coalesce), late ones still run (no grace time), a running one is not doubled.
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(len(working.lanes) + 1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._seconds = seconds

    def start(self) -> None:
        """Begin ticking, now and then at every interval; returns at once."""
        # Before the first job starts, so that no slot is taken by an owner nobody has heard of.
        self._beat()
        first = datetime.now(UTC)
        more = {"trigger": "interval", "seconds": self._seconds, "next_run_time": first}
        self._scheduler.add_job(self._beat, id="heartbeat", **more)
        for lane in self._working.lanes:
            self._scheduler.add_job(self._tick, id=f"lane {lane}", args=[lane], **more)
        self._scheduler.start()

    def stop(self) -> None:
        """Let every job end its current step, then stop; the last heartbeat says so."""
        self._stop.set()
        self._scheduler.shutdown(wait=True)
        self._beat("stopped")

    def _tick(self, lane: str) -> None:
        try:
            self._working.tick(lane, self._stop.is_set)
        except MonitorError as error:
            # The database is out of reach or busy; the next tick asks again.
            _log.error("tick failed", lane=lane, reason=str(error))

    def _beat(self, state: str = "working") -> None:
        try:
            self._working.beat(state)
        except MonitorError as error:
            _log.error("no sign of life could be left", reason=str(error))
