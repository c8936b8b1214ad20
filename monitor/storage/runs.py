"""Runs as people look for them, and polls that people asked for until the worker has run them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from monitor.storage import polls
from monitor.storage.bulk import insertion
from monitor.storage.polls import Poll
from monitor.storage.tables import HeartbeatRow, PersonRow, PollRequestRow, PollRow, StrategyRow


@dataclass(frozen=True, slots=True)
class PollRequest:
    """One wish: a topic's lane, or every lane of it, since the last poll (`window`) or whole (`full`).

    `by` is None where nobody was signed in; `error` says why an answered one could not be run.
    """

    id: int
    topic_id: str
    lane: str | None
    kind: str
    by: str | None
    asked_at: datetime
    answered_at: datetime | None = None
    error: str | None = None


def ask(session: Session, topic_id: str, lane: str | None, kind: str, person_id: int | None, now: datetime) -> bool:
    """Add a wish; False where the same one waits already."""
    made = session.execute(
        insertion(session, PollRequestRow)
        .values(topic_id=topic_id, lane=lane, kind=kind, asked_by=person_id, asked_at=now)
        .on_conflict_do_nothing()
        .returning(PollRequestRow.id)
    ).one_or_none()
    return made is not None


def waiting(session: Session) -> list[PollRequest]:
    """Return the wishes that nobody has answered, the oldest first."""
    return _selected(session, PollRequestRow.answered_at.is_(None))


def in_vain(session: Session, since: datetime) -> list[PollRequest]:
    """Return the wishes since a moment that could not be run, with the reason."""
    return _selected(session, PollRequestRow.error.is_not(None), PollRequestRow.answered_at >= since)


def answer(session: Session, request_id: int, now: datetime, error: str | None = None) -> None:
    """Note that a wish was run, or why it could not be."""
    session.execute(
        update(PollRequestRow)
        .where(PollRequestRow.id == request_id, PollRequestRow.answered_at.is_(None))
        .values(answered_at=now, error=error)
    )


def page(
    session: Session, *, topic: str | None, states: Collection[str], before: int | None, limit: int
) -> tuple[list[int], int]:
    """Return the numbers of polls that meet this, the newest first, and how many there are in all.

    `topic` may be the empty text, for the rolling check of stored citations.
    """
    conditions = []
    if topic is not None:
        conditions.append(PollRow.topic_id == topic if topic else PollRow.topic_id.is_(None))
    if states:
        conditions.append(PollRow.state.in_(states))
    total = session.scalar(select(func.count()).select_from(PollRow).where(*conditions)) or 0
    if before is not None:
        conditions.append(PollRow.id < before)
    ids = session.scalars(select(PollRow.id).where(*conditions).order_by(PollRow.id.desc()).limit(limit))
    return list(ids), total


def polls_of(session: Session, ids: Collection[int]) -> list[Poll]:
    """Return these polls, the oldest first."""
    return polls.selected(session, PollRow.id.in_(ids))


def versions(session: Session, ids: Collection[int]) -> dict[int, int]:
    """Return the version of the search that each of these polls asked."""
    rows = session.execute(
        select(PollRow.id, StrategyRow.version)
        .join(StrategyRow, StrategyRow.id == PollRow.strategy_id)
        .where(PollRow.id.in_(ids))
    )
    return dict(rows.all())


def is_latest(session: Session, poll_id: int) -> bool:
    """Say whether no poll of the same topic, lane and kind began later."""
    row = session.get(PollRow, poll_id)
    if row is None:
        return False
    same = (
        PollRow.topic_id.is_not_distinct_from(row.topic_id),
        PollRow.lane.is_not_distinct_from(row.lane),
        PollRow.kind == row.kind,
    )
    return session.scalar(select(PollRow.id).where(*same, PollRow.id > poll_id).limit(1)) is None


def covers(session: Session, poll_id: int) -> bool:
    """Say whether a poll leaves no day unsearched, so that it is made up for when it fails."""
    return session.scalar(select(PollRow.covers).where(PollRow.id == poll_id)) is True


def last_read(session: Session, topic_id: str, lane: str, strategy_id: int) -> Poll | None:
    """Return the newest poll of a lane in which PubMed said how it reads this version of the search."""
    newest = session.scalar(
        select(func.max(PollRow.id)).where(
            PollRow.topic_id == topic_id,
            PollRow.lane == lane,
            PollRow.strategy_id == strategy_id,
            PollRow.translation.is_not(None),
        )
    )
    return polls.poll(session, newest) if newest is not None else None


def last_beat(session: Session) -> datetime | None:
    """Return the newest sign of life of any worker."""
    return session.scalar(select(func.max(HeartbeatRow.at)))


def _selected(session: Session, *conditions: object) -> list[PollRequest]:
    rows = session.execute(
        select(PollRequestRow, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == PollRequestRow.asked_by)
        .where(*conditions)  # type: ignore[arg-type]
        .order_by(PollRequestRow.id)
    )
    return [
        PollRequest(row.id, row.topic_id, row.lane, row.kind, name, row.asked_at, row.answered_at, row.error)
        for row, name in rows
    ]
