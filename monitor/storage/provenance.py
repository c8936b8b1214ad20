"""Where a paper and its level come from: which lines of which searches find it, who gave the level, and people's names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.storage.tables import (
    HitRow,
    PersonRow,
    StrategyLineRow,
    StrategyRow,
    TaggingRow,
    TopicRow,
)


@dataclass(frozen=True, slots=True)
class LineFound:
    """A line of a search that finds the paper: its number from 1, its text, and why it is in the search."""

    number: int
    query: str
    reason: str


@dataclass(frozen=True, slots=True)
class FoundBy:
    """A topic's lane that finds the paper, or did until `ended_at`: by which version of the search, and its lines.

    `route` is the way it was come upon, one of `core.polling.Route`.
    """

    topic: str
    title: str
    lane: str
    version: int
    lines: tuple[LineFound, ...]
    route: str
    found_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class LevelGiven:
    """The level that a person confirmed: who, None at the command line, when, and why."""

    level: str
    name: str | None
    reason: str | None
    at: datetime


def found_by(session: Session, pmid: int) -> list[FoundBy]:
    """Return the lanes that find a paper, those that no longer do last."""
    rows = session.execute(
        select(HitRow, TopicRow.title, StrategyRow.version)
        .join(TopicRow, TopicRow.id == HitRow.topic_id)
        .join(StrategyRow, StrategyRow.id == HitRow.strategy_id)
        .where(HitRow.pmid == pmid)
        .order_by(HitRow.ended_at.is_not(None), HitRow.lane, TopicRow.position, TopicRow.id)
    ).all()
    lines: dict[tuple[int, str], dict[int, LineFound]] = {}
    for strategy, block, position, query, reason in session.execute(
        select(
            StrategyLineRow.strategy_id,
            StrategyLineRow.block,
            StrategyLineRow.position,
            StrategyLineRow.query,
            StrategyLineRow.reason,
        ).where(StrategyLineRow.strategy_id.in_({hit.strategy_id for hit, _, _ in rows}))
    ):
        lines.setdefault((strategy, block), {})[position] = LineFound(position, query, reason)
    return [
        FoundBy(
            hit.topic_id,
            title,
            hit.lane,
            version,
            tuple(found for number in hit.lines if (found := lines.get((hit.strategy_id, hit.lane), {}).get(number))),
            hit.route,
            hit.found_at,
            hit.ended_at,
        )
        for hit, title, version in rows
    ]


def level_given(session: Session, pmid: int, level: str) -> LevelGiven | None:
    """Return who put this level on a paper last, when, and why."""
    row = session.execute(
        select(TaggingRow.reason, TaggingRow.tagged_at, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == TaggingRow.person_id)
        .where(
            TaggingRow.pmid == pmid,
            TaggingRow.facet == "level",
            TaggingRow.term == level,
            TaggingRow.added.is_(True),
        )
        .order_by(TaggingRow.id.desc())
        .limit(1)
    ).first()
    return LevelGiven(level, row.name, row.reason, row.tagged_at) if row is not None else None


def names(session: Session, person_ids: Collection[int]) -> dict[int, str]:
    """Return the names of these people."""
    rows = session.execute(select(PersonRow.id, PersonRow.name).where(PersonRow.id.in_(person_ids)))
    return dict(rows.all())
