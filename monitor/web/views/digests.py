"""Digests: the archive of issues, and what was sent to oneself with what has happened to it since."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import Response

from monitor.storage import issues, outbox
from monitor.web.entering import Known
from monitor.web.pages import Pages
from monitor.web.site import Site

PAGE: Final = 40
MINE: Final = 15


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    @app.api_route("/digests", methods=["GET", "HEAD"], response_model=None)
    def archive(request: Request, who: Known, before: int | None = None) -> Response:
        with site.database.read() as session:
            lines = issues.archive(session, PAGE + 1, before)
            mine = {each.key for each in outbox.of_person(session, who.person.id, limit=200)}
        shown = lines[:PAGE]
        days = [(date.fromisoformat(day), list(several)) for day, several in groupby(shown, key=lambda line: line.slot)]
        more = shown[-1].id if len(lines) > PAGE else None
        return pages.write(request, "digests/archive", days=days, mine=mine, more=more, before=before)

    @app.api_route("/digests/mine", methods=["GET", "HEAD"], response_model=None)
    def mine(request: Request, who: Known, before: int | None = None) -> Response:
        with site.database.read() as session:
            lines = outbox.of_person(session, who.person.id, before, MINE + 1)
            papers = outbox.papers(session, [line.id for line in lines[:MINE]])
        letters = [(line, date.fromisoformat(line.slot), papers[line.id]) for line in lines[:MINE]]
        more = lines[MINE - 1].id if len(lines) > MINE else None
        return pages.write(request, "digests/mine", letters=letters, more=more, before=before)
