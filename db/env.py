"""Alembic's entrance: runs migrations on the connection it is handed, else on the installation's own database."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from monitor.storage.engine import connect
from monitor.storage.migrations import include_object
from monitor.storage.tables import Base


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=include_object,
        # SQLite rolls DDL back as well, because our transactions begin with BEGIN.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def own_url() -> str:
    from monitor.settings import load

    return load().database_url.get_secret_value()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    database = connect(context.config.attributes.get("url") or own_url())
    with database.connection(write=True) as opened:
        run(opened)
    database.dispose()
