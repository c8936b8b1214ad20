"""Who is signed in: sessions of people and tokens of programs, both kept as hashes of what only their owners hold."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.core.accounts import (
    IDLE,
    LONGEST,
    SCOPES,
    TOKEN_DAYS,
    TOKEN_MARK,
    agent_kept,
    grantable,
    is_alive,
)
from monitor.core.address import address_key
from monitor.core.people import Actor, Person
from monitor.errors import NotFound, UsageError
from monitor.services.ports import Clock
from monitor.storage import accesstokens, accounts, events, people
from monitor.storage.accesstokens import AccessToken
from monitor.storage.accounts import OpenSession
from monitor.storage.engine import Database

__all__ = ["IDLE", "LONGEST", "Accounts", "Caller", "SignedIn", "hashed"]

_SEEN = timedelta(minutes=1)
_NAME_MAX = 100
_MOST_TOKENS = 50


class SignedIn(NamedTuple):
    """Who a session belongs to; no session where a proxy vouches for the person."""

    session_id: int | None
    person: Person


class Caller(NamedTuple):
    """Whom a program speaks for, and what its token was given; the person's role of today limits it too."""

    person: Person
    scopes: frozenset[str]
    token_id: int


class Accounts:
    """Lets people and programs in and out. Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, person_id: int, agent: str | None = None) -> str:
        """Open a session for somebody who has shown who they are; returns what the cookie holds."""
        token = secrets.token_urlsafe(32)
        with self._database.write() as session:
            accounts.begin(session, hashed(token), person_id, agent_kept(agent), self._clock.now())
        return token

    def whose(self, token: str) -> SignedIn | None:
        """Return who a session belongs to, with the role held now; None when it is unknown, ended or too old."""
        now = self._clock.now()
        with self._database.read() as session:
            found = accounts.find(session, hashed(token))
            if found is None or not is_alive(found.created_at, found.seen_at, now):
                return None
            person = people.find_by_id(session, found.person_id)
        if person is None:
            return None
        if now - found.seen_at > _SEEN:
            with self._database.write() as session:
                accounts.seen(session, found, now)
        return SignedIn(found.id, person)

    def vouched(self, address: str) -> SignedIn | None:
        """Return the person whom a trusted proxy names; None when nobody here has that address, or is disabled."""
        now = self._clock.now()
        with self._database.read() as session:
            person = people.find(session, address_key(address))
        if person is None or person.disabled_at is not None:
            return None
        if person.seen_at is None or now - person.seen_at > _SEEN:
            with self._database.write() as session:
                accounts.person_seen(session, person.id, now)
        return SignedIn(None, person)

    def end(self, token: str) -> None:
        """Sign out; an unknown session is no error."""
        with self._database.write() as session:
            accounts.end(session, hashed(token), self._clock.now())

    def sessions(self, person_id: int) -> list[OpenSession]:
        """Return where a person is signed in, the session used last first."""
        now = self._clock.now()
        with self._database.read() as session:
            return [
                each for each in accounts.open_of(session, person_id) if is_alive(each.created_at, each.seen_at, now)
            ]

    def end_session(self, person_id: int, session_id: int, actor: Actor) -> None:
        """Sign one of a person's own browsers out; raises NotFound for one that is not theirs or has ended."""
        now = self._clock.now()
        with self._database.write() as session:
            if not accounts.end_one(session, person_id, session_id, now):
                raise NotFound("this browser is signed out already")
            events.record(session, actor, "account.end_session", f"person:{person_id}", now)

    def end_others(self, person_id: int, session_id: int | None, actor: Actor) -> int:
        """Sign a person out everywhere but here; return how many sessions that ended."""
        now = self._clock.now()
        with self._database.write() as session:
            ended = accounts.end_all(session, person_id, now, but=session_id)
            if ended:
                events.record(session, actor, "account.end_others", f"person:{person_id}", now, after={"ended": ended})
        return ended

    def tokens(self, person_id: int) -> list[AccessToken]:
        """Return a person's tokens that were not revoked, those whose time is over among them."""
        with self._database.read() as session:
            return accesstokens.of(session, person_id)

    def make_token(self, owner: Person, name: str, scopes: Collection[str], days: int | None, actor: Actor) -> str:
        """Make a token for a program; returns its text, which is kept nowhere and shown once.

        Raises UsageError for scopes beyond the owner's role.
        """
        name = " ".join(name.split())
        if not name or len(name) > _NAME_MAX or not name.isprintable():
            raise UsageError(f"give the token a name of 1 to {_NAME_MAX} printable characters, such as what uses it")
        chosen = [scope for scope in SCOPES if scope in scopes]
        if not chosen or len(chosen) != len(set(scopes)):
            raise UsageError(f"choose what the token may do: {', '.join(SCOPES)}")
        beyond = [scope for scope in chosen if scope not in grantable(owner.role)]
        if beyond:
            raise UsageError(f"{beyond[0]} takes the role {SCOPES[beyond[0]]}, and you are a {owner.role}")
        if days not in TOKEN_DAYS:
            raise UsageError("choose how long the token lasts from what the form offers")
        now = self._clock.now()
        expires_at: datetime | None = now + timedelta(days=days) if days is not None else None
        token = TOKEN_MARK + secrets.token_urlsafe(32)
        with self._database.write() as session:
            if len(accesstokens.of(session, owner.id)) >= _MOST_TOKENS:
                raise UsageError(f"{_MOST_TOKENS} tokens are the most; revoke one that is not used any more")
            token_id = accesstokens.add(session, hashed(token), owner.id, name, chosen, now, expires_at)
            told = {"name": name, "scopes": chosen, "expires_at": expires_at.isoformat() if expires_at else None}
            events.record(session, actor, "token.make", f"token:{token_id}", now, after=told)
        return token

    def revoke_token(self, person_id: int, token_id: int, actor: Actor) -> None:
        """Let a token work no more, from now on; raises NotFound for one that is not that person's."""
        now = self._clock.now()
        with self._database.write() as session:
            token = accesstokens.revoke(session, person_id, token_id, now)
            if token is None:
                raise NotFound("this token was revoked already")
            told = {"name": token.name, "scopes": list(token.scopes)}
            events.record(session, actor, "token.revoke", f"token:{token_id}", now, before=told)

    def by_token(self, text: str) -> Caller | None:
        """Return whom a program's token speaks for; None when it is unknown, revoked or too old, or its owner disabled."""
        now = self._clock.now()
        with self._database.read() as session:
            token = accesstokens.find(session, hashed(text))
            if token is None or (token.expires_at is not None and token.expires_at <= now):
                return None
            person = people.find_by_id(session, token.person_id)
        if person is None or person.disabled_at is not None:
            return None
        if token.used_at is None or now - token.used_at > _SEEN:
            with self._database.write() as session:
                accesstokens.used(session, token.id, now)
        return Caller(person, frozenset(token.scopes), token.id)


def hashed(secret: str) -> bytes:
    """Return what is kept of a secret that nobody can guess; a slow hash would add nothing to its 256 bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
