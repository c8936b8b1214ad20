"""The log of who did what to what; append-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, insert, or_, select, text
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


class Entry(NamedTuple):
    """An event with its number, who did it if that was a person, and to what."""

    id: int
    at: datetime
    actor_id: int | None
    actor: str
    role: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


_ENTRY = (
    EventRow.id,
    EventRow.at,
    EventRow.actor_id,
    EventRow.actor,
    EventRow.role,
    EventRow.action,
    EventRow.subject,
    EventRow.before,
    EventRow.after,
)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events to show. `actor_id` is a person, or 0 for what no person did; `action` may end before a dot.

    `since` is included, `until` is not.
    """

    actor_id: int | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def where(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.actor_id is not None:
            found.append(EventRow.actor_id.is_(None) if self.actor_id == 0 else EventRow.actor_id == self.actor_id)
        if self.action is not None:
            found.append(
                or_(EventRow.action == self.action, EventRow.action.startswith(f"{self.action}.", autoescape=True))
            )
        if self.subject is not None:
            found.append(EventRow.subject == self.subject)
        if self.since is not None:
            found.append(EventRow.at >= self.since)
        if self.until is not None:
            found.append(EventRow.at < self.until)
        return found


def page(session: Session, chosen: Filter, limit: int, before: int | None = None) -> list[Entry]:
    """Return events that a filter lets through, the newest first, older than the number `before`."""
    older = [EventRow.id < before] if before is not None else []
    rows = session.execute(select(*_ENTRY).where(*chosen.where(), *older).order_by(EventRow.id.desc()).limit(limit))
    return [Entry(*row) for row in rows]


def newest(session: Session, subject: str, actions: Sequence[str]) -> Entry | None:
    """Return the last thing done to a subject whose action begins with one of these."""
    kinds = or_(*(EventRow.action.startswith(each, autoescape=True) for each in actions))
    row = session.execute(
        select(*_ENTRY).where(EventRow.subject == subject, kinds).order_by(EventRow.id.desc()).limit(1)
    ).one_or_none()
    return Entry(*row) if row is not None else None


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


def actions(session: Session) -> list[str]:
    """Return every action there is, in order; one step through the index for each, however long the log."""
    rows = session.execute(
        text(
            "WITH RECURSIVE found(action) AS (SELECT min(action) FROM event UNION ALL "
            "SELECT (SELECT min(event.action) FROM event WHERE event.action > found.action) FROM found "
            "WHERE found.action IS NOT NULL) SELECT action FROM found WHERE action IS NOT NULL"
        )
    )
    return [row.action for row in rows]
