"""What one citation offers to searching: its texts by field, cut into words once and only when asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from monitor.core.citation import AbstractSection, Author, Citation, InlineXml
from monitor.core.markup import bare
from monitor.core.query.own import NOTHING_KNOWN, Own
from monitor.core.query.words import SearchWords, heading_key, split_words

AUTHOR_KEYWORDS = "NOTNLM"
ORCID_DIGITS = 16


class FieldText(NamedTuple):
    """One text of a citation. `place` says where it stands, `part` which of several: keyword 0, keyword 1, ..."""

    place: str
    part: int
    text: str


class Hit(NamedTuple):
    """Characters [start, end) of one text."""

    source: FieldText
    start: int
    end: int


def document(citation: Citation, own: Own = NOTHING_KNOWN) -> Document:
    """Prepare a citation for searching; nothing is computed before a query asks for it."""
    return Document(citation, own)


def abstract_text(sections: Iterable[AbstractSection]) -> str:
    """Join an abstract's sections as they are searched: one line each, `LABEL: ` before the text where labelled."""
    return "\n".join(f"{each.label}: {bare(each.text)}" if each.label else bare(each.text) for each in sections)


class Index:
    """The words of a few texts, ready for words, phrases, truncation and proximity."""

    __slots__ = ("_ordered", "_places", "_spans", "_words", "sources")

    def __init__(self, sources: Iterable[FieldText]) -> None:
        self.sources = tuple(source for source in sources if source.text)
        self._words: list[list[str]] = []
        self._spans: list[list[tuple[int, int]]] = []
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._ordered: list[str] | None = None
        for number, source in enumerate(self.sources):
            words, spans = split_words(source.text)
            self._words.append(words)
            self._spans.append(spans)
            for at, word in enumerate(words):
                self._places.setdefault(word, []).append((number, at))

    def phrase(self, search: SearchWords) -> Iterator[Hit]:
        """Yield where the words stand one after the other."""
        words, truncated = search
        if not words:
            return
        if len(words) == 1:
            for word in self._beginning(words[0]) if truncated else words:
                for number, at in self._places.get(word, ()):
                    yield self._hit(number, at, at)
            return
        rest = words[1:]
        last = len(rest) - 1
        for number, at in self._places.get(words[0], ()):
            text = self._words[number]
            if at + last + 1 >= len(text):
                continue
            for offset, word in enumerate(rest):
                there = text[at + 1 + offset]
                if there != word and not (truncated and offset == last and there.startswith(word)):
                    break
            else:
                yield self._hit(number, at, at + len(rest))

    def near(self, words: tuple[str, ...], distance: int) -> Iterator[Hit]:
        """Yield the shortest stretches that hold all words in any order with at most `distance` others among them."""
        needed = {word: words.count(word) for word in words}
        if not all(word in self._places for word in needed):
            return
        for number in range(len(self.sources)):
            spots = sorted((at, word) for word in needed for there, at in self._places[word] if there == number)
            held = dict.fromkeys(needed, 0)
            missing = len(words)
            left = 0
            done = -1
            for at, word in spots:
                held[word] += 1
                missing -= held[word] <= needed[word]
                while not missing:
                    start, first = spots[left]
                    if held[first] <= needed[first]:
                        if at - start + 1 - len(words) <= distance and start > done:
                            yield self._hit(number, start, at)
                            done = at
                        missing += 1
                    held[first] -= 1
                    left += 1

    def _beginning(self, stem: str) -> Iterator[str]:
        if self._ordered is None:
            self._ordered = sorted(self._places)
        for word in self._ordered[bisect_left(self._ordered, stem) :]:
            if not word.startswith(stem):
                return
            yield word

    def _hit(self, number: int, first: int, last: int) -> Hit:
        spans = self._spans[number]
        return Hit(self.sources[number], spans[first][0], spans[last][1])


