"""Topics as people look at them: what is searched, why, how it came to be, and how the searching goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy.orm import Session

from monitor.core.difference import difference
from monitor.core.strategy import LANES, Lane, Strategy, Topic
from monitor.storage import events, hits, people, polls, strategies
from monitor.storage.engine import Database
from monitor.storage.polls import Poll
from monitor.storage.strategies import StoredTopic, StoredVersion


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic with its newest poll and the standing hits of each lane."""

    stored: StoredTopic
    latest: dict[Lane, Poll]
    hits: dict[Lane, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """One step in a topic's history: who did what, when and why. `version` where it made one."""

    at: datetime
    by: str
    what: str
    reason: str
    version: int | None = None
    accepted: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


class Topics:
    """Reads topics; every method is one snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, *, retired: bool = False) -> list[TopicState]:
        """Return the living topics in their order, with `retired` also the others."""
        with self._database.read() as session:
            return self._states(session, strategies.all_topics(session, retired=retired))

    def one(self, name: str) -> TopicState:
        """Return a topic by name, retired ones too; raises NotFound naming the nearest."""
        with self._database.read() as session:
            return self._states(session, [strategies.one(session, name)])[0]

    def named(self, names: Sequence[str]) -> list[TopicState]:
        """Return the living topics of these names, all when there are none; raises NotFound, UsageError for retired."""
        with self._database.read() as session:
            return self._states(session, strategies.topics_named(session, names))

    def version(self, name: str, number: int) -> tuple[StoredVersion, Strategy]:
        """Return one version of a topic; raises NotFound."""
        with self._database.read() as session:
            strategies.one(session, name)
            strategy = strategies.version(session, name, number)
            return strategies.history(session, name)[number - 1], strategy

    def history(self, name: str) -> tuple[Entry, ...]:
        """Return everything that was done to a topic, the newest first; raises NotFound."""
        with self._database.read() as session:
            stored = strategies.one(session, name).topic
            versions = strategies.history(session, name)
            held = [strategies.version(session, name, each.version) for each in versions]
            log = events.about(session, f"topic:{name}")
        shown: list[Topic | None] = [None, *(replace(stored, strategy=each) for each in held)]
        made = {
            each.version: Entry(
                each.at,
                each.maker,
                f"version {each.version}",
                each.reason,
                each.version,
                each.accepted,
                difference(old, new).words if old is not None and new is not None else (),
            )
            for each, (old, new) in zip(versions, pairwise(shown), strict=True)
        }
        logged: list[Entry] = []
        for each in log:
            version = made.pop((each.after or {}).get("version", 0), None)
            if version is not None:
                logged.append(replace(version, by=each.actor))
            elif (what := _told(each)) is not None:
                reason = str((each.after or {}).get("reason") or "")
                logged.append(Entry(each.at, each.actor, what, reason, None, _accepted(each.after)))
        # Versions of the starter are in no log; the log is in the order of writing, whatever the clock said.
        return tuple(sorted([*made.values(), *logged], key=lambda each: each.at)[::-1])

    def followers(self, name: str) -> list[str]:
        """Return the addresses of those who follow a topic, retired or not."""
        with self._database.read() as session:
            return [
                each.address
                for each in people.everyone(session)
                if each.disabled_at is None
                and each.subscription is not None
                and name in {followed.topic for followed in each.subscription.topics}
            ]

    @staticmethod
    def _states(session: Session, stored: Sequence[StoredTopic]) -> list[TopicState]:
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


def _told(event: events.Event) -> str | None:
    """Say what an event did to a topic; None for versions, which tell of themselves."""
    before, after = event.before or {}, event.after or {}
    match event.action:
        case "topic.title":
            return f"title: {before.get('title')}  becomes  {after.get('title')}"
        case "topic.sentinels":
            old, new = before.get("sentinels", []), after.get("sentinels", [])
            parts = [f"+{pmid}" for pmid in new if pmid not in old] + [f"-{pmid}" for pmid in old if pmid not in new]
            return f"sentinels {' '.join(parts)}"
        case "topic.retire":
            return "retired"
        case "topic.restore":
            return "brought back"
    return None


def _accepted(after: dict[str, Any] | None) -> tuple[str, ...]:
    found = after or {}
    said = tuple(str(each) for each in found.get("accepted", ()))
    return (*said, f"because: {found['because']}") if said and found.get("because") else said
