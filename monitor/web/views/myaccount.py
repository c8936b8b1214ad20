"""One's own account: password, where one is signed in, and tokens of programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from monitor.core.accounts import TOKEN_DAYS, agent_names, grantable
from monitor.errors import UsageError
from monitor.web.entering import Known, Visitor
from monitor.web.pages import Pages
from monitor.web.site import Site

Text = Annotated[str, Form()]
PLACE = "/settings/account"
DONE = frozenset({"password", "session", "others", "revoked"})


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    def page(request: Request, who: Visitor, status: int = 200, **context: object) -> Response:
        told = {
            "done": None, "wrong": None, "refusal": None, "token": None, "token_wrong": None, "token_name": "",
            "token_scopes": ("read",), "token_days": 90,
        } | context  # fmt: skip
        return pages.write(
            request,
            "account/settings",
            status,
            now=site.clock.now(),
            sessions=[(each, agent_names(each.agent)) for each in site.accounts.sessions(who.person.id)],
            tokens=site.accounts.tokens(who.person.id),
            scopes=grantable(who.person.role),
            days=TOKEN_DAYS,
            **told,
        )

    def done(what: str) -> Response:
        return RedirectResponse(f"{pages.root}{PLACE}?done={what}", 303)

    @app.api_route(PLACE, methods=["GET", "HEAD"], response_model=None)
    def mine(request: Request, who: Known, done: str = "") -> Response:
        return page(request, who, done=done if done in DONE else None)

    @app.post(f"{PLACE}/password", response_model=None)
    def password(request: Request, who: Known, old: Text = "", password: Text = "", again: Text = "") -> Response:
        try:
            refusal = site.signing_in.change_password(
                who.person, old, password, again, session_id=who.session_id, actor=who.actor
            )
        except UsageError as error:
            return page(request, who, 422, wrong=str(error))
        return done("password") if refusal is None else page(request, who, 422, refusal=refusal.value)

    @app.post(f"{PLACE}/sessions", response_model=None)
    def end(request: Request, who: Known, session: Text = "") -> Response:
        if session == "others":
            site.accounts.end_others(who.person.id, who.session_id, who.actor)
            return done("others")
        site.accounts.end_session(who.person.id, number(session), who.actor)
        return done("session")

    @app.post(f"{PLACE}/tokens", response_model=None)
    def make(
        request: Request,
        who: Known,
        name: Text = "",
        scope: Annotated[list[str], Form()] = [],  # noqa: B006  FastAPI copies defaults
        days: Text = "90",
    ) -> Response:
        """Show the new token once, on this answer alone."""
        chosen = None if days == "none" else number(days)
        try:
            token = site.accounts.make_token(who.person, name, scope, chosen, who.actor)
        except UsageError as error:
            return page(
                request, who, 422, token_wrong=str(error), token_name=name, token_scopes=tuple(scope), token_days=chosen
            )
        return page(request, who, token=token, token_name=name)

    @app.post(f"{PLACE}/tokens/revoke", response_model=None)
    def revoke(request: Request, who: Known, token: Text = "") -> Response:
        site.accounts.revoke_token(who.person.id, number(token), who.actor)
        return done("revoked")


def number(text: str) -> int:
    """Read the number of a row that a form names; raises UsageError for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise UsageError("the form was not sent whole; go back, load the page again and repeat it")
    return int(text)
