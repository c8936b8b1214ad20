"""Reading the library: searches in PubMed's language, citations as text, one citation whole, and exports of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.query import And, Match, MeshTree, Not, Or, Query, document, ignored, parse, render, undecidable
from monitor.core.query import explain as explain_match
from monitor.core.query import matches as holds
from monitor.core.query.own import Own
from monitor.core.revision import has_concern, is_retracted
from monitor.errors import NotFound, UsageError
from monitor.formats.registry import FORMATS, STYLES
from monitor.services.ports import Clock
from monitor.storage import citations, screening
from monitor.storage import facets as faceting
from monitor.storage import search as searching
from monitor.storage.citations import Held, KeptLink, Totals, Version
from monitor.storage.engine import Database
from monitor.storage.facets import Facets

T = TypeVar("T")
Order = Literal["newest", "relevance"]
MOST_LISTED = 1000
"""Hits that one page may list."""


@dataclass(frozen=True, slots=True)
class Record:
    """A citation with how it stands, how it came to be so, and what PubMed links it with."""

    citation: Citation
    held: Held
    versions: tuple[Version, ...]
    relations: tuple[KeptLink, ...]


@dataclass(frozen=True, slots=True)
class Cited:
    """Citations as text in the order asked; `unknown` are PMIDs that are not in the library."""

    lines: tuple[str, ...]
    unknown: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One hit of a search: its citation as a line of text, how far it stands, and what is known of it here."""

    pmid: int
    line: str
    retracted: bool
    concern: bool
    own: Own


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some hits of a search of `total`; `next_before` leads to the next page and is None at the end.

    `notes` say which parts no record here can answer; they find nothing.
    """

    query: str
    hits: tuple[Found, ...]
    total: int
    next_before: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a search held against a citation: whether it fits, and by which words.

    `excluded` parts stand after NOT. One that is `dropped` holds stopwords alone and asks for nothing.
    """

    text: str
    fits: bool
    excluded: bool
    dropped: bool
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """Whether a search finds a citation and why; of its `parts` all must fit, or `any` of them."""

    pmid: int
    found: bool
    any: bool
    parts: tuple[Part, ...]
    notes: tuple[str, ...]


