"""Searches of the library that somebody keeps, by name; a retired one keeps its row and loses its feed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, insert, select, text, update
from sqlalchemy.orm import Session

from monitor.storage.bulk import is_sqlite
from monitor.storage.tables import PersonRow, SavedSearchRow

SEARCH_LOCK = 7_250_103
"""PostgreSQL advisory lock: one transaction at a time changes kept searches, as on SQLite."""


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A kept search; `key` is the unguessable part of its feed's address. One of the command line is nobody's."""

    id: int
    key: str
    name: str
    query: str
    created_at: datetime
    changed_at: datetime
    retired_at: datetime | None
    created_by: int | None = None
    owner: str | None = None


_COLUMNS = (
    SavedSearchRow.id,
    SavedSearchRow.key,
    SavedSearchRow.name,
    SavedSearchRow.query,
    SavedSearchRow.created_at,
    SavedSearchRow.changed_at,
    SavedSearchRow.retired_at,
    SavedSearchRow.created_by,
    PersonRow.name,
)


def lock(session: Session) -> None:
    """Let nobody else change kept searches until this transaction ends, so that a name found free stays so."""
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SEARCH_LOCK})


def everything(session: Session) -> list[SavedSearch]:
    """Return all kept searches in the order they were first kept, retired ones too."""
    return [SavedSearch(*row) for row in session.execute(_rows().order_by(SavedSearchRow.id))]


def by_key(session: Session, key: str) -> SavedSearch | None:
    """Return the search whose feed has this key, retired or not."""
    row = session.execute(_rows().where(SavedSearchRow.key == key)).one_or_none()
    return SavedSearch(*row) if row is not None else None


def add(session: Session, name: str, query: str, key: str, person_id: int | None, now: datetime) -> int:
    """Keep a search; the database refuses a name or key that is taken. Returns its id."""
    saved_id: int = session.execute(
        insert(SavedSearchRow)
        .values(name=name, query=query, key=key, created_by=person_id, created_at=now, changed_at=now)
        .returning(SavedSearchRow.id)
    ).scalar_one()
    return saved_id


def change(session: Session, saved_id: int, now: datetime, **values: object) -> None:
    """Set columns of a kept search."""
    session.execute(update(SavedSearchRow).where(SavedSearchRow.id == saved_id).values(changed_at=now, **values))


def _rows() -> Select[int, str, str, str, datetime, datetime, datetime | None, int | None, str]:
    return select(*_COLUMNS).outerjoin(PersonRow, PersonRow.id == SavedSearchRow.created_by)
