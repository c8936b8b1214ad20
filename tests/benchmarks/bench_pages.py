"""Pages: every kind, from a request to its last byte, with a library of 20,000 citations and 2,000 in the queue."""

from __future__ import annotations

import dataclasses
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, select, update
from starlette.testclient import TestClient

from monitor.build import House, build
from monitor.cli.serving import collect_seldom
from monitor.core.citation import Correction
from monitor.core.people import Actor
from monitor.pubmed.sandbox import SetClock
from monitor.settings import load
from monitor.storage import citations
from monitor.storage.engine import connect, sqlite_url
from monitor.storage.migrations import upgrade
from monitor.storage.tables import CitationRow, DecisionRow, DeliveryRow, HitRow, PollRow
from monitor.web.app import create_app
from monitor.web.entering import Cookie
from tests.benchmarks.corpus import FIRST_PMID
from tests.benchmarks.harness import Row
from tests.benchmarks.library import NOW, TOPICS, fill

SIZE = 20_000
WAITING = 2_000
TOPIC = "car-nk"
READERS = 20
PROPOSED = 1000
"""Papers, the newest, that the rules have been over; of older ones the paper's page makes it itself."""
ROUNDS = 50
TARGET = 50
URL = "http://127.0.0.1:8000"
QUERIES = (
    "",
    '"natural killer cells"[tiab]',
    "cells",
    "patients AND treatment",
    "car-nk[topic] NOT dismiss[decision]",
    "review[pt] AND eng[la]",
)
NEWEST = FIRST_PMID + SIZE - 1
PAGES = {
    "this week": ["/"],
    "papers": [f"/papers?q={query}" for query in QUERIES],
    "papers, dense": [f"/papers?view=dense&q={query}" for query in QUERIES],
    "papers, a page further down": [f"/papers?q={query}&before={FIRST_PMID + SIZE // 2}" for query in QUERIES],
    "one paper": [f"/papers/{NEWEST - 7 * number}" for number in range(ROUNDS)],
    "integrity": ["/integrity", "/integrity?kind=retracted", "/integrity?matters=kept", "/integrity?matters=mine"],
    "saved searches": ["/searches"],
    "digests": ["/digests", "/digests/mine"],
    "settings": [f"/settings{name}" for name in ("", "/keys", "/digest", "/feeds", "/account", "/data")],
}
AT_DESK = {
    "queue": ["/queue", "/queue?order=newest"],
    "queue, a lane": ["/queue?lane=wide", "/queue?lane=integrity", "/queue?lane=maybe"],
    "queue, one paper": [f"/queue/{NEWEST - 7 * number}" for number in range(ROUNDS)],
    "queue, the next paper": [f"/queue/{NEWEST - 7 * number}?part=record" for number in range(ROUNDS)],
    "my work, votes": ["/me", "/votes"],
}
FOR_ADMINS = {
    "searches": ["/admin/searches"],
    "search editor": [
        f"/admin/searches/{topic}{page}" for topic in TOPICS for page in ("", "/history", "/suggestions")
    ],
    "runs": ["/admin/runs", "/admin/runs/1"],
    "vocabulary": ["/admin/vocabulary", "/admin/vocabulary/noisy"],
    "digest studio": ["/admin/digests", "/admin/digests/letter"],
    "outbox, addresses": ["/admin/digests/outbox", "/admin/digests/addresses"],
    "people": ["/admin/people"],
    "log": ["/admin/log"],
    "health": ["/health"],
}


def rows(*, large: bool) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        home = Path(folder)
        database = connect(sqlite_url(home / "library.db"))
        upgrade(database)
        fill(database, SIZE)
        database.dispose()
        clock = SetClock()
        clock.set(NOW + timedelta(hours=1))
        settings = load(
            environ={}, home=home, public_url=URL, database_url=sqlite_url(home / "library.db"), timezone="UTC"
        )
        with build(settings, clock=clock) as house:
            house.setup.run()
            reader = seed(house)
            waiting(house)
            collect_seldom()
            client = TestClient(create_app(house.site), base_url=URL)
            for role, its in (("member", PAGES), ("curator", AT_DESK), ("admin", FOR_ADMINS)):
                who = (
                    reader.person_id if role == "member" else house.subscribing.add(f"{role}@lab.example", role=role).id
                )
                client.cookies.set(Cookie(URL).name, house.accounts.begin(who or 0), domain="127.0.0.1")
                for name, paths in its.items():
                    yield measured(client, name, paths)


