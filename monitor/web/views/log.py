"""The log: who did what to what and when, filtered, paged and exported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from monitor.core.deeds import differences
from monitor.core.slots import instant
from monitor.errors import UsageError
from monitor.formats.log import write_csv, write_jsonl
from monitor.services.subscribing import zone_of
from monitor.storage import events
from monitor.web.entering import Known, Visitor
from monitor.web.pages import Pages
from monitor.web.site import Site

PAGE = 50
_BATCH = 1000
_NOBODY = "0"


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as it was typed."""

    person: str = ""
    action: str = ""
    subject: str = ""
    since: str = ""
    until: str = ""

    def read(self, zone: ZoneInfo) -> events.Filter:
        """Return the filter; days are days of the reader's zone, both included. Raises UsageError."""
        since, until = _day(self.since), _day(self.until)
        if since is not None and until is not None and until < since:
            raise UsageError("the last day is before the first")
        return events.Filter(
            actor_id=_number(self.person) if self.person else None,
            action=_plain(self.action),
            subject=_plain(self.subject),
            since=_midnight(since, zone),
            until=_midnight(until + timedelta(days=1), zone) if until is not None else None,
        )

    def query(self, **more: object) -> str:
        """Return what stands behind the question mark of a page with this filter."""
        given = {name: getattr(self, name) for name in self.__slots__} | more
        return urlencode({name: value for name, value in given.items() if value})


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    @app.api_route("/admin/log", methods=["GET", "HEAD"], response_model=None)
    def log(
        request: Request,
        who: Known,
        person: str = "",
        action: str = "",
        subject: str = "",
        since: str = "",
        until: str = "",
        before: str = "",
    ) -> Response:
        asked = Asked(person, action, subject, since, until)
        wrong, found = None, []
        try:
            chosen, older = asked.read(_zone(who, site)), _number(before) if before else None
        except UsageError as error:
            wrong = str(error)
        with site.database.read() as session:
            if wrong is None:
                found = events.page(session, chosen, PAGE + 1, older)
            actions = events.actions(session)
        return pages.write(
            request,
            "log/log",
            200 if wrong is None else 422,
            wrong=wrong,
            asked=asked,
            events=found[:PAGE],
            older=asked.query(before=found[PAGE - 1].id) if len(found) > PAGE else None,
            newest=asked.query() if before else None,
            people=site.people.everyone(),
            kinds=[(kind, list(names)) for kind, names in groupby(actions, lambda each: each.partition(".")[0])],
            differences=differences,
            nobody=_NOBODY,
        )

    @app.api_route("/admin/log/export", methods=["GET", "HEAD"], response_model=None)
    def export(
        who: Known,
        form: str = "csv",
        person: str = "",
        action: str = "",
        subject: str = "",
        since: str = "",
        until: str = "",
    ) -> Response:
        if form not in ("csv", "jsonl"):
            raise UsageError("the log is exported as csv or jsonl")
        chosen = Asked(person, action, subject, since, until).read(_zone(who, site))
        lines = (write_csv if form == "csv" else write_jsonl)(_all(site, chosen))
        kind = "text/csv; charset=utf-8" if form == "csv" else "application/x-ndjson; charset=utf-8"
        name = f"log-{site.clock.now():%Y-%m-%d}.{form}"
        return StreamingResponse(
            lines, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )


def _all(site: Site, chosen: events.Filter) -> Iterator[events.Entry]:
    """Yield every event of a filter, the newest first, without holding one transaction open for a slow reader."""
    older: int | None = None
    while True:
        with site.database.read() as session:
            found = events.page(session, chosen, _BATCH, older)
        yield from found
        if len(found) < _BATCH:
            return
        older = found[-1].id


def _zone(who: Visitor, site: Site) -> ZoneInfo:
    held = who.person.subscription
    return (zone_of(held) if held is not None else None) or ZoneInfo(site.zone)


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return instant(day, 0, zone) if day is not None else None


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{text[:40]!r} is not a day like 2026-11-23") from None
    if not 1970 <= found.year <= 2999:
        raise UsageError(f"{text[:40]!r} is a day without events; write one like 2026-11-23")
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise UsageError("the address of this page was changed; choose the filter again")
    return int(text)


def _plain(text: str) -> str | None:
    """Return a word to look for; no event holds a NUL, which PostgreSQL would refuse."""
    return text.replace("\0", "").strip()[:200] or None
