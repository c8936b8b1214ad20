"""Polls PubMed for each topic: which lanes, over which days, what falls due by itself, and when a run is given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from monitor.core.polling import Window, last_poll_moment, next_window, reconciliation_is_due, windowed
from monitor.core.query import MeshTree
from monitor.core.strategy import LANES, Lane
from monitor.errors import MonitorError, PubmedRefused, PubmedUnavailable, UsageError
from monitor.services import owners
from monitor.services.lanepoll import LanePoll, Means, PollOutcome, Progress, Task
from monitor.services.ports import Clock, PubmedSource
from monitor.services.retrieving import IN_FLIGHT, Stopped
from monitor.storage import polls, strategies
from monitor.storage.engine import Database

UNREACHED_IN_A_ROW = 3
"""After so many polls that did not reach PubMed the others of the run are not tried: the next run is."""
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PollReport:
    """Everything a run did. `exit_code` is what `monitor poll` ends with."""

    outcomes: tuple[PollOutcome, ...]

    @property
    def exit_code(self) -> int:
        """3 when no topic reached PubMed, 1 when some failed or were warned, else 0."""
        tried = [each for each in self.outcomes if each.state != "busy"]
        if tried and not any(each.reached for each in tried):
            return 3
        return 1 if any(each.state in ("warned", "failed", "interrupted") for each in tried) else 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What a poll would ask and PubMed would count; nothing is stored. `error` stands where PubMed did not answer."""

    topic_id: str
    lane: Lane
    query: str
    count: int | None = None
    translation: str | None = None
    unknown_phrases: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None
    reached: bool = True


class Polling:
    """Polls topics. One topic's failure is written down and never stops the others; safe in any number of processes."""

    def __init__(
        self,
        database: Database,
        source: PubmedSource,
        clock: Clock,
        *,
        first_days: int = 30,
        reconcile_days: int = 30,
        in_flight: int = IN_FLIGHT,
        stopping: Callable[[], bool] = lambda: False,
        tree: MeshTree | None = None,
    ) -> None:
        self._database = database
        self._source = source
        self._clock = clock
        self._reconcile_days = reconcile_days
        self._means = Means(database, source, clock, first_days, in_flight, stopping, tree)

    def poll(
        self,
        names: Sequence[str] = (),
        *,
        since: date | None = None,
        until: date | None = None,
        full: bool = False,
        lanes: Sequence[Lane] = LANES,
        progress: Callable[[Progress], object] = lambda _: None,
    ) -> PollReport:
        """Poll these topics (all, when none are named): what is new and revised since the last poll, or since a day.

        `full` compares the whole set instead: what is not held is fetched, hits that are no longer found end.
        Raises NotFound for an unknown topic, UsageError for days that do not go together; PubMed's faults are outcomes.
        """
        tasks = self._tasks(names, since, until, full=full)
        return self._run([each for each in tasks if each.lane in lanes], progress)

    def poll_due(
        self, hour: int, zone: ZoneInfo, *, progress: Callable[[Progress], object] = lambda _: None
    ) -> PollReport:
        """Poll what is due: each lane once after every daily poll time, and its whole set after `reconcile_days`.

        A poll that failed since then, by hand too, is made up for at once.
        """
        return self._run(self._due_tasks(hour, zone), progress)

    def preview(
        self, names: Sequence[str] = (), *, since: date | None = None, until: date | None = None, full: bool = False
    ) -> tuple[Preview, ...]:
        """Ask PubMed what a poll would count, and store nothing."""
        found: list[Preview] = []
        for task in self._tasks(names, since, until, full=full):
            try:
                result = self._source.search(task.query, limit=0)
            except PubmedRefused as error:
                found.append(Preview(task.topic.id, task.lane, task.query, error=str(error)))
                break
            except MonitorError as error:
                reached = not isinstance(error, PubmedUnavailable)
                found.append(Preview(task.topic.id, task.lane, task.query, error=str(error), reached=reached))
                continue
            found.append(
                Preview(
                    task.topic.id,
                    task.lane,
                    task.query,
                    result.count,
                    result.translation,
                    result.unknown_phrases,
                    result.warnings,
                )
            )
        return tuple(found)

    def _tasks(self, names: Sequence[str], since: date | None, until: date | None, *, full: bool) -> list[Task]:
        if full and (since or until):
            raise UsageError("a full poll takes the whole set and no days")
        if until and not since:
            raise UsageError("a last day needs a first one")
        if since and until and until < since:
            raise UsageError(f"the last day, {until}, is before the first, {since}")
        now = self._clock.now()
        today = now.date()
        tasks = []
        with self._database.read() as session:
            for topic in strategies.topics_named(session, names):
                for lane, query in topic.topic.strategy.queries().items():
                    if full:
                        tasks.append(Task(topic, lane, "full", query, None, covers=True))
                        continue
                    usual = next_window(
                        polls.covered_until(session, topic.id, lane, now), today, self._means.first_days
                    )
                    window = Window(since, until) if since else usual
                    # A range that begins later than the usual window leaves days between that nobody searched.
                    covers = until is None and window.since <= usual.since
                    tasks.append(Task(topic, lane, "window", windowed(query, window), window, covers))
        return tasks

    def _due_tasks(self, hour: int, zone: ZoneInfo) -> list[Task]:
        now = self._clock.now()
        moment = last_poll_moment(now, hour, zone)
        tasks = []
        for task in self._tasks((), None, None, full=False):
            with self._database.read() as session:
                first, last = polls.first_and_last(session, task.topic.id, task.lane, "window", now)
                _, full = polls.first_and_last(session, task.topic.id, task.lane, "full", now)
                failed = polls.failed_since(session, task.topic.id, task.lane, "window", now)
                full_failed = polls.failed_since(session, task.topic.id, task.lane, "full", now)
            if last is None or last < moment:
                tasks.append(replace(task, due_at=moment))
            elif failed is not None:
                tasks.append(replace(task, due_at=last + _MOMENT))
            overdue = reconciliation_is_due(full, first, now, self._reconcile_days)
            if overdue or full_failed is not None:
                query = task.topic.topic.strategy.query(task.lane) or ""
                due_at = full + _MOMENT if full is not None else first
                tasks.append(Task(task.topic, task.lane, "full", query, None, covers=True, due_at=due_at))
        return tasks

    def _run(self, tasks: Sequence[Task], progress: Callable[[Progress], object]) -> PollReport:
        outcomes: list[PollOutcome] = []
        fetched: set[int] = set()
        unreached = 0
        refused: PubmedRefused | None = None
        with owners.owner() as owner:
            for task in tasks:
                if self._means.stopping():
                    break
                hopeless: MonitorError | None = refused
                if unreached >= UNREACHED_IN_A_ROW:
                    hopeless = PubmedUnavailable(
                        f"not tried: PubMed was out of reach for the {UNREACHED_IN_A_ROW} searches before"
                    )
                outcome, error = LanePoll(self._means, task, owner, fetched, progress).run(hopeless)
                outcomes.append(outcome)
                if isinstance(error, PubmedRefused):
                    refused = error
                if isinstance(error, Stopped):
                    break
                unreached = unreached + 1 if outcome.state == "failed" and not outcome.reached else 0
        return PollReport(tuple(outcomes))
