"""An installation that nobody has set up yet, asking an imitation of PubMed, as one process serves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from monitor.build import House, build
from monitor.cli.serving import Running
from monitor.core.people import Actor
from monitor.pubmed.sandbox import Sandbox, SetClock
from monitor.services.firstrun import BEGUN
from monitor.services.installing import SUBJECT
from monitor.settings import Sources
from monitor.storage import accounts, events
from tests.acceptance.polling import NOW, record, sandbox
from tests.web.desk import SECRET, URL

ADMIN = "first@lab.example"
GOOD = "gravel otter lantern"
CHOSEN = ("car-nk", "cik")


@dataclass
class Fresh:
    """What a test needs of it. `house` is the one that stands now: it is made anew when settings are kept."""

    running: Running
    server: Sandbox
    clock: SetClock
    home: Path
    browser: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.browser = self.client()

    @property
    def house(self) -> House:
        return self.running.house

    @property
    def link(self) -> str:
        return self.house.first_run.path

    def client(self) -> TestClient:
        return TestClient(self.running, base_url=URL, client=("203.0.113.7", 50000), follow_redirects=False)

    def claim(self, browser: TestClient | None = None, **typed: str) -> Any:
        """Make the first admin as a browser would."""
        given = {"address": ADMIN, "name": "First", "password": GOOD, "again": GOOD} | typed
        return (browser or self.browser).post(self.link, data=given)

    def enter(self) -> None:
        """Be the first admin without the cost of a password, where that is not what is tested."""
        person = self.house.subscribing.add(ADMIN, "First", "admin")
        with self.house.database.write() as session:
            accounts.set_password(session, person.id, "invented hash")
            events.record(session, Actor(ADMIN, "admin", person.id), BEGUN, SUBJECT, self.clock.now())
        self.browser.cookies.set("session", self.house.accounts.begin(person.id), domain="127.0.0.1")

    def post(self, page: str, **typed: Any) -> Any:
        return self.browser.post(f"/setup/{page}", data=typed)

    def read(self, page: str = "") -> str:
        """Return the words of a page, without its markup."""
        answer = self.browser.get(f"/setup/{page}".rstrip("/"))
        assert answer.status_code == 200, answer.text
        return words(answer)

    def work(self) -> None:
        """Give the worker its turns."""
        self.house.working.tick()


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("&#39;", "'").split())


@contextmanager
def fresh(home: Path, *, environ: dict[str, str] | None = None, eutils_url: str | None = None) -> Iterator[Fresh]:
    """Open it at NOW with some papers in the imitation of PubMed; nothing is asked before there is an address."""
    clock = SetClock()
    clock.set(NOW)
    papers = [record(90_000_001 + number, created=(NOW - timedelta(days=2 + number)).date()) for number in range(4)]
    with sandbox(*papers) as server:
        flags = {"home": home, "eutils_url": eutils_url or server.url, "secret_key": SECRET, "timezone": "UTC"}
        sources = Sources(environ=environ or {}, flags=flags)
        with build(sources.load(), clock=clock, create=True, sources=sources) as house:
            yield Fresh(Running(house), server, clock, home)
