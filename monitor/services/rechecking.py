"""Fetches stored citations again, young ones often and old ones rarely: PubMed does not announce every change."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from monitor.core.polling import SearchResult
from monitor.errors import MonitorError
from monitor.services import owners
from monitor.services.ports import Clock, PubmedSource
from monitor.services.retrieving import IN_FLIGHT, Stopped, retrieve
from monitor.services.storing import store_check, witnesses
from monitor.storage import checks, polls
from monitor.storage.engine import Database
from monitor.storage.polls import ClaimLost, Order, Poll

log = logging.getLogger(__name__)

MOST = 5_000
"""Citations looked at in one run; what is due beyond them is due in the next one."""
QUERY = "stored citations that are due for another look"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a run of the rolling check did; `poll` is its row, None when nothing was due or another process is at it."""

    due: int
    poll: Poll | None = None


class Rechecking:
    """The rolling check. A PMID that PubMed does not return twice, a day apart, is marked withdrawn, never deleted."""

    def __init__(
        self,
        database: Database,
        source: PubmedSource,
        clock: Clock,
        *,
        most: int = MOST,
        in_flight: int = IN_FLIGHT,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._database = database
        self._source = source
        self._clock = clock
        self._most = most
        self._in_flight = in_flight
        self._stopping = stopping

    def run(self) -> CheckReport:
        """Fetch what is due and store it, a batch a transaction; what was stored is due again later by its age.

        A run that fails or is stopped keeps what it has stored and raises what stopped it.
        """
        now = self._clock.now()
        with self._database.read() as session:
            due = checks.due(session, now, self._most)
        if not due:
            return CheckReport(0)
        with owners.owner() as owner:
            try:
                with self._database.write() as session:
                    running = polls.begin(session, Order("check", QUERY), owner, now, owners.is_gone)
            except IntegrityError as error:
                if "uq_poll_running" not in str(error):
                    raise
                running = None
            if running is None:
                return CheckReport(len(due))
            state, why = "done", None
            try:
                with self._database.write() as session:
                    result = SearchResult((), len(due), "")
                    polls.note_search(session, running, result, len(due), (), now)
                waiting = [pmid for pmid in due if pmid not in running.done]
                for part in retrieve(
                    self._source,
                    waiting,
                    in_flight=self._in_flight,
                    stopping=self._stopping,
                    known=witnesses(self._database),
                ):
                    store_check(self._database, running, part, self._clock.now())
                    if part.refused:
                        state = "warned"
            except ClaimLost:
                return CheckReport(len(due))
            except BaseException as error:
                stopped = isinstance(error, Stopped) or not isinstance(error, Exception)
                state = "interrupted" if stopped else "failed"
                why = str(error) if isinstance(error, MonitorError) else type(error).__name__
                raise
            finally:
                self._finish(running, state, why)
            with self._database.read() as session:
                return CheckReport(len(due), polls.poll(session, running.id))

    def _finish(self, running: polls.Running, state: str, why: str | None) -> None:
        try:
            with self._database.write() as session:
                polls.finish(session, running, state, self._clock.now(), why)
        except ClaimLost:
            log.warning("check %d went on in another process", running.id)
