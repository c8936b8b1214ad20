"""Everything that is held about one person, table by table, without what lets somebody in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Table, or_, select
from sqlalchemy.orm import Session

from monitor.core.people import Person
from monitor.storage.tables import Base

SECRET: Final = frozenset({"token", "token_hash", "password_hash", "key"})
"""Columns that hold what opens a door, plain or hashed."""
_TABLES: Final = Base.metadata.tables


def everything(session: Session, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Return every row that names this person, by table, in the order they were written.

    A table that names people needs no entry here: its foreign keys say so. What is theirs only by way of another row
    (topics of a subscription, attempts and bounces of a delivery, mail that is stopped) is added.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for table in Base.metadata.sorted_tables:
        theirs = [column == person.id for column in table.columns if names_a_person(column)]
        if table.name == "person":
            theirs = [table.c.id == person.id]
        if table.name == "event":
            theirs.append(table.c.subject == f"person:{person.id}")
        if theirs:
            found[table.name] = _rows(session, table, or_(*theirs))
    subscriptions = [each["id"] for each in found["subscription"]]
    deliveries = [each["id"] for each in found["delivery"]]
    issues = {each["issue_id"] for each in found["delivery"]}
    for name, column, numbers in (
        ("subscription_topic", "subscription_id", subscriptions),
        ("attempt", "delivery_id", deliveries),
        ("bounce", "delivery_id", deliveries),
        ("issue_entry", "issue_id", issues),
    ):
        found[name] = _rows(session, _TABLES[name], _TABLES[name].c[column].in_(numbers))
    issue = _TABLES["issue"].c
    chosen = select(issue.id, issue.slot, issue.label, issue.language, issue.subject, issue.text)
    found["issue"] = [
        _plain(row) for row in session.execute(chosen.where(issue.id.in_(issues)).order_by(issue.id)).mappings()
    ]
    key = session.scalar(select(_TABLES["person"].c.address_key).where(_TABLES["person"].c.id == person.id))
    suppression = _TABLES["suppression"]
    found["suppression"] = _rows(session, suppression, suppression.c.address_key == key)
    return found


def names_a_person(column: Column[Any]) -> bool:
    return any(each.target_fullname == "person.id" for each in column.foreign_keys)


def _rows(session: Session, table: Table, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    shown = [column for column in table.columns if column.name not in SECRET]
    order: Iterable[Any] = table.primary_key.columns
    return [_plain(row) for row in session.execute(select(*shown).where(where).order_by(*order)).mappings()]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row as JSON has it; fingerprints of what was read are no words of anybody's and are left out."""
    return {
        str(name): value.isoformat() if isinstance(value, datetime | date) else value
        for name, value in row.items()
        if not isinstance(value, bytes)
    }
