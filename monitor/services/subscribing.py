"""People and what each receives: added, changed, ended, every step in the log."""

from __future__ import annotations

import secrets
import zoneinfo
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from monitor.core.address import Address, read_address
from monitor.core.people import COMMAND_LINE, ROLES, Actor, Person, Subscription
from monitor.core.slots import DAYS
from monitor.errors import MonitorError, NotFound, UsageError
from monitor.services.people import take_out
from monitor.services.ports import Clock
from monitor.services.wishes import Wish, checked, known_language, read_floor, today_in, topics_among
from monitor.services.wishes import pause_until as pause_day
from monitor.storage import events, people
from monitor.storage.engine import Database

UNSUBSCRIBED = "unsubscribed"
_NAME_MAX = 200


@dataclass(frozen=True, slots=True)
class Left:
    """What unsubscribing found. All of it is success: `address` is None when nobody is known by that link."""

    address: str | None
    already: bool


class Meanwhile(MonitorError):
    """Somebody changed a person since the form was opened; nothing was overwritten. `person` is as it stands now."""

    def __init__(self, person: Person) -> None:
        super().__init__("this was changed in another window meanwhile; nothing was overwritten")
        self.person = person


class Subscribing:
    """Adds people and decides what each receives. Every method is one transaction with its event in it."""

    def __init__(self, database: Database, clock: Clock, zone: str = "UTC", language: str = "en") -> None:
        self._database = database
        self._clock = clock
        self._zone = zone
        self._language = language

    def add(
        self,
        address: str,
        name: str = "",
        role: str = "member",
        language: str | None = None,
        actor: Actor = COMMAND_LINE,
    ) -> Person:
        """Add a person, or bring back one who was disabled; raises UsageError for an address already in use."""
        read = read_address(address)
        name = " ".join(name.split()) or read.text.partition("@")[0]
        if len(name) > _NAME_MAX or not name.isprintable():
            raise UsageError(f"a name is at most {_NAME_MAX} printable characters")
        if role not in ROLES:
            raise UsageError(f"{role!r} is no role; choose from {', '.join(ROLES)}")
        language = known_language(language or self._language)
        now = self._clock.now()
        with self._database.write() as session:
            known = people.find(session, read.key)
            if known is not None and known.disabled_at is None:
                raise UsageError(f"{known.address} is already here, as {known.role}")
            after = {"address": read.text, "name": name, "role": role, "language": language}
            if known is None:
                person_id = people.add(session, read.text, read.key, name, role, language, now)
                events.record(session, actor, "person.add", f"person:{person_id}", now, after=after)
            else:
                person_id = known.id
                people.change(session, person_id, disabled_at=None, **after)
                people.touch(session, person_id)
                events.record(session, actor, "person.enable", f"person:{person_id}", now, _seen(known), after)
            return _reread(session, person_id)

    def everyone(self) -> list[Person]:
        """Return all people with their living subscriptions, by address."""
        with self._database.read() as session:
            return people.everyone(session)

    def disable(self, address: str, actor: Actor = COMMAND_LINE) -> Person:
        """Let a person receive nothing and come in nowhere; kept for the log. Repeating it changes nothing."""
        now = self._clock.now()
        with self._database.write() as session:
            person = _known(session, read_address(address))
            take_out(session, person, actor, now)
            return _reread(session, person.id)

    def change_address(self, address: str, new: str, actor: Actor = COMMAND_LINE) -> Person:
        """Give a person another address; what was sent to the old one stays theirs."""
        read = read_address(new)
        now = self._clock.now()
        with self._database.write() as session:
            person = _known(session, read_address(address))
            holder = people.find(session, read.key)
            if holder is not None and holder.id != person.id:
                raise UsageError(f"{read.text} already belongs to {holder.name}")
            people.change(session, person.id, address=read.text, address_key=read.key)
            people.touch(session, person.id)
            events.record(
                session,
                actor,
                "person.address",
                f"person:{person.id}",
                now,
                {"address": person.address},
                {"address": read.text},
            )
            return _reread(session, person.id)

    def subscribe(
        self,
        address: str,
        topics: Sequence[str],
        *,
        day: int | None = None,
        hour: int | None = None,
        zone: str | None = None,
        language: str | None = None,
        limit: int | None = None,
        floor: str | None = None,
        pause_until: date | None = None,
        resume: bool = False,
        opt_in: bool = False,
        actor: Actor = COMMAND_LINE,
    ) -> Subscription:
        """Start a person's subscription, or extend the living one: topics are added, given values replace.

        `floor` is a level, or `all` for papers of any and of none. Nothing is due before the day `pause_until`; what is
        found meanwhile comes in the first issue after it. `resume` ends a pause today.
        An address that unsubscribed, complained or bounced gets mail again only with `opt_in`, the owner's own wish.
        What was found before a topic was followed is not news to it.
        """
        given = checked(day=day, hour=hour, zone=zone, language=language, card_limit=limit)
        if floor is not None:
            given["level_floor"] = read_floor(floor)
        if resume and pause_until is not None:
            raise UsageError("a digest is either paused or resumed")
        now = self._clock.now()
        with self._database.write() as session:
            person = _known(session, read_address(address))
            if person.disabled_at is not None:
                raise UsageError(f"{person.address} is disabled; add the person again first")
            wanted = topics_among(people.living_topics(session), topics, people.retired_topics(session))
            if person.suppressed is not None:
                self._opt_in(session, person, opt_in, actor)
            held = person.subscription
            today = today_in(given.get("zone") or (held.zone if held is not None else self._zone), now)
            if pause_until is not None:
                given["paused_until"] = pause_day(pause_until, today)
            elif resume and held is not None and held.paused_until is not None:
                # The day stays, so that the next issue can say why it catches up.
                given["paused_until"] = min(held.paused_until, today)
            if held is None:
                if not wanted:
                    raise UsageError("name at least one topic to follow")
                defaults = {"day": 0, "hour": 7, "zone": self._zone, "language": person.language, "card_limit": 12}
                values: dict[str, Any] = defaults | given
                subscription_id = people.subscribe(
                    session, person.id, **values, token=secrets.token_urlsafe(24), now=now
                )
                people.follow(session, subscription_id, wanted, now)
                action, before = "subscription.start", None
            else:
                if not wanted and not given:
                    raise UsageError("nothing to change: name a topic to follow or a value to set")
                subscription_id = held.id
                moved = any(name in given and given[name] != getattr(held, name) for name in ("day", "hour", "zone"))
                if given:
                    people.change_subscription(session, held.id, **given, **({"scheduled_at": now} if moved else {}))
                known = {each.topic for each in held.topics}
                people.follow(session, held.id, [topic for topic in wanted if topic not in known], now)
                action, before = "subscription.change", _told(held)
            found = _reread(session, person.id).subscription
            assert found is not None  # noqa: S101  just written
            people.touch(session, person.id)
            events.record(session, actor, action, f"person:{person.id}", now, before, _told(found))
            return found

    def arrange(self, person_id: int, wish: Wish, version: int, actor: Actor) -> Person:
        """Give a person exactly what they wish for, starting a subscription where there is none.

        Raises Meanwhile where the person was changed since `version`. Retired topics stay as they are. An address that
        gets no mail gets it again: its owner asks.
        """
        given = checked(
            day=wish.day, hour=wish.hour, zone=wish.zone, language=wish.language, card_limit=wish.card_limit
        )
        given["level_floor"] = read_floor(wish.level_floor) if wish.level_floor is not None else None
        now = self._clock.now()
        with self._database.write() as session:
            person = _reread(session, person_id)
            held = person.subscription
            living = people.living_topics(session)
            wanted = topics_among(living, wish.topics, people.retired_topics(session))
            if not wanted:
                raise UsageError("choose at least one topic, or stop the digest")
            standing = held.paused_until if held is not None else None
            given["paused_until"] = standing
            if wish.paused_until != standing:
                today = today_in(wish.zone, now)
                if wish.paused_until is not None:
                    given["paused_until"] = pause_day(wish.paused_until, today)
                elif standing is not None:
                    given["paused_until"] = min(standing, today)
            if not people.count_change(session, person_id, version):
                raise Meanwhile(person)
            if person.suppressed is not None:
                self._opt_in(session, person, True, actor)
            if held is None:
                subscription_id = people.subscribe(
                    session, person_id, **given, token=secrets.token_urlsafe(24), now=now
                )
                people.follow(session, subscription_id, wanted, now)
                action, before = "subscription.start", None
            else:
                moved = any(given[name] != getattr(held, name) for name in ("day", "hour", "zone"))
                people.change_subscription(session, held.id, **given, **({"scheduled_at": now} if moved else {}))
                followed = {each.topic for each in held.topics}
                people.follow(session, held.id, [topic for topic in wanted if topic not in followed], now)
                gone = [topic for topic in followed if topic in living and topic not in wanted]
                people.unfollow(session, held.id, gone)
                action, before = "subscription.change", _told(held)
            after = _reread(session, person_id)
            assert after.subscription is not None  # noqa: S101  just written
            if before != (told := _told(after.subscription)):
                events.record(session, actor, action, f"person:{person_id}", now, before, told)
            return after

    def lift(self, key: str, actor: Actor = COMMAND_LINE) -> str:
        """Let mail go to an address again, as its owner wishes; returns why none went. Raises NotFound."""
        now = self._clock.now()
        with self._database.write() as session:
            held = people.suppression(session, key)
            if held is None:
                raise NotFound(f"mail to {key} is not stopped")
            person = people.find(session, key)
            people.lift_suppression(session, key)
            subject = f"person:{person.id}" if person is not None else f"address:{key}"
            before = {"reason": held.reason, "text": held.text, "since": held.since.isoformat()}
            events.record(session, actor, "suppression.lift", subject, now, before, {"opt_in": True})
            return held.reason

    def unsubscribe(self, address: str, topics: Sequence[str] = (), actor: Actor = COMMAND_LINE) -> Left:
        """End a person's subscription, or only some topics of it. Repeating it, or an unknown address, succeeds."""
        read = read_address(address)
        with self._database.write() as session:
            person = people.find(session, read.key)
            if person is None or person.subscription is None:
                return Left(person.address if person else None, already=True)
            held = person.subscription
            followed = {each.topic for each in held.topics}
            unknown = sorted(set(topics) - followed)
            if unknown:
                raise UsageError(f"{person.address} does not follow {', '.join(unknown)}")
            if topics and followed - set(topics):
                people.unfollow(session, held.id, list(topics))
                people.touch(session, person.id)
                left = [topic for topic in _told(held)["topics"] if topic not in topics]
                events.record(
                    session,
                    actor,
                    "subscription.change",
                    f"person:{person.id}",
                    self._clock.now(),
                    _told(held),
                    _told(held) | {"topics": left},
                )
            else:
                self._end(session, person, held, actor)
            return Left(person.address, already=False)

    def unsubscribe_by_token(self, token: str) -> Left:
        """Honour the link of a mail: at once, any number of times, also for somebody who has vanished."""
        with self._database.write() as session:
            held = people.by_token(session, token)
            if held is None:
                return Left(None, already=True)
            person = people.find_by_id(session, held.person_id)
            if person is None or held.ended_at is not None:
                return Left(person.address if person else None, already=True)
            self._end(session, person, held, Actor("link in a mail", person.role, person.id))
            return Left(person.address, already=False)

    def by_token(self, token: str) -> Left:
        """Say what an unsubscribe link belongs to, changing nothing: the page that asks shows it."""
        with self._database.read() as session:
            held = people.by_token(session, token)
            person = people.find_by_id(session, held.person_id) if held is not None else None
            return Left(person.address if person else None, already=held is None or held.ended_at is not None)

    def _end(self, session: Session, person: Person, held: Subscription, actor: Actor) -> None:
        now = self._clock.now()
        people.end(session, held.id, now)
        people.touch(session, person.id)
        people.suppress(session, read_address(person.address).key, UNSUBSCRIBED, now)
        events.record(session, actor, "subscription.end", f"person:{person.id}", now, before=_told(held))

    def _opt_in(self, session: Session, person: Person, opt_in: bool, actor: Actor) -> None:
        if not opt_in:
            raise UsageError(
                f"no mail goes to {person.address} ({person.suppressed}); "
                "subscribe it again only at the owner's own wish, with --opt-in"
            )
        people.lift_suppression(session, read_address(person.address).key)
        events.record(
            session,
            actor,
            "suppression.lift",
            f"person:{person.id}",
            self._clock.now(),
            {"reason": person.suppressed},
            {"opt_in": True},
        )


