"""Sessions of people who are signed in: a session in, values out."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from monitor.storage.tables import PersonRow, SessionRow


class OpenSession(NamedTuple):
    """A session that was not ended; whether it is still good is a matter of time."""

    id: int
    person_id: int
    created_at: datetime
    seen_at: datetime


def begin(session: Session, token_hash: bytes, person_id: int, agent: str | None, now: datetime) -> None:
    session.execute(
        insert(SessionRow).values(
            token_hash=token_hash, person_id=person_id, agent=agent, created_at=now, seen_at=now, ended_at=None
        )
    )


def find(session: Session, token_hash: bytes) -> OpenSession | None:
    """Return the session of a token, of a person who is not disabled."""
    row = session.execute(
        select(SessionRow.id, SessionRow.person_id, SessionRow.created_at, SessionRow.seen_at)
        .join(PersonRow, PersonRow.id == SessionRow.person_id)
        .where(SessionRow.token_hash == token_hash, SessionRow.ended_at.is_(None), PersonRow.disabled_at.is_(None))
    ).one_or_none()
    return OpenSession(*row) if row is not None else None


def seen(session: Session, found: OpenSession, now: datetime) -> None:
    """Note that a session and its person are here."""
    session.execute(update(SessionRow).where(SessionRow.id == found.id).values(seen_at=now))
    session.execute(update(PersonRow).where(PersonRow.id == found.person_id).values(seen_at=now))


def end(session: Session, token_hash: bytes, now: datetime) -> None:
    """End one session; repeating it changes nothing."""
    session.execute(
        update(SessionRow)
        .where(SessionRow.token_hash == token_hash, SessionRow.ended_at.is_(None))
        .values(ended_at=now)
    )
