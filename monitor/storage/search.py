"""The library searched in PubMed's language, newest first, on both databases alike and as `core.query` decides.

What the database cannot decide alone, it narrows down; `core.query` then reads the documents of the candidates.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlalchemy.orm import Session

from monitor.core.query import EarlierSearch, MeshTree, Own, Query, Recent, document, matches, terms
from monitor.core.query.fields import OWN_DATE_FIELDS, OWN_FIELDS
from monitor.errors import DatabaseBehind, UsageError
from monitor.storage import indexing, search_postgres, search_sqlite
from monitor.storage.bulk import batches, is_sqlite
from monitor.storage.citations import load_each
from monitor.storage.screening import own
from monitor.storage.search_plan import Among, Node, children, depth, plan, rebuilt, without
from monitor.storage.search_sql import names

RANKED = 10_000
"""The best come from so many of the newest hits; ranking all would take seconds for common words."""

_FIRST = 100
_STEP = 2000
_LARGEST = 50_000


@dataclass(frozen=True, slots=True)
class Page:
    """PMIDs, newest first. `next_before` asks for the page after it; None at the end."""

    pmids: tuple[int, ...]
    next_before: int | None


def page(
    session: Session, query: Query, tree: MeshTree, today: date | None, *, before: int | None = None, limit: int = 50
) -> Page:
    """Return hits from the highest PMID down, those from `before` on left out.

    This, like everything here, raises UsageError for a search that nobody can answer, DatabaseBehind while the index
    is not the one that this code writes.
    """
    if limit < 1:
        raise UsageError(f"a page holds at least one paper, not {limit}")
    found = tuple(islice(Search(session, query, tree, today).hits(before, limit + 1), limit + 1))
    return Page(found[:limit], found[limit - 1] if len(found) > limit else None)


def count(session: Session, query: Query, tree: MeshTree, today: date | None) -> int:
    """Return the number of hits."""
    return Search(session, query, tree, today).count()


def pmids(session: Session, query: Query, tree: MeshTree, today: date | None) -> Iterator[int]:
    """Yield every hit, highest PMID first, while the session's transaction lasts."""
    return Search(session, query, tree, today).hits(first=_STEP)


def relevant(
    session: Session, query: Query, tree: MeshTree, today: date | None, *, limit: int = 50, offset: int = 0
) -> tuple[int, ...]:
    """Return the best of the newest `RANKED` hits; those that are equally good newest first."""
    return tuple(Search(session, query, tree, today).best()[offset : offset + limit])


class Search:
    """One search of one session, compiled once."""

    def __init__(self, session: Session, query: Query, tree: MeshTree, today: date | None) -> None:
        leaves = terms(query)
        for leaf in leaves:
            if isinstance(leaf, EarlierSearch):
                raise UsageError(f"#{leaf.number}: the library keeps no earlier searches; write the search out")
            if isinstance(leaf, Recent) and today is None:
                raise UsageError(f'"last {leaf.number} {leaf.unit}"[{leaf.field}] needs to know what day it is')
        # In the snapshot of the answer: a process that was up before may meet half an index, or one of other words.
        if not indexing.is_current(session):
            raise DatabaseBehind(indexing.why(indexing.found(session)))
        self.session = session
        self.query = query
        self.tree = tree
        self.today = today
        self.ours = any(getattr(leaf, "field", None) in _OURS for leaf in leaves)
        sqlite = is_sqlite(session)
        databases = search_sqlite if sqlite else search_postgres
        self.deepest = databases.MAX_DEPTH
        self.engine = search_sqlite.SqliteSearch(session) if sqlite else search_postgres.PostgresSearch(session)
        known: dict[str, list[str]] = {}

        def values(field: str) -> list[str]:
            if field not in known:
                known[field] = names(session, field)
            return known[field]

        found = plan(query, tree, today, values, databases.decided, databases.within)
        self.most = self.settled(found.most)
        self.least = self.most if found.least == found.most else self.settled(found.least)
        self.certain = self.least == self.most and self.engine.certain

    def settled(self, node: Node) -> Node:
        """Return the node with what is nested too deep for a statement looked up beforehand."""
        parts = [self.settled(part) for part in children(node)]
        if not parts:
            return node
        parts = [part if depth(part) < self.deepest else Among(tuple(self.streamed(part))) for part in parts]
        return rebuilt(node, parts)

    def hits(self, before: int | None = None, first: int = _FIRST) -> Iterator[int]:
        """Yield what matches, newest first; `first` is how many are likely wanted."""
        candidates = self.streamed(self.most, before, first)
        return candidates if self.certain else self.sifted(candidates, first)

    def count(self) -> int:
        if self.certain:
            return self.engine.count(self.most)
        doubtful = list(self.streamed(self.settled(without(self.most, self.least))))
        return self.engine.count(self.most) - len(doubtful) + sum(1 for _ in self.matching(iter(doubtful)))

    def best(self) -> list[int]:
        """Return the newest hits, best first."""
        newest = list(islice(self.hits(first=_STEP), RANKED))
        scores = self.engine.scores(self.most, newest[-1]) if newest else {}
        return sorted(newest, key=lambda pmid: (-scores.get(pmid, 0.0), -pmid))

    def streamed(self, node: Node, before: int | None = None, first: int = _STEP) -> Iterator[int]:
        """Yield what the database finds, a stretch at a time."""
        size = first
        while True:
            found = self.engine.newest(node, size, before=before)
            yield from found
            if len(found) < size:
                return
            before = found[-1]
            size = min(max(4 * size, _STEP), _LARGEST)

    def sifted(self, candidates: Iterator[int], first: int) -> Iterator[int]:
        """Yield the candidates that match, a stretch at a time, longer ones the longer it goes on."""
        size = first
        while batch := list(islice(candidates, size)):
            sure = set(self.engine.newest(self.least, size, before=batch[0] + 1, lowest=batch[-1], most=False))
            right = sure.union(self.matching(pmid for pmid in batch if pmid not in sure))
            yield from (pmid for pmid in batch if pmid in right)
            size = min(size * 2, _STEP)

    def matching(self, pmids: Iterator[int]) -> Iterator[int]:
        """Yield those that match by their documents."""
        for batch in batches(pmids):
            standing = own(self.session, batch) if self.ours else {}
            for citation in load_each(self.session, batch):
                page = document(citation, standing.get(citation.pmid, Own()))
                if matches(self.query, page, self.tree, self.today):
                    yield citation.pmid


_OURS = OWN_FIELDS | OWN_DATE_FIELDS