class Library:
    """Reads what is kept. Every method is one snapshot.

    Searches know the fields of our own library too. They raise QuerySyntaxError for what cannot be read, and UsageError
    for what cannot be answered here.
    """

    def __init__(self, database: Database, clock: Clock, tree: Callable[[], MeshTree]) -> None:
        self._database = database
        self._clock = clock
        self._tree = tree

    def search(self, text: str, *, before: int | None = None, limit: int = 50, order: Order = "newest") -> SearchPage:
        """Return a page of what a search finds: the highest PMIDs below `before`, or the most relevant of the newest."""
        if not 1 <= limit <= MOST_LISTED:
            raise UsageError(f"a page lists 1 to {MOST_LISTED:,} papers; monitor export gives all")
        if order == "relevance" and before is not None:
            raise UsageError("pages follow each other from the newest on; the most relevant stand on one page")
        query, tree, today = parse(text, own=True), self._tree(), self._clock.now().date()
        with self._database.read() as session:
            if order == "newest":
                page = searching.page(session, query, tree, today, before=before, limit=limit)
                pmids, following = page.pmids, page.next_before
            else:
                pmids, following = searching.relevant(session, query, tree, today, limit=limit), None
            total = searching.count(session, query, tree, today)
            return SearchPage(text, tuple(_found(session, pmids)), total, following, _notes(query, tree))

    def count(self, text: str) -> int:
        """Count what a search finds."""
        query = parse(text, own=True)
        with self._database.read() as session:
            return searching.count(session, query, self._tree(), self._clock.now().date())

    def facets(self, text: str) -> Facets:
        """Count the newest hits of a search by year, topic, publication type, journal, tag, level, language and flag."""
        query = parse(text, own=True)
        with self._database.read() as session:
            return faceting.facets(session, query, self._tree(), self._clock.now().date())

    def explain(self, text: str, pmid: int) -> Explained:
        """Say part by part why a search finds a citation, or which part does not fit; raises NotFound."""
        query, tree, today = parse(text, own=True), self._tree(), self._clock.now().date()
        with self._database.read() as session:
            held = _one(session, pmid)
            read = document(held, screening.own(session, [pmid])[pmid])
        parts = []
        for part, excluded in _parts(query):
            dropped = not isinstance(part, And | Or | Not) and ignored(part)
            words = explain_match(part, read, tree, today)
            parts.append(Part(render(part), holds(part, read, tree, today), excluded, dropped, words))
        return Explained(
            pmid, holds(query, read, tree, today), isinstance(query, Or), tuple(parts), _notes(query, tree)
        )

    def cite(self, pmids: Sequence[int], style: str = "nlm") -> Cited:
        """Write each citation in a style of `formats.registry.STYLES`; raises UsageError for another one."""
        write = _choose(style, STYLES, "style")
        with self._database.read() as session:
            found = citations.load(session, pmids)
        wanted = dict.fromkeys(pmids)
        return Cited(
            tuple(write(found[pmid]) for pmid in wanted if pmid in found),
            tuple(pmid for pmid in wanted if pmid not in found),
        )

    def record(self, pmid: int) -> Record:
        """Return one citation whole; raises NotFound."""
        with self._database.read() as session:
            return Record(
                _one(session, pmid),
                citations.held(session, [pmid])[pmid],
                tuple(citations.versions(session, pmid)),
                tuple(citations.relations(session, [pmid])),
            )

    def unknown(self, pmids: Iterable[int]) -> tuple[int, ...]:
        """Return those PMIDs that are not in the library, in the order given."""
        wanted = tuple(dict.fromkeys(pmids))
        with self._database.read() as session:
            known = citations.known(session, wanted, fetched=False)
        return tuple(pmid for pmid in wanted if pmid not in known)

    def totals(self) -> Totals:
        """Count what is kept."""
        with self._database.read() as session:
            return citations.totals(session)

    def export(self, format_name: str, pmids: Sequence[int] | None = None, query: str | None = None) -> Iterator[str]:
        """Yield the library, newest first, or these PMIDs in their order, or what a search finds, newest first.

        Text, to be stored as UTF-8 unchanged. Raises UsageError for an unknown format, and whatever is wrong with the
        search, before anything is read.
        """
        write = _choose(format_name, FORMATS, "format").write
        return self._export(write, pmids, None if query is None else parse(query, own=True))

    def _export(
        self,
        write: Callable[[Iterable[Citation]], Iterator[str]],
        pmids: Sequence[int] | None,
        query: Query | None,
    ) -> Iterator[str]:
        with self._database.read() as session:
            if query is not None:
                found = searching.pmids(session, query, self._tree(), self._clock.now().date())
                yield from write(citations.load_each(session, found))
            else:
                yield from write(
                    citations.everything(session) if pmids is None else citations.load_each(session, pmids)
                )


def _one(session: Session, pmid: int) -> Citation:
    found = citations.load(session, [pmid])
    if pmid not in found:
        raise NotFound(f"PMID {pmid} is not in the library; monitor import fetches it from a list of PMIDs")
    return found[pmid]


def _found(session: Session, pmids: Sequence[int]) -> Iterator[Found]:
    known = screening.own(session, pmids)
    for each in citations.load_each(session, pmids):
        yield Found(each.pmid, STYLES["nlm"](each), is_retracted(each), has_concern(each), known[each.pmid])


def _notes(query: Query, tree: MeshTree) -> tuple[str, ...]:
    return tuple(f"{render(leaf)} finds nothing here: {why}" for leaf, why in undecidable(query, tree))


def _parts(query: Query) -> Iterator[tuple[Query, bool]]:
    """Yield what stands side by side at the top of a search, and whether after NOT."""
    if isinstance(query, Not):
        yield from ((part, False) for part in (query.base.parts if isinstance(query.base, And) else (query.base,)))
        yield from ((part, True) for part in query.excluded)
    elif isinstance(query, And | Or):
        yield from ((part, False) for part in query.parts)
    else:
        yield query, False


def _choose(name: str, among: Mapping[str, T], what: str) -> T:
    if name not in among:
        raise UsageError(f"{name!r} is no {what}; choose from {', '.join(among)}")
    return among[name]
