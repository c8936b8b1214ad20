"""What the store knows of how the monitor is doing, in a handful of statements."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.core.health import Facts, Heartbeat, TopicFacts
from monitor.storage.tables import (
    AttemptRow,
    CitationRow,
    DeliveryRow,
    HeartbeatRow,
    PersonRow,
    PollRow,
    SlotRow,
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
        topics=tuple(_topics(session)),
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


def _topics(session: Session) -> list[TopicFacts]:
    finished = PollRow.finished_at.is_not(None) & PollRow.topic_id.is_not(None)
    newest = {
        topic: (state, error, phrases, at)
        for topic, state, error, phrases, at in session.execute(
            select(PollRow.topic_id, PollRow.state, PollRow.error, PollRow.unknown_phrases, PollRow.finished_at).where(
                PollRow.id.in_(
                    select(func.max(PollRow.id)).where(finished, PollRow.lane == "core").group_by(PollRow.topic_id)
                )
            )
        )
    }
    succeeded: dict[str | None, datetime | None] = dict(
        session.execute(
            select(PollRow.topic_id, func.max(PollRow.finished_at))
            .where(finished, PollRow.lane == "core", PollRow.state.in_(("done", "warned")))
            .group_by(PollRow.topic_id)
        ).all()
    )
    out = []
    for topic, title in session.execute(
        select(TopicRow.id, TopicRow.title).where(TopicRow.retired_at.is_(None)).order_by(TopicRow.position)
    ):
        state, error, phrases, at = newest.get(topic, (None, None, [], None))
        out.append(
            TopicFacts(
                topic,
                title,
                last_success_at=succeeded.get(topic),
                last_finished_at=at,
                last_error=(error or "stopped half way.") if state in ("failed", "interrupted") else None,
                unknown_phrases=tuple(phrases) if state == "warned" else (),
            )
        )
    return out


def _last_mail_error(session: Session) -> str | None:
    row = session.execute(
        select(AttemptRow.code, AttemptRow.enhanced, AttemptRow.text, AttemptRow.outcome)
        .order_by(AttemptRow.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None or row.outcome == "sent":
        return None
    return " ".join(str(part) for part in (row.code, row.enhanced, row.text) if part) or row.outcome
