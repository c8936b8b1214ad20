"""Who is signed in: sessions, kept in the database and named by what a cookie holds."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import NamedTuple

from monitor.core.people import Person
from monitor.services.ports import Clock
from monitor.storage import accounts, people
from monitor.storage.engine import Database

IDLE, LONGEST = timedelta(hours=12), timedelta(days=14)
"""How long a session lasts unused, and at all (OWASP ASVS 5.0, V7.3)."""
_SEEN = timedelta(minutes=1)


class SignedIn(NamedTuple):
    """Who a session belongs to."""

    session_id: int
    person: Person


class Accounts:
    """Lets people in and out. Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, person_id: int, agent: str | None = None) -> str:
        """Open a session for somebody who has shown who they are; returns what the cookie holds."""
        token = secrets.token_urlsafe(32)
        with self._database.write() as session:
            accounts.begin(session, _hash(token), person_id, agent, self._clock.now())
        return token

    def whose(self, token: str) -> SignedIn | None:
        """Return who a session belongs to, with the role held now; None when it is unknown, ended or too old."""
        now = self._clock.now()
        with self._database.read() as session:
            found = accounts.find(session, _hash(token))
            if found is None or now - found.seen_at > IDLE or now - found.created_at > LONGEST:
                return None
            person = people.find_by_id(session, found.person_id)
        if person is None:
            return None
        if now - found.seen_at > _SEEN:
            with self._database.write() as session:
                accounts.seen(session, found, now)
        return SignedIn(found.id, person)

    def end(self, token: str) -> None:
        """Sign out; an unknown session is no error."""
        with self._database.write() as session:
            accounts.end(session, _hash(token), self._clock.now())


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
