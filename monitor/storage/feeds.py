"""What feeds ask of the store: what came, changed or was judged lately, and what a topic found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Text, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from monitor.core.revision import Change
from monitor.storage.bulk import batches
from monitor.storage.tables import DecisionRow, HitRow, StrategyRow, TaggingRow, TopicRow, VersionRow


@dataclass(frozen=True, slots=True)
class Seen:
    """A version of a citation that was not the first: when it was seen, and what had changed."""

    at: datetime
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class TopicLine:
    """A topic as its feed names it."""

    id: str
    title: str
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class TopicHit:
    """A standing core hit: when it was found, and by which lines of which version of the strategy it is found now."""

    pmid: int
    found_at: datetime
    strategy_id: int
    version: int
    lines: tuple[int, ...]


def topics(session: Session) -> list[TopicLine]:
    """Return every topic, retired ones too."""
    columns = (TopicRow.id, TopicRow.title, TopicRow.created_at, TopicRow.retired_at)
    return [TopicLine(*row) for row in session.execute(select(*columns).order_by(TopicRow.position, TopicRow.id))]


def lately(session: Session, since: datetime, most: int, *, judged: bool) -> list[int]:
    """Return the PMIDs that came or changed since then, the newest `most`; with `judged`, also as many of each that
    topics found, that got a verdict, and that were tagged: this moves them into searches of our own fields."""
    kinds = [(VersionRow.pmid, VersionRow.seen_at, VersionRow.id)]
    if judged:
        kinds += [
            (HitRow.pmid, HitRow.found_at, HitRow.pmid),
            (DecisionRow.pmid, DecisionRow.decided_at, DecisionRow.id),
            (TaggingRow.pmid, TaggingRow.tagged_at, TaggingRow.id),
        ]
    found: dict[int, None] = {}
    for pmid, at, id in kinds:
        rows = select(pmid).where(at >= since).order_by(at.desc(), id.desc()).limit(most)
        found.update(dict.fromkeys(session.scalars(rows)))
    return list(found)


def judged(session: Session, pmids: Iterable[int], fields: Collection[str]) -> dict[int, datetime]:
    """Return when each of these papers last got what these fields of ours are about, where it did."""
    lanes = [lane for field, lane in (("topic", "core"), ("wide", "wide")) if field in fields]
    facets = [facet for facet in ("tag", "level", "claim") if facet in fields]
    asked: list[tuple[Select[int, datetime], InstrumentedAttribute[int]]] = []
    if lanes:
        found_at = select(HitRow.pmid, func.max(HitRow.found_at)).where(HitRow.lane.in_(lanes))
        asked.append((found_at.where(HitRow.ended_at.is_(None)), HitRow.pmid))
    if "topic" in fields or "decision" in fields:
        asked.append((select(DecisionRow.pmid, func.max(DecisionRow.decided_at)), DecisionRow.pmid))
    if facets:
        tagged_at = select(TaggingRow.pmid, func.max(TaggingRow.tagged_at)).where(TaggingRow.facet.in_(facets))
        asked.append((tagged_at, TaggingRow.pmid))
    found: dict[int, datetime] = {}
    for batch in batches(iter(pmids)):
        for query, of in asked:
            for pmid, at in session.execute(query.where(of.in_(batch)).group_by(of)):
                found[pmid] = max(at, found.get(pmid, at))
    return found


def changed(session: Session, since: datetime) -> dict[int, list[Seen]]:
    """Return what has changed since then in citations that were held before, first to last."""
    return _seen(session, VersionRow.seen_at >= since)


def changes(session: Session, pmids: Iterable[int]) -> dict[int, list[Seen]]:
    """Return everything that was seen to change in these citations, first to last."""
    found: dict[int, list[Seen]] = {}
    for batch in batches(iter(pmids)):
        found |= _seen(session, VersionRow.pmid.in_(batch))
    return found


def hits(session: Session, topic_id: str, most: int) -> list[TopicHit]:
    """Return the standing core hits of a topic that were found last."""
    return _hits(session, topic_id, most=most)


def hits_among(session: Session, topic_id: str, pmids: Iterable[int]) -> list[TopicHit]:
    """Return the standing core hits of a topic among these citations."""
    return [hit for batch in batches(iter(pmids)) for hit in _hits(session, topic_id, batch)]


def _seen(session: Session, condition: ColumnElement[bool]) -> dict[int, list[Seen]]:
    found: dict[int, list[Seen]] = {}
    rows = session.execute(
        select(VersionRow.pmid, VersionRow.seen_at, VersionRow.changes)
        .where(condition, cast(VersionRow.changes, Text) != "[]")
        .order_by(VersionRow.id)
    )
    for pmid, at, names in rows:
        found.setdefault(pmid, []).append(Seen(at, tuple(Change[name] for name in names)))
    return found


def _hits(
    session: Session, topic_id: str, among: Sequence[int] | None = None, most: int | None = None
) -> list[TopicHit]:
    query = (
        select(HitRow.pmid, HitRow.found_at, HitRow.strategy_id, StrategyRow.version, HitRow.lines)
        .join(StrategyRow, StrategyRow.id == HitRow.strategy_id)
        .where(HitRow.topic_id == topic_id, HitRow.lane == "core", HitRow.ended_at.is_(None))
        .order_by(HitRow.found_at.desc(), HitRow.pmid.desc())
    )
    if among is not None:
        query = query.where(HitRow.pmid.in_(among))
    rows = session.execute(query if most is None else query.limit(most))
    return [TopicHit(pmid, at, strategy, version, tuple(lines)) for pmid, at, strategy, version, lines in rows]