class Document:
    """A citation with its searchable texts, each index built on first use."""

    def __init__(self, citation: Citation, own: Own = NOTHING_KNOWN) -> None:
        self.citation = citation
        self.own = own
        self._indexes: dict[str, Index] = {}

    def index(self, field: str | None) -> Index:
        """Return the words of a text field; None is every field but dates and place."""
        name = field or "all"
        found = self._indexes.get(name)
        if found is None:
            found = self._indexes[name] = Index(_TEXTS[name](self.citation))
        return found

    @cached_property
    def headings(self) -> dict[str | None, list[int]]:
        """Numbers of the MeSH headings by descriptor UI; None for those of old exports that lack it."""
        by_ui: dict[str | None, list[int]] = {}
        for number, heading in enumerate(self.citation.mesh_headings):
            by_ui.setdefault(heading.descriptor.ui, []).append(number)
        return by_ui

    @cached_property
    def heading_keys(self) -> tuple[tuple[str, ...], ...]:
        return tuple(heading_key(heading.descriptor.name) for heading in self.citation.mesh_headings)

    @cached_property
    def type_keys(self) -> tuple[tuple[str, ...], ...]:
        return tuple(heading_key(each.name) for each in self.citation.publication_types)


def _parts(place: str, texts: Iterable[InlineXml | None]) -> Iterator[FieldText]:
    for part, text in enumerate(texts):
        yield FieldText(place, part, bare(text))


def _plain(place: str, texts: Iterable[str | None]) -> Iterator[FieldText]:
    for part, text in enumerate(texts):
        yield FieldText(place, part, text or "")


def _title(c: Citation) -> Iterator[FieldText]:
    yield from _parts("title", [c.title])
    if c.book is not None:
        if not c.title:
            yield from _parts("title", [c.book.title.text])
        if c.book.collection_title is not None:
            yield from _parts("collection title", [c.book.collection_title.text])


def _body(c: Citation) -> Iterator[FieldText]:
    if c.abstract is not None:
        yield FieldText("abstract", 0, abstract_text(c.abstract.sections))
    for part, other in enumerate(c.other_abstracts):
        yield FieldText("other abstract", part, abstract_text(other.sections))
    for part, (owner, text) in enumerate(_keywords(c)):
        if owner == AUTHOR_KEYWORDS:
            yield FieldText("keyword", part, bare(text))


def _keywords(c: Citation) -> Iterator[tuple[str, InlineXml]]:
    """Yield owner and text of every keyword; parts are numbered through all lists."""
    for each in c.keyword_lists:
        for keyword in each.keywords:
            yield each.owner, keyword.text


def _other_terms(c: Citation) -> Iterator[FieldText]:
    yield from _parts("keyword", (text for _, text in _keywords(c)))
    yield from _plain("space flight mission", c.space_flight_missions)


def _terms(c: Citation) -> Iterator[FieldText]:
    for part, (owner, text) in enumerate(_keywords(c)):
        if owner != AUTHOR_KEYWORDS:
            yield FieldText("keyword", part, bare(text))
    yield from _plain("space flight mission", c.space_flight_missions)
    for part, heading in enumerate(c.mesh_headings):
        yield FieldText("MeSH heading", part, heading.descriptor.name)
        for qualifier in heading.qualifiers:
            yield FieldText("MeSH subheading", part, qualifier.name)
    yield from _plain("publication type", (each.name for each in c.publication_types))
    yield from _plain("substance", (each.name for each in c.chemicals))
    yield from _plain("supplementary concept", (each.name for each in c.supplementary_concepts))
    yield from _people("personal name subject", c.personal_name_subjects)
    yield from _collective(c)
    yield from _data_banks(c)
    for part, link in enumerate(c.corrections):
        yield FieldText("comment or correction", part, " ".join(filter(None, (link.source, link.note))))


def _rest(c: Citation) -> Iterator[FieldText]:
    yield FieldText("PMID", 0, str(c.pmid))
    yield from _parts("transliterated title", [c.vernacular_title])
    yield from _people("author", (a for each in c.author_lists for a in each.authors))
    yield from _investigators(c)
    yield from _affiliations(c)
    yield from _identifiers(c)
    if c.journal is not None:
        journal = c.journal
        names = (journal.title, journal.medline_ta, journal.iso_abbreviation, journal.issn_linking)
        yield from _plain("journal", (*names, journal.issn.value if journal.issn else None, journal.nlm_unique_id))
        yield from _plain("volume", [journal.volume])
        yield from _plain("issue", [journal.issue])
    if c.pagination is not None:
        yield from _plain("pages", [c.pagination.medline or c.pagination.start])
    yield from _plain("location", (each.value for each in c.elocations))
    yield from _plain("article identifier", (each.value for each in c.article_ids))
    yield from _plain("registry number", (each.registry_number for each in c.chemicals))
    yield from _grants(c)
    yield from _plain("language", c.languages)
    yield from _parts("conflict of interest", [c.coi_statement])
    yield from _plain("gene symbol", c.gene_symbols)
    yield from _plain("general note", (each.text for each in c.general_notes))
    yield from _book(c)
    yield from _publisher(c)
    yield from _plain("ISBN", c.book.isbns if c.book else ())


