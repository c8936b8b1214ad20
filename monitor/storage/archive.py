"""Every row as a portable file, and back: one zip with a manifest and, for each table, JSON Lines under zstd.

A line is a JSON array in the order of the manifest's columns. Bytes are base64, moments RFC 3339 in UTC. The
manifest names for each column what kind of value it holds, so that an archive can be read without this code.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any, Final

import msgspec
import psycopg
import zstandard
from psycopg.types.json import Json
from sqlalchemy import JSON, Boolean, Connection, Date, Double, Float, Integer, LargeBinary, Table, Text, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from monitor.errors import UsageError
from monitor.storage.bulk import batches, sqlite_moment
from monitor.storage.engine import SQLITE, Database, connect, explain_sqlite, sqlite_url
from monitor.storage.tables import Base, IndexRow, IndexStateRow, UtcDateTime

FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (UtcDateTime, "moment"),
    (Date, "date"),
    (JSON, "json"),
    (Boolean, "bool"),
    (Integer, "int"),
    (Float, "float"),
    (Double, "float"),
    (LargeBinary, "bytes"),
    (Text, "text"),
)
_DERIVED: Final = frozenset({IndexRow.__tablename__, IndexStateRow.__tablename__})
"""The search index: what is put back is indexed by the code that puts it back."""
_ROWS: Final = 1000
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


class TableContent(msgspec.Struct):
    """What the archive holds of one table; `checksum` is the blake2b of its lines before compression."""

    name: str
    columns: list[tuple[str, str]]
    rows: int
    checksum: str


class Manifest(msgspec.Struct):
    """What an archive holds, in an order in which rows can be put back."""

    format: int
    made_by: str
    made_at: datetime
    schema: str
    tables: list[TableContent]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


@contextmanager
def snapshot(database: Database, folder: Path) -> Iterator[Session]:
    """Give a session that sees one moment of the database and holds up no writer while it is read.

    SQLite is first copied whole within one short transaction, into `folder`.
    """
    if database.path is None:
        with database.read() as session:
            session.execute(text("SET LOCAL statement_timeout = 0"))
            session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            yield session
        return
    copy = folder / "snapshot.db"
    with database.connection() as source:
        driver: Any = source.connection.driver_connection
        try:
            with closing(SQLITE.connect(copy)) as target:
                driver.backup(target)
        except SQLITE.DatabaseError as error:
            raise explain_sqlite(error, database.path) or error from error
    copied = connect(sqlite_url(copy))
    try:
        with copied.read() as session:
            yield session
    finally:
        copied.dispose()


def write(session: Session, file: IO[bytes], *, schema: str, made_by: str, made_at: datetime) -> Manifest:
    """Write every row of every table."""
    manifest = Manifest(FORMAT, made_by, made_at, schema, [])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for table in _tables():
            with archive.open(_entry(table.name), "w", force_zip64=True) as raw:
                manifest.tables.append(_write_table(session, table, raw))
        archive.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
    return manifest


def verify(path: Path) -> Manifest:
    """Read the whole archive and return its manifest; raises UsageError when anything is missing or altered."""
    with _opened(path) as (archive, manifest):
        for table in manifest.tables:
            for _ in _lines(archive, table):
                pass
    return manifest


def put_back(connection: Connection, path: Path) -> Manifest:
    """Insert every row of an archive whose schema the database has; the caller's transaction is all or nothing."""
    into = _into_sqlite if connection.dialect.name == "sqlite" else _into_postgres
    with _opened(path) as (archive, manifest):
        for table in manifest.tables:
            try:
                into(connection, table, _rows(archive, table))
            except (DBAPIError, psycopg.Error) as error:
                raise _refusal(error, table.name, path) from error
    if connection.dialect.name == "postgresql":
        _move_sequences(connection)
    return manifest


def _refusal(error: DBAPIError | psycopg.Error, table: str, path: Path) -> ValueError | UsageError:
    """Tell rows that contradict each other, so that the archive is no backup of ours, from what a database refuses."""
    why = str(error).splitlines()[0]
    if isinstance(error, IntegrityError | psycopg.IntegrityError):
        return ValueError(f"the rows of {table} do not fit the schema: {why}")
    return UsageError(
        f"{path}: this database does not take the rows of {table} ({why}); the backup is whole, and nothing was restored"
    )


def is_empty(connection: Connection) -> bool:
    """Say whether no table of ours holds a row."""
    return all(connection.execute(select(1).select_from(each).limit(1)).first() is None for each in _tables())


def _tables() -> list[Table]:
    return [table for table in Base.metadata.sorted_tables if table.name not in _DERIVED]


def _entry(table: str) -> str:
    return f"{table}.jsonl.zst"


