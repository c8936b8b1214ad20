"""Sessions, passwords, links that work once, and failed tries: a session in, values out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from monitor.storage.tables import OneTimeLinkRow, PersonRow, SessionRow, SignInAttemptRow

ATTEMPT_LOCK = 7_463_105
"""PostgreSQL advisory lock: tries are counted one after the other, as on SQLite, so that many at once gain nothing."""


FIRST_LOCK = 7_463_106
"""PostgreSQL advisory lock: of two who set up one installation at once, one is first."""


class OpenSession(NamedTuple):
    """A session that was not ended; whether it is still good is a matter of time."""

    id: int
    person_id: int
    created_at: datetime
    seen_at: datetime
    agent: str | None


def begin(session: Session, token_hash: bytes, person_id: int, agent: str | None, now: datetime) -> int:
    """Insert a session and return its id."""
    found: int = session.execute(
        insert(SessionRow)
        .values(token_hash=token_hash, person_id=person_id, agent=agent, created_at=now, seen_at=now, ended_at=None)
        .returning(SessionRow.id)
    ).scalar_one()
    return found


def find(session: Session, token_hash: bytes) -> OpenSession | None:
    """Return the session of a token, of a person who is not disabled."""
    row = session.execute(
        select(*_SESSION)
        .join(PersonRow, PersonRow.id == SessionRow.person_id)
        .where(SessionRow.token_hash == token_hash, SessionRow.ended_at.is_(None), PersonRow.disabled_at.is_(None))
    ).one_or_none()
    return OpenSession(*row) if row is not None else None


_SESSION = (SessionRow.id, SessionRow.person_id, SessionRow.created_at, SessionRow.seen_at, SessionRow.agent)


def open_of(session: Session, person_id: int) -> list[OpenSession]:
    """Return the sessions of a person that nobody ended, the one used last first."""
    rows = session.execute(
        select(*_SESSION)
        .where(SessionRow.person_id == person_id, SessionRow.ended_at.is_(None))
        .order_by(SessionRow.seen_at.desc(), SessionRow.id.desc())
    )
    return [OpenSession(*row) for row in rows]


def seen(session: Session, found: OpenSession, now: datetime) -> None:
    """Note that a session and its person are here."""
    session.execute(update(SessionRow).where(SessionRow.id == found.id).values(seen_at=now))
    person_seen(session, found.person_id, now)


def person_seen(session: Session, person_id: int, now: datetime) -> None:
    session.execute(update(PersonRow).where(PersonRow.id == person_id).values(seen_at=now))


def end(session: Session, token_hash: bytes, now: datetime) -> None:
    """End one session; repeating it changes nothing."""
    _end(session, now, SessionRow.token_hash == token_hash)


def end_one(session: Session, person_id: int, session_id: int, now: datetime) -> bool:
    """End a session by its number; False when it is not that person's, or has ended."""
    return _end(session, now, SessionRow.person_id == person_id, SessionRow.id == session_id) > 0


def end_all(session: Session, person_id: int, now: datetime, *, but: int | None = None) -> int:
    """End the sessions of a person, but for one; return how many."""
    kept = [SessionRow.id != but] if but is not None else []
    return _end(session, now, SessionRow.person_id == person_id, *kept)


def _end(session: Session, now: datetime, *where: ColumnElement[bool]) -> int:
    return _count(session, update(SessionRow).where(SessionRow.ended_at.is_(None), *where).values(ended_at=now))


class Held(NamedTuple):
    """A person who is not disabled, and the hash of their password; None until an invitation is taken up."""

    person_id: int
    password_hash: str | None


def password_of(session: Session, address_key: str) -> Held | None:
    """Return the password of the person with that address key, if they may sign in."""
    row = session.execute(
        select(PersonRow.id, PersonRow.password_hash).where(
            PersonRow.address_key == address_key, PersonRow.disabled_at.is_(None)
        )
    ).one_or_none()
    return Held(*row) if row is not None else None


def set_password(session: Session, person_id: int, password_hash: str) -> None:
    session.execute(update(PersonRow).where(PersonRow.id == person_id).values(password_hash=password_hash))


def has_admin(session: Session, *, vouched: bool) -> bool:
    """Say whether an admin can come in: by a password, or `vouched` for by a proxy."""
    known = [PersonRow.password_hash.is_not(None)] if not vouched else []
    admins = select(PersonRow.id).where(PersonRow.role == "admin", PersonRow.disabled_at.is_(None), *known)
    return session.execute(admins.limit(1)).first() is not None


