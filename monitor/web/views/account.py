"""Signing in and out."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from monitor.web.entering import Cookie
from monitor.web.pages import Pages
from monitor.web.site import Site


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""
    cookie = Cookie(site.public_url)

    @app.api_route("/sign-in", methods=["GET", "HEAD"], response_model=None)
    def ask(request: Request, next: str = "/") -> Response:
        return pages.write(request, "account/sign_in", next=next, possible=cookie.possible)

    @app.post("/sign-out", response_model=None)
    def sign_out(request: Request) -> Response:
        site.accounts.end(request.cookies.get(cookie.name, ""))
        answer = RedirectResponse(f"{pages.root}/sign-in", 303)
        cookie.clear(answer)
        return answer
