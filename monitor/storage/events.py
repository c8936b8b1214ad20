"""The log of who did what to what; append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

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
    session.execute(
        insert(EventRow).values(
            at=now,
            actor_id=actor.person_id,
            actor=actor.name,
            role=actor.role,
            action=action,
            subject=subject,
            before=before,
            after=after,
        )
    )