def lock_first(session: Session) -> None:
    """Let no other transaction make a first admin until this one ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": FIRST_LOCK})


class FoundLink(NamedTuple):
    """A link that works once, of a person who is not disabled."""

    id: int
    person_id: int
    purpose: str
    expires_at: datetime
    used_at: datetime | None


def add_link(
    session: Session,
    token_hash: bytes,
    person_id: int,
    purpose: str,
    created_by: int | None,
    now: datetime,
    expires_at: datetime,
) -> None:
    session.execute(
        insert(OneTimeLinkRow).values(
            token_hash=token_hash,
            person_id=person_id,
            purpose=purpose,
            created_by=created_by,
            created_at=now,
            expires_at=expires_at,
        )
    )


def find_link(session: Session, token_hash: bytes) -> FoundLink | None:
    row = session.execute(
        select(
            OneTimeLinkRow.id,
            OneTimeLinkRow.person_id,
            OneTimeLinkRow.purpose,
            OneTimeLinkRow.expires_at,
            OneTimeLinkRow.used_at,
        )
        .join(PersonRow, PersonRow.id == OneTimeLinkRow.person_id)
        .where(OneTimeLinkRow.token_hash == token_hash, PersonRow.disabled_at.is_(None))
    ).one_or_none()
    return FoundLink(*row) if row is not None else None


def use_link(session: Session, link_id: int, now: datetime) -> bool:
    """Mark a link as used; False when somebody was quicker."""
    return (
        _count(
            session,
            update(OneTimeLinkRow)
            .where(OneTimeLinkRow.id == link_id, OneTimeLinkRow.used_at.is_(None))
            .values(used_at=now),
        )
        > 0
    )


def end_links(session: Session, person_id: int, now: datetime, purpose: str | None = None) -> None:
    """Let a person's links work no more, of one purpose or all."""
    kind = [OneTimeLinkRow.purpose == purpose] if purpose is not None else []
    session.execute(
        update(OneTimeLinkRow)
        .where(OneTimeLinkRow.person_id == person_id, OneTimeLinkRow.used_at.is_(None), *kind)
        .values(used_at=now)
    )


class Tries(NamedTuple):
    """Failed tries of one key that still count."""

    number: int
    last: datetime | None


def lock_tries(session: Session) -> None:
    """Let no other transaction count tries until this one ends."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ATTEMPT_LOCK})


def tries(session: Session, key: bytes, since: datetime) -> Tries:
    row = session.execute(
        select(func.count(), func.max(SignInAttemptRow.at)).where(
            SignInAttemptRow.key == key, SignInAttemptRow.at > since
        )
    ).one()
    return Tries(*row)


def add_tries(session: Session, keys: Iterable[bytes], now: datetime) -> None:
    rows = [{"key": key, "at": now} for key in keys]
    if rows:
        session.execute(insert(SignInAttemptRow), rows)


def forget_tries(session: Session, key: bytes) -> None:
    """Let what was tried before count no more."""
    session.execute(delete(SignInAttemptRow).where(SignInAttemptRow.key == key))


def forget_try(session: Session, key: bytes, at: datetime) -> None:
    """Take back the one try of a moment: it did not fail."""
    newest = (
        select(SignInAttemptRow.id)
        .where(SignInAttemptRow.key == key, SignInAttemptRow.at == at)
        .limit(1)
        .scalar_subquery()
    )
    session.execute(delete(SignInAttemptRow).where(SignInAttemptRow.id == newest))


def forget(
    session: Session, *, tries_before: datetime, ended_before: datetime, created_before: datetime
) -> dict[str, int]:
    """Delete tries that no longer count, and sessions and links that ended long ago; return how many."""
    return {
        "sign in tries": _count(session, delete(SignInAttemptRow).where(SignInAttemptRow.at <= tries_before)),
        "sessions": _count(
            session,
            delete(SessionRow).where(or_(SessionRow.ended_at < ended_before, SessionRow.created_at < created_before)),
        ),
        "one time links": _count(session, delete(OneTimeLinkRow).where(OneTimeLinkRow.expires_at < ended_before)),
    }


def _count(session: Session, statement: Any) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return int(getattr(result, "rowcount", 0))
