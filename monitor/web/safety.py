"""What every answer carries and what no request gets past: headers, host, size, faults, and who counts as this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
MAIL_LINKS = "/u/"
"""Mail programs post these from wherever they run; the link itself says who asks (RFC 8058)."""
FOR_TOKENS = "/api/v1/"
"""Programs come here with a token, and no cookie counts: there is nothing that another site could abuse."""
BODY_LIMIT = 1024 * 1024
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PROXIED = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"})
_POLICY = (
    "default-src 'none'; {more}; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors {frames}"
)
PAGE_POLICY = _POLICY.format(
    more="script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'", frames="'none'"
)
LETTER_POLICY = _POLICY.format(more="style-src 'unsafe-inline'", frames="'self'")
"""For letters, whose styles stand inline because mail clients want them so; they hold no script, and our own pages may
show them in a frame."""

_log = structlog.get_logger()


Refuse = Callable[[Scope, int, str], Response | None]
"""Writes a refusal in the way that whoever asks understands; None leaves it to plain text."""


class _TooLarge(HTTPException):
    """The body went past the limit while it was read; as this kind of error it passes through whoever reads it."""

    def __init__(self) -> None:
        super().__init__(413, "The request is too large.", {"Connection": "close"})


class Guard:
    """Stands around the whole application, its error pages included.

    Refuses foreign hosts, requests that other sites send in somebody's name, and large bodies, adds security headers, and answers with `broken` where the application
    raised. Pages are found below the path of the public URL and at the root, so a proxy may strip that path or not.
    """

    def __init__(
        self,
        app: ASGIApp,
        public_url: str,
        broken: Callable[[Scope], Response],
        refuse: Refuse = lambda _scope, _status, _told: None,
    ) -> None:
        self.app = app
        self.broken = broken
        self.refuse = refuse
        parts = urlsplit(public_url)
        self.hosts = LOOPBACK_NAMES | {(parts.hostname or "").lower()}
        self.secure = parts.scheme == "https"
        self.root = parts.path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False
        scope = self._below_root(scope)

        async def send_safely(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._protect(MutableHeaders(scope=message))
            await send(message)

        try:
            await self._pass(scope, receive, send_safely)
        except _TooLarge:
            if not started:
                await self._refused(scope, "The request is too large.", 413)(scope, receive, send_safely)
        except Exception as error:
            # The first part of a path is its kind; the rest may be a link that only its owner should know.
            _log.error("request broke", page="/" + _segments(scope["path"])[0], exc_info=error)
            if not started:
                await self.broken(scope)(scope, receive, send_safely)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if host_name(headers.get("host", "")) not in self.hosts:
            await self._refused(scope, "This address is not served here.", 421)(scope, receive, send)
            return
        if foreign(scope["method"], headers) and not scope["path"].startswith((MAIL_LINKS, FOR_TOKENS)):
            told = "Another site sent this request in your name. Nothing was changed."
            await self._refused(scope, told, 403)(scope, receive, send)
            return
        length = headers.get("content-length", "0")
        # A number past 18 digits is too large whatever it is.
        if not length.isascii() or not length.isdigit() or len(length) > 18 or int(length) > BODY_LIMIT:
            await self._refused(scope, "The request is too large.", 413)(scope, receive, send)
            return
        read = 0

        async def receive_a_little() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > BODY_LIMIT:
                raise _TooLarge
            return message

        await self.app(scope, receive_a_little, send)

    def _refused(self, scope: Scope, text: str, status: int) -> Response:
        answer = self.refuse(scope, status, text) or PlainTextResponse(text + "\n", status)
        if status == 413:  # the rest of the body is not read, so the connection cannot be used again
            answer.headers["Connection"] = "close"
        return answer

    def _below_root(self, scope: Scope) -> Scope:
        path: str = scope["path"]
        if not self.root or not (path == self.root or path.startswith(self.root + "/")):
            return scope
        return {**scope, "path": path[len(self.root) :] or "/", "raw_path": None}

    def _protect(self, answer: MutableHeaders) -> None:
        answer.setdefault("Content-Security-Policy", PAGE_POLICY)
        answer.setdefault("Cache-Control", "no-store")
        answer["X-Content-Type-Options"] = "nosniff"
        answer["Referrer-Policy"] = "same-origin"
        answer["Cross-Origin-Opener-Policy"] = "same-origin"
        answer["Cross-Origin-Resource-Policy"] = "same-origin"
        answer["X-Robots-Tag"] = "noindex, nofollow"
        if self.secure:
            answer["Strict-Transport-Security"] = "max-age=31536000"


def host_name(value: str) -> str:
    """Return the host of a `Host` header in lower case, without port and brackets; empty when it cannot be one."""
    if not value or set(value) & set("/?#@\\ \t"):
        return ""
    try:
        return (urlsplit(f"//{value}").hostname or "").lower()
    except ValueError:
        return ""


def foreign(method: str, headers: Headers) -> bool:
    """Say whether a browser sends this for another site: such a request may read, and change nothing.

    By Sec-Fetch-Site where the browser tells it, else by Origin against Host (Fetch Metadata, W3C). What is no browser
    sends neither and has no cookie to abuse.
    """
    if method in SAFE:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    except ValueError:  # a bracket of IPv6 that nothing closes
        return True


def from_this_machine(request: Request, public_url: str) -> bool:
    """Say whether a browser on this machine asks, by a loopback name, with no proxy between.

    Never where the public URL names another host: there a proxy stands in front, and one that is set up carelessly
    asks from this machine, by a loopback name, for everybody.
    """
    if request.client is None or urlsplit(public_url).hostname not in LOOPBACK_NAMES:
        return False
    if _PROXIED & set(request.headers.keys()):
        return False
    try:
        near = ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    return near and host_name(request.headers.get("host", "")) in LOOPBACK_NAMES


def _segments(path: str) -> list[str]:
    return path.lstrip("/").split("/")