def _write_table(session: Session, table: Table, raw: IO[bytes]) -> TableContent:
    columns = [(str(column.name), _kind(column.type)) for column in table.columns]
    checksum = hashlib.blake2b(digest_size=32)
    encoder = msgspec.json.Encoder()
    rows = 0
    found = session.connection().execute(
        select(table).order_by(*table.primary_key.columns),
        execution_options={"stream_results": True, "yield_per": _ROWS},
    )
    with zstandard.ZstdCompressor(level=6, write_checksum=True).stream_writer(raw, closefd=False) as packed:
        for part in found.partitions():
            lines = encoder.encode_lines([tuple(row) for row in part])
            checksum.update(lines)
            packed.write(lines)
            rows += len(part)
    return TableContent(str(table.name), columns, rows, checksum.hexdigest())


def _kind(kind: Any) -> str:
    for cls, name in _KINDS:
        if isinstance(kind, cls):
            return name
    raise TypeError(f"a column of type {kind} cannot be archived")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = msgspec.json.decode(archive.read(_MANIFEST), type=Manifest)
            if manifest.format != FORMAT:
                raise UsageError(f"{path}: this backup has format {manifest.format}, which this version cannot read")
            for name in (n for table in manifest.tables for n in (table.name, *(c for c, _ in table.columns))):
                if not _NAME.fullmatch(name):
                    raise ValueError(f"{name!r} is no name of a table or column")
            yield archive, manifest
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such backup") from error
    except (
        zipfile.BadZipFile,
        KeyError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        zstandard.ZstdError,
        msgspec.MsgspecError,
    ) as error:
        raise UsageError(f"{path}: the backup is damaged or not one of ours ({error}); nothing was restored") from error
    except OSError as error:
        raise UsageError(f"{path}: the backup cannot be read ({error}); nothing was restored") from error


def _lines(archive: zipfile.ZipFile, table: TableContent) -> Iterator[bytes]:
    checksum = hashlib.blake2b(digest_size=32)
    rows = 0
    with (
        archive.open(_entry(table.name)) as raw,
        zstandard.ZstdDecompressor().stream_reader(raw) as packed,
        io.BufferedReader(packed, 2**20) as lines,
    ):
        for line in lines:
            checksum.update(line)
            rows += 1
            yield line
    if checksum.hexdigest() != table.checksum or rows != table.rows:
        raise ValueError(f"the rows of {table.name} are not those that were written")


def _rows(archive: zipfile.ZipFile, table: TableContent) -> Iterator[list[Any]]:
    decoder = msgspec.json.Decoder(list)
    readers = [(at, _READERS[kind]) for at, (_, kind) in enumerate(table.columns) if kind in _READERS]
    for line in _lines(archive, table):
        row = decoder.decode(line)
        if len(row) != len(table.columns):
            raise ValueError(f"a row of {table.name} has {len(row)} values")
        for at, read in readers:
            if row[at] is not None:
                row[at] = read(row[at])
        yield row


def _moment(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC)


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "moment": _moment,
    "date": date.fromisoformat,
    "bytes": base64.b64decode,
    "float": float,
}
_SQLITE_WRITERS: Final[dict[str, Callable[[Any], Any]]] = {
    "moment": sqlite_moment,
    "date": date.isoformat,
    "bool": int,
    "json": lambda value: msgspec.json.encode(value).decode(),
}


def _into_sqlite(connection: Connection, table: TableContent, rows: Iterator[list[Any]]) -> None:
    names = ", ".join(f'"{name}"' for name, _ in table.columns)
    marks = ", ".join("?" * len(table.columns))
    writers = [(at, _SQLITE_WRITERS[kind]) for at, (_, kind) in enumerate(table.columns) if kind in _SQLITE_WRITERS]
    for batch in batches(rows, _ROWS):
        for row in batch:
            for at, write_value in writers:
                if row[at] is not None:
                    row[at] = write_value(row[at])
        connection.exec_driver_sql(
            f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})',  # noqa: S608
            [tuple(row) for row in batch],
        )


def _into_postgres(connection: Connection, table: TableContent, rows: Iterator[list[Any]]) -> None:
    types: dict[str, str] = dict(
        connection.execute(
            text("SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = :table"),
            {"table": table.name},
        ).all()
    )
    jsons = [at for at, (_, kind) in enumerate(table.columns) if kind == "json"]
    names = ", ".join(f'"{name}"' for name, _ in table.columns)
    driver: Any = connection.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN (FORMAT BINARY)') as copy,
    ):
        copy.set_types([types[name] for name, _ in table.columns])
        for row in rows:
            for at in jsons:
                if row[at] is not None:
                    row[at] = Json(row[at])
            copy.write_row(row)


def _move_sequences(connection: Connection) -> None:
    """Let each sequence go on after the highest number that came in."""
    owned = connection.execute(
        text(
            "SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name) "
            "FROM information_schema.columns WHERE table_schema = current_schema() "
            "AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL"
        )
    ).all()
    for table, column, sequence in owned:
        connection.execute(
            text(f'SELECT setval(:sequence, max("{column}")) FROM "{table}" HAVING max("{column}") IS NOT NULL'),  # noqa: S608
            {"sequence": sequence},
        )
