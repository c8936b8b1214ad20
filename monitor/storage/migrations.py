"""Bring a database to the schema of this code, and tell how far it is. The steps themselves stand in `db/versions`.

Every command asks how far the database is, and few change it: Alembic is loaded only for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.orm import Session

from monitor.errors import DatabaseBehind, DatabaseDamaged
from monitor.resources import resource_dir
from monitor.storage import fulltext, indexing
from monitor.storage.engine import Database

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 7_250_100
_SHADOW = re.compile(rf"{fulltext.TABLE}(_data|_idx|_content|_docsize|_config)?")
_OURS_ALONE = {("column", "search"), ("index", "ix_citation_index_search")}
"""What migrations make on one database only, and the mapped tables do not name."""


def upgrade(database: Database) -> None:
    """Create the database or bring it to head, in one transaction: cut off at any moment, it is old or new.

    Raises DatabaseDamaged, with nothing changed, when there are tables of someone else or of a newer version.
    """
    database.create()
    with changing(database) as connection:
        if revision(database, connection) != head():
            step(connection, "head")
        with Session(connection) as session:
            if indexing.is_current(session):
                indexing.require(session)
                session.commit()


@contextmanager
def changing(database: Database) -> Iterator[Connection]:
    """Open the one transaction in which a schema changes; others wait."""
    with database.connection(write=True) as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection


def step(connection: Connection, target: str) -> None:
    """Run the migrations up to `target` within the connection's transaction."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def current(database: Database) -> str | None:
    """Return the revision of the schema, None where there is none yet; a missing SQLite file is not created."""
    if database.path is not None and not database.path.exists():
        return None
    with database.connection() as connection:
        return revision(database, connection)


def check(database: Database) -> None:
    """Raise DatabaseBehind when `monitor init` is needed, DatabaseDamaged when the database is not ours."""
    found = current(database)
    if found is None:
        raise DatabaseBehind(f"{database.name}: there is no monitor's database here yet; run `monitor init`")
    if found != head():
        raise DatabaseBehind(
            f"{database.name}: the database is at {found}, this version needs {head()}; run `monitor init`"
        )
    with database.read() as session:
        if not indexing.is_current(session):
            raise DatabaseBehind(f"{database.name}: {indexing.why(indexing.found(session))}")


def head() -> str:
    """Return the revision that this code needs."""
    return _revisions()[-1]


def revision(database: Database, connection: Connection) -> str | None:
    """Return the revision a connection sees; raises DatabaseDamaged for tables of someone else or a newer version."""
    tables = inspect(connection)
    marks: list[str] = []
    if tables.has_table("alembic_version"):
        marks = list(connection.scalars(text("SELECT version_num FROM alembic_version ORDER BY version_num")))
    found = ", ".join(marks) or None
    if found is None:
        strange = sorted(set(tables.get_table_names()) - {"alembic_version"})
        if strange:
            names = ", ".join(strange[:3])
            raise DatabaseDamaged(f"{database.name}: this database holds something else ({names}); name another one")
        return None
    if not knows(found):
        raise DatabaseDamaged(
            f"{database.name}: the database is at {found}, which this version does not know; "
            "a newer version has used it, so upgrade evidence-monitor"
        )
    return found


def knows(schema: str) -> bool:
    """Say whether this code has the migration of that name."""
    return schema in _revisions()


def include_object(thing: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
    """Keep Alembic's comparison away from the search index, which only migrations know."""
    if kind == "table":
        return not _SHADOW.fullmatch(name or "")
    return not (reflected and other is None and (kind, name) in _OURS_ALONE)


def _revisions() -> list[str]:
    """Return every revision, the oldest first: files are numbered by hand and named after it."""
    return sorted(each.name.partition("_")[0] for each in (resource_dir("db") / "versions").glob("[0-9]*_*.py"))


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    # ConfigParser interpolates: a path may hold a percent sign.
    config.set_main_option("script_location", str(resource_dir("db")).replace("%", "%%"))
    return config
