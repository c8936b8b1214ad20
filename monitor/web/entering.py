"""Who asks: the session behind a cookie, and the role that a route takes."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from monitor.core.accounts import SCOPES, token_may
from monitor.core.people import Actor, Person, Preferences, may
from monitor.services.accounts import LONGEST, Accounts, Caller
from monitor.web.doors import Need, Scope, need
from monitor.web.safety import LOOPBACK_NAMES, SAFE, from_this_machine

_FOR_PROGRAMS = frozenset({"/static/{mark}/{file:path}", "/feeds/{file}", "/healthz", "/robots.txt"})
"""Routes that are asked for often and answer everybody alike, so that nobody is looked up for them."""


class SignInFirst(HTTPException):
    """Nobody is signed in, and this page is for people who are; `back` is where they wanted to go."""

    def __init__(self, back: str) -> None:
        super().__init__(401)
        self.back = back


class NotForRole(HTTPException):
    """Somebody is signed in whose role does not enter here; `needed` is the role that does."""

    def __init__(self, needed: str) -> None:
        super().__init__(403)
        self.needed = needed


class TokenFirst(HTTPException):
    """A program asks without a token that works (RFC 6750, section 3)."""

    def __init__(self, told: str, *, given: bool) -> None:
        error = ', error="invalid_token"' if given else ""
        super().__init__(401, told, {"WWW-Authenticate": f'Bearer realm="api"{error}'})


class NotForToken(HTTPException):
    """A token does not reach so far: by its scopes, or by what its owner may do today; `needed` is the scope it takes."""

    def __init__(self, needed: str, *, by_scope: bool) -> None:
        told = (
            f"This takes a token with the scope {needed}."
            if by_scope
            else f"This takes a {SCOPES[needed]}, and the token's owner is none."
        )
        challenge = f'Bearer realm="api", error="insufficient_scope", scope="{needed}"'
        super().__init__(403, told, {"WWW-Authenticate": challenge})
        self.needed = needed
        self.by_scope = by_scope


class NotKnownHere(HTTPException):
    """The proxy in front vouches for somebody who is nobody here, or says it in a way that cannot be believed."""

    def __init__(self, address: str) -> None:
        super().__init__(403)
        self.address = address


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, as one request sees them; without a session where a proxy vouches for them."""

    person: Person
    session_id: int | None

    @property
    def actor(self) -> Actor:
        return Actor(self.person.address, self.person.role, self.person.id)

    @property
    def preferences(self) -> Preferences:
        return self.person.preferences

    def may(self, role: str) -> bool:
        return may(self.person.role, role)


class Proxy:
    """What stands between browsers and this program: whom it is believed to be, and what it says of who asks."""

    def __init__(self, header: str | None = None, addresses: Sequence[str] = (), public_url: str = "") -> None:
        self._header = header
        self._networks = [ipaddress.ip_network(each) for each in addresses]
        self._public = urlsplit(public_url).hostname not in LOOPBACK_NAMES

    def vouched(self, request: Request) -> str | None:
        """Return whom a listed proxy names in its header; None where it names nobody, or nobody listed asks.

        Raises NotKnownHere for a header that stands there twice: one of the two may come from the browser.
        """
        if self._header is None or not self._listed(request.client.host if request.client else None):
            return None
        given = [_utf8(each).strip() for each in request.headers.getlist(self._header)]
        if len(given) > 1:
            raise NotKnownHere(", ".join(given)[:200])
        return given[0][:400] or None if given else None

    def network(self, request: Request) -> str | None:
        """Return the address that a request comes from, past listed proxies; None where an unlisted one hides it.

        A proxy on this machine that is not listed makes everybody look alike: then nobody is counted by address.
        """
        peer = request.client.host if request.client else None
        if self._listed(peer):
            hops = [_bare(hop) for each in request.headers.getlist("x-forwarded-for") for hop in each.split(",")]
            return next((hop for hop in reversed(hops) if not self._listed(hop)), peer)
        return None if self._public and _is_loopback(peer) else peer

    def _listed(self, address: str | None) -> bool:
        found = _read(address)
        return found is not None and any(found in network for network in self._networks)


