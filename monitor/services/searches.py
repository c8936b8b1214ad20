"""Searches as admins look after them: how each does, what its lines bring, and their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy.orm import Session

from monitor.core.draft import Draft
from monitor.core.lint import Finding, Weight, summary
from monitor.core.people import Actor
from monitor.core.query import MeshTree
from monitor.core.strategy import LANES, Lane, Strategy
from monitor.errors import UsageError
from monitor.services.asking import Asking
from monitor.services.drafting import filled, searchable
from monitor.services.dryrunning import DryRun, dry_run
from monitor.services.ports import Clock, PubmedSource
from monitor.services.strategies import Strategies
from monitor.services.topics import Topics, TopicState
from monitor.storage import events, harvest, papers, phrases, runs, strategies
from monitor.storage.engine import Database
from monitor.storage.harvest import Harvest, LineHarvest
from monitor.storage.polls import Poll
from monitor.storage.strategies import StoredTopic

LATELY: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SearchState:
    """A topic as the list of searches shows it. `findings` counts the linter's by weight; none for a retired topic.

    `sentinels` says of each whether the polls find it.
    """

    topic: TopicState
    harvest: Harvest
    sentinels: Mapping[int, bool]
    findings: Mapping[Weight, int]

    @property
    def lost(self) -> tuple[int, ...]:
        return tuple(pmid for pmid, found in self.sentinels.items() if not found)


@dataclass(frozen=True, slots=True)
class Sentinel:
    """A paper that every version must find: its title where it is held, whether the polls find it."""

    pmid: int
    title: str | None
    found: bool


@dataclass(frozen=True, slots=True)
class Bearings:
    """What the editor shows beside a stored topic, without asking PubMed."""

    state: TopicState
    harvest: Harvest
    lines: Mapping[tuple[Lane, str], LineHarvest]
    sentinels: tuple[Sentinel, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """A draft as it stands while somebody types: each lane rendered, or why it cannot be, and the linter's findings."""

    strategy: Strategy
    queries: Mapping[Lane, str]
    unreadable: str | None
    findings: tuple[Finding, ...]


class Searches:
    """Reads how searches do; changes nothing but their order."""

    def __init__(
        self,
        database: Database,
        source: PubmedSource | None,
        clock: Clock,
        tree: MeshTree,
        services: tuple[Topics, Strategies],
    ) -> None:
        self._database = database
        self._source = source
        self._clock = clock
        self._tree = tree
        self._topics, self._strategies = services
        self._linted: dict[int, tuple[object, Mapping[Weight, int]]] = {}

    def all(self) -> tuple[SearchState, ...]:
        """Return every topic in its order, the retired ones last."""
        states = self._topics.all(retired=True)
        with self._database.read() as session:
            found = harvest.harvests(session, self._clock.now() - LATELY)
            sentinels = harvest.sentinels_found(session)
            # What the linter says of a version hangs on it, on the phrases, and on the topics that it inserts.
            state = (phrases.newest(session), tuple(each.stored.strategy_id for each in states))
        told = [
            SearchState(
                each,
                found.get(each.stored.id, Harvest()),
                sentinels.get(each.stored.id, {}),
                self._findings(each.stored, state),
            )
            for each in states
        ]
        return tuple(sorted(told, key=lambda each: each.topic.stored.retired_at is not None))

    def bearings(self, topic_id: str) -> Bearings:
        """Return what is known of a topic's papers; raises NotFound."""
        state = self._topics.one(topic_id)
        with self._database.read() as session:
            found = harvest.harvests(session, self._clock.now() - LATELY, topic_id).get(topic_id, Harvest())
            lines = _by_query(session, topic_id)
            held = harvest.sentinels_found(session).get(topic_id, {})
            titles = {each.pmid: each.title for each in papers.lines(session, list(held))}
        told = tuple(Sentinel(pmid, titles.get(pmid), found_) for pmid, found_ in held.items())
        return Bearings(state, found, lines, told)

    def read(self, draft: Draft, *, library: bool = False) -> Read:
        """Read a draft as far as it can be read; PubMed is not asked. Raises UsageError for blocks that are unclear."""
        with self._database.read() as session:
            strategy = filled(session, draft.strategy)
        queries: dict[Lane, str] = {}
        unreadable = None
        for lane in LANES:
            try:
                query = strategy.query(lane)
            except UsageError as error:
                unreadable = str(error)
            else:
                queries |= {lane: query} if query is not None else {}
        return Read(strategy, queries, unreadable, self._strategies.lint(draft, library=library))

    def dry_run(self, draft: Draft) -> DryRun:
        """Ask PubMed what the last days would have brought; nothing is stored. Raises UsageError as `preview` does."""
        with self._database.read() as session:
            strategy = searchable(session, draft).strategy
        return dry_run(self._database, self._clock, strategy, Asking(self._source))

    def last_translations(self, topic_id: str) -> dict[Lane, Poll]:
        """Return of each lane the newest run in which PubMed said how it reads the search that stands."""
        with self._database.read() as session:
            stored = strategies.one(session, topic_id)
            return {
                lane: poll
                for lane in LANES
                if (poll := runs.last_read(session, topic_id, lane, stored.strategy_id)) is not None
            }

    def move(self, topic_id: str, way: Literal["up", "down"], actor: Actor) -> bool:
        """Put a living topic before or behind its neighbour, wherever topics stand in order; False at the end.

        Raises NotFound, or UsageError for who is no admin.
        """
        if actor.role != "admin":
            raise UsageError(f"only admins order searches; {actor.name} is {actor.role}")
        with self._database.write() as session:
            strategies.topics_named(session, [topic_id])
            names = [each.id for each in strategies.all_topics(session)]
            strategies.lock(session, names)
            at = names.index(topic_id)
            to = at - 1 if way == "up" else at + 1
            if not 0 <= to < len(names):
                return False
            names[at], names[to] = names[to], names[at]
            retired = [each.id for each in strategies.all_topics(session, retired=True) if each.retired_at is not None]
            strategies.arrange(session, [*names, *retired])
            now = self._clock.now()
            events.record(session, actor, "topic.move", f"topic:{topic_id}", now, {"place": at + 1}, {"place": to + 1})
            return True

    def _findings(self, stored: StoredTopic, state: object) -> Mapping[Weight, int]:
        if stored.retired_at is not None:
            return {}
        held = self._linted.get(stored.strategy_id)
        if held is None or held[0] != state:
            topic = stored.topic
            draft = Draft(topic.id, topic.title, topic.strategy, topic.sentinels, stored.version, topic)
            held = self._linted[stored.strategy_id] = (state, summary(self._strategies.lint(draft, library=False)))
        return held[1]


def _by_query(session: Session, topic_id: str) -> dict[tuple[Lane, str], LineHarvest]:
    """Return what each line brought, by its lane and its text: a line keeps what it found when others change around it.

    A line that no polled version holds is absent, for nothing is known of it.
    """
    counted = harvest.by_line(session, topic_id)
    found: dict[tuple[Lane, str], LineHarvest] = {}
    for strategy_id in {each[0] for each in counted}:
        held = strategies.strategy(session, strategy_id)
        for lane in LANES:
            for position, line in enumerate(held.lines(lane), 1):
                of = found.setdefault((lane, line.query), LineHarvest())
                more = counted.get((strategy_id, lane, position), LineHarvest())
                of.found += more.found
                of.kept += more.kept
                of.dismissed += more.dismissed
    return found
