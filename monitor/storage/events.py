"""The log of who did what to what; append-only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert
from sqlalchemy.orm import Session

from monitor.core.people import Actor
from monitor.storage.tables import EventRow


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