def _people(place: str, people: Iterable[Author]) -> Iterator[FieldText]:
    for part, each in enumerate(people):
        names = (each.last_name, each.initials, each.fore_name if each.fore_name != each.initials else None)
        yield FieldText(place, part, " ".join(filter(None, (*names, bare(each.suffix), bare(each.collective_name)))))


def _collective(c: Citation) -> Iterator[FieldText]:
    lists = (*c.author_lists, *(c.book.author_lists if c.book else ()))
    names = (a.collective_name for each in lists for a in each.authors if a.collective_name)
    return _parts("corporate author", names)


def _investigators(c: Citation) -> Iterator[FieldText]:
    return _people("investigator", (a for each in c.investigator_lists for a in each.investigators))


def _affiliations(c: Citation) -> Iterator[FieldText]:
    lists = [each.authors for each in c.author_lists] + [each.investigators for each in c.investigator_lists]
    return _parts("affiliation", (place.text for people in lists for a in people for place in a.affiliations))


def _identifiers(c: Citation) -> Iterator[FieldText]:
    """Give identifiers as `ORCID 0000-...`, in whichever of its spellings the publisher sent it."""
    found = (identifier for each in c.author_lists for a in each.authors for identifier in a.identifiers)
    return _plain("author identifier", (f"{each.source} {_identifier(each.value)}" for each in found))


def _identifier(value: str) -> str:
    number = value.rstrip("/").rpartition("/")[2]
    if len(number) == ORCID_DIGITS and number[:-1].isdigit():
        return "-".join(number[at : at + 4] for at in range(0, ORCID_DIGITS, 4))
    return number


def _data_banks(c: Citation) -> Iterator[FieldText]:
    names = (f"{bank.name}/{number}" for bank in c.data_banks for number in bank.accessions or ("",))
    return _plain("data bank", names)


def _grants(c: Citation) -> Iterator[FieldText]:
    parts = (part for grant in c.grants for part in (grant.id, grant.acronym, grant.agency, grant.country))
    return _plain("grant", parts)


def _book(c: Citation) -> Iterator[FieldText]:
    return _parts("book title", [c.book.title.text] if c.book else ())


def _publisher(c: Citation) -> Iterator[FieldText]:
    return _parts("publisher", [c.book.publisher] if c.book else ())


TIERS: dict[str, Callable[[Citation], Iterable[FieldText]]] = {
    "title": _title,
    "body": _body,
    "terms": _terms,
    "rest": _rest,
}
"""Every text of a citation, once: [ti] is the title, [tiab] the first two, [tw] the first three, [all] all four."""


def _first(tiers: int) -> Callable[[Citation], Iterable[FieldText]]:
    several = tuple(TIERS.values())[:tiers]
    return lambda c: chain.from_iterable(tier(c) for tier in several)


_TEXTS: dict[str, Callable[[Citation], Iterable[FieldText]]] = {
    "ti": _first(1),
    "tiab": _first(2),
    "tw": _first(3),
    "all": _first(4),
    "ot": _other_terms,
    "tt": lambda c: _parts("transliterated title", [c.vernacular_title]),
    "ad": _affiliations,
    "auid": _identifiers,
    "cn": _collective,
    "cois": lambda c: _parts("conflict of interest", [c.coi_statement]),
    "si": _data_banks,
    "gr": _grants,
    "ps": lambda c: _people("personal name subject", c.personal_name_subjects),
    "book": _book,
    "pubn": _publisher,
    "pl": lambda c: _plain("place", [c.journal.country if c.journal else c.book and c.book.publisher_location]),
}
TEXT_FIELDS = frozenset(_TEXTS)