class Entrance:
    """Stands before every route; leaves the visitor, or None, in `request.state.visitor`, a program in `state.caller`."""

    def __init__(self, accounts: Accounts, public_url: str, proxy: Proxy) -> None:
        self._accounts = accounts
        self._public_url = public_url
        self._proxy = proxy
        self.cookie = Cookie(public_url)

    def __call__(self, request: Request) -> None:
        """Let the request in or raise: 403 for who may not, `SignInFirst` for who is not known yet."""
        request.state.visitor = None
        wanted = need(request.scope["route"].path, request.method)
        if wanted is None:
            raise HTTPException(403)
        if isinstance(wanted, Scope):
            request.state.caller = self._caller(request, wanted)
            return
        visitor = self._visitor(request, wanted) if request.scope["route"].path not in _FOR_PROGRAMS else None
        request.state.visitor = visitor
        if wanted is Need.NOBODY or (wanted is Need.KEEPER and from_this_machine(request, self._public_url)):
            return
        if visitor is None:
            raise SignInFirst(_back(request))
        needed = "admin" if wanted is Need.KEEPER else wanted.value
        if not visitor.may(needed):
            raise NotForRole(needed)

    def _caller(self, request: Request, wanted: Scope) -> Caller:
        """Return whom a program speaks for. A cookie counts for nothing here, so that no other site can use one."""
        given = request.headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ") if given else ("", "", "")
        if len(given) != 1 or scheme.lower() != "bearer" or not token.strip():
            told = "Send a token in the header Authorization: Bearer TOKEN; people make theirs under Settings, Account."
            raise TokenFirst(told, given=False)
        caller = self._accounts.by_token(token.strip())
        if caller is None:
            raise TokenFirst("This token is unknown, was revoked, or its time is over; make a new one.", given=True)
        if not token_may(caller.scopes, caller.person.role, wanted):
            raise NotForToken(wanted, by_scope=may(caller.person.role, SCOPES[wanted]))
        return caller

    def _visitor(self, request: Request, wanted: Need) -> Visitor | None:
        try:
            address = self._proxy.vouched(request)
            known = self._accounts.vouched(address) if address is not None else None
            if address is not None and known is None:
                raise NotKnownHere(address)
        except NotKnownHere:
            if wanted is not Need.NOBODY:
                raise
            return None
        if address is None:
            token = request.cookies.get(self.cookie.name)
            known = self._accounts.whose(token) if token else None
        return Visitor(known.person, known.session_id) if known is not None else None


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


def caller(request: Request) -> Caller:
    """Return the program that asks, on a route that only tokens open."""
    found: Caller = request.state.caller
    return found


Program = Annotated[Caller, Depends(caller)]
"""A parameter of a route of the API: who asks."""


def local_path(text: str) -> str:
    """Return a path on this site to go on to after signing in; the front page for anything else."""
    parts = urlsplit(text) if text.startswith("/") and not text.startswith(("//", "/\\")) else None
    return text if parts is not None and not parts.netloc and text.isprintable() else "/"


def _is_loopback(address: str | None) -> bool:
    found = _read(address)
    return found is not None and found.is_loopback


def _read(address: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


def _bare(hop: str) -> str:
    """Return an address without the port that some proxies write behind it, a new one for each connection."""
    hop = hop.strip()
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _utf8(value: str) -> str:
    """Return a header as it was meant: Starlette reads octets as Latin-1, and proxies write addresses in UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _back(request: Request) -> str:
    path: str = request.scope["path"]
    # Not `request.url`: it raises for a query that is no UTF-8.
    query = request.scope["query_string"].decode("utf-8", "replace")
    return quote(path + (f"?{query}" if query else "") if request.method in SAFE else "/", safe="", errors="replace")
