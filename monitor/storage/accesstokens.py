"""Tokens that programs show in place of a person: a session in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from monitor.storage.tables import AccessTokenRow


class AccessToken(NamedTuple):
    """A token as its owner sees it; what it says itself is kept nowhere."""

    id: int
    person_id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


def add(
    session: Session,
    token_hash: bytes,
    person_id: int,
    name: str,
    scopes: Sequence[str],
    now: datetime,
    expires_at: datetime | None,
) -> int:
    found: int = session.execute(
        insert(AccessTokenRow)
        .values(
            token_hash=token_hash,
            person_id=person_id,
            name=name,
            scopes=list(scopes),
            created_at=now,
            expires_at=expires_at,
        )
        .returning(AccessTokenRow.id)
    ).scalar_one()
    return found


def of(session: Session, person_id: int) -> list[AccessToken]:
    """Return a person's tokens that were not revoked, the newest first."""
    rows = session.scalars(
        select(AccessTokenRow)
        .where(AccessTokenRow.person_id == person_id, AccessTokenRow.revoked_at.is_(None))
        .order_by(AccessTokenRow.id.desc())
    )
    return [_token(row) for row in rows]


def find(session: Session, token_hash: bytes) -> AccessToken | None:
    """Return the token with that hash unless it was revoked."""
    row = session.scalars(
        select(AccessTokenRow).where(AccessTokenRow.token_hash == token_hash, AccessTokenRow.revoked_at.is_(None))
    ).one_or_none()
    return _token(row) if row is not None else None


def used(session: Session, token_id: int, now: datetime) -> None:
    session.execute(update(AccessTokenRow).where(AccessTokenRow.id == token_id).values(used_at=now))


def revoke_all(session: Session, person_id: int, now: datetime) -> None:
    """Revoke every token of somebody; enabling the person again brings none back."""
    session.execute(
        update(AccessTokenRow)
        .where(AccessTokenRow.person_id == person_id, AccessTokenRow.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def revoke(session: Session, person_id: int, token_id: int, now: datetime) -> AccessToken | None:
    """Revoke a token for good; None when it is not that person's, or was revoked."""
    row = session.scalars(
        update(AccessTokenRow)
        .where(
            AccessTokenRow.id == token_id, AccessTokenRow.person_id == person_id, AccessTokenRow.revoked_at.is_(None)
        )
        .values(revoked_at=now)
        .returning(AccessTokenRow)
    ).one_or_none()
    return _token(row) if row is not None else None


def _token(row: AccessTokenRow) -> AccessToken:
    return AccessToken(row.id, row.person_id, row.name, tuple(row.scopes), row.created_at, row.expires_at, row.used_at)
