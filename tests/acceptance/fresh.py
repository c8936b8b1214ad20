"""Databases one after another within a test, for campaigns that need many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor.storage.engine import Database, connect, sqlite_url
from monitor.storage.migrations import upgrade
from tests.postgres import PostgresServer


@contextmanager
def fresh_database(request: pytest.FixtureRequest, folder: Path, kind: str) -> Iterator[Database]:
    """An empty database at the head of the migrations: a SQLite file in the folder, or one on the test server."""
    if kind == "sqlite":
        folder.mkdir(parents=True)
        database = connect(sqlite_url(folder / "monitor.db"))
        upgrade(database)
        try:
            yield database
        finally:
            database.dispose()
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.fresh()
    database = connect(server.url(name))
    upgrade(database)
    try:
        yield database
    finally:
        database.dispose()
        server.drop(name)
