"""Hits: which citations a topic's lane finds, since when, and by which lines. A hit ends; it is never deleted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from monitor.core.polling import Route
from monitor.storage.bulk import batches, insertion
from monitor.storage.polls import Running
from monitor.storage.tables import HitRow


@dataclass(frozen=True, slots=True)
class FoundHit:
    pmid: int
    news: bool
    lines: tuple[int, ...]
    route: Route


def add(session: Session, poll: Running, found: Sequence[FoundHit], now: datetime) -> None:
    """Store hits; lines follow the citation, and one that had ended stands again and is found anew.

    Else when and by what it was found stays. What was not news never becomes it; what was stays news, unless it had
    ended and a backfill finds it anew.
    """
    order = poll.order
    for batch in batches(list({hit.pmid: hit for hit in found}.values())):
        statement = insertion(session, HitRow).values(
            [
                {
                    "topic_id": order.topic_id,
                    "pmid": hit.pmid,
                    "lane": order.lane,
                    "strategy_id": order.strategy_id,
                    "poll_id": poll.id,
                    "found_at": now,
                    "news": hit.news,
                    "lines": list(hit.lines),
                    "first_strategy_id": order.strategy_id,
                    "first_lines": list(hit.lines),
                    "route": hit.route,
                }
                for hit in batch
            ]
        )
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["topic_id", "pmid", "lane"],
                set_={
                    "lines": statement.excluded.lines,
                    "strategy_id": statement.excluded.strategy_id,
                    "ended_at": None,
                    "news": HitRow.news & (HitRow.ended_at.is_(None) | statement.excluded.news),
                    # Standing again is being found anew: it may be news since.
                    **{
                        name: case(
                            (HitRow.ended_at.is_not(None), statement.excluded[name]), else_=getattr(HitRow, name)
                        )
                        for name in ("found_at", "first_strategy_id", "first_lines", "route")
                    },
                },
            )
        )


def standing(session: Session, topic_id: str, lane: str) -> set[int]:
    """Return the PMIDs that a topic's lane finds as far as we know."""
    return set(
        session.scalars(
            select(HitRow.pmid).where(HitRow.topic_id == topic_id, HitRow.lane == lane, HitRow.ended_at.is_(None))
        )
    )


def counts(session: Session) -> dict[tuple[str, str], int]:
    """Count the standing hits of each topic's lanes."""
    rows = session.execute(
        select(HitRow.topic_id, HitRow.lane, func.count())
        .where(HitRow.ended_at.is_(None))
        .group_by(HitRow.topic_id, HitRow.lane)
    )
    return {(topic, lane): number for topic, lane, number in rows}


def end(session: Session, topic_id: str, lane: str, pmids: Iterable[int], now: datetime) -> None:
    """Note that the topic no longer finds these; the hits stay."""
    for batch in batches(sorted(pmids)):
        session.execute(
            update(HitRow)
            .where(HitRow.topic_id == topic_id, HitRow.lane == lane, HitRow.pmid.in_(batch), HitRow.ended_at.is_(None))
            .values(ended_at=now)
            .execution_options(synchronize_session=False)
        )
