"""Write the log of events as CSV for spreadsheets and as JSON Lines for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from monitor.formats.table import safe

COLUMNS = ("id", "at", "actor", "role", "action", "subject", "before", "after")


class Event(Protocol):
    """What is written of an event."""

    @property
    def id(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def actor(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def before(self) -> Mapping[str, Any] | None: ...
    @property
    def after(self) -> Mapping[str, Any] | None: ...


def write_csv(events: Iterable[Event]) -> Iterator[str]:
    """Yield the byte order mark and the head, then one row at a time; no cell is run as a formula."""
    yield "\ufeff" + _row(COLUMNS)
    for each in events:
        cells = (str(each.id), each.at.isoformat(), each.actor, each.role, each.action, each.subject)
        yield _row((*map(safe, cells), _json(each.before), _json(each.after)))


def write_jsonl(events: Iterable[Event]) -> Iterator[str]:
    """Yield one object a line; moments in ISO 8601, UTC."""
    for each in events:
        values = {name: getattr(each, name) for name in COLUMNS} | {"at": each.at.isoformat()}
        yield json.dumps(values, ensure_ascii=False) + "\n"


def _json(value: Mapping[str, Any] | None) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _row(values: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(values)
    return out.getvalue()
