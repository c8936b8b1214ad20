"""This week: what happened, what is new, and whether the searches ran."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import Response

from monitor.web.pages import Pages
from monitor.web.site import Site


def add_routes(app: FastAPI, _site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    @app.api_route("/", methods=["GET", "HEAD"], response_model=None)
    def week(request: Request) -> Response:
        return pages.write(request, "week/week")
