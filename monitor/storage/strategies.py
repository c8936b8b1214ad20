"""Topics, the versions of their strategies with lines and blocks, and their sentinels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches

from sqlalchemy import delete, func, insert, select, true, update
from sqlalchemy.orm import Session

from monitor.core.strategy import Block, Line, Strategy, Topic, all_lines
from monitor.errors import NotFound, UsageError
from monitor.storage import events
from monitor.storage.tables import PersonRow, SentinelRow, StrategyBlockRow, StrategyLineRow, StrategyRow, TopicRow


@dataclass(frozen=True, slots=True)
class StoredTopic:
    """A topic as it is stored, with the current version of its strategy."""

    topic: Topic
    strategy_id: int
    version: int
    origin: str
    created_at: datetime
    watched_from: date | None
    retired_at: datetime | None

    @property
    def id(self) -> str:
        return self.topic.id


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a topic's strategy: who made it, when and why, and the problems that were accepted.

    `by` is None for what nobody signed in made: the starter, and the command line.
    """

    topic_id: str
    version: int
    strategy_id: int
    origin: str
    reason: str
    accepted: tuple[str, ...]
    by: str | None
    at: datetime
    core: str
    wide: str | None

    @property
    def maker(self) -> str:
        """Say who made it, whether or not somebody was signed in."""
        return self.by or ("starter" if self.origin == "starter" else "command line")


@dataclass(frozen=True, slots=True)
class StarterReport:
    """What loading the starter did: topics that are new, that got a newer version, and that the lab has made its own."""

    added: tuple[str, ...]
    renewed: tuple[str, ...]
    kept: tuple[str, ...]


def load_starter(session: Session, topics: Sequence[Topic], now: datetime) -> StarterReport:
    """Store the topics we ship; safe to repeat. What a lab has edited or retired stays as it is.

    A newer starter becomes a new version only where the current one is the starter's. Its sentinels join those that
    stand, but for those that the lab has removed.
    """
    held = {each.id: each for each in all_topics(session, retired=True)}
    added, renewed, kept = [], [], []
    for topic in topics:
        stored = held.get(topic.id)
        if stored is None:
            add_topic(session, topic.id, topic.title, now)
            save_version(session, topic.id, topic.strategy, origin="starter", reason="starter", person_id=None, now=now)
            set_sentinels(session, topic.id, topic.sentinels)
            added.append(topic.id)
        elif stored.origin != "starter" or stored.retired_at is not None:
            kept.append(topic.id)
        elif stored.topic.strategy != topic.strategy:
            save_version(
                session, topic.id, topic.strategy, origin="starter", reason="newer starter", person_id=None, now=now
            )
            gone = _removed_sentinels(session, topic.id)
            newer = (pmid for pmid in topic.sentinels if pmid not in gone)
            set_sentinels(session, topic.id, tuple(dict.fromkeys((*stored.topic.sentinels, *newer))))
            renewed.append(topic.id)
    return StarterReport(tuple(added), tuple(renewed), tuple(kept))


def add_topic(session: Session, topic_id: str, title: str, now: datetime) -> None:
    """Insert a topic behind the others, still without a strategy; the database refuses a second one of its name."""
    last = session.scalar(select(func.max(TopicRow.position))) or 0
    session.add(TopicRow(id=topic_id, title=title, position=last + 1, created_at=now))
    session.flush()


