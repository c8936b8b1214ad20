"""People and what each receives, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

Role = Literal["member", "curator", "admin"]
ROLES: tuple[Role, ...] = ("member", "curator", "admin")
"""Each may do what those before it may."""
DECIDING = frozenset({"curator", "admin"})
"""Roles that screen and tag."""


def may(role: str, needed: str) -> bool:
    """Say whether who holds `role` may do what `needed` may."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, for the log: a person, or a door such as the command line."""

    name: str
    role: str
    person_id: int | None = None


COMMAND_LINE = Actor("command line", "admin")


@dataclass(frozen=True, slots=True)
class Followed:
    """A topic followed by a subscription, and since when: hits found earlier are not news to it, nor a retired topic's."""

    topic: str
    since: datetime
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one person receives and when; `day` counts from Monday = 0, topics stand in their own order."""

    id: int
    person_id: int
    topics: tuple[Followed, ...]
    day: int
    hour: int
    zone: str
    language: str
    card_limit: int
    token: str
    created_at: datetime
    scheduled_at: datetime
    ended_at: datetime | None = None
    level_floor: str | None = None
    paused_until: date | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """How somebody wants the pages: `language` of the interface (None: the browser's), of content, theme, letters, keys.

    `keys` maps an action to the key that somebody chose for it; actions without an entry keep their own.
    """

    language: str | None = None
    content: Literal["en", "zh", "both"] = "en"
    theme: Literal["auto", "light", "dark"] = "auto"
    large: bool = False
    dense: bool = False
    shortcuts: Literal["on", "alt", "off"] = "on"
    keys: dict[str, str] = field(default_factory=dict)
    highlights: tuple[str, ...] = ()

    @classmethod
    def read(cls, stored: dict[str, Any]) -> Preferences:
        """Return what is stored, without what no version knows."""
        known = {name: value for name, value in stored.items() if name in cls.__slots__}
        if "highlights" in known:
            known["highlights"] = tuple(known["highlights"])
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Person:
    """A member, curator or admin; `subscription` is the living one, `suppressed` why no mail goes to the address."""

    id: int
    address: str
    name: str
    role: str
    language: str
    created_at: datetime
    disabled_at: datetime | None = None
    subscription: Subscription | None = None
    suppressed: str | None = None
    has_password: bool = False
    seen_at: datetime | None = None
    version: int = 0
    preferences: Preferences = field(default_factory=lambda: Preferences())
