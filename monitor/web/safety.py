"""What every answer carries and what no request gets past: headers, host, size, and who counts as this machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 64 * 1024
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_POLICY = "default-src 'none'; style-src {style}; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
PAGE_POLICY = _POLICY.format(style="'self'")
LETTER_POLICY = _POLICY.format(style="'unsafe-inline'")
"""For frozen letters, whose styles stand inline because mail clients want them so; they hold no script."""


class Guard:
    """Refuse foreign hosts and large bodies; add security headers where a view set none."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        parts = urlsplit(public_url)
        self.hosts = _LOOPBACK_NAMES | {(parts.hostname or "").lower()}
        self.secure = parts.scheme == "https"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = host_name(headers.get("host", ""))
        if host not in self.hosts:
            await PlainTextResponse("This address is not served here.\n", 421)(scope, receive, send)
            return
        length = headers.get("content-length", "0")
        if (
            not length.isdigit()
            or int(length) > BODY_LIMIT
            or "chunked" in headers.get("transfer-encoding", "").lower()
        ):
            await PlainTextResponse("The request is too large.\n", 413)(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.setdefault("Content-Security-Policy", PAGE_POLICY)
                answer.setdefault("Cache-Control", "no-store")
                answer["X-Content-Type-Options"] = "nosniff"
                answer["Referrer-Policy"] = "same-origin"
                answer["X-Robots-Tag"] = "noindex, nofollow"
                if self.secure:
                    answer["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, send_safely)


def host_name(value: str) -> str:
    """Return the host of a `Host` header in lower case, without port and brackets."""
    return (urlsplit(f"//{value}").hostname or "").lower() if value and not set(value) & set("/?#@\\") else ""


def from_this_machine(request: Request) -> bool:
    """Say whether a browser on this machine asks, directly and by a loopback name, with no proxy between."""
    if request.client is None or {"forwarded", "x-forwarded-for", "x-real-ip", "via"} & set(request.headers.keys()):
        return False
    try:
        near = ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    return near and host_name(request.headers.get("host", "")) in _LOOPBACK_NAMES
