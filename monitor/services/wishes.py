"""What people may ask of their digest, checked: topics, day, hour, zone, length, level and pause."""

from __future__ import annotations

import zoneinfo
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from monitor.core.curation import FLOORS
from monitor.core.screening import read_level
from monitor.errors import UsageError
from monitor.mail.render import LANGUAGES

ALL = "all"
"""The floor that lets every paper through."""
LONGEST_PAUSE = timedelta(days=366)
MOST_CARDS = 12


@dataclass(frozen=True, slots=True)
class Wish:
    """Everything that somebody asks of their digest; `level_floor` and `paused_until` may be None: all, and no pause."""

    topics: tuple[str, ...]
    day: int
    hour: int
    zone: str
    language: str
    card_limit: int
    level_floor: str | None = None
    paused_until: date | None = None


def topics_among(living: dict[str, str], wanted: Sequence[str], retired: Collection[str]) -> list[str]:
    """Return the topics wanted, each once; raises UsageError for one that cannot be followed."""
    unknown = [topic for topic in wanted if topic not in living]
    if unknown and unknown[0] in retired:
        raise UsageError(f"{unknown[0]} is retired; `monitor topic restore {unknown[0]}` brings it back")
    if unknown:
        near = get_close_matches(unknown[0], living, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(living) or 'none yet'}"
        raise UsageError(f"{unknown[0]!r} is no topic{hint}")
    return list(dict.fromkeys(wanted))


def checked(**values: Any) -> dict[str, Any]:
    """Return the values that are given, not None; raises UsageError for one that no digest can have."""
    given = {name: value for name, value in values.items() if value is not None}
    if not 0 <= given.get("day", 0) <= 6:
        raise UsageError("the day counts from Monday = 0 to Sunday = 6")
    if not 0 <= given.get("hour", 0) <= 23:
        raise UsageError("the hour is a number from 0 to 23")
    if not 0 <= given.get("card_limit", 0) <= MOST_CARDS:
        raise UsageError(f"the limit is a number of papers from 0 to {MOST_CARDS}")
    if "zone" in given and given["zone"] not in zoneinfo.available_timezones():
        near = get_close_matches(given["zone"], zoneinfo.available_timezones(), 1)
        raise UsageError(f"{given['zone']!r} is no time zone" + (f"; did you mean {near[0]}?" if near else ""))
    if "language" in given:
        known_language(given["language"])
    return given


def read_floor(text: str) -> str | None:
    """Return the level that papers must have at least, None for `all`; raises UsageError for what no floor can be."""
    level = None if text.strip().casefold() == ALL else read_level(text)
    if level is not None and level not in FLOORS:
        raise UsageError(f"{level} shows no result of its own; a floor is one of {', '.join(FLOORS)}, or {ALL}")
    return level


def today_in(zone: str, now: datetime) -> date:
    """Return the day it is in a zone."""
    try:
        return now.astimezone(zoneinfo.ZoneInfo(zone)).date()
    except (KeyError, ValueError, OSError):  # the zone of the subscription may be unknown here; another is not refused
        return now.date()


def pause_until(until: date, today: date) -> date:
    """Return the day a pause ends; raises UsageError for a day that is over, or too far ahead."""
    if not today < until <= today + LONGEST_PAUSE:
        raise UsageError(f"a pause ends on a day after today, {today}, and within a year")
    return until


def known_language(language: str) -> str:
    """Return a language that letters can be written in; raises UsageError for another."""
    if language not in LANGUAGES:
        raise UsageError(f"{language!r} is not available; choose from {', '.join(LANGUAGES)}")
    return language
