"""Topics as people look at them: what is searched, why, and how the searching goes."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.strategy import LANES, Lane
from monitor.storage import hits, polls, strategies
from monitor.storage.engine import Database
from monitor.storage.polls import Poll
from monitor.storage.strategies import StoredTopic


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic with its newest poll and the standing hits of each lane."""

    stored: StoredTopic
    latest: dict[Lane, Poll]
    hits: dict[Lane, int]

    @property
    def queries(self) -> dict[Lane, str]:
        """The fully expanded search of each lane that has one."""
        found = {lane: self.stored.topic.strategy.query(lane) for lane in LANES}
        return {lane: query for lane, query in found.items() if query is not None}


class Topics:
    """Reads topics; every method is one snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[TopicState]:
        return self._states(())

    def one(self, name: str) -> TopicState:
        """Return a topic by name; raises NotFound naming the nearest."""
        return self._states((name,))[0]

    def _states(self, names: tuple[str, ...]) -> list[TopicState]:
        with self._database.read() as session:
            stored = strategies.topics_named(session, names)
            newest = {(poll.topic_id, poll.lane): poll for poll in polls.latest(session)}
            counts = hits.counts(session)
        return [
            TopicState(
                each,
                {lane: newest[each.id, lane] for lane in LANES if (each.id, lane) in newest},
                {lane: counts.get((each.id, lane), 0) for lane in LANES},
            )
            for each in stored
        ]
