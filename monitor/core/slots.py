"""Which local dates a digest falls on, and at which instant: zones, gaps and folds. Pure; the caller brings the zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEK = timedelta(days=7)
# A zone may skip or repeat a whole day (Pacific/Apia, 30 December 2011), so look a little beyond both ends.
_SLACK = timedelta(days=3)


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A local date on which a digest falls. The date is its identity; `at` is when that begins, in UTC."""

    day: date
    at: datetime

    @property
    def label(self) -> str:
        """The ISO week, `2026-W48`."""
        year, week, _ = self.day.isocalendar()
        return f"{year}-W{week:02}"


def slots_between(day: int, hour: int, zone: tzinfo, after: datetime, until: datetime) -> tuple[Slot, ...]:
    """Return the weekly slots with `after < at <= until`, oldest first; none when the clock went backwards.

    `day` counts from Monday = 0. An hour that the zone skips on that date (gap) becomes the first instant after the
    gap; one that comes twice (fold) is its first occurrence. So each local date gives exactly one slot.
    """
    if until <= after:
        return ()
    first = (after - _SLACK).astimezone(UTC).date()
    first += timedelta(days=(day - first.weekday()) % 7)
    last = (until + _SLACK).astimezone(UTC).date()
    found = []
    while first <= last:
        slot = Slot(first, instant(first, hour, zone))
        if after < slot.at <= until:
            found.append(slot)
        first += _WEEK
    return tuple(found)


def latest_slot(day: int, hour: int, zone: tzinfo, now: datetime) -> Slot:
    """Return the last weekly slot at or before `now`."""
    return slots_between(day, hour, zone, now - 2 * _WEEK, now)[-1]


def instant(day: date, hour: int, zone: tzinfo) -> datetime:
    """Return the UTC instant at which `hour` o'clock first holds on that local date, or the end of the gap over it."""
    local = datetime.combine(day, time(hour), zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    # In a gap PEP 495 reads fold=0 with the offset before it and fold=1 with the one after: the change lies between.
    before, after = local.replace(fold=1).astimezone(UTC), found
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def day_number(name: str) -> int | None:
    """Read a weekday: `monday`, `Mon` or `mo`; None when it is no weekday or not clear which."""
    wanted = name.strip().casefold()
    found = [number for number, each in enumerate(DAYS) if len(wanted) >= 2 and each.startswith(wanted)]
    return found[0] if len(found) == 1 else None
