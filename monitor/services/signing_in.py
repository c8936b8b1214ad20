"""Signing in with a password, and changing it; failed tries slow down, whoever they are for."""

from __future__ import annotations

import math
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from monitor.core.accounts import ACCOUNT, NETWORK, agent_kept, network_of
from monitor.core.address import address_key
from monitor.core.passwords import Refusal, refusal, words_of
from monitor.core.people import Actor, Person
from monitor.errors import UsageError
from monitor.services.accounts import hashed
from monitor.services.passwords import Passwords
from monitor.services.ports import Clock
from monitor.services.throttling import Tries, spend
from monitor.storage import accounts, events, people
from monitor.storage.engine import Database

DIFFERENT = "the two passwords are not the same; type the new one twice"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody is signed in; `token` is what the cookie holds."""

    token: str
    person_id: int


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """Nobody is signed in. `wait` is how long no further try counts; the same for accounts that do not exist."""

    wait: timedelta = timedelta()

    @property
    def minutes(self) -> int:
        return math.ceil(self.wait.total_seconds() / 60)


class SigningIn:
    """Checks passwords. Unknown people, people without password and wrong passwords look and last the same."""

    def __init__(
        self, database: Database, clock: Clock, passwords: Passwords, site_words: Collection[str] = frozenset()
    ) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._site_words = frozenset(site_words)

    def sign_in(
        self, address: str, password: str, *, network: str | None = None, agent: str | None = None
    ) -> Entered | TurnedAway:
        """Open a session for who knows the password; `network` is where the request comes from, where that is known.

        The try is counted before the password is looked at, so that many at once gain nothing. Raises Busy.
        """
        key = address_key(address)
        place = network_of(network) if network is not None else None
        account = Tries(ACCOUNT, "account", key)
        nearby = [Tries(NETWORK, "network", place)] if place is not None else []
        tried = self._clock.now()
        with self._database.write() as session:
            wait = spend(session, [account, *nearby], tried)
            held = accounts.password_of(session, key) if not wait else None
        if wait:
            log.info("sign-in slowed down", seconds=round(wait.total_seconds()))
            return TurnedAway(wait)
        checked = self._passwords.check(password, held.password_hash if held is not None else None)
        if held is None or not checked.right:
            log.info("sign-in failed")
            return TurnedAway()
        now = self._clock.now()
        with self._database.write() as session:
            if accounts.password_of(session, key) != held:  # disabled, or another password, in the meantime
                return TurnedAway()
            accounts.forget_tries(session, account.key)
            for each in nearby:
                accounts.forget_try(session, each.key, tried)
            if checked.renewed is not None:
                accounts.set_password(session, held.person_id, checked.renewed)
            return Entered(enter(session, held.person_id, agent, now, "account.sign_in"), held.person_id)

    def change_password(
        self, person: Person, old: str, new: str, again: str, *, session_id: int | None, actor: Actor
    ) -> Refusal | None:
        """Set another password and sign every other browser out; a Refusal says why the new one is not taken.

        Raises UsageError where the two differ or the old one is wrong; wrong ones slow down as at the door.
        """
        refused = self.refusal(person, new)
        if refused is not None:
            return refused
        if new != again:
            raise UsageError(DIFFERENT)
        key = address_key(person.address)
        account = Tries(ACCOUNT, "account", key)
        with self._database.write() as session:
            wait = spend(session, [account], self._clock.now())
            held = accounts.password_of(session, key)
        if wait:
            minutes = TurnedAway(wait).minutes
            raise UsageError(f"too many wrong passwords; nothing was changed, try again in {minutes} min")
        if held is None or not self._passwords.check(old, held.password_hash).right:
            raise UsageError("the old password is not right; nothing was changed")
        fresh = self._passwords.hash(new)
        now = self._clock.now()
        with self._database.write() as session:
            accounts.forget_tries(session, account.key)
            replace_password(session, person.id, fresh, now, session_id=session_id)
            events.record(session, actor, "account.password", f"person:{person.id}", now)
        return None

    def refusal(self, person: Person, password: str) -> Refusal | None:
        """Say why somebody cannot have a password, or None."""
        return refusal(password, self._site_words | words_of(person.address, person.name))


def enter(session: Session, person_id: int, agent: str | None, now: datetime, action: str) -> str:
    """Open a session for who has shown who they are, and write it down; returns what the cookie holds."""
    token = secrets.token_urlsafe(32)
    accounts.begin(session, hashed(token), person_id, agent_kept(agent), now)
    accounts.person_seen(session, person_id, now)
    person = people.find_by_id(session, person_id)
    assert person is not None  # noqa: S101  people are never deleted
    events.record(session, Actor(person.address, person.role, person.id), action, f"person:{person_id}", now)
    return token


def replace_password(
    session: Session, person_id: int, password_hash: str, now: datetime, *, session_id: int | None = None
) -> None:
    """Set a password; every other session and every link that could set another one ends."""
    accounts.set_password(session, person_id, password_hash)
    accounts.end_all(session, person_id, now, but=session_id)
    accounts.end_links(session, person_id, now)
