"""The JSON API for programs, below `/api/v1`: the pages' services, asked with a token; one module a noun."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.routing import Match

from monitor.web.api import citations, decisions, document, facets, issues, me, page, polls, steps, tags, topics
from monitor.web.api.adding import Api
from monitor.web.pages import Pages
from monitor.web.site import Site

NOUNS = (me, citations, facets, decisions, tags, steps, topics, polls, issues)


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add every route of the API, its description for programs, and the page about it for people."""
    api = Api(app)
    for noun in NOUNS:
        noun.add_routes(api, site)
    document.add_routes(app, api, pages.root)
    page.add_routes(app, site, pages)


def with_methods(app: FastAPI, request: Request, error: HTTPException) -> HTTPException:
    """Name in a 405 every method of the address; the framework names those of the first route that it meets there."""
    if error.status_code != 405:
        return error
    found = {
        method
        for route in app.routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
    return HTTPException(405, headers={"Allow": ", ".join(sorted(found))})
