"""Rules of signing in: how long sessions and links last, how failed tries slow down, what a program's token may do."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from monitor.core.people import Role, may

IDLE, LONGEST = timedelta(hours=12), timedelta(days=14)
"""How long a session lasts unused, and at all (OWASP ASVS 5.0, V7.3)."""


def is_alive(created_at: datetime, seen_at: datetime, now: datetime) -> bool:
    """Say whether a session that nobody ended is still good."""
    return now - seen_at <= IDLE and now - created_at <= LONGEST


class Purpose(StrEnum):
    """What a link that works once is for."""

    INVITATION = "invitation"
    RESET = "reset"

    @property
    def life(self) -> timedelta:
        """How long it works; what is asked for at a screen is used at once."""
        return timedelta(days=7) if self is Purpose.INVITATION else timedelta(minutes=15)


class LinkState(StrEnum):
    """Whether a link still works."""

    GOOD = "good"
    USED = "used"
    LATE = "late"


def link_state(expires_at: datetime, used_at: datetime | None, now: datetime) -> LinkState:
    if used_at is not None:
        return LinkState.USED
    return LinkState.GOOD if now < expires_at else LinkState.LATE


@dataclass(frozen=True, slots=True)
class Throttle:
    """How tries are slowed down: `free` of them cost nothing, then each doubles the wait up to `longest`."""

    free: int
    first: timedelta
    longest: timedelta = timedelta(minutes=15)

    def wait(self, tries: int, last: datetime | None, now: datetime) -> timedelta:
        """Return how long to wait still after so many failed tries within `REMEMBERED`, the last of them at `last`."""
        if tries < self.free or last is None:
            return timedelta()
        doubled = min(tries - self.free, 20)
        return max(min(self.first * int(2**doubled), self.longest) - (now - last), timedelta())


REMEMBERED: Final = timedelta(days=1)
"""How long a failed try counts; after it, housekeeping deletes it."""
ACCOUNT: Final = Throttle(free=5, first=timedelta(seconds=10))
"""For one account, known or not: some hundred guesses a day."""
NETWORK: Final = Throttle(free=30, first=timedelta(seconds=5))
"""For one network address, behind which a whole lab may sit."""
LETTERS: Final = Throttle(free=3, first=timedelta(minutes=5), longest=timedelta(hours=2))
"""For mails that somebody who is not signed in asks for."""


def network_of(address: str) -> str | None:
    """Return what tries from an address are counted by: itself, or the /64 of IPv6 that one customer has; None if unknown."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(found), 64), strict=False))
    return str(found)


SCOPES: Final[dict[str, Role]] = {"read": "member", "screen": "curator", "admin": "admin"}
"""What a program's token may be given, with the role that it takes; each includes those before it, as roles do."""
TOKEN_MARK: Final = "em_"  # noqa: S105
"""How a program's token begins, so that programs that look for leaked secrets know it."""
TOKEN_DAYS: Final = (30, 90, 365, None)
"""How long a token may be made to last; None is until it is revoked."""


def grantable(role: str) -> tuple[str, ...]:
    """Return the scopes that who holds a role may give to a token."""
    return tuple(scope for scope, needed in SCOPES.items() if may(role, needed))


def token_may(scopes: frozenset[str], role: str, needed: str) -> bool:
    """Say whether a token may do what takes a scope: as far as both its scopes and its owner's role today go."""
    order = tuple(SCOPES)
    return may(role, SCOPES[needed]) and any(
        order.index(each) >= order.index(needed) for each in scopes if each in SCOPES
    )


_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def agent_names(agent: str | None) -> tuple[str | None, str | None]:
    """Return browser and system of a User-Agent by the names people know; None for what it does not say."""
    text = agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in text), None)
    return browser, next((name for mark, name in _SYSTEMS if mark in text), None)


def agent_kept(agent: str | None) -> str | None:
    """Return as much of a User-Agent as is kept, without what is no text."""
    return re.sub(r"[^ -~]+", " ", agent or "")[:300].strip() or None
