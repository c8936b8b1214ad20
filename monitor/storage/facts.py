"""What the store knows of how the monitor is doing, in a handful of statements."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.core.health import CLOCKS_APART, Facts, Heartbeat, LaneFacts, TopicFacts
from monitor.core.polling import FINISHED, UNFINISHED
from monitor.core.strategy import LANES
from monitor.storage.tables import (
    AttemptRow,
    CitationRow,
    DeliveryRow,
    HeartbeatRow,
    HitRow,
    PersonRow,
    PollRow,
    SlotRow,
    StrategyRow,
    SubscriptionRow,
    SuppressionRow,
    TopicRow,
)

_RECENT = timedelta(days=30)
_FAILED_JOBS_OF = timedelta(days=2)


def facts(session: Session, now: datetime) -> Facts:
    """Gather the facts of this moment; overdue digests are the publishing service's to know and stay 0."""
    deliveries: dict[str, int] = dict(
        session.execute(
            select(DeliveryRow.state, func.count())
            .where(DeliveryRow.state.in_(("queued", "leased", "in_doubt")) | (DeliveryRow.created_at > now - _RECENT))
            .group_by(DeliveryRow.state)
        ).all()
    )
    return Facts(
        topics=tuple(_topics(session, now)),
        latest_moment=_latest_moment(session),
        heartbeats=tuple(
            Heartbeat(name, at) for name, at in session.execute(select(HeartbeatRow.name, HeartbeatRow.at))
        ),
        subscriptions=session.scalar(
            select(func.count())
            .select_from(SubscriptionRow)
            .join(PersonRow, PersonRow.id == SubscriptionRow.person_id)
            .where(SubscriptionRow.ended_at.is_(None), PersonRow.disabled_at.is_(None))
        )
        or 0,
        citations=session.scalar(select(func.count()).select_from(CitationRow)) or 0,
        provisional=session.scalar(select(func.count()).select_from(CitationRow).where(CitationRow.provisional)) or 0,
        deliveries=deliveries,
        oldest_waiting_since=session.scalar(
            select(func.min(DeliveryRow.created_at)).where(DeliveryRow.state.in_(("queued", "leased")))
        ),
        last_mail_error=_last_mail_error(session),
        suppressed=session.scalar(select(func.count()).select_from(SuppressionRow)) or 0,
        jobs_failed=tuple(
            f"{job} ({slot}) failed: {error}"
            for job, slot, error in session.execute(
                select(SlotRow.job, SlotRow.slot, SlotRow.error)
                .where(SlotRow.error.is_not(None), SlotRow.taken_at > now - _FAILED_JOBS_OF)
                .order_by(SlotRow.taken_at.desc())
                .limit(5)
            )
        ),
    )


def _topics(session: Session, now: datetime) -> list[TopicFacts]:
    """Gather the state of each topic's searches. A range of days by hand says nothing of it, nor does the future."""
    polls = [
        PollRow.topic_id.is_not(None),
        PollRow.covers.is_(True),
        PollRow.state != "running",
        PollRow.finished_at <= now + CLOCKS_APART,
    ]
    lane = (PollRow.topic_id, PollRow.lane)
    newest = {
        (row.topic_id, row.lane): row
        for row in session.scalars(
            select(PollRow).where(PollRow.id.in_(select(func.max(PollRow.id)).where(*polls).group_by(*lane)))
        )
    }
    succeeded = {
        (topic, of): at
        for topic, of, at in session.execute(
            select(*lane, func.max(PollRow.finished_at)).where(*polls, PollRow.state.in_(FINISHED)).group_by(*lane)
        )
    }
    latest = select(func.max(StrategyRow.id)).group_by(StrategyRow.topic_id)
    out = []
    for topic, title, wide in session.execute(
        select(TopicRow.id, TopicRow.title, StrategyRow.wide)
        .join(StrategyRow, StrategyRow.topic_id == TopicRow.id)
        .where(TopicRow.retired_at.is_(None), StrategyRow.id.in_(latest))
        .order_by(TopicRow.position)
    ):
        lanes = []
        for each in LANES:
            row = newest.get((topic, each))
            failed = row is not None and row.state in UNFINISHED
            lanes.append(
                LaneFacts(
                    last_success_at=succeeded.get((topic, each)),
                    last_error=(row.error or "stopped half way.") if row is not None and failed else None,
                    unknown_phrases=tuple(row.unknown_phrases) if row is not None and not failed else (),
                    missing=row.missing if row is not None and not failed else 0,
                    refused=len(row.refused) if row is not None and not failed else 0,
                )
            )
        out.append(TopicFacts(topic, title, lanes[0], lanes[1] if wide is not None else None))
    return out


def _latest_moment(session: Session) -> datetime | None:
    """Return the latest moment that anything says it happened at: one of the future tells that a clock was wrong."""
    moments = (
        session.scalar(select(func.max(column)))
        for column in (
            PollRow.started_at,
            PollRow.finished_at,
            HeartbeatRow.at,
            SlotRow.taken_at,
            DeliveryRow.created_at,
            HitRow.found_at,
        )
    )
    return max((each for each in moments if each is not None), default=None)


def _last_mail_error(session: Session) -> str | None:
    row = session.execute(
        select(AttemptRow.code, AttemptRow.enhanced, AttemptRow.text, AttemptRow.outcome)
        .order_by(AttemptRow.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None or row.outcome == "sent":
        return None
    return " ".join(str(part) for part in (row.code, row.enhanced, row.text) if part) or row.outcome
