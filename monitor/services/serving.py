"""Who is to be served: the subscriptions whose slot has come, and since when each lacks an issue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from monitor.core.address import read_address
from monitor.core.people import Followed, Subscription
from monitor.core.slots import Slot, instant, latest_slot, slots_between
from monitor.errors import UsageError
from monitor.services.subscribing import zone_of
from monitor.storage import people, serving

_DEFAULT_SPAN = timedelta(days=7)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Due:
    """A subscription whose slot has come, what it was served until, and how many slots before were missed."""

    subscription: Subscription
    address: str
    slot: Slot
    since: datetime
    missed: int
    last_delivery: int = 0


class Serving:
    """Says who is due. `zone` and `language` are those of whoever has not chosen."""

    def __init__(self, zone: str, language: str) -> None:
        self._zone = zone
        self._language = language
        self._left_out: set[tuple[int, str]] = set()

    def due(self, session: Session, now: datetime, on: date | None) -> list[Due]:
        """Return every subscription whose slot has come and has no delivery yet; `on` is everybody's day instead."""
        if on is not None and instant(on, 0, ZoneInfo(self._zone)) > now:
            raise UsageError(f"{on} has not begun yet; an issue cannot be made ahead")
        standings = serving.standings(session, now)
        suppressed = serving.suppressed_people(session)
        topics = people.living_topics(session)
        found = []
        for subscription, address in people.living(session):
            if subscription.person_id in suppressed or not any(each.topic in topics for each in subscription.topics):
                continue
            standing = standings.get(subscription.id, serving.Standing())
            zone = zone_of(subscription)
            if zone is None:
                self._cannot_serve(subscription)
                continue
            if on is None:
                slot = latest_slot(subscription.day, subscription.hour, zone, now)
                if slot.at <= subscription.scheduled_at:
                    continue
            else:
                slot = Slot(on, instant(on, subscription.hour, zone))
            if subscription.paused_until is not None and slot.day < subscription.paused_until:
                continue
            if standing.last_slot is not None and slot.day.isoformat() <= standing.last_slot:
                continue
            since = standing.served_until or min(each.since for each in subscription.topics)
            missed = 0
            if on is None:
                passed = slots_between(subscription.day, subscription.hour, zone, since, slot.at)
                missed = max(0, len(passed) - 1 - standing.arrived)
            found.append(Due(subscription, address, slot, since, missed, standing.last_delivery))
        return found

    def _cannot_serve(self, subscription: Subscription) -> None:
        """Say once a process, not at every tick, that a reader is left out; the health check says it for good."""
        if (subscription.id, subscription.zone) not in self._left_out:
            self._left_out.add((subscription.id, subscription.zone))
            _log.error(
                "a reader gets no digest: this machine does not know the time zone",
                person=subscription.person_id,
                zone=subscription.zone,
            )

    def one(
        self, session: Session, address: str | None, now: datetime, on: date | None, like: Subscription | None
    ) -> Due:
        """Return a subscriber, due or not; else somebody new with the choices of `like`, or who follows everything."""
        if on is not None and instant(on, 0, ZoneInfo(self._zone)) > now:
            raise UsageError(f"{on} has not begun yet; what it brings is not known")
        day = on or now.astimezone(ZoneInfo(self._zone)).date()
        if address is not None:
            key = read_address(address).key
            person = people.find(session, key)
            if person is not None and person.subscription is not None and person.subscription.topics:
                held = person.subscription
                if all(each.retired for each in held.topics):
                    named = ", ".join(each.topic for each in held.topics)
                    raise UsageError(f"{person.address} follows only topics that are retired: {named}")
                zone = zone_of(held)
                if zone is None:
                    raise UsageError(
                        f"this machine does not know the time zone {held.zone!r} of {person.address}; "
                        "set another, or install a newer tzdata"
                    )
                standing = serving.standings(session, now).get(held.id, serving.Standing())
                since = standing.served_until or min(each.since for each in held.topics)
                slot = Slot(day, instant(day, held.hour, zone))
                return Due(held, person.address, slot, since, 0, standing.last_delivery)
        at = min(now, end_of(on, self._zone) or now)
        wanted = {each.topic for each in like.topics} if like is not None else None
        everything = tuple(
            Followed(topic, at - _DEFAULT_SPAN)
            for topic in people.living_topics(session)
            if wanted is None or topic in wanted
        )
        if not everything:
            raise UsageError("there are no topics yet; run `monitor init`")
        nobody = Subscription(
            0, 0, everything, day.weekday(), 7, self._zone, self._language, 12, "", at, at - _DEFAULT_SPAN
        )
        if like is not None:
            nobody = replace(like, id=0, person_id=0, topics=everything, token="", paused_until=None)
        return Due(nobody, address or "", Slot(day, at), at - _DEFAULT_SPAN, 0)


def paused_until(due: Due) -> date | None:
    """Return until when this reader's digest was paused, if that is why it catches up."""
    until = due.subscription.paused_until
    zone = zone_of(due.subscription)
    if until is None or zone is None or not due.missed:
        return None
    return until if due.since.astimezone(zone).date() < until <= due.slot.day else None


def end_of(on: date | None, zone: str) -> datetime | None:
    """Return when the given local day is over."""
    return None if on is None else instant(on + timedelta(days=1), 0, ZoneInfo(zone))
