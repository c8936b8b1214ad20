"""People and what each receives, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

ROLES = ("member", "curator", "admin")
DECIDING = frozenset({"curator", "admin"})
"""Roles that screen and tag."""


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
