"""Accounts on a database, with argon2id made cheap: real hashes, a thousandth of the work."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from monitor.core.people import Actor, Person
from monitor.errors import MailUnavailable
from monitor.mail.links import Links
from monitor.mail.message import Letter
from monitor.pubmed.sandbox import SetClock
from monitor.services.accounts import Accounts
from monitor.services.onetime import Made, OneTimeLinks
from monitor.services.passwords import Passwords
from monitor.services.people import People
from monitor.services.signing_in import SigningIn
from monitor.services.subscribing import Subscribing
from monitor.storage.engine import Database

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
GOOD, OTHER = "gravel otter lantern", "copper meadow violin"
BOSS = Actor("admin@lab.example", "admin")


@dataclass
class Postbox:
    """A way out for letters that keeps them, or is out of reach."""

    letters: list[tuple[str, Letter]] = field(default_factory=list)
    broken: str | None = None

    def send(self, recipient: str, letter: Letter) -> None:
        if self.broken is not None:
            raise MailUnavailable(self.broken)
        self.letters.append((recipient, letter))


class House:
    """The services of accounts on one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = SetClock(NOW)
        cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
        self.passwords = Passwords(cheap, at_once=8, patience=30)
        self.accounts = Accounts(database, self.clock)
        self.signing_in = SigningIn(database, self.clock, self.passwords, {"nk evidence"})
        self.postbox = Postbox()
        links = Links("http://127.0.0.1:8000", b"x" * 32)
        self.one_time = OneTimeLinks(
            database, self.clock, self.passwords, self.signing_in, links, self.postbox, name="NK evidence", zone="UTC"  # type: ignore[arg-type]
        )  # fmt: skip
        self.people = People(database, self.clock)
        self.subscribing = Subscribing(database, self.clock)

    def later(self, **span: float) -> None:
        self.clock.set(self.clock.now() + timedelta(**span))

    def add(self, name: str, role: str = "member", password: str | None = None) -> Person:
        person = self.subscribing.add(f"{name}@lab.example", name.title(), role)
        if password is not None:
            self.one_time.use(token(self.one_time.make(person.id, BOSS)), password, password)
        return self.people.find(person.id)


def token(made: Made) -> str:
    """Return the secret at the end of a link."""
    return made.url.rpartition("/")[2]
