"""Many rows at once below the ORM: executemany on SQLite; COPY and arrays on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from itertools import islice
from typing import Any, TypeVar, cast

import psycopg
from psycopg.types.json import Json
from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Double, Float, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, Session

from monitor.storage.engine import explain_postgres
from monitor.storage.tables import UtcDateTime

BATCH = 500
"""Rows a statement takes at most, so that other writers never wait long."""

Row = Sequence[Any]
Mapped = type[DeclarativeBase]
T = TypeVar("T")


def is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def insertion(session: Session, mapped: Mapped) -> Any:
    """Begin an INSERT of the session's dialect, for it can go on with ON CONFLICT."""
    return (sqlite_insert if is_sqlite(session) else postgres_insert)(mapped)


def insert(session: Session, mapped: Mapped, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Insert rows whose values stand in the order of `columns`; a row that is already there is an error.

    PostgreSQL stores the first rows while a generator still makes the last.
    """
    if is_sqlite(session):
        statement, ready = _sqlite_insert(mapped, columns)
        values = [ready(row) for row in rows]
        if values:
            session.connection().exec_driver_sql(statement, values)
        return
    statement, types, ready = _postgres_copy(mapped, columns)
    with raw_postgres(session) as connection, connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(ready(row))


def update(session: Session, mapped: Mapped, key: str, columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Set `columns` where `key` equals the first value of a row to the other values of that row."""
    if not rows:
        return
    if is_sqlite(session):
        statement, ready = _sqlite_update(mapped, key, columns)
        session.connection().exec_driver_sql(statement, [(*each[1:], each[0]) for each in map(ready, rows)])
        return
    # One statement for all rows: values travel as arrays.
    statement, ready = _postgres_update(mapped, key, columns)
    with raw_postgres(session) as connection:
        connection.execute(statement.encode(), [list(each) for each in zip(*map(ready, rows), strict=True)])


@contextmanager
def raw_postgres(session: Session) -> Iterator[psycopg.Connection[Any]]:
    """Give the psycopg connection of the session's transaction; its faults become sentences as everywhere."""
    connection = session.connection()
    raw = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    try:
        yield raw
    except psycopg.Error as error:
        name = connection.engine.url.render_as_string(hide_password=True)
        explained = explain_postgres(error, name, disconnected=raw.closed)
        if explained is None:
            raise
        raise explained from error


def batches(values: Sequence[T] | Iterator[T], size: int = BATCH) -> Iterator[list[T]]:
    """Cut values into lists of at most `size`."""
    source = iter(values)
    while part := list(islice(source, size)):
        yield part


def sqlite_moment(value: datetime) -> str:
    """Write a moment as SQLAlchemy stores it in SQLite: UTC, microseconds, no zone."""
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


@cache
def _sqlite_insert(mapped: Mapped, columns: tuple[str, ...]) -> tuple[str, Callable[[Row], Row]]:
    marks = ", ".join("?" * len(columns))
    return f'INSERT INTO "{_table(mapped).name}" ({_names(columns)}) VALUES ({marks})', _ready(mapped, columns, _SQLITE)  # noqa: S608


@cache
def _sqlite_update(mapped: Mapped, key: str, columns: tuple[str, ...]) -> tuple[str, Callable[[Row], Row]]:
    sets = ", ".join(f'"{name}" = ?' for name in columns)
    statement = f'UPDATE "{_table(mapped).name}" SET {sets} WHERE "{key}" = ?'  # noqa: S608
    return statement, _ready(mapped, (key, *columns), _SQLITE)


@cache
def _postgres_copy(mapped: Mapped, columns: tuple[str, ...]) -> tuple[str, list[str], Callable[[Row], Row]]:
    table = _table(mapped)
    types = [_postgres_type(table.c[name]) for name in columns]
    statement = f'COPY "{table.name}" ({_names(columns)}) FROM STDIN (FORMAT BINARY)'
    return statement, types, _ready(mapped, columns, _POSTGRES)


@cache
def _postgres_update(mapped: Mapped, key: str, columns: tuple[str, ...]) -> tuple[str, Callable[[Row], Row]]:
    table = _table(mapped)
    arrays = ", ".join(f"%s::{_postgres_type(table.c[name])}[]" for name in (key, *columns))
    sets = ", ".join(f'"{name}" = v."{name}"' for name in columns)
    statement = (
        f'UPDATE "{table.name}" AS t SET {sets} FROM unnest({arrays}) AS v ({_names((key, *columns))}) '  # noqa: S608
        f'WHERE t."{key}" = v."{key}"'
    )
    return statement, _ready(mapped, (key, *columns), _POSTGRES)


_SQLITE: dict[type, Callable[[Any], Any]] = {
    JSON: json.dumps,
    UtcDateTime: sqlite_moment,
    Date: date.isoformat,
    Boolean: int,
}
_POSTGRES: dict[type, Callable[[Any], Any]] = {JSON: Json}
_POSTGRES_TYPES = {
    UtcDateTime: "timestamptz",
    BigInteger: "int8",
    Integer: "int4",
    Text: "text",
    LargeBinary: "bytea",
    Boolean: "bool",
    Date: "date",
    Float: "float8",
    Double: "float8",
    JSON: "json",
}


def _ready(mapped: Mapped, columns: tuple[str, ...], writers: dict[type, Callable[[Any], Any]]) -> Callable[[Row], Row]:
    """Return what turns a row of Python values into values the driver takes."""
    table = _table(mapped)
    found = [(at, writers.get(type(table.c[name].type))) for at, name in enumerate(columns)]
    changes = [(at, write) for at, write in found if write is not None]
    if not changes:
        return lambda row: row

    def ready(row: Row) -> Row:
        values = list(row)
        for at, write in changes:
            if values[at] is not None:
                values[at] = write(values[at])
        return tuple(values)

    return ready


def _postgres_type(column: Column[Any]) -> str:
    return _POSTGRES_TYPES[type(column.type)]


def _table(mapped: Mapped) -> Table:
    return cast(Table, mapped.__table__)


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
