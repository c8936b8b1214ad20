"""Desk: lanes, lists, neighbours and verdicts of the curators' queue, 20,000 citations with 2,000 in it."""

from __future__ import annotations

import gc
import itertools
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from monitor.core.lanes import ALL, Lane, Listing
from monitor.core.people import Actor
from monitor.core.screening import LEVELS, fingerprint
from monitor.services.queue import Queue
from monitor.services.screening import Screening
from monitor.services.steps import Steps
from monitor.storage import people
from monitor.storage.bulk import insert
from monitor.storage.citations import keep
from monitor.storage.engine import Database, connect, sqlite_url
from monitor.storage.migrations import upgrade
from monitor.storage.tables import DecisionRow, HitRow, ProposalRow
from tests.benchmarks.harness import Row
from tests.benchmarks.library import NOW, Maker, add_topics

CITATIONS, WAITING = 20_000, 2_000
ROUNDS = 15
_HIT = (
    "topic_id", "pmid", "lane", "strategy_id", "poll_id", "found_at", "news", "lines", "first_strategy_id",
    "first_lines", "route",
)  # fmt: skip
_DECISION = ("pmid", "verdict", "topics", "hash", "role", "decided_at")
_PROPOSAL = ("pmid", "hash", "vocabulary", "levels", "level", "design", "participants", "found", "made_at")


class _Clock:
    def now(self) -> object:
        return NOW


def rows(*, large: bool) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        database = connect(sqlite_url(Path(folder) / "desk.db"))
        upgrade(database)
        _fill(database)
        gc.collect()
        gc.freeze()  # what made the citations is no part of a desk, and would be walked through again and again
        yield from _measured(database)
        database.dispose()


def _fill(database: Database) -> None:
    """Store citations of which all were news of a topic, most were judged, and the newest wait."""
    dice = random.Random(4)
    topics = add_topics(database)
    made = Maker().citations(CITATIONS)
    stored = 0
    while batch := list(itertools.islice(made, 500)):
        moment = NOW - timedelta(days=200 * (1 - stored / CITATIONS))
        hits: list[tuple[object, ...]] = []
        decisions: list[tuple[object, ...]] = []
        proposals: list[tuple[object, ...]] = []
        for at, each in enumerate(batch, stored):
            found_by = [topic for topic in topics if dice.random() < 0.15] or ["car-nk"]
            lane = "core" if dice.random() < 0.75 else "wide"
            for topic in found_by:
                strategy, poll = topics[topic]
                hits.append((topic, each.pmid, lane, strategy, poll, moment, True, [1], strategy, [1], "created"))
            if at < CITATIONS - WAITING:
                verdict = "maybe" if dice.random() < 0.01 else dice.choice(("keep", "dismiss"))
                kept_in = ["car-nk"] if verdict == "keep" else []
                decisions.append((each.pmid, verdict, kept_in, fingerprint(each), "curator", moment))
            level = dice.choice((*LEVELS, "B3", "C", "D", "D"))
            proposals.append((each.pmid, b"-", 1, 1, level, "cohort", None, {"tags": []}, moment))
        with database.write() as session:
            keep(session, batch, moment)
            insert(session, HitRow, _HIT, hits)
            insert(session, DecisionRow, _DECISION, decisions)
            insert(session, ProposalRow, _PROPOSAL, proposals)
        stored += len(batch)
    with database.write() as session:
        people.add(session, "curator@lab.example", "curator@lab.example", "Curator", "curator", "en", NOW)


def _measured(database: Database) -> Iterator[Row]:
    clock = _Clock()
    queue, screening, steps = Queue(database, clock), Screening(database, clock), Steps(database, clock)  # type: ignore[arg-type]
    me = Actor("curator@lab.example", "curator", 1)
    first = queue.rows(me, Lane.NEW)
    fifth = queue.rows(me, Lane.NEW, limit=250).next
    waiting = iter([row.line.pmid for row in queue.rows(me, Lane.NEW, Listing("newest"), limit=400).rows])
    yield Row("waiting in new", f"{first.total:,} of {CITATIONS:,}")
    asked: tuple[tuple[str, Callable[[], object]], ...] = (
        ("lanes with counts", lambda: queue.lanes(me)),
        ("lanes and first page of 50", lambda: queue.view(me, Lane.NEW)),
        ("lanes and sixth page of 50", lambda: queue.view(me, Lane.NEW, after=fifth)),
        ("  in wide", lambda: queue.view(me, Lane.WIDE, ALL)),
        ("  a random sample of one topic", lambda: queue.view(me, Lane.NEW, Listing("sample", 1, topic="cik"))),
        ("  by words of the title", lambda: queue.view(me, Lane.NEW, Listing(words="cells"))),
        ("neighbours, two each way", lambda: queue.around(me, Lane.NEW, first.rows[9].place)),
        ("one paper with all that is decided", lambda: queue.paper(first.rows[9].line.pmid, me)),
        ("a verdict, saved", lambda: screening.decide([next(waiting)], "maybe", expected={}, actor=me)),
        ("undo", lambda: steps.undo(me)),
    )
    for what, ask in asked:
        taken = sorted(_taken(ask))
        middle, late = taken[len(taken) // 2] * 1000, taken[int(len(taken) * 0.95)] * 1000
        yield Row(what, f"{middle:.1f} ms CPU, p95 {late:.1f}")


def _taken(action: Callable[[], object]) -> Iterator[float]:
    action()
    for _ in range(ROUNDS):
        before = time.process_time()
        action()
        yield time.process_time() - before
