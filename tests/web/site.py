"""A whole installation with one frozen issue, behind its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.types import ASGIApp

from monitor.build import House, build
from monitor.pubmed.sandbox import SetClock
from monitor.settings import load
from monitor.storage.issues import archive
from monitor.web.app import create_app

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
ADA, BOB = "ada@lab.example", "bob@lab.example"
SECRET = "canary-secret-key-of-the-invented-lab"


@dataclass
class World:
    """What a test needs of it; `token` unsubscribes ADA, `key` names her issue."""

    house: House
    app: ASGIApp
    clock: SetClock
    token: str
    key: str

    @property
    def receives(self) -> bool:
        return next(each for each in self.house.subscribing.everyone() if each.address == ADA).subscription is not None


@contextmanager
def world(folder: Path, public_url: str = "http://127.0.0.1:8000", database_url: str | None = None) -> Iterator[World]:
    clock = SetClock()
    clock.set(datetime(2026, 11, 16, 8, tzinfo=UTC))
    settings = load(
        environ={}, home=folder, public_url=public_url, secret_key=SECRET, database_url=database_url, timezone="UTC"
    )
    with build(settings, clock=clock, create=True) as house:
        if database_url is not None:
            house.setup.run()
        house.subscribing.add(ADA, "Ada")
        house.subscribing.add(BOB, "Bob")
        held = house.subscribing.subscribe(ADA, ["car-nk"], day=0, hour=7)
        clock.set(NOW)
        house.publishing.publish()
        with house.database.read() as session:
            key = archive(session)[0].key
        yield World(house, create_app(house.site), clock, held.token, key)
