"""Whether the database is sound: its pages, its references, its search index."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from monitor.errors import DatabaseBehind, DatabaseDamaged
from monitor.storage import indexing
from monitor.storage.bulk import is_sqlite


def problems(session: Session) -> list[str]:
    """Return all that is wrong, one sentence each. Needs a session that may write, and a while on a large file."""
    found = file_problems(session)
    try:
        indexing.check(session)
    except (DatabaseBehind, DatabaseDamaged) as error:
        found.append(str(error))
    return found


def file_problems(session: Session) -> list[str]:
    """Return what is wrong with pages and references of a SQLite file; PostgreSQL sees to its own."""
    if not is_sqlite(session):
        return []
    found = []
    try:
        pages = session.scalars(text("PRAGMA integrity_check(5)")).all()
        if pages != ["ok"]:
            found.append(f"the file is damaged ({pages[0]}); restore a backup")
        lost = session.execute(text("PRAGMA foreign_key_check")).first()
        if lost is not None:
            found.append(f"a row of {lost[0]} refers to a row of {lost[2]} that is not there; restore a backup")
    except DatabaseDamaged as error:
        found.append(str(error))
    return found
