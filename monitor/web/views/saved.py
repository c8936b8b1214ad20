"""Saved searches: run, followed by feed, renamed and forgotten."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from monitor.core.query.refining import narrowed
from monitor.errors import NotFound, QuerySyntaxError, UsageError
from monitor.services.saved import may_change
from monitor.storage.saved import SavedSearch
from monitor.web.entering import Known, Visitor
from monitor.web.pages import Pages
from monitor.web.site import Site

LATELY = '"last 7 days"[added]'


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    def listed(request: Request, who: Visitor, status: int = 200, **more: Any) -> Response:
        known = {"wrong": None, "typed": {}, "at": None, **more}
        held = [_told(site, each, who) for each in site.saved.all()]
        return pages.write(request, "saved/saved", status, searches=held, **known)

    def one(number: str) -> SavedSearch:
        found = next((each for each in site.saved.all() if str(each.id) == number), None)
        if found is None:
            raise NotFound("There is no such saved search; it may have been forgotten. Nothing was changed")
        return found

    @app.api_route("/searches", methods=["GET", "HEAD"], response_model=None)
    def searches(request: Request, who: Known) -> Response:
        return listed(request, who)

    @app.post("/searches", response_model=None)
    def save(
        request: Request, who: Known, name: Annotated[str, Form()] = "", query: Annotated[str, Form()] = ""
    ) -> Response:
        try:
            kept = site.saved.save(name, query, actor=who.actor)
        except (UsageError, QuerySyntaxError) as error:
            return listed(request, who, 422, wrong=str(error), typed={"name": name, "query": query})
        return RedirectResponse(f"{pages.root}/searches#s{kept.id}", 303)

    @app.post("/searches/{number}/rename", response_model=None)
    def rename(request: Request, number: str, who: Known, name: Annotated[str, Form()] = "") -> Response:
        held = one(number)
        try:
            site.saved.rename(held.name, name, actor=who.actor)
        except UsageError as error:
            return listed(request, who, 422, wrong=str(error), typed={"rename": name}, at=held.id)
        return RedirectResponse(f"{pages.root}/searches#s{held.id}", 303)

    @app.post("/searches/{number}/forget", response_model=None)
    def forget(number: str, who: Known) -> Response:
        site.saved.forget(one(number).name, actor=who.actor)
        return RedirectResponse(f"{pages.root}/searches", 303)


def _told(site: Site, held: SavedSearch, who: Visitor) -> dict[str, Any]:
    """Say how many papers a search finds, or why it cannot be asked any more."""
    try:
        total, lately = site.library.count(held.query), site.library.count(narrowed(held.query, LATELY))
        broken = None
    except (UsageError, QuerySyntaxError) as error:
        total, lately, broken = 0, 0, str(error)
    return {
        "held": held,
        "total": total,
        "lately": lately,
        "broken": broken,
        "run": f"/papers?q={quote('@' + held.name)}",
        "atom": site.links.feed(held.key),
        "json": site.links.feed(held.key, "json"),
        "mine": may_change(held, who.actor),
    }
