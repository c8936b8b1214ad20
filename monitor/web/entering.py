"""Who asks: the session behind a cookie, and the role that a route takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from monitor.core.people import Actor, Person, Preferences, may
from monitor.services.accounts import LONGEST, Accounts
from monitor.web.doors import Need, need
from monitor.web.safety import LOOPBACK_NAMES, SAFE, from_this_machine


class SignInFirst(HTTPException):
    """Nobody is signed in, and this page is for people who are; `back` is where they wanted to go."""

    def __init__(self, back: str) -> None:
        super().__init__(401)
        self.back = back


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, as one request sees them."""

    person: Person
    session_id: int

    @property
    def actor(self) -> Actor:
        return Actor(self.person.address, self.person.role, self.person.id)

    @property
    def preferences(self) -> Preferences:
        return self.person.preferences

    def may(self, role: str) -> bool:
        return may(self.person.role, role)


class Entrance:
    """Stands before every route; leaves the visitor, or None, in `request.state.visitor`."""

    def __init__(self, accounts: Accounts, public_url: str) -> None:
        self._accounts = accounts
        self._public_url = public_url
        self.cookie = Cookie(public_url)

    def __call__(self, request: Request) -> None:
        """Let the request in or raise: 403 for who may not, `SignInFirst` for who is not known yet."""
        token = request.cookies.get(self.cookie.name)
        known = self._accounts.whose(token) if token else None
        visitor = Visitor(known.person, known.session_id) if known is not None else None
        request.state.visitor = visitor
        wanted = need(request.scope["route"].path, request.method)
        if wanted is None:
            raise HTTPException(403)
        if wanted is Need.NOBODY or (wanted is Need.KEEPER and from_this_machine(request, self._public_url)):
            return
        if visitor is None:
            raise SignInFirst(_back(request))
        if not visitor.may("admin" if wanted is Need.KEEPER else wanted):
            raise HTTPException(403)


class Cookie:
    """The cookie that names a session: host-bound and Secure under https, plain only on this machine's own names."""

    def __init__(self, public_url: str) -> None:
        parts = urlsplit(public_url)
        self.secure = parts.scheme == "https"
        self.possible = self.secure or (parts.hostname or "").lower() in LOOPBACK_NAMES
        self.name = "__Host-session" if self.secure else "session"

    def set(self, answer: Response, token: str) -> None:
        answer.set_cookie(
            self.name,
            token,
            max_age=int(LONGEST.total_seconds()),
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )

    def clear(self, answer: Response) -> None:
        answer.delete_cookie(self.name, secure=self.secure, httponly=True, samesite="lax")


def visitor(request: Request) -> Visitor:
    """Return who asks, on a route that only people who are signed in can reach."""
    found: Visitor | None = request.state.visitor
    if found is None:
        raise SignInFirst(_back(request))
    return found


Known = Annotated[Visitor, Depends(visitor)]
"""A parameter of a view: who asks."""


def local_path(text: str) -> str:
    """Return a path on this site to go on to after signing in; the front page for anything else."""
    parts = urlsplit(text) if text.startswith("/") and not text.startswith(("//", "/\\")) else None
    return text if parts is not None and not parts.netloc and text.isprintable() else "/"


def _back(request: Request) -> str:
    asked = request.url
    path = asked.path + (f"?{asked.query}" if asked.query else "")
    return quote(path if request.method in SAFE else "/", safe="")
