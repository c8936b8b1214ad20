"""Coming in and going out: signing in, links that work once, a forgotten password."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.background import BackgroundTask

from monitor.core.accounts import LinkState
from monitor.core.address import read_address
from monitor.core.passwords import Refusal
from monitor.errors import NotFound, UsageError
from monitor.services.signing_in import Entered, TurnedAway
from monitor.web.entering import Cookie, Visitor, local_path
from monitor.web.pages import Pages
from monitor.web.site import Site

Text = Annotated[str, Form()]


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""
    cookie = Cookie(site.public_url)

    def door(request: Request, status: int = 200, **context: object) -> Response:
        told = {"next": "/", "address": "", "wrong": None, "minutes": None} | context
        answer = pages.write(
            request,
            "account/sign_in",
            status,
            possible=cookie.possible,
            can_mail=site.one_time.can_mail,
            fresh=site.first_run.is_open(),
            **told,
        )
        if told["minutes"] is not None:
            answer.headers["Retry-After"] = str(context["seconds"])
        return answer

    def let_in(request: Request, entered: Entered, where: str) -> Response:
        old = request.cookies.get(cookie.name)
        if old is not None:
            site.accounts.end(old)  # this browser has a new session from here on
        answer = RedirectResponse(pages.root + where, 303)
        cookie.set(answer, entered.token)
        return answer

    @app.api_route("/sign-in", methods=["GET", "HEAD"], response_model=None)
    def ask(request: Request, next: str = "/") -> Response:
        if request.state.visitor is not None:
            return RedirectResponse(pages.root + local_path(next), 303)
        return door(request, next=next)

    @app.post("/sign-in", response_model=None)
    def sign_in(request: Request, address: Text = "", password: Text = "", next: Text = "/") -> Response:
        if not cookie.possible:
            return door(request, 422, next=next, address=address)
        if not address.strip() or not password:
            return door(request, 422, next=next, address=address, wrong="empty")
        found = site.signing_in.sign_in(
            address, password, network=site.proxy.network(request), agent=request.headers.get("user-agent")
        )
        if isinstance(found, TurnedAway):
            if found.wait:
                return door(request, 429, next=next, address=address, wrong="slow", **_wait(found.wait))
            return door(request, 422, next=next, address=address, wrong="pair")
        return let_in(request, found, local_path(next))

    @app.post("/sign-out", response_model=None)
    def sign_out(request: Request) -> Response:
        visitor: Visitor = request.state.visitor
        if visitor.session_id is None:
            return pages.write(request, "account/vouched")
        site.accounts.end(request.cookies.get(cookie.name, ""))
        answer = RedirectResponse(f"{pages.root}/sign-in", 303)
        cookie.clear(answer)
        return answer

    @app.api_route("/forgotten", methods=["GET", "HEAD"], response_model=None)
    def forgotten(request: Request) -> Response:
        return _forgotten(request)

    @app.post("/forgotten", response_model=None)
    def ask_for_mail(request: Request, address: Text = "") -> Response:
        """Answer alike for every address, and as quickly: who it belongs to is looked up when the answer is out."""
        if not site.one_time.can_mail:
            return _forgotten(request, 422)
        try:
            known = read_address(address).text
        except UsageError as error:
            return _forgotten(request, 422, address=address, wrong=str(error))
        wait = site.one_time.may_ask(known, site.proxy.network(request))
        if wait:
            answer = _forgotten(request, 429, address=address, minutes=_wait(wait)["minutes"])
            answer.headers["Retry-After"] = str(_wait(wait)["seconds"])
            return answer
        answer = _forgotten(request, address=known, sent=True)
        answer.background = BackgroundTask(site.one_time.forgotten, known)
        return answer

    def _forgotten(request: Request, status: int = 200, **context: object) -> Response:
        told = {"address": "", "wrong": None, "minutes": None, "sent": False} | context
        return pages.write(request, "account/forgotten", status, can_mail=site.one_time.can_mail, **told)

    @app.api_route("/link/{token}", methods=["GET", "HEAD"], response_model=None)
    def open_link(request: Request, token: str) -> Response:
        return _link(request, token)

    @app.post("/link/{token}", response_model=None)
    def use_link(request: Request, token: str, password: Text = "", again: Text = "") -> Response:
        if not cookie.possible:
            return _link(request, token, 422)
        try:
            found = site.one_time.use(token, password, again, request.headers.get("user-agent"))
        except NotFound:
            return _link(request, token)
        except UsageError as error:
            return _link(request, token, 422, wrong=str(error))
        if isinstance(found, Refusal):
            return _link(request, token, 422, refusal=found.value)
        return let_in(request, found, "/")

    def _link(request: Request, token: str, status: int = 200, **context: object) -> Response:
        opened = site.one_time.open(token)
        if opened is None:
            return pages.error(request, 404, what="link")
        if opened.state is not LinkState.GOOD:
            return pages.write(request, "account/link_over", 410, opened=opened, can_mail=site.one_time.can_mail)
        told = {"wrong": None, "refusal": None} | context
        return pages.write(
            request, "account/link", status, opened=opened, token=token, possible=cookie.possible, **told
        )


def _wait(wait: timedelta) -> dict[str, int]:
    seconds = math.ceil(wait.total_seconds())
    return {"seconds": seconds, "minutes": math.ceil(seconds / 60)}
