"""Where mail goes: the address of a relay or of a folder, read once and refused whole."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from monitor.errors import SettingsError
from monitor.mail.folder import FolderTransport
from monitor.mail.smtp import SmtpTransport

_PORTS = {"tls": 465, "starttls": 587, "none": 25}


@dataclass(frozen=True, slots=True)
class SmtpRoute:
    """A relay. `security` is tls, starttls or none; the password never shows in a repr."""

    host: str
    port: int
    security: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FolderRoute:
    """A folder that takes one .eml file a mail."""

    folder: Path


def parse_mail_url(url: str, *, plain_relays: Collection[str] = ()) -> SmtpRoute | FolderRoute:
    """Read `smtps://`, `smtp://` or `file:DIR`; raises SettingsError with every problem, none of which shows a password.

    `smtp://` demands STARTTLS. `?tls=none` is for loopback and for the relays named in `plain_relays`.
    """
    if url.startswith("file:"):
        return _folder(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingsError(["mail URL: the host or port cannot be read"]) from None
    if parts.scheme not in ("smtp", "smtps"):
        raise SettingsError(["mail URL: write smtps://HOST, smtp://HOST or file:DIR"])
    problems: list[str] = []
    security = _security(parts, problems)
    host = parts.hostname or ""
    if not host:
        problems.append("mail URL: the host is missing")
    if port == 0:
        problems.append("mail URL: port 0 is no port")
    if parts.path not in ("", "/") or parts.fragment:
        problems.append("mail URL: nothing may follow host and port but ?tls=none")
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if (user is None) != (password is None):
        problems.append("mail URL: user and password come together or not at all")
    if any(character in (user or "") + (password or "") for character in "\r\n\0"):
        problems.append("mail URL: user or password holds a line break or NUL")
    if security == "none":
        if host and not _is_loopback(host) and host not in {each.lower() for each in plain_relays}:
            problems.append(f"mail URL: ?tls=none is for loopback and relays listed by name, and {host} is neither")
        if user is not None:
            problems.append("mail URL: a password needs TLS, and ?tls=none turns it off")
    if problems:
        raise SettingsError(problems)
    return SmtpRoute(host, port or _PORTS[security], security, user, password)


def open_transport(
    route: SmtpRoute | FolderRoute, *, local_hostname: str, context: ssl.SSLContext | None = None
) -> SmtpTransport | FolderTransport:
    """Return the transport of a route. Nothing is connected before the first mail.

    `context` is for relays whose certificate is not signed by an authority this machine knows; it must verify.
    """
    if isinstance(route, FolderRoute):
        return FolderTransport(route.folder)
    return SmtpTransport(
        route.host,
        route.port,
        security=route.security,
        user=route.user,
        password=route.password,
        local_hostname=local_hostname,
        context=context,
    )


def _security(parts: SplitResult, problems: list[str]) -> str:
    security = "tls" if parts.scheme == "smtps" else "starttls"
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name != "tls":
            problems.append(f"mail URL: unknown option {name!r}")
        elif value != "none":
            problems.append("mail URL: the only value of tls is none; smtps:// is TLS and smtp:// is STARTTLS already")
        elif parts.scheme == "smtps":
            problems.append("mail URL: smtps:// is TLS; write smtp:// for ?tls=none")
        else:
            security = "none"
    return security


def _folder(url: str) -> FolderRoute:
    rest = url.removeprefix("file:")
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost") or not slash:
            raise SettingsError(["mail URL: write file:DIR or file:///DIR"])
        rest = slash + path
    if not rest:
        raise SettingsError(["mail URL: file: needs a folder"])
    return FolderRoute(Path(unquote(rest)).expanduser())


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
