"""One poll of one topic's lane: search, fetch what it holds, store it batch by batch, account for all of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.exc import IntegrityError

from monitor.core.citation import Citation
from monitor.core.phrases import answers
from monitor.core.polling import Window, comparable, is_news, route, whole_route
from monitor.core.query import MeshTree, document
from monitor.core.strategy import Lane, Screen
from monitor.errors import MonitorError, PubmedUnavailable
from monitor.resources import load_mesh_tree
from monitor.services import owners
from monitor.services.ports import Clock, PubmedSource
from monitor.services.retrieving import Retrieved, Stopped, retrieve
from monitor.services.searching import WholeSet, search_whole
from monitor.services.storing import MakeHit, store, store_hits, witnesses
from monitor.storage import citations, hits, phrases, polls, strategies
from monitor.storage.bulk import batches
from monitor.storage.engine import Database
from monitor.storage.hits import FoundHit
from monitor.storage.polls import ClaimLost, Order, Poll, Running
from monitor.storage.strategies import StoredTopic

log = logging.getLogger(__name__)

MANY_LOST = 5


@dataclass(frozen=True, slots=True)
class Means:
    """What every poll of an installation works with. `first_days` is how far back a first poll looks."""

    database: Database
    source: PubmedSource
    clock: Clock
    first_days: int
    in_flight: int
    stopping: Callable[[], bool]
    tree: MeshTree | None


@dataclass(frozen=True, slots=True)
class Task:
    """What one poll is to do; `covers` says that it leaves no day unsearched."""

    topic: StoredTopic
    lane: Lane
    kind: str
    query: str
    window: Window | None
    covers: bool
    due_at: datetime | None = None
    """Set for what falls due by itself: a poll that began since then has done it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a poll is: `done` of `total` PMIDs, 0 of 0 while it searches."""

    topic_id: str
    lane: Lane
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """How one poll ended: done, warned, failed, interrupted, or busy (elsewhere).

    Warned: PubMed did not know a phrase, or papers that it counts were missing or could not be read.

    `reached` says that PubMed answered, if only to refuse. `poll` is the row that is kept.
    """

    topic_id: str
    lane: Lane
    kind: str
    state: str
    reached: bool
    query: str
    error: str | None = None
    poll: Poll | None = None


class LanePoll:
    """One topic's lane in one run; `fetched` are the PMIDs that the run has fetched already, and grows."""

    def __init__(
        self,
        means: Means,
        task: Task,
        owner: str,
        fetched: set[int],
        progress: Callable[[Progress], object],
    ) -> None:
        self._database = means.database
        self._source = means.source
        self._clock = means.clock
        self._means = means
        self._task = task
        self._owner = owner
        self._fetched = fetched
        self._progress = progress
        self._reached = False

    def run(self, hopeless: MonitorError | None) -> tuple[PollOutcome, Exception | None]:
        """Poll, and write down how it ended; `hopeless` is why PubMed is not even asked."""
        running, watched_from = self._begin()
        if running is None:
            return self._outcome("busy", None, "another process is at it or has just done it"), None
        try:
            if hopeless is not None:
                raise hopeless
            state = self._poll(running, watched_from)
        except ClaimLost as error:
            return self._outcome("busy", None, str(error)), error
        except Exception as error:
            if not isinstance(error, MonitorError):
                log.exception("poll of %s (%s) failed", self._task.topic.id, self._task.lane)
            # PubMed answered when it refused the request; it did not when it was out of reach.
            self._reached = self._reached or not isinstance(error, PubmedUnavailable)
            why = str(error) if isinstance(error, MonitorError) else f"internal error: {type(error).__name__}: {error}"
            state = "interrupted" if isinstance(error, Stopped) else "failed"
            return self._end(running, state, why), error
        except BaseException:
            self._end(running, "interrupted", "the process was stopped")
            raise
        return self._end(running, state, None), None

    def _begin(self) -> tuple[Running | None, date]:
        task, now = self._task, self._clock.now()
        order = Order(
            task.kind,
            task.query,
            task.topic.id,
            task.lane,
            task.topic.strategy_id,
            task.window.since if task.window else None,
            task.window.until if task.window else None,
            task.covers,
        )
        first_day = now.date() - timedelta(days=self._means.first_days)
        try:
            with self._database.write() as session:
                if task.due_at is not None:
                    _, last = polls.first_and_last(session, task.topic.id, task.lane, task.kind, now)
                    if last is not None and last >= task.due_at:
                        return None, first_day  # another process has done it since we looked
                watched_from = strategies.watch_from(session, task.topic.id, first_day)
                return polls.begin(session, order, self._owner, now, owners.is_gone), watched_from
        except IntegrityError as error:
            if "uq_poll_running" not in str(error):
                raise
            return None, first_day  # another process began it between our look and our insert

    def _poll(self, running: Running, watched_from: date) -> str:
        self._tell(0, 0)
        whole = search_whole(self._source, running.order.query, self._clock.now().date())
        self._reached = True
        self._note(running, whole)
        to_fetch, to_file = self._sort_out(running, whole)
        hit = self._hit_maker(running, watched_from)
        total, done = len(to_fetch) + len(to_file), 0
        missing: list[int] = []
        for part in batches(to_file):
            store_hits(self._database, running, part, self._clock.now(), hit)
            done += len(part)
            self._tell(done, total)
        for found in self._retrieved(to_fetch):
            store(self._database, running, found, self._clock.now(), hit)
            self._fetched.update(each.pmid for each in found.citations)
            missing += found.missing
            done += len(found.pmids)
            self._tell(done, total)
        if running.order.kind == "full" and whole.complete and not whole.result.unknown_phrases:
            self._end_hits(running, whole)
        with self._database.write() as session:
            polls.note_missing(session, running, missing, self._clock.now())
            whole_in = polls.is_whole(session, running)
        return "done" if whole_in and not whole.result.unknown_phrases else "warned"

    def _note(self, running: Running, whole: WholeSet) -> None:
        warnings = list(whole.result.warnings)
        with self._database.write() as session:
            before = polls.last_translation(session, running)
            if before and comparable(before) != comparable(whole.result.translation):
                warnings.append("PubMed reads this search differently than the last time, though it was not edited")
            if not whole.complete:
                warnings.append(f"PubMed counted {whole.result.count} and named {len(whole.pmids)}")
            polls.note_search(session, running, whole.result, len(whole.pmids), warnings, self._clock.now())
            query = self._task.topic.topic.strategy.query(self._task.lane) or ""
            phrases.note(session, answers(query, whole.result.unknown_phrases), self._clock.now())

    def _sort_out(self, running: Running, whole: WholeSet) -> tuple[list[int], list[int]]:
        """Return what to fetch, and what is held as of this run and only becomes a hit."""
        open_ = [pmid for pmid in whole.pmids if pmid not in running.done]
        if running.order.kind != "full":
            # All of a window is fetched: whether a record in it is new or revised, its content alone can say.
            return [p for p in open_ if p not in self._fetched], [p for p in open_ if p in self._fetched]
        with self._database.read() as session:
            standing = hits.standing(session, self._task.topic.id, self._task.lane)
            added = [pmid for pmid in open_ if pmid not in standing]
            held = citations.known(session, added)
        return [p for p in added if p not in held], [p for p in added if p in held]

    def _retrieved(self, pmids: Sequence[int]) -> Iterator[Retrieved]:
        return retrieve(
            self._source,
            pmids,
            in_flight=self._means.in_flight,
            stopping=self._means.stopping,
            known=witnesses(self._database),
        )

    def _hit_maker(self, running: Running, watched_from: date) -> MakeHit:
        tree = self._means.tree or load_mesh_tree()
        screen = Screen(self._task.topic.topic.strategy, self._task.lane, tree, self._clock.now().date())
        since, until = running.order.since, running.order.until
        window = Window(since, until) if since is not None else None
        with self._database.read() as session:
            compared = polls.was_compared(session, self._task.topic.strategy_id, self._task.lane)
        # A search that was changed begins anew, and looks no further back for news than a first poll.
        begun = self._task.topic.created_at.date() - timedelta(days=self._means.first_days)
        first_day = max(watched_from, begun)

        def make(citation: Citation) -> FoundHit:
            way = whole_route(citation, first_day, compared=compared) if window is None else route(citation, window)
            news = is_news(citation, watched_from, way)
            return FoundHit(citation.pmid, news, tuple(screen.positions(document(citation))), way)

        return make

    def _end_hits(self, running: Running, whole: WholeSet) -> None:
        topic_id, lane = self._task.topic.id, self._task.lane
        with self._database.read() as session:
            standing = hits.standing(session, topic_id, lane)
        lost = standing.difference(whole.pmids)
        if len(lost) > max(MANY_LOST, len(standing) // 10):
            # So many at once may be PubMed's bad day: only those end that a second search does not name either.
            again = search_whole(self._source, running.order.query, self._clock.now().date())
            if not again.complete or again.result.unknown_phrases:
                return
            lost.difference_update(again.pmids)
        for part in batches(sorted(lost)):
            with self._database.write() as session:
                hits.end(session, topic_id, lane, part, self._clock.now())

    def _end(self, running: Running, state: str, error: str | None) -> PollOutcome:
        try:
            with self._database.write() as session:
                polls.finish(session, running, state, self._clock.now(), error)
                stored = polls.poll(session, running.id)
        except ClaimLost as lost:
            return self._outcome("busy", None, str(lost))
        return self._outcome(state, stored, error)

    def _outcome(self, state: str, stored: Poll | None, error: str | None) -> PollOutcome:
        task = self._task
        return PollOutcome(task.topic.id, task.lane, task.kind, state, self._reached, task.query, error, stored)

    def _tell(self, done: int, total: int) -> None:
        self._progress(Progress(self._task.topic.id, self._task.lane, done, total))