def save_version(
    session: Session,
    topic_id: str,
    strategy: Strategy,
    *,
    origin: str,
    reason: str,
    person_id: int | None,
    now: datetime,
    accepted: Sequence[str] = (),
) -> int:
    """Store a strategy as the next version of its topic and return its id; versions are never changed."""
    core = strategy.query("core")
    if core is None:
        raise ValueError(f"topic {topic_id}: a core lane without a line cannot be searched")
    newest = session.scalar(select(func.max(StrategyRow.version)).where(StrategyRow.topic_id == topic_id)) or 0
    row = StrategyRow(
        topic_id=topic_id,
        version=newest + 1,
        core=core,
        wide=strategy.query("wide"),
        origin=origin,
        reason=reason,
        accepted=list(accepted),
        created_by=person_id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    blocks = [
        {"strategy_id": row.id, "name": each.name, "joined": each.joined, "reason": each.reason}
        for each in strategy.blocks
    ]
    if blocks:
        session.execute(insert(StrategyBlockRow), blocks)
    session.execute(
        insert(StrategyLineRow),
        [
            {
                "strategy_id": row.id,
                "block": block,
                "position": position,
                "query": line.query,
                "reason": line.reason,
                "owner": line.owner,
                "enabled": line.enabled,
            }
            for block, position, line in all_lines(strategy)
        ],
    )
    return row.id


def set_sentinels(session: Session, topic_id: str, pmids: Sequence[int]) -> None:
    """Replace the PMIDs that every version of the topic must find."""
    session.execute(delete(SentinelRow).where(SentinelRow.topic_id == topic_id))
    if pmids:
        session.execute(insert(SentinelRow), [{"topic_id": topic_id, "pmid": pmid} for pmid in pmids])


def _removed_sentinels(session: Session, topic_id: str) -> set[int]:
    """Return the PMIDs that somebody took from a topic's sentinels and nobody gave back."""
    gone: set[int] = set()
    for event in events.about(session, f"topic:{topic_id}"):
        if event.action == "topic.sentinels":
            before, after = ({*(each or {}).get("sentinels", ())} for each in (event.before, event.after))
            gone = (gone | (before - after)) - after
    return gone


def all_topics(session: Session, *, retired: bool = False) -> list[StoredTopic]:
    """Return the topics in their order, each with the current version of its strategy."""
    newest = (
        select(StrategyRow.topic_id, func.max(StrategyRow.version).label("version"))
        .group_by(StrategyRow.topic_id)
        .subquery()
    )
    rows = session.execute(
        select(TopicRow, StrategyRow)
        .join(StrategyRow, StrategyRow.topic_id == TopicRow.id)
        .join(newest, (newest.c.topic_id == TopicRow.id) & (newest.c.version == StrategyRow.version))
        .where(true() if retired else TopicRow.retired_at.is_(None))
        .order_by(TopicRow.position, TopicRow.id)
    ).all()
    strategies = _strategies(session, [strategy.id for _, strategy in rows])
    sentinels: dict[str, list[int]] = {}
    for topic_id, pmid in session.execute(
        select(SentinelRow.topic_id, SentinelRow.pmid).order_by(SentinelRow.topic_id, SentinelRow.pmid)
    ):
        sentinels.setdefault(topic_id, []).append(pmid)
    return [
        StoredTopic(
            Topic(topic.id, topic.title, strategies[strategy.id], tuple(sentinels.get(topic.id, ()))),
            strategy.id,
            strategy.version,
            strategy.origin,
            strategy.created_at,
            topic.watched_from,
            topic.retired_at,
        )
        for topic, strategy in rows
    ]


def one(session: Session, topic_id: str) -> StoredTopic:
    """Return a topic, living or retired; raises NotFound naming the nearest."""
    topics = {each.id: each for each in all_topics(session, retired=True)}
    if topic_id not in topics:
        raise _unknown([topic_id], list(topics.values()))
    return topics[topic_id]


def topics_named(session: Session, names: Sequence[str]) -> list[StoredTopic]:
    """Return the topics of these names, all living ones when there are none.

    Raises NotFound for an unknown one, UsageError for one that is retired.
    """
    topics = all_topics(session, retired=True)
    unknown = [name for name in names if name not in {each.id for each in topics}]
    if unknown:
        raise _unknown(unknown, topics)
    retired = [each.id for each in topics if each.id in names and each.retired_at is not None]
    if retired:
        raise UsageError(f"{', '.join(retired)} is retired; `monitor topic restore {retired[0]}` brings it back")
    return [each for each in topics if each.retired_at is None and (not names or each.id in names)]


def history(session: Session, topic_id: str) -> list[StoredVersion]:
    """Return every version of a topic, the oldest first."""
    rows = session.execute(
        select(StrategyRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == StrategyRow.created_by)
        .where(StrategyRow.topic_id == topic_id)
        .order_by(StrategyRow.version)
    )
    return [
        StoredVersion(
            row.topic_id,
            row.version,
            row.id,
            row.origin,
            row.reason,
            tuple(row.accepted),
            name,
            row.created_at,
            row.core,
            row.wide,
        )
        for row, name in rows
    ]


def version(session: Session, topic_id: str, number: int) -> Strategy:
    """Return one version of a topic by its number; raises NotFound where there is none."""
    found = session.scalar(
        select(StrategyRow.id).where(StrategyRow.topic_id == topic_id, StrategyRow.version == number)
    )
    if found is None:
        newest = session.scalar(select(func.max(StrategyRow.version)).where(StrategyRow.topic_id == topic_id))
        raise NotFound(f"{topic_id} has no version {number}; the newest is {newest}")
    return _strategies(session, [found])[found]


def lock(session: Session, topic_ids: Sequence[str]) -> None:
    """Let nobody else change these topics before the caller's transaction ends."""
    # In one order for everybody, so that two imports wait for each other instead of blocking each other.
    session.execute(select(TopicRow.id).where(TopicRow.id.in_(topic_ids)).order_by(TopicRow.id).with_for_update())


def set_title(session: Session, topic_id: str, title: str) -> None:
    session.execute(update(TopicRow).where(TopicRow.id == topic_id).values(title=title))


def set_retired(session: Session, topic_id: str, at: datetime | None) -> None:
    """Retire a topic, or bring it back with None; nothing of it is deleted."""
    session.execute(update(TopicRow).where(TopicRow.id == topic_id).values(retired_at=at))


def arrange(session: Session, topic_ids: Sequence[str]) -> None:
    """Give all topics these places, in this order."""
    for position, topic_id in enumerate(topic_ids, 1):
        session.execute(update(TopicRow).where(TopicRow.id == topic_id).values(position=position))


def strategy(session: Session, strategy_id: int) -> Strategy:
    """Return one version; raises NotFound for an unknown id."""
    if session.get(StrategyRow, strategy_id) is None:
        raise NotFound(f"there is no strategy version {strategy_id}")
    return _strategies(session, [strategy_id])[strategy_id]


def watch_from(session: Session, topic_id: str, day: date) -> date:
    """Set the day a topic's first poll reaches back to, once, and return the day that stands."""
    row = session.get_one(TopicRow, topic_id)
    if row.watched_from is None:
        row.watched_from = day
        session.flush()
    return row.watched_from


def _unknown(names: Sequence[str], topics: Sequence[StoredTopic]) -> NotFound:
    known = [each.id for each in topics]
    near = get_close_matches(names[0], known, 1) if len(names) == 1 else []
    hint = f"did you mean {near[0]}?" if near else f"topics are {', '.join(known) or 'none; run `monitor init`'}"
    return NotFound(f"no topic is called {', '.join(names)}; {hint}")


def _strategies(session: Session, ids: Sequence[int]) -> dict[int, Strategy]:
    lines: dict[int, dict[str, list[Line]]] = {each: {} for each in ids}
    for row in session.scalars(
        select(StrategyLineRow)
        .where(StrategyLineRow.strategy_id.in_(ids))
        .order_by(StrategyLineRow.strategy_id, StrategyLineRow.block, StrategyLineRow.position)
    ):
        line = Line(row.query, row.reason, row.owner, row.enabled)
        lines[row.strategy_id].setdefault(row.block, []).append(line)
    blocks: dict[int, list[Block]] = {each: [] for each in ids}
    for each in session.scalars(select(StrategyBlockRow).where(StrategyBlockRow.strategy_id.in_(ids))):
        held = tuple(lines[each.strategy_id].get(each.name, ()))
        blocks[each.strategy_id].append(Block(each.name, held, "all" if each.joined == "all" else "any", each.reason))
    return {
        each: Strategy(
            tuple(lines[each].get("core", ())),
            tuple(lines[each].get("wide", ())),
            tuple(sorted(blocks[each], key=lambda block: block.name)),
        )
        for each in ids
    }
