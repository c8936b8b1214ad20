"""Runs: every poll with what it asked and what came of it, and new ones on demand."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from monitor.errors import NotFound, UsageError
from monitor.web.entering import Known
from monitor.web.pages import Pages
from monitor.web.site import Site

_ALL, _CHECK = "all", "-"


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    def listed(request: Request, status: int = 200, **more: Any) -> Response:
        asked = request.query_params
        of, state = asked.get("of", _ALL), asked.get("state", "")
        before = _number(asked.get("before", ""))
        page = site.runs.page(topic={_ALL: None, _CHECK: ""}.get(of, of), state=state or None, before=before)
        states = site.topics.all(retired=True)
        narrowed = {name: value for name, value in (("of", of), ("state", state)) if value not in ("", _ALL)}
        living = [(each.stored.id, each.stored.topic.title) for each in states if each.stored.retired_at is None]
        context = {
            "page": page,
            "of": of,
            "state": state,
            "topics": living,
            "every": [(each.stored.id, each.stored.topic.title) for each in states],
            "titles": {each.stored.id: each.stored.topic.title for each in states},
            "chosen": of if of in dict(living) else None,
            "moving": (bool(page.waiting) and page.worker_alive)
            or any(each.poll.state == "running" for each in page.runs),
            "here": "/admin/runs" + (f"?{urlencode(narrowed)}" if narrowed else ""),
            "older": urlencode({**narrowed, "before": page.before}),
            "asked": asked.get("asked"),
            "wrong": None,
            **more,
        }
        return pages.write(request, "runs/runs", status, **context)

    @app.api_route("/admin/runs", methods=["GET", "HEAD"], response_model=None)
    def runs(request: Request) -> Response:
        return listed(request)

    @app.post("/admin/runs", response_model=None)
    def ask(
        request: Request,
        who: Known,
        topic: Annotated[str, Form()] = "",
        lane: Annotated[str, Form()] = "",
        kind: Annotated[str, Form()] = "window",
    ) -> Response:
        try:
            added = site.runs.ask(topic, who.actor, lane=lane or None, kind=kind)
        except (UsageError, NotFound) as error:
            return listed(request, 422, wrong=str(error))
        return RedirectResponse(f"{pages.root}/admin/runs?asked={'new' if added else 'old'}", 303)

    @app.api_route("/admin/runs/{number}", methods=["GET", "HEAD"], response_model=None)
    def run(request: Request, number: str) -> Response:
        found = _number(number)
        if found is None:
            raise NotFound(f"There is no run {number[:40]}")
        return pages.write(request, "runs/run", run=site.runs.one(found))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
