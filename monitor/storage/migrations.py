"""Bring a database to the schema of this code, and tell how far it is."""

from __future__ import annotations

from monitor.storage.engine import Database
from monitor.storage.tables import Base


def upgrade(database: Database) -> None:
    """Create or upgrade the database."""
    database.create()
    with database.connection(write=True) as connection:
        Base.metadata.create_all(connection)
