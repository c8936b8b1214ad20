"""What an unguessable link leads to without signing in: issues, feeds, leaving; and what programs ask."""

from __future__ import annotations

import re

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from monitor.storage import issues
from monitor.web.feeds import FeedPages
from monitor.web.pages import Pages, static_file
from monitor.web.safety import LETTER_POLICY
from monitor.web.site import Site

_NAME = re.compile(r"[A-Za-z0-9_-]{8,64}")


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""
    feed_pages = FeedPages(site.feeds, site.links, pages, site.name)

    @app.api_route("/issues/{key}", methods=["GET", "HEAD"], response_model=None)
    def issue(request: Request, key: str) -> Response:
        found = None
        if name := _name(key):
            with site.database.read() as session:
                found = issues.by_key(session, name)
        if found is None:
            return pages.error(request, 404, what="issue")
        return HTMLResponse(site.write_issue(found), headers={"Content-Security-Policy": LETTER_POLICY})

    @app.api_route("/feeds/{file}", methods=["GET", "HEAD"], response_model=None)
    def feed(request: Request, file: str) -> Response:
        return feed_pages.answer(request, file)

    @app.api_route("/u/{token}", methods=["GET", "HEAD"], response_model=None)
    def ask_to_leave(request: Request, token: str) -> Response:
        name = _name(token)
        left = site.subscribing.by_token(name) if name else None
        if left is None or left.already:
            return pages.write(request, "left", address=left and left.address, just_now=False)
        return pages.write(request, "leave", token=name, address=left.address)

    @app.post("/u/{token}", response_model=None)
    def leave(request: Request, token: str) -> Response:
        name = _name(token)
        left = site.subscribing.unsubscribe_by_token(name) if name else None
        return pages.write(request, "left", address=left and left.address, just_now=True)

    @app.api_route("/robots.txt", methods=["GET", "HEAD"], response_model=None)
    def robots() -> Response:
        return PlainTextResponse("User-agent: *\nDisallow: /\n")

    app.api_route("/static/{mark}/{file:path}", methods=["GET", "HEAD"], response_model=None)(static_file)


def _name(text: str) -> str | None:
    """Return the key or token a link names, without what a mail program may have glued to its end."""
    found = _NAME.match(text)
    return found[0] if found else None
