"""People as admins see to them: names and roles changed, people taken out and let in again, never without an admin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from monitor.core.address import read_address
from monitor.core.people import COMMAND_LINE, ROLES, Actor, Person
from monitor.errors import NotFound, UsageError
from monitor.services.ports import Clock
from monitor.storage import accesstokens, accounts, events, people
from monitor.storage.engine import Database
from monitor.storage.events import Entry

NAME_MAX = 200


class Seen(NamedTuple):
    """What of a person a form showed."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Somebody else changed this person first: how the person is now, and who did it when. Nothing was changed."""

    person: Person
    last: Entry | None


class People:
    """Changes people. Every method is one transaction with its event in it; roles take effect with the next request."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def everyone(self) -> list[Person]:
        """Return all people by address, the disabled ones too."""
        with self._database.read() as session:
            return people.everyone(session)

    def find(self, person_id: int) -> Person:
        with self._database.read() as session:
            return _known(session, person_id)

    def by_address(self, address: str) -> Person:
        read = read_address(address)
        with self._database.read() as session:
            person = people.find(session, read.key)
        if person is None:
            raise NotFound(f"nobody here has the address {read.text}; add the person first")
        return person

    def change(self, person_id: int, name: str, role: str, seen: Seen, actor: Actor) -> Person | Overtaken:
        """Give a person another name or role; another role signs them out everywhere.

        `seen` is what was looked at: where somebody else has changed it since, nothing is changed.
        """
        name = " ".join(name.split())
        if not name or len(name) > NAME_MAX or not name.isprintable():
            raise UsageError(f"a name is 1 to {NAME_MAX} printable characters")
        if role not in ROLES:
            raise UsageError(f"{role!r} is no role; choose from {', '.join(ROLES)}")
        now = self._clock.now()
        with self._database.write() as session:
            person = _known(session, person_id)
            if (person.name, person.role) == (name, role):
                return person
            # Not by the version alone: a person who sets their own digest meanwhile is in nobody's way.
            changed = _change(session, person, name, role, actor, now) if (person.name, person.role) == seen else None
            if changed is None:
                last = events.newest(session, _subject(person_id), ("person.",))
                return Overtaken(_known(session, person_id), last)
            return changed

    def set_role(self, address: str, role: str, actor: Actor = COMMAND_LINE) -> Person:
        """Give a person another role whatever was looked at; repeating it changes nothing."""
        if role not in ROLES:
            raise UsageError(f"{role!r} is no role; choose from {', '.join(ROLES)}")
        person = self.by_address(address)
        now = self._clock.now()
        with self._database.write() as session:
            held = _known(session, person.id)
            if held.role == role:
                return held
            changed = _change(session, held, held.name, role, actor, now)
            if changed is None:
                raise UsageError(f"{held.address} was changed by somebody else at this moment; try again")
            return changed

    def disable(self, person_id: int, actor: Actor) -> Person:
        """Take a person out; kept for the log. Repeating it changes nothing."""
        now = self._clock.now()
        with self._database.write() as session:
            take_out(session, _known(session, person_id), actor, now)
            return _known(session, person_id)

    def enable(self, person_id: int, actor: Actor) -> Person:
        """Let a person in again with the role they had; what they received is theirs to choose anew."""
        now = self._clock.now()
        with self._database.write() as session:
            person = _known(session, person_id)
            if person.disabled_at is not None:
                people.change(session, person.id, disabled_at=None)
                people.touch(session, person.id)
                events.record(session, actor, "person.enable", _subject(person.id), now, after=_told(person))
            return _known(session, person_id)


def take_out(session: Session, person: Person, actor: Actor, now: datetime) -> None:
    """Let a person receive nothing, and come in nowhere, from now on; raises UsageError for the last admin."""
    if person.disabled_at is not None:
        return
    _keep_an_admin(session, person, "disabled")
    if person.subscription is not None:
        people.end(session, person.subscription.id, now)
    people.change(session, person.id, disabled_at=now)
    people.touch(session, person.id)
    accounts.end_all(session, person.id, now)
    accounts.end_links(session, person.id, now)
    accesstokens.revoke_all(session, person.id, now)
    events.record(session, actor, "person.disable", _subject(person.id), now, before=_told(person))


def _change(session: Session, person: Person, name: str, role: str, actor: Actor, now: datetime) -> Person | None:
    """Change a person as they were read; None where somebody else was quicker."""
    before = _told(person)
    # First of all: it locks every admin in one order, so that two at once wait for each other and do not lock up.
    if role != person.role and person.disabled_at is None:
        _keep_an_admin(session, person, f"made a {role}")
    if not people.count_change(session, person.id, person.version):
        return None
    if role != person.role:
        accounts.end_all(session, person.id, now)
    people.change(session, person.id, name=name, role=role)
    found = _known(session, person.id)
    events.record(session, actor, "person.change", _subject(person.id), now, before, _told(found))
    return found


def _keep_an_admin(session: Session, person: Person, what: str) -> None:
    if person.role == "admin" and people.with_role(session, "admin") == [person.id]:
        raise UsageError(f"{person.address} is the only admin and cannot be {what}; make somebody else an admin first")


def _subject(person_id: int) -> str:
    return f"person:{person_id}"


def _known(session: Session, person_id: int) -> Person:
    person = people.find_by_id(session, person_id)
    if person is None:
        raise NotFound("nobody here has that number")
    return person


def _told(person: Person) -> dict[str, Any]:
    return {"address": person.address, "name": person.name, "role": person.role}
