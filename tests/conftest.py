"""What every test may rely on: databases at head, and no way off this machine."""

from __future__ import annotations

import ipaddress
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import make_url

from monitor.storage.engine import Database, connect, sqlite_url
from monitor.storage.migrations import upgrade
from tests.postgres import CannotStart, PostgresServer

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


class LeftTheMachine(AssertionError):
    """A test tried to reach something other than loopback. Not an OSError, so that no retry swallows it."""


def _check_host(host: object) -> None:
    if host in (None, "", b"", "localhost", b"localhost"):
        return
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        if ipaddress.ip_address(text).is_loopback:
            return
    except ValueError:
        pass
    raise LeftTheMachine(f"tests stay on this machine, and this one asked for {text}")


def _guard_sockets() -> None:
    """Let sockets reach loopback only, and names resolve only where they mean loopback."""

    def guard(name: str) -> None:
        original = getattr(socket.socket, name)

        def guarded(self: socket.socket, *arguments: Any) -> Any:
            address = arguments[-1]
            if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
                _check_host(address[0])
            return original(self, *arguments)

        setattr(socket.socket, name, guarded)

    for name in ("connect", "connect_ex", "sendto"):
        guard(name)
    resolve = socket.getaddrinfo

    def resolve_here(host: Any, *arguments: Any, **more: Any) -> Any:
        if host not in ("0.0.0.0", "::"):
            _check_host(host)
        return resolve(host, *arguments, **more)

    socket.getaddrinfo = resolve_here


_guard_sockets()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "monitor.db"
    database = connect(sqlite_url(path))
    upgrade(database)
    with database.engine.connect() as connection:  # outside a transaction of ours: fold the WAL into the file
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL a test process; skips, saying why, only where it cannot start."""
    try:
        server = PostgresServer()
    except CannotStart as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _postgres_url(postgres_server: PostgresServer) -> str:
    url = postgres_server.url(postgres_server.fresh())
    database = connect(url)
    upgrade(database)
    database.dispose()
    return url


@pytest.fixture
def sqlite_database(tmp_path: Path, _sqlite_template: Path) -> Iterator[Database]:
    """A SQLite file of this test alone, at the head of the migrations, empty."""
    path = tmp_path / "monitor.db"
    shutil.copyfile(_sqlite_template, path)
    database = connect(sqlite_url(path))
    yield database
    database.dispose()


@pytest.fixture
def postgres_database(postgres_server: PostgresServer, _postgres_url: str) -> Iterator[Database]:
    """A PostgreSQL database at the head of the migrations, empty. What a test leaves in it, the next one wipes."""
    database = connect(_postgres_url)
    postgres_server.wipe(make_url(_postgres_url).database or "")
    yield database
    database.dispose()


@pytest.fixture
def bare_postgres(postgres_server: PostgresServer) -> Iterator[Database]:
    """A PostgreSQL database without any table."""
    name = postgres_server.fresh()
    database = connect(postgres_server.url(name))
    yield database
    database.dispose()
    postgres_server.drop(name)


@pytest.fixture
def bare_sqlite(tmp_path: Path) -> Iterator[Database]:
    """A SQLite address whose file does not exist yet."""
    database = connect(sqlite_url(tmp_path / "bare" / "monitor.db"))
    yield database
    database.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def bare_database(request: pytest.FixtureRequest) -> Database:
    """Either database before `upgrade`."""
    found: Database = request.getfixturevalue(f"bare_{request.param}")
    return found


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Either database, so that every test of storage runs on both."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's browser, one a test process; every test opens a context of its own."""
    from tests.web.browsing import ARGUMENTS, CHROMIUM

    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