def measured(client: TestClient, name: str, paths: list[str]) -> Row:
    """Ask for pages in turn; CPU of this process, the client's own share in it."""
    taken = []
    for path in paths[:10]:
        client.get(path)
    for number in range(ROUNDS):
        path = paths[number % len(paths)]
        before = time.process_time()
        answer = client.get(path)
        taken.append((time.process_time() - before, path))
        if answer.status_code != 200:
            raise AssertionError(f"{path}: {answer.status_code}")
    taken.sort()
    p95, slowest = taken[int(len(taken) * 0.95)]
    return Row(
        f"  {name}: p95 of {ROUNDS} (median {taken[len(taken) // 2][0] * 1000:.1f}; slow: {slowest[:30]})",
        f"{p95 * 1000:.1f} ms CPU",
        f"at most {TARGET} ms",
        p95 * 1000 <= TARGET,
    )


def waiting(house: House) -> None:
    """Let the newest papers wait in the queue: found by the first topic over the last weeks, and judged by nobody."""
    first = NEWEST - WAITING + 1
    now = house.clock.now()
    with house.database.write() as session:
        session.execute(delete(DecisionRow).where(DecisionRow.pmid >= first))
        session.execute(update(HitRow).where(HitRow.pmid >= first).values(news=True, route="created"))
        (poll,) = session.scalars(select(PollRow).where(PollRow.topic_id == TOPIC))
        found = {*session.scalars(select(HitRow.pmid).where(HitRow.topic_id == TOPIC, HitRow.pmid >= first))}
        session.add_all(
            HitRow(
                topic_id=TOPIC,
                pmid=pmid,
                lane="core",
                strategy_id=poll.strategy_id,
                poll_id=poll.id,
                found_at=now - timedelta(days=150 * (NEWEST - pmid) / WAITING),
                news=True,
                lines=[1],
                first_strategy_id=poll.strategy_id,
                first_lines=[1],
                route="created",
            )
            for pmid in range(first, NEWEST + 1)
            if pmid not in found
        )
    house.vocabularies.refresh(WAITING)


def seed(house: House) -> Actor:
    """Let a lab have worked with it: news, proposals, corrections, an issue that was sent, marks and saved searches."""
    dice = random.Random(5)
    now = house.clock.now()
    with house.database.write() as session:
        recent = now - timedelta(weeks=8)
        session.execute(update(HitRow).where(HitRow.found_at > recent).values(news=True, route="created"))
        session.execute(update(PollRow).values(finished_at=now))
        known = session.scalars(select(CitationRow.pmid)).all()
    house.vocabularies.refresh(PROPOSED)
    people = [house.subscribing.add(f"reader{number}@lab.example", role="member") for number in range(READERS)]
    for each in people:
        house.subscribing.subscribe(each.address, ["car-nk", "ipsc-nk", "cik"], day=6, hour=8)
    clock = house.clock
    assert isinstance(clock, SetClock)
    clock.set(now + timedelta(days=7))
    house.publishing.publish()
    with house.database.write() as session:
        session.execute(update(DeliveryRow).values(state="sent", sent_at=clock.now()))
        kinds = ("RetractionIn", "ExpressionOfConcernIn", "ErratumIn", "CommentIn")
        pmids = dice.sample(known, 600)
        changed = [
            dataclasses.replace(
                each, corrections=(Correction(kinds[number % 4], f"Invented J. 2026;1:{number}", 10_000_000 + number),)
            )
            for number, each in enumerate(citations.load_each(session, pmids))
        ]
        citations.keep(session, changed, clock.now())
    reader = Actor(people[0].address, "member", people[0].id)
    for number in range(30):
        house.papers.mark(NEWEST - number, "saved", reader)
    for number, query in enumerate(QUERIES[1:]):
        house.saved.save(f"Search {number}", query, actor=reader)
    return reader
