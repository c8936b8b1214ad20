"""How this installation reaches PubMed and sends mail: what is in force, what can be changed, what the relay says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote

from monitor.core.people import Actor
from monitor.errors import MonitorError, SettingsError
from monitor.mail.transport import FolderRoute, SmtpRoute, parse_mail_url
from monitor.services.ports import Clock
from monitor.storage import events
from monitor.storage.engine import Database

SUBJECT = "installation"
MAIL, PUBMED = "settings.mail", "settings.pubmed"
SECURITIES = ("tls", "starttls", "none")
_SCHEMES = {"tls": "smtps", "starttls": "smtp", "none": "smtp"}


@dataclass(frozen=True, slots=True)
class Standing:
    """Settings in force, secret ones among them. `fixed` names what sets those that cannot be changed here."""

    values: Mapping[str, str] = field(repr=False)
    fixed: Mapping[str, str]
    file: str
    plain_relays: Sequence[str] = ()


class Keeping(Protocol):
    """Where settings are kept; what is kept counts from the next request on."""

    def standing(self) -> Standing: ...

    def keep(self, changes: Mapping[str, str | None]) -> None:
        """Keep values, forget those that are None; raises SettingsError and keeps what was."""
        ...


class Unsound(MonitorError):
    """What was typed cannot work; nothing was changed. `problems` by setting, a sentence each."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("\n".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server as a form tells it. Without a password the one in force stays, for the same server and user."""

    host: str = ""
    port: str = ""
    security: str = "tls"
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MailWay:
    """Where mail goes now, and who sends it; `fixed` names what sets them elsewhere, None where they are free."""

    route: SmtpRoute | FolderRoute
    sender: str
    route_fixed: str | None
    sender_fixed: str | None
    file: str

    @property
    def leaves(self) -> bool:
        return isinstance(self.route, SmtpRoute)


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom NCBI writes to, and whether a key is held; `fixed` as above. `needed` is False towards a sandbox."""

    address: str
    has_key: bool
    address_fixed: str | None
    key_fixed: str | None
    needed: bool


class Installing:
    """Changes the settings that a place needs first. Every change is an event, which never holds a secret."""

    def __init__(self, database: Database, clock: Clock, keeping: Keeping, *, asks: bool) -> None:
        self._database = database
        self._clock = clock
        self._keeping = keeping
        self._asks = asks

    @property
    def asks(self) -> bool:
        """Say whether PubMed may be asked."""
        return self._asks

    def mail(self) -> MailWay:
        now = self._keeping.standing()
        route = parse_mail_url(now.values["mail_url"], plain_relays=now.plain_relays)
        return MailWay(route, now.values["mail_from"], now.fixed.get("mail_url"), now.fixed.get("mail_from"), now.file)

    def contact(self) -> Contact:
        now = self._keeping.standing()
        held = now.values["ncbi_email"]
        return Contact(
            held,
            bool(now.values["ncbi_api_key"]),
            now.fixed.get("ncbi_email"),
            now.fixed.get("ncbi_api_key"),
            needed=bool(held) or not self._asks,
        )

    def set_mail(self, relay: Relay | None, sender: str, actor: Actor) -> None:
        """Send by a relay, or into the folder of the home where that is None; raises Unsound.

        What is fixed elsewhere stays, whatever is given.
        """
        held = self.mail()
        before: dict[str, object] = {}
        after: dict[str, object] = {}
        changes: dict[str, str | None] = {}
        if held.route_fixed is None:
            changes["mail_url"] = self._url(relay, held.route) if relay is not None else None
            before["mail"] = _told(held.route)
            after["mail"] = _told(relay)
        if held.sender_fixed is None:
            changes["mail_from"] = sender.strip() or None
            before["mail_from"], after["mail_from"] = held.sender, sender.strip() or None
        self._keep(changes)
        self._tell(MAIL, before, after, actor)

    def set_contact(self, address: str, key: str, actor: Actor, *, forget_key: bool = False) -> None:
        """Set the contact address, and an API key where one is given; raises Unsound."""
        held = self.contact()
        before: dict[str, object] = {}
        after: dict[str, object] = {}
        changes: dict[str, str | None] = {}
        if held.address_fixed is None:
            if held.needed and not address.strip():
                raise Unsound({"ncbi_email": "type an address; without one PubMed is not asked"})
            changes["ncbi_email"] = address.strip() or None
            before["ncbi_email"], after["ncbi_email"] = held.address or None, address.strip() or None
        if held.key_fixed is None and (key.strip() or forget_key):
            changes["ncbi_api_key"] = key.strip() or None
            before["ncbi_api_key"] = "held" if held.has_key else None
            after["ncbi_api_key"] = "another" if key.strip() else None
        self._keep(changes)
        self._tell(PUBMED, before, after, actor)

    def mail_is_settled(self) -> bool:
        """Say whether mail leaves, or somebody decided where it goes."""
        with self._database.read() as session:
            return self.mail().leaves or events.newest(session, SUBJECT, (MAIL,)) is not None

    def _url(self, relay: Relay, held: SmtpRoute | FolderRoute) -> str:
        """Return the address of a relay; raises Unsound for one that cannot work."""
        url = _address(relay, held)
        try:
            parse_mail_url(url, plain_relays=self._keeping.standing().plain_relays)
        except SettingsError as error:
            raise Unsound(
                {"mail_url": "; ".join(each.removeprefix("mail URL: ") for each in error.problems)}
            ) from error
        return url

    def _keep(self, changes: Mapping[str, str | None]) -> None:
        if not changes:
            return
        try:
            self._keeping.keep(changes)
        except SettingsError as error:
            raise Unsound(_by_setting(error.problems)) from error

    def _tell(self, action: str, before: dict[str, object], after: dict[str, object], actor: Actor) -> None:
        with self._database.write() as session:
            events.record(session, actor, action, SUBJECT, self._clock.now(), before, after)


def _address(relay: Relay, held: SmtpRoute | FolderRoute) -> str:
    """Write a relay as one address; raises Unsound for what no address can say."""
    host, port = relay.host.strip().strip("[]"), relay.port.strip()
    user = relay.user.strip()
    if not host or any(each.isspace() or each in "/?#@" for each in host):
        raise Unsound({"mail_url": "type the name of the mail server, such as smtp.lab.example"})
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
        raise Unsound({"port": f"{port[:12]} is no port; leave it empty for the usual one"})
    if relay.security not in SECURITIES:
        raise Unsound({"mail_url": "choose how the connection is protected"})
    password = relay.password
    if user and not password and isinstance(held, SmtpRoute) and (held.host, held.user) == (host.lower(), user):
        password = held.password or ""
    who = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
    place = f"[{host}]" if ":" in host else host
    return (
        f"{_SCHEMES[relay.security]}://{who}{place}"
        + (f":{int(port)}" if port else "")
        + ("?tls=none" if relay.security == "none" else "")
    )


def _told(way: Relay | SmtpRoute | FolderRoute | None) -> str:
    """Say where mail goes as the log may show it."""
    if way is None or isinstance(way, FolderRoute):
        return "a folder"
    return f"{way.host.strip()} ({way.security}{', as ' + way.user.strip() if way.user else ''})"


def _by_setting(problems: Sequence[str]) -> dict[str, str]:
    """Sort problems by the setting that they name; those that name none of the kept ones stand under an empty name."""
    found: dict[str, str] = {}
    for each in problems:
        name, colon, text = each.partition(": ")
        known = name.removeprefix("MONITOR_").lower() if colon and name.startswith("MONITOR_") else ""
        told = text if known else each
        found[known] = f"{found[known]}; {told}" if known in found else told
    return found
