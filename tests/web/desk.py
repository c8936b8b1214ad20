"""An installation with a member, a curator and an admin, and clients that are signed in as each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.testclient import TestClient
from starlette.types import ASGIApp

from monitor.build import House, build
from monitor.core.people import ROLES, Actor
from monitor.pubmed.sandbox import SetClock
from monitor.settings import load
from monitor.storage import people
from monitor.web.app import create_app
from monitor.web.entering import Cookie

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECRET = "canary-secret-key-of-the-invented-lab"
URL = "http://127.0.0.1:8000"


@dataclass
class Desk:
    """What a test needs of it. People are `member@lab.example`, `curator@lab.example`, `admin@lab.example`."""

    house: House
    app: ASGIApp
    clock: SetClock
    ids: dict[str, int]

    def client(self, role: str | None = None, **headers: str) -> TestClient:
        """A browser without script, signed in as who holds that role; None for nobody."""
        found = TestClient(
            self.app, base_url=URL, client=("203.0.113.7", 50000), headers=headers, follow_redirects=False
        )
        if role is not None:
            found.cookies.set(*self.cookie(role), domain="127.0.0.1")
        return found

    def token(self, role: str, *scopes: str) -> str:
        """A new token of who holds that role."""
        actor = Actor(f"{role}@lab.example", role, self.ids[role])
        with self.house.database.read() as session:
            owner = people.find_by_id(session, self.ids[role])
        assert owner is not None
        return self.house.accounts.make_token(owner, "a script", scopes, 30, actor)

    def program(self, role: str, *scopes: str) -> TestClient:
        """A program of who holds that role, with a token of these scopes."""
        return self.client(None, Authorization=f"Bearer {self.token(role, *scopes)}")

    def cookie(self, role: str) -> tuple[str, str]:
        """Name and value of the cookie of a new session."""
        return Cookie(URL).name, self.house.accounts.begin(self.ids[role])


@contextmanager
def desk(folder: Path, database_url: str | None = None, public_url: str = URL) -> Iterator[Desk]:
    """Open an installation with the starter topics and three people, at Monday 2026-11-23 08:00 UTC."""
    clock = SetClock()
    clock.set(NOW)
    settings = load(
        environ={}, home=folder, public_url=public_url, secret_key=SECRET, database_url=database_url, timezone="UTC"
    )
    with build(settings, clock=clock, create=True) as house:
        if database_url is not None:
            house.setup.run()
        ids = {role: house.subscribing.add(f"{role}@lab.example", role.title(), role).id for role in ROLES}
        yield Desk(house, create_app(house.site), clock, ids)
