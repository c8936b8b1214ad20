"""Engine and sessions for SQLite and PostgreSQL: transactions that mean the same on both, and faults as sentences."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

from monitor.errors import DatabaseDamaged, DatabaseUnavailable, MonitorError, UsageError

try:
    from pysqlite3 import dbapi2 as _found_sqlite
except ImportError:  # no wheel for this machine: the standard library's SQLite, whatever its version
    _found_sqlite = sqlite3

SQLITE: ModuleType = _found_sqlite
"""The SQLite in use: the bundled, current one where a wheel exists, else Python's own."""

_WRITE = "monitor_write"
_BUSY_MS = 10_000
_PAGE = 2048
_POSTGRES_SETTINGS = {
    "statement_timeout": "120s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "600s",
}


class Database:
    """One database. `read()` and `write()` are the only ways in; each is one transaction.

    A read sees one snapshot from its first statement to its end. Writes on SQLite queue up behind each other from
    their first statement on (`BEGIN IMMEDIATE`), so that what they read cannot change before they write.
    """

    def __init__(self, engine: Engine, url: URL, path: Path | None) -> None:
        self.engine = engine
        self.url = url.render_as_string(hide_password=False)
        self.name = str(path) if path is not None else url.render_as_string(hide_password=True)
        self.dialect = engine.dialect.name
        self.path = path
        reading: dict[str, Any] = {}
        if path is None:
            reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._read = sessionmaker(engine.execution_options(**reading), expire_on_commit=False)
        self._write = sessionmaker(engine.execution_options(**{_WRITE: True}), expire_on_commit=False)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Read from one snapshot; nothing written here is kept."""
        with self._read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Commit at the end, or roll back everything when an exception passes through."""
        with self._write() as session, session.begin():
            yield session

    @contextmanager
    def connection(self, *, write: bool = False) -> Iterator[Connection]:
        """Open one transaction below the ORM, for migrations and bulk copies; commits at the end if `write`."""
        engine = (self._write if write else self._read).kw["bind"]
        with engine.connect() as connection, connection.begin() as transaction:
            yield connection
            if not write:
                transaction.rollback()

    def create(self) -> None:
        """Create the SQLite file and its folder if missing. A PostgreSQL database is made by its administrator."""
        if self.path is None or self.path.exists():
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=self.path.parent) as folder:
                made = Path(folder) / self.path.name
                with closing(SQLITE.connect(_file_uri(made, "rwc"), uri=True)) as connection:
                    # A row is about 3 KB: in pages of 4 KB a fifth of the file would be empty (on real records).
                    connection.execute(f"PRAGMA page_size={_PAGE}")
                    # The journal mode is a property of the file: chosen once, never switched under running processes.
                    connection.execute(f"PRAGMA journal_mode={'WAL' if wal_is_safe(sqlite_version()) else 'DELETE'}")
                    connection.execute("PRAGMA user_version=1")  # writes the first page, and with it the above
                _name_if_free(made, self.path)
        except (OSError, SQLITE.OperationalError) as error:
            raise MonitorError(f"{self.path}: the database cannot be created here: {error}") from error

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def connect(url: str) -> Database:
    """Prepare a database without touching it; the first transaction opens it.

    Raises UsageError for an address that is neither a SQLite file nor PostgreSQL. Later, DatabaseDamaged when the
    file is missing, damaged or no database, DatabaseUnavailable when it is busy, full or out of reach.
    """
    try:
        parsed = make_url(f"postgresql{url[8:]}" if url.startswith("postgres:") else url)
    except (ArgumentError, ValueError) as error:
        raise UsageError("the database URL cannot be read; write sqlite:///FILE or postgresql://…") from error
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return _connect_sqlite(parsed)
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return _connect_postgres(parsed)
    raise UsageError(f"{parsed.drivername}: databases are SQLite (sqlite:///FILE) or PostgreSQL (postgresql://…)")


