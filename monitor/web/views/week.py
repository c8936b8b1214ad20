"""This week: what was corrected, what to read first, what is new, and whether the searches ran."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import Response

from monitor.web.entering import Known
from monitor.web.pages import Pages
from monitor.web.site import Site
from monitor.web.views.papers import labels


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    @app.api_route("/", methods=["GET", "HEAD"], response_model=None)
    def week(request: Request, who: Known) -> Response:
        found = site.weeks.of(who.person)
        label = labels(site, pages.language(request))
        return pages.write(request, "week/week", week=found, label=label, since=f"{found.since:%Y/%m/%d}:3000[added]")
