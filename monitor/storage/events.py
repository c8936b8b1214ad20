"""The log of who did what to what; append-only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from monitor.core.people import Actor
from monitor.storage.tables import EventRow


class Event(NamedTuple):
    """One deed as the log has it: when, who with which role, what, and how its subject was and is."""

    at: datetime
    actor: str
    role: str
    action: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def about(session: Session, subject: str) -> list[Event]:
    """Return everything that was done to a subject, the oldest first."""
    columns = (EventRow.at, EventRow.actor, EventRow.role, EventRow.action, EventRow.before, EventRow.after)
    rows = session.execute(select(*columns).where(EventRow.subject == subject).order_by(EventRow.id))
    return [Event(*row) for row in rows]


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: str,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one event in the caller's transaction, so that it stands exactly when the deed does."""
    record_each(session, actor, action, [Deed(subject, before, after)], now)


class Deed(NamedTuple):
    """One of several things done at once: to what, and how it was and is."""

    subject: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


def record_each(session: Session, actor: Actor, action: str, deeds: Sequence[Deed], now: datetime) -> None:
    """Write an event for each, in one statement."""
    if deeds:
        who = {"at": now, "actor_id": actor.person_id, "actor": actor.name, "role": actor.role, "action": action}
        session.execute(insert(EventRow), [{**who, **deed._asdict()} for deed in deeds])
