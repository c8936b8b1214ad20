"""Every run against PubMed as people look at it: what was asked, what came, and when it is tried again; runs on demand.

A run that somebody asks for is a row: the worker takes it at its next tick, so that no page waits for minutes and none is
lost with the process that was asked. Taking one twice does no harm, for a poll that runs is never begun a second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from monitor.core.health import CLOCKS_APART, HEARTBEAT_OVERDUE
from monitor.core.people import Actor
from monitor.core.polling import UNFINISHED, phrases_in_words
from monitor.core.strategy import LANES, Lane
from monitor.errors import MonitorError, NotFound, UsageError
from monitor.services.asking import NO_ADDRESS
from monitor.services.polling import Polling
from monitor.services.ports import Clock
from monitor.storage import events, runs, strategies
from monitor.storage.engine import Database
from monitor.storage.polls import Poll
from monitor.storage.runs import PollRequest

POLL_MINUTES: Final = 15
"""How often the worker looks which polls are due, those that failed among them."""
CHECK_MINUTES: Final = 60
"""How often it checks stored citations."""
STATES: Final = ("running", "done", "warned", "failed", "interrupted")
KINDS: Final = ("window", "full")
PAGE: Final = 50
_TOLD: Final = timedelta(hours=1)
"""How long a wish that could not be run is told of."""
_TRIES: Final = re.compile(r"\((\d+) tries\)")


@dataclass(frozen=True, slots=True)
class Run:
    """A poll, and what becomes of it: `next_try` where it failed and is made up for by itself, `again` where a person may
    have it run once more, `tries` how often PubMed was asked the question that it did not answer."""

    poll: Poll
    title: str | None
    version: int | None
    next_try: datetime | None = None
    again: bool = False
    tries: int | None = None

    @property
    def unknown_phrases(self) -> tuple[str, ...]:
        return phrases_in_words(self.poll.unknown_phrases)


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, the newest first; `before` leads to the ones that follow."""

    runs: tuple[Run, ...]
    total: int
    before: int | None
    waiting: tuple[PollRequest, ...]
    in_vain: tuple[PollRequest, ...]
    worker_alive: bool
    worker_seen: datetime | None


class Runs:
    """Reads runs and takes wishes for more."""

    def __init__(
        self, database: Database, clock: Clock, polling: Callable[[], Polling], *, may_ask: bool = True
    ) -> None:
        self._database = database
        self._may_ask = may_ask
        self._clock = clock
        self._polling = polling

    def page(
        self, *, topic: str | None = None, state: str | None = None, before: int | None = None, limit: int = PAGE
    ) -> RunPage:
        """Return runs of a topic (the empty text: of the rolling check), in a state; `state` may be `trouble`.

        Raises UsageError for a state that there is not, NotFound for an unknown topic.
        """
        if state is not None and state not in (*STATES, "trouble"):
            raise UsageError(f"{state[:40]!r} is no state of a run; there are {', '.join(STATES)}")
        states = ("warned", *UNFINISHED) if state == "trouble" else (state,) if state else ()
        now = self._clock.now()
        with self._database.read() as session:
            if topic:
                strategies.one(session, topic)
            ids, total = runs.page(session, topic=topic, states=states, before=before, limit=limit + 1)
            seen = runs.last_beat(session)
            return RunPage(
                self._runs(session, ids[:limit], now),
                total,
                ids[limit - 1] if len(ids) > limit else None,
                tuple(runs.waiting(session)),
                tuple(runs.in_vain(session, now - _TOLD)),
                seen is not None and now - HEARTBEAT_OVERDUE <= seen <= now + CLOCKS_APART,
                seen,
            )

    def one(self, number: int) -> Run:
        """Return one run; raises NotFound."""
        with self._database.read() as session:
            found = self._runs(session, [number], self._clock.now())
        if not found:
            raise NotFound(f"There is no run {number}")
        return found[0]

    def ask(self, topic_id: str, actor: Actor, *, lane: str | None = None, kind: str = "window") -> bool:
        """Have a topic polled by the worker at its next tick; False where that waits already.

        Raises NotFound for an unknown topic, UsageError for a retired one, a lane that it does not search, or where PubMed
        may not be asked.
        """
        if actor.role != "admin":
            raise UsageError(f"only admins start runs; {actor.name} is {actor.role}")
        if kind not in KINDS:
            raise UsageError(f"{kind[:40]!r} is no kind of run; there are {', '.join(KINDS)}")
        if not self._may_ask:
            raise UsageError(f"{NO_ADDRESS}. Nothing was noted")
        now = self._clock.now()
        with self._database.write() as session:
            (stored,) = strategies.topics_named(session, [topic_id])
            if lane is not None and (lane not in LANES or not stored.topic.strategy.lines(lane)):
                raise UsageError(f"{topic_id} has no {lane[:20]} lane, so there is nothing to run")
            asked = runs.ask(session, topic_id, lane, kind, actor.person_id, now)
            if asked:
                told = {"kind": kind, **({"lane": lane} if lane is not None else {})}
                events.record(session, actor, "poll.ask", f"topic:{topic_id}", now, after=told)
            return asked

    def answer(self) -> int:
        """Run what people asked for, and return how many wishes were answered; a job of the worker.

        A poll that fails is an answer: it is made up for like every other. One that runs already leaves the wish standing.
        """
        with self._database.read() as session:
            wishes = runs.waiting(session)
        answered = 0
        for wish in wishes:
            lanes: tuple[Lane, ...] = tuple(each for each in LANES if wish.lane in (None, each))
            error = None
            try:
                report = self._polling().poll([wish.topic_id], full=wish.kind == "full", lanes=lanes)
                if not report.outcomes or any(each.state in ("busy", "interrupted") for each in report.outcomes):
                    continue
            except MonitorError as failure:
                error = str(failure)
            with self._database.write() as session:
                runs.answer(session, wish.id, self._clock.now(), error)
            answered += 1
        return answered

    def next_try(self, session: Session, poll: Poll, now: datetime) -> datetime | None:
        """Return when the worker makes up for a poll that did not finish; None where it does not."""
        if poll.state not in UNFINISHED or not runs.is_latest(session, poll.id):
            return None
        if poll.topic_id is None:
            return _next(now, CHECK_MINUTES)
        living = strategies.one(session, poll.topic_id).retired_at is None
        return _next(now, POLL_MINUTES) if living and runs.covers(session, poll.id) else None

    def _runs(self, session: Session, ids: list[int], now: datetime) -> tuple[Run, ...]:
        if not ids:
            return ()
        topics = {each.id: each for each in strategies.all_topics(session, retired=True)}
        versions = runs.versions(session, ids)
        found = []
        for poll in runs.polls_of(session, ids):
            topic = topics.get(poll.topic_id or "")
            tries = _TRIES.search(poll.error or "")
            living = topic is not None and topic.retired_at is None
            found.append(
                Run(
                    poll,
                    topic.topic.title if topic is not None else None,
                    versions.get(poll.id),
                    self.next_try(session, poll, now),
                    living and poll.state in UNFINISHED and runs.is_latest(session, poll.id),
                    int(tries[1]) if tries is not None else None,
                )
            )
        return tuple(reversed(found))


def _next(now: datetime, minutes: int) -> datetime:
    """Return the next full turn of so many minutes, as the worker's slots count them."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return hour + timedelta(minutes=(now.minute // minutes + 1) * minutes)
