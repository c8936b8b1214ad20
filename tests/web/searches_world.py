"""An installation that asks the sandbox over HTTP, with one topic of its own, and a browser without script."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from monitor.build import House, build
from monitor.core.draft import Draft
from monitor.core.people import ROLES, Actor
from monitor.pubmed.sandbox import Sandbox
from monitor.settings import load
from monitor.web.app import create_app
from tests.acceptance.polling import NOW, client, sandbox
from tests.acceptance.trial_world import FIRST, papers, strategy
from tests.web.desk import SECRET, URL, Desk

TOPIC = "invented"
ADDRESS = f"/admin/searches/{TOPIC}"
SENTINEL = FIRST + 1
"""Found by the second line of core alone."""


@dataclass
class Searching(Desk):
    """A desk with its imitation of PubMed. `admin` is a browser of the admin."""

    server: Sandbox
    admin: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.admin = self.client("admin")

    @property
    def actor(self) -> Actor:
        return Actor("admin@lab.example", "admin", self.ids["admin"])

    def editor(self, **more: str) -> dict[str, Any]:
        """Return the fields of the editor as a browser would send them, with some typed over."""
        return fields(self.admin.get(ADDRESS).text) | more

    def press(self, button: str, given: dict[str, Any] | None = None, **more: str) -> Response:
        """Press a button of the editor."""
        return self.admin.post(ADDRESS, data={**(given or self.editor()), "do": button, **more})

    def asked(self) -> int:
        """How often PubMed was asked."""
        return len(self.server.requests("esearch")) + len(self.server.requests("efetch"))

    def version(self) -> int:
        return self.house.topics.one(TOPIC).stored.version


@cache
def _prepared() -> Path:
    """Make the installation once in this process: what a test changes is a copy of it."""
    folder = Path(mkdtemp(prefix="searching-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with _opened(folder) as (house, _server):
        for role in ROLES:
            house.subscribing.add(f"{role}@lab.example", role.title(), role)
        for each in house.topics.all():
            house.strategies.retire(each.stored.id, "not in the sandbox")
        house.strategies.save(Draft(TOPIC, "Invented CAR-NK cells", strategy(), (SENTINEL,)), "invented")
        house.polling.poll([TOPIC], full=True)
    return folder


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[House, Sandbox]]:
    with sandbox(*papers()) as server:
        settings = load(
            environ={}, home=folder, public_url=URL, secret_key=SECRET, timezone="UTC", eutils_url=server.url
        )
        with build(settings, clock=server.clock, create=True) as house:
            house.pubmed = client(server, tries=4)
            house.pubmed_while_waiting = client(server, tries=4)
            yield house, server


@contextmanager
def searching(folder: Path) -> Iterator[Searching]:
    """Open it at the moment of the polls' tests; the topic was polled once, whole, and the starter's are retired."""
    shutil.copytree(_prepared(), folder)
    with _opened(folder) as (house, server):
        ids = {each.address.partition("@")[0]: each.id for each in house.subscribing.everyone()}
        yield Searching(house, create_app(house.site), house.clock, ids, server)  # type: ignore[arg-type]


class _Form(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.fields: dict[str, Any] = {}
        self._id = form_id
        self._inside = False
        self._open: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = given.get("id") == self._id
        name = given.get("name")
        if name is None or not (given.get("form") == self._id if "form" in given else self._inside):
            if tag == "option" and self._select is not None and "selected" in given:
                self.fields[self._select] = given.get("value") or ""
            return
        if tag == "textarea":
            self._open = name
            self._add(name, "")
        elif tag == "select":
            self._select = name
            self._add(name, "")
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self._add(name, given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea":
            self._open = None
        elif tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.fields[self._open] += data

    def _add(self, name: str, value: str) -> None:
        held = self.fields.get(name)
        self.fields[name] = value if held is None else [*(held if isinstance(held, list) else [held]), value]


def fields(html: str, form_id: str = "editor") -> dict[str, Any]:
    """Return what a browser would send of a form, without a button."""
    form = _Form(form_id)
    form.feed(html)
    return form.fields


def text(answer: Response) -> str:
    """Return the words of a page, blanks as they are seen."""
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append  # type: ignore[method-assign]
    parser.feed(answer.text)
    return " ".join(" ".join(words).split())


__all__ = ["ADDRESS", "FIRST", "NOW", "SENTINEL", "TOPIC", "Searching", "fields", "searching", "text"]
