"""Pages of issues, feeds, leaving in one click, and health; the curation desk will move in beside them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from monitor.core.health import Finding, headline, report
from monitor.errors import MonitorError
from monitor.mail.links import Links
from monitor.services.feeds import Feeds
from monitor.services.subscribing import Subscribing
from monitor.storage import issues
from monitor.storage.engine import Database
from monitor.storage.issues import IssueLine, IssuePage
from monitor.web.feeds import FeedPages
from monitor.web.pages import Pages, static_file
from monitor.web.safety import LETTER_POLICY, Guard, from_this_machine

ISSUES_SHOWN = 200
HEALTH_SECONDS = 5.0
"""How old an answer of /healthz to other machines may be, so that asking often costs little."""
_NAME = re.compile(r"[A-Za-z0-9_-]{8,64}")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages need; plain services and values."""

    database: Database
    subscribing: Subscribing
    findings: Callable[[], Sequence[Finding]]
    write_issue: Callable[[IssuePage], str]
    feeds: Feeds
    links: Links
    public_url: str
    name: str


def create_app(site: Site) -> ASGIApp:
    """Return the whole application, safe against the open network."""
    app = FastAPI(title="Evidence Monitor", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    pages = Pages(site.name, urlsplit(site.public_url).path.rstrip("/"))
    lately = _Lately(site.findings)

    feed_pages = FeedPages(site.feeds, site.links, pages, site.name)

    def local(request: Request) -> bool:
        return from_this_machine(request, site.public_url)

    def page(path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
        return app.api_route(path, methods=["GET", "HEAD"], response_model=None)

    @page("/")
    def front(request: Request) -> Response:
        if not local(request):
            return pages.write("front")
        with site.database.read() as session:
            found = issues.archive(session, ISSUES_SHOWN)
        return pages.write(
            "issues", local=True, weeks=_weeks(found, site.name), most=ISSUES_SHOWN, more=len(found) == ISSUES_SHOWN
        )

    @page("/issues/{key}")
    def issue(key: str) -> Response:
        found = None
        if name := _name(key):
            with site.database.read() as session:
                found = issues.by_key(session, name)
        if found is None:
            return pages.error(404, what="issue")
        return HTMLResponse(site.write_issue(found), headers={"Content-Security-Policy": LETTER_POLICY})

    @page("/feeds/{file}")
    def feed(request: Request, file: str) -> Response:
        return feed_pages.answer(file, request.headers)

    @page("/u/{token}")
    def ask_to_leave(token: str) -> Response:
        name = _name(token)
        left = site.subscribing.by_token(name) if name else None
        if left is None or left.already:
            return pages.write("left", address=left and left.address, just_now=False)
        return pages.write("leave", token=name, address=left.address)

    @app.post("/u/{token}", response_model=None)
    def leave(token: str) -> Response:
        name = _name(token)
        left = site.subscribing.unsubscribe_by_token(name) if name else None
        return pages.write("left", address=left and left.address, just_now=True)

    @page("/health")
    def health(request: Request) -> Response:
        if not local(request):
            return pages.error(403, what="health")
        found = site.findings()
        return pages.write("health", local=True, headline=headline(found), findings=found)

    @page("/healthz")
    def healthz(request: Request) -> Response:
        """Answer 200 while all promises hold, else 503; details only to this machine."""
        near = local(request)
        try:
            body = report(site.findings() if near else lately())
        except MonitorError as error:
            log.error("health cannot be told", reason=str(error))
            body = {"status": "problem"}
        return JSONResponse(body if near else {"status": body["status"]}, 200 if body["status"] == "ok" else 503)

    @page("/robots.txt")
    def robots() -> Response:
        return PlainTextResponse("User-agent: *\nDisallow: /\n")

    page("/static/{mark}/{file}")(static_file)

    @app.exception_handler(HTTPException)
    def known(_request: Request, error: HTTPException) -> Response:
        answer = pages.error(error.status_code, what="page")
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(MonitorError)
    def out_of_reach(_request: Request, error: MonitorError) -> Response:
        log.error("request failed", reason=str(error))
        return pages.error(503, what="database")

    @app.exception_handler(Exception)
    def unexpected(_request: Request, _error: Exception) -> Response:
        return pages.error(500, what="fault")  # raised again for the guard, which writes it down

    return Guard(app, site.public_url, lambda _scope: pages.error(500, what="fault"))


class _Lately:
    """Findings that are at most a few seconds old."""

    def __init__(self, find: Callable[[], Sequence[Finding]]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._until = 0.0
        self._found: Sequence[Finding] = ()

    def __call__(self) -> Sequence[Finding]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = self._find()
                self._until = time.monotonic() + HEALTH_SECONDS
            return self._found


def _name(text: str) -> str | None:
    """Return the key or token a link names, without what a mail program may have glued to its end."""
    found = _NAME.match(text)
    return found[0] if found else None


def _weeks(found: Sequence[IssueLine], name: str) -> list[dict[str, Any]]:
    """Group issues, newest first, by the day they are of."""
    newest = sorted(found, key=lambda each: each.slot, reverse=True)
    return [
        {
            "label": label,
            "slot": slot,
            "issues": [
                {
                    "key": each.key,
                    # Name and week stand above the list already.
                    "subject": re.sub(r" \[[^]]*\]$", "", each.subject.removeprefix(f"{name}: ")),
                    "topics": ", ".join(each.topics),
                    "people": each.deliveries,
                }
                for each in lines
            ],
        }
        for (slot, label), lines in groupby(newest, key=lambda each: (each.slot, each.label))
    ]
