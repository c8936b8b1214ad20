"""Reading the library: searches in PubMed's language, citations as text, one citation whole, and exports of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeVar

from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.query import (
    And,
    Leaf,
    Match,
    MeshTree,
    Not,
    Or,
    Query,
    Term,
    document,
    ignored,
    parse,
    render,
    terms,
    undecidable,
)
from monitor.core.query import explain as explain_match
from monitor.core.query import matches as holds
from monitor.core.query.naming import Named, widened
from monitor.core.query.own import Own, fits
from monitor.core.query.words import MIN_STEM, search_words
from monitor.core.revision import has_concern, is_retracted
from monitor.core.screening import LEVELS
from monitor.errors import NotFound, UsageError
from monitor.formats.registry import FORMATS, STYLES
from monitor.services.ports import Clock
from monitor.storage import citations, papers, people, screening
from monitor.storage import facets as faceting
from monitor.storage import search as searching
from monitor.storage.citations import Held, KeptLink, Totals, Version
from monitor.storage.engine import Database
from monitor.storage.facets import Facets
from monitor.storage.papers import PaperLine

T = TypeVar("T")
Order = Literal["newest", "relevance"]
MOST_LISTED = 1000
"""Hits that one page may list."""
MOST_ALONE = 10
"""Parts of a search without hits that are counted one by one."""
_WORDY: frozenset[str | None] = frozenset({None, "all", "tiab", "ti", "tw", "ad", "ot"})
"""Fields in which words are sought, so that a `*` truncates."""


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
    withdrawn: bool
    provisional: bool
    own: Own


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some hits of a search of `total`; `next_before` leads to the next page and is None at the end.

    `notes` say which parts no record here can answer, and which are read otherwise than they may be meant. `alone` has,
    where nothing was found, the parts that had to fit together and how many papers each finds by itself.
    """

    query: str
    hits: tuple[Found, ...]
    total: int
    next_before: int | None
    notes: tuple[str, ...]
    alone: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What `SearchPage` tells, its hits by their PMIDs alone."""

    query: str
    pmids: tuple[int, ...]
    total: int
    next_before: int | None
    notes: tuple[str, ...]
    alone: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """Some hits of a search as lists show them; `total` where it was asked for, `next_before` as `SearchPage` has it."""

    lines: tuple[PaperLine, ...]
    citations: tuple[Citation, ...]
    total: int | None
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

    def __init__(
        self, database: Database, clock: Clock, tree: Callable[[], MeshTree], named: Named = lambda _words: ()
    ) -> None:
        """Take `named`, which gives the tags that are called so in Chinese, for searches that say it."""
        self._database = database
        self._clock = clock
        self._tree = tree
        self._named = named

    def search(self, text: str, *, before: int | None = None, limit: int = 50, order: Order = "newest") -> SearchPage:
        """Return a page of what a search finds: the highest PMIDs below `before`, or the most relevant of the newest."""
        query = self._asked(text, before, limit, order)
        with self._database.read() as session:
            found = self._find(session, text, query, before, limit, order)
            hits = tuple(_found(session, found.pmids))
        return SearchPage(text, hits, found.total, found.next_before, found.notes, found.alone)

    def find(self, text: str, *, before: int | None = None, limit: int = 50, order: Order = "newest") -> Finding:
        """Return the same page by PMIDs, for whoever shows papers in another way."""
        query = self._asked(text, before, limit, order)
        with self._database.read() as session:
            return self._find(session, text, query, before, limit, order)

    def page(
        self,
        text: str,
        *,
        before: int | None = None,
        limit: int = 50,
        order: Order = "newest",
        counted: bool = False,
        whole: bool = False,
    ) -> Shown:
        """Return the same page as lines of papers, with `whole` their citations as well; counts only when asked to."""
        query = self._asked(text, before, limit, order)
        tree, today = self._tree(), self._clock.now().date()
        with self._database.read() as session:
            pmids, following = _ordered(session, query, tree, today, before, limit, order)
            return Shown(
                tuple(papers.lines(session, pmids)),
                tuple(citations.load_each(session, pmids)) if whole else (),
                searching.count(session, query, tree, today) if counted else None,
                following,
                _notes(session, query, tree),
            )

    def _read(self, text: str) -> Query:
        return widened(parse(text, own=True), self._named)

    def _asked(self, text: str, before: int | None, limit: int, order: Order) -> Query:
        if not 1 <= limit <= MOST_LISTED:
            raise UsageError(f"a page lists 1 to {MOST_LISTED:,} papers; monitor export gives all")
        if order == "relevance" and before is not None:
            raise UsageError("pages follow each other from the newest on; the most relevant stand on one page")
        return self._read(text)

    def _find(self, session: Session, text: str, query: Query, before: int | None, limit: int, order: Order) -> Finding:
        tree, today = self._tree(), self._clock.now().date()
        pmids, following = _ordered(session, query, tree, today, before, limit, order)
        total = searching.count(session, query, tree, today)
        alone = () if total else [(each, searching.count(session, each, tree, today)) for each in _needed(query)]
        told = tuple((render(each), number) for each, number in alone)
        return Finding(text, pmids, total, following, _notes(session, query, tree), told)

    def count(self, text: str) -> int:
        """Count what a search finds."""
        query = self._read(text)
        with self._database.read() as session:
            return searching.count(session, query, self._tree(), self._clock.now().date())

    def notes(self, text: str) -> tuple[str, ...]:
        """Say which parts of a search find nothing here, or ask for something else than they may be meant to."""
        query = self._read(text)
        with self._database.read() as session:
            return _notes(session, query, self._tree())

    def facets(self, text: str) -> Facets:
        """Count the newest hits of a search by year, topic, publication type, journal, tag, level, language and flag."""
        query = self._read(text)
        with self._database.read() as session:
            return faceting.facets(session, query, self._tree(), self._clock.now().date())

    def explain(self, text: str, pmid: int) -> Explained:
        """Say part by part why a search finds a citation, or which part does not fit; raises NotFound."""
        query, tree, today = self._read(text), self._tree(), self._clock.now().date()
        with self._database.read() as session:
            held = _one(session, pmid)
            read = document(held, screening.own(session, [pmid])[pmid])
            notes = _notes(session, query, tree)
        parts = []
        for part, excluded in _sought(query):
            dropped = _asks_nothing(part)
            words = explain_match(part, read, tree, today)
            parts.append(Part(render(part), holds(part, read, tree, today), excluded, dropped, words))
        return Explained(pmid, holds(query, read, tree, today), isinstance(query, Or), tuple(parts), notes)

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
            return record(session, pmid)

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
        return self._export(write, pmids, None if query is None else self._read(query))

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


def _ordered(
    session: Session, query: Query, tree: MeshTree, today: date, before: int | None, limit: int, order: Order
) -> tuple[tuple[int, ...], int | None]:
    if order == "newest":
        page = searching.page(session, query, tree, today, before=before, limit=limit)
        return page.pmids, page.next_before
    return searching.relevant(session, query, tree, today, limit=limit), None


def record(session: Session, pmid: int) -> Record:
    """Return one citation whole; raises NotFound."""
    return Record(
        _one(session, pmid),
        citations.held(session, [pmid])[pmid],
        tuple(citations.versions(session, pmid)),
        tuple(citations.relations(session, [pmid])),
    )


def _one(session: Session, pmid: int) -> Citation:
    found = citations.load(session, [pmid])
    if pmid not in found:
        raise NotFound(f"PMID {pmid} is not in the library; monitor import fetches it from a list of PMIDs")
    return found[pmid]


def _found(session: Session, pmids: Sequence[int]) -> Iterator[Found]:
    known, held = screening.own(session, pmids), citations.held(session, pmids)
    for each in citations.load_each(session, pmids):
        yield Found(
            each.pmid,
            STYLES["nlm"](each),
            is_retracted(each),
            has_concern(each),
            held[each.pmid].withdrawn_at is not None,
            held[each.pmid].provisional,
            known[each.pmid],
        )


def _notes(session: Session, query: Query, tree: MeshTree) -> tuple[str, ...]:
    notes = [f"{render(leaf)} finds nothing here: {why}" for leaf, why in undecidable(query, tree)]
    for leaf in terms(query):
        notes += _misread(leaf)
        notes += _misnamed(session, leaf)
    return tuple(dict.fromkeys(notes))


def _misread(leaf: Leaf) -> Iterator[str]:
    """Say where a term asks for less than it seems to, as it does at PubMed."""
    if not isinstance(leaf, Term) or leaf.field not in _WORDY:
        return
    if leaf.field is None and not leaf.quoted:
        for word in {"or", "not"}.intersection(leaf.text.split()):
            yield f"{word} in lower case is ignored, as PubMed does, and all words must fit; write {word.upper()}"
    for part in _words(leaf):
        if isinstance(part, Term) and "*" in part.text and not search_words(part.text).truncated:
            yield f"the * of {render(part)} is ignored: it goes to the very end, behind {MIN_STEM} letters or more"


def _misnamed(session: Session, leaf: Leaf) -> Iterator[str]:
    """Say which values there are where a term in a field of ours names none of them."""
    if not isinstance(leaf, Term) or leaf.field not in ("topic", "wide", "level"):
        return
    if leaf.field == "level":
        values = list(LEVELS)
    else:
        values = [*people.living_topics(session), *sorted(people.retired_topics(session))]
    if not fits(leaf.text, values):
        yield f"{render(leaf)} finds nothing here: no {leaf.field} is called so; there are {', '.join(values)}"


def _needed(query: Query) -> list[Query]:
    """Return what had to fit together: the parts of an AND, and what stands before NOT as a whole."""
    needed = [part for part, excluded in _sought(query) if not (excluded or _asks_nothing(part))]
    if isinstance(query, Or) or (len(needed) < 2 and not isinstance(query, Not)):
        return []
    whole = [query.base] if isinstance(query, Not) and len(needed) > 1 else []
    return needed[:MOST_ALONE] + whole


def _sought(query: Query) -> Iterator[tuple[Query, bool]]:
    """Yield the parts of a search, of untagged words each that must fit, and whether they stand after NOT."""
    for part, excluded in _parts(query):
        yield from ((each, excluded) for each in ([part] if excluded or isinstance(query, Or) else _words(part)))


def _words(part: Query) -> list[Query]:
    """Return the words of an untagged term, each of which must fit somewhere; any other part is one."""
    if isinstance(part, Term) and part.field is None and not part.quoted:
        return [Term(word) for word in part.text.split()]
    return [part]


def _asks_nothing(part: Query) -> bool:
    return not isinstance(part, And | Or | Not) and ignored(part)


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