def sqlite_url(path: Path) -> str:
    """Return the URL of a SQLite file, whatever characters its path holds."""
    return f"sqlite:///{quote(str(path), safe='/')}"


def sqlite_version() -> tuple[int, ...]:
    """Return the version of the SQLite library in use."""
    version: tuple[int, ...] = SQLITE.sqlite_version_info
    return version


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Say whether this SQLite is free of the WAL-reset bug (3.7.0 to 3.51.2: a commit racing a checkpoint is lost).

    Fixed in 3.51.3 and back-ported to 3.50.7 and 3.44.6; 3.52.0 was withdrawn. See sqlite.org/wal.html#walresetbug.
    """
    major_minor = version[:2]
    if major_minor == (3, 50):
        return version >= (3, 50, 7)
    if major_minor == (3, 44):
        return version >= (3, 44, 6)
    return version >= (3, 51, 3) and version != (3, 52, 0)


def sqlite_advice(database: Database) -> str | None:
    """Say what an admin should know about this SQLite file and library; None when all is well."""
    if database.path is None:
        return None
    with database.connection() as connection:
        mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar()).upper()
    version = ".".join(map(str, sqlite_version()))
    if wal_is_safe(sqlite_version()):
        if mode == "WAL":
            return None
        return (
            f"{database.path} uses journal mode {mode}, so readers wait while something is written; "
            "stop every process and run: PRAGMA journal_mode=WAL"
        )
    if mode != "WAL":
        return (
            f"SQLite {version} can lose commits in WAL mode, so {database.path} uses {mode}: safe, "
            "but readers wait while something is written; SQLite 3.51.3 or newer allows both"
        )
    return (
        f"SQLite {version} can lose commits in WAL mode and {database.path} uses it: install SQLite 3.51.3 or newer, "
        "or stop every process and run: PRAGMA journal_mode=DELETE"
    )


def _connect_sqlite(url: URL) -> Database:
    if not url.database or url.database == ":memory:":
        raise UsageError("the database must be a file: sqlite:///FILE")
    if url.query:
        raise UsageError("a SQLite address takes no options after '?'; write %3F for a question mark in the path")
    path = Path(url.database)

    def open_file() -> Any:
        # mode=rw: a database that has vanished is an error and is not silently replaced by an empty one.
        return SQLITE.connect(
            _file_uri(path, "rw"), uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_MS / 1000
        )

    engine = create_engine(
        "sqlite://",
        module=SQLITE,
        creator=open_file,
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=32,
        hide_parameters=True,  # an error's text goes into the log, and a row may hold a hash or the key of a link
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        cursor = connection.cursor()
        # FULL: in WAL mode, NORMAL may lose the last commits at power loss, and a sent letter would be sent again.
        for pragma in ("foreign_keys=ON", f"busy_timeout={_BUSY_MS}", "synchronous=FULL", "cache_size=-32768"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> MonitorError | None:
        return explain_sqlite(context.original_exception, path)

    return Database(engine, url, path)


def _connect_postgres(url: URL) -> Database:
    settings = " ".join(f"-c {name}={value}" for name, value in _POSTGRES_SETTINGS.items())
    given = url.query.get("options", "")
    options = f"{settings} {given if isinstance(given, str) else ' '.join(given)}".strip()
    engine = create_engine(
        url.difference_update_query(["options"]),
        pool_pre_ping=True,
        pool_size=8,
        max_overflow=32,
        hide_parameters=True,
        connect_args={"options": options, "connect_timeout": 10, "application_name": "evidence-monitor"},
    )
    name = url.render_as_string(hide_password=True)

    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> MonitorError | None:
        return explain_postgres(context.original_exception, name, disconnected=context.is_disconnect)

    return Database(engine, url, None)


_SQLITE_DAMAGE = {
    "SQLITE_CORRUPT": "the database file is damaged; restore a backup",
    "SQLITE_NOTADB": "this file is not a SQLite database; name another file or restore a backup",
    "SQLITE_CANTOPEN": "the database is missing or may not be opened; `monitor init` creates it",
}
_SQLITE_TROUBLE = {
    "SQLITE_BUSY": "the database is busy with another writer; nothing was stored, try again",
    "SQLITE_LOCKED": "the database is busy with another writer; nothing was stored, try again",
    "SQLITE_FULL": "the disk or the database is full; nothing was stored",
    "SQLITE_IOERR": "the disk does not read or write; nothing was stored",
    "SQLITE_READONLY": "the database may not be written to; nothing was stored",
}


_BEYOND = "no row here can hold such a number or text, so nothing was found and nothing changed; write another"
"""Forms and addresses bring numbers past 64 bits, NUL and halves of characters; no paper and no person has one."""
_TOO_MANY_PARTS = "this search has too many parts for the database; divide it"
_SQLITE_TOO_MANY = (
    "Expression tree is too large",
    "expression tree is too large",
    "parser stack overflow",
    "too many terms in compound SELECT",
    "too many SQL variables",
)
"""Searches alone are made of as many parts as somebody wrote."""


def explain_sqlite(error: BaseException, path: Path) -> MonitorError | None:
    """Return the sentence for a fault of the file or disk, or a value beyond all limits; None for a fault of ours."""
    if isinstance(error, OverflowError | UnicodeEncodeError):
        return UsageError(_BEYOND)
    if any(each in str(error) for each in _SQLITE_TOO_MANY):
        return UsageError(_TOO_MANY_PARTS)
    name = getattr(error, "sqlite_errorname", "") or ""
    for code, sentence in _SQLITE_DAMAGE.items():
        if name.startswith(code):
            return DatabaseDamaged(f"{path}: {sentence}")
    for code, sentence in _SQLITE_TROUBLE.items():
        if name.startswith(code):
            return DatabaseUnavailable(f"{path}: {sentence}")
    return None


_POSTGRES_BUSY = {
    "40001": "two writers collided",
    "40P01": "two writers blocked each other",
    "55P03": "a lock was not free in time",
    "57014": "a statement took too long",
}


def explain_postgres(error: BaseException, name: str, *, disconnected: bool) -> MonitorError | None:
    """Return the sentence for a fault of server or network, or a value beyond all limits; None for a fault of ours."""
    state = getattr(error, "sqlstate", None) or ""
    # numeric_value_out_of_range, character_not_in_repertoire, untranslatable_character; the driver refuses NUL itself
    if (
        isinstance(error, UnicodeEncodeError)
        or state in ("22003", "22021", "22P05")
        or (not state and type(error).__name__ == "DataError")
    ):
        return UsageError(_BEYOND)
    if state == "54001" or (state == "54000" and "tsquery" in str(error)):  # statement_too_complex, a limit
        return UsageError(_TOO_MANY_PARTS)
    first_line = (str(error).strip().splitlines() or ["no reason given"])[0]
    if state in _POSTGRES_BUSY:
        return DatabaseUnavailable(f"{name}: {_POSTGRES_BUSY[state]}; nothing was stored, try again")
    if state in ("XX001", "XX002"):  # data_corrupted, index_corrupted
        return DatabaseDamaged(f"{name}: the database is damaged; restore a backup ({first_line})")
    if state[:2] == "53":
        return DatabaseUnavailable(f"{name}: the server has run out of room; nothing was stored ({first_line})")
    never_connected = type(error).__name__ in ("OperationalError", "ConnectionTimeout") and not state
    if disconnected or never_connected or state[:2] in ("08", "28", "3D") or state[:3] == "57P":
        return DatabaseUnavailable(f"{name}: PostgreSQL is out of reach: {first_line}")
    return None


def _name_if_free(made: Path, path: Path) -> None:
    """Give a finished file its name unless another process was first; then theirs stands."""
    try:
        os.link(made, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            made.rename(path)


def _file_uri(path: Path, mode: str) -> str:
    return f"file:{quote(str(path.absolute()))}?mode={mode}"
