"""Search: the library's pages, numbers and facets in PubMed's language, against plain FTS5 by hand and against LIKE."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from monitor.core.query import Query, parse
from monitor.resources import load_mesh_tree
from monitor.storage.engine import SQLITE, Database, connect, sqlite_url
from monitor.storage.facets import facets
from monitor.storage.indexing import tidy
from monitor.storage.migrations import upgrade
from monitor.storage.search import count, page, relevant
from tests.benchmarks.corpus import FIRST_PMID
from tests.benchmarks.harness import Row
from tests.benchmarks.library import Maker, fill

TODAY = date(2026, 11, 22)
TREE = load_mesh_tree()
ROUNDS = 5
LIKE_SIZE = 30_000

# What people ask: the mix of searches on which the targets were set, then each kind of field.
MIX = {
    "phrase": '"natural killer cells"[tiab]',
    "Boolean": '("natural killer" OR "NK cell" OR "NK cells") AND (immunotherapy OR cytotoxicity OR receptor*) NOT review[pt]',
    "two common words": "patients AND treatment",
    "one common word": "cells",
    "title and text": "cancer[ti] AND therapy",
    "truncated": "immun*",
    "author and word": "wang[au] AND cancer",
    "heading exploded": '"Killer Cells, Natural"[mh]',
    "heading and word": "neoplasms[mh] AND nk[tiab]",
    "author": "smith j[au]",
    "years": "2022:2024[dp] AND cells",
    "relative date": '"last 5 years"[dp] AND treatment',
    "topic": "car-nk[topic] AND therapy",
    "topic and verdict": "car-nk[topic] NOT keep[decision]",
    "tag": '"first in human"[tag] AND patients',
    "proximity": '"cells expansion"[tiab:~3]',
    "Chinese": "免疫治疗[tiab]",
    "type and language": "review[pt] AND eng[la] AND cancer",
}
BY_HAND = {
    "phrase": '{title body} : "natural killer cells"',
    "two common words": '({title body terms rest} : "patients") AND ({title body terms rest} : "treatment")',
    "one common word": '{title body terms rest} : "cells"',
    "title and text": '({title} : "cancer") AND ({title body terms rest} : "therapy")',
    "truncated": '{title body terms rest} : "immun" *',
}
"""The same questions as somebody would ask them of our index in SQL, knowing its columns."""

TARGETS = {
    300_000: {"newest page": 10, "next page": 10, "count": 20, "facets": 25},
    1_000_000: {"newest page": 20, "next page": 20, "count": 60, "facets": 40},
}
Ask = Callable[[Session, Query, int], object]
ASKED: dict[str, Ask] = {
    "newest page": lambda session, query, half: page(session, query, TREE, TODAY),
    "next page": lambda session, query, half: page(session, query, TREE, TODAY, before=half),
    "count": lambda session, query, half: count(session, query, TREE, TODAY),
    "facets": lambda session, query, half: facets(session, query, TREE, TODAY),
    "best first": lambda session, query, half: relevant(session, query, TREE, TODAY),
}


def rows(*, large: bool) -> Iterator[Row]:
    for size in (30_000, 300_000, *((1_000_000,) if large else ())):
        with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
            started, wall = time.process_time(), time.monotonic()
            database = connect(sqlite_url(Path(folder) / "library.db"))
            upgrade(database)
            fill(database, size)
            made = f"{time.process_time() - started:.0f} s CPU, {time.monotonic() - wall:.0f} s"
            yield Row(f"library of {size:,} invented citations, made and kept", made)
            started = time.process_time()
            tidy(database)
            yield Row("  its index merged, as housekeeping does at night", f"{time.process_time() - started:.1f} s CPU")
            yield from _measured(database, size)
            database.dispose()
    yield from _like()


def _measured(database: Database, size: int) -> Iterator[Row]:
    queries = {name: parse(text, own=True) for name, text in MIX.items()}
    half = FIRST_PMID + size // 2
    medians: dict[str, dict[str, float]] = {}
    with database.read() as session:
        for what, ask in ASKED.items():
            taken = {name: _taken(partial(ask, session, query, half)) for name, query in queries.items()}
            every = sorted(seconds for several in taken.values() for seconds in several)
            p95 = every[int(len(every) * 0.95)] * 1000
            medians[what] = {name: statistics.median(several) * 1000 for name, several in taken.items()}
            slowest = max(medians[what], key=lambda name: medians[what][name])
            target = TARGETS.get(size, {}).get(what)
            yield Row(
                f"  {what}: p95 of {len(MIX)} searches (most: {slowest}, {medians[what][slowest]:.1f})",
                f"{p95:.1f} ms CPU",
                f"at most {target} ms" if target else "",
                p95 <= target if target else None,
            )
        yield from _by_hand(session, medians)


def _by_hand(session: Session, medians: dict[str, dict[str, float]]) -> Iterator[Row]:
    raw: Any = session.connection().connection.driver_connection
    for what, sql in (
        ("newest page", "SELECT rowid FROM citation_fts WHERE citation_fts MATCH ? ORDER BY rowid LIMIT 50"),
        ("count", "SELECT count(*) FROM citation_fts WHERE citation_fts MATCH ?"),
    ):
        plain = {}
        for name, match in BY_HAND.items():
            plain[name] = statistics.median(_taken(partial(_fetched, raw, sql, match))) * 1000
        worst = max(BY_HAND, key=lambda name: medians[what][name] - plain[name])
        yield Row(
            f"    {what} over plain FTS5 SQL, {len(BY_HAND)} of them (most: {worst})",
            f"+{medians[what][worst] - plain[worst]:.2f} ms on {plain[worst]:.2f}",
        )


def _fetched(connection: Any, sql: str, *values: str) -> object:
    return connection.execute(sql, values).fetchall()


def _taken(action: Callable[[], object]) -> list[float]:
    """CPU seconds of each of several rounds, after one that does not count."""
    action()
    found = []
    for _ in range(ROUNDS):
        before = time.process_time()
        action()
        found.append(time.process_time() - before)
    return found


def _like() -> Iterator[Row]:
    """The way without an index: titles and abstracts in a table, and LIKE."""
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        connection = SQLITE.connect(str(Path(folder) / "like.db"))
        connection.execute("CREATE TABLE plain (pmid INTEGER PRIMARY KEY, title TEXT, abstract TEXT)")
        made = (
            (each.pmid, each.title, each.abstract.sections[0].text)
            for each in Maker().citations(LIKE_SIZE)
            if each.abstract
        )
        connection.executemany("INSERT INTO plain VALUES (?, ?, ?)", made)
        connection.commit()
        sql = "SELECT count(*) FROM plain WHERE title LIKE ? OR abstract LIKE ?"
        taken = statistics.median(_taken(partial(_fetched, connection, sql, *["%natural killer cells%"] * 2)))
        connection.close()
    yield Row(f"  a phrase counted with LIKE, {LIKE_SIZE:,} citations", f"{taken * 1000:.0f} ms CPU")