def zone_of(subscription: Subscription) -> zoneinfo.ZoneInfo | None:
    """Return the zone a subscription keeps to; None when this machine's tzdata does not have it (any more)."""
    try:
        return zoneinfo.ZoneInfo(subscription.zone)
    except (KeyError, ValueError, OSError):  # unknown; no name at all; a folder or an unreadable file
        return None


def unknown_zones(session: Session) -> dict[str, int]:
    """Count the living subscriptions of each zone that this machine does not know: their readers get no digest."""
    return dict(Counter(held.zone for held, _ in people.living(session) if zone_of(held) is None))


def _known(session: Session, address: Address) -> Person:
    person = people.find(session, address.key)
    if person is None:
        raise NotFound(f"nobody here has the address {address.text}; add the person first")
    return person


def _reread(session: Session, person_id: int) -> Person:
    person = people.find_by_id(session, person_id)
    assert person is not None  # noqa: S101  people are never deleted
    return person


def _seen(person: Person) -> dict[str, Any]:
    return {"address": person.address, "name": person.name, "role": person.role, "language": person.language}


def _told(subscription: Subscription) -> dict[str, Any]:
    return {
        "topics": [each.topic for each in subscription.topics],
        "day": DAYS[subscription.day],
        "hour": subscription.hour,
        "zone": subscription.zone,
        "language": subscription.language,
        "limit": subscription.card_limit,
        "floor": subscription.level_floor,
        "paused_until": subscription.paused_until.isoformat() if subscription.paused_until is not None else None,
    }
