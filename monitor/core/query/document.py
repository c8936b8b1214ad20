"""What one citation offers to searching: its texts by field, cut into words once and only when asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
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


def abstract_text(sections: Iterable[AbstractSection], read: Reader = bare) -> str:
    """Join an abstract's sections as they are searched: one line each, `LABEL: ` before the text where labelled."""
    return "\n".join([f"{each.label}: {read(each.text)}" if each.label else read(each.text) for each in sections])


class Index:
    """The words of a few texts, ready for words, phrases, truncation and proximity."""

    __slots__ = ("_ordered", "_places", "_spans", "_words", "sources")

    def __init__(self, sources: Iterable[FieldText]) -> None:
        self.sources = tuple(sources)
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
            found = self._indexes[name] = Index(_sources(_TEXTS[name](self.citation, bare)))
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


Group = tuple[str, int, Sequence[str]]
"""Texts of one place, and the part that the first of them is; a text that the record lacks is empty."""
Reader = Callable[[InlineXml | None], str]
"""`bare`, or one that gives the same words."""


def _sources(groups: Iterable[Group]) -> Iterator[FieldText]:
    return (
        FieldText(place, part, text) for place, first, texts in groups for part, text in enumerate(texts, first) if text
    )


def _title(c: Citation, read: Reader) -> list[Group]:
    found: list[Group] = [("title", 0, (read(c.title),))]
    if c.book is not None:
        if not c.title:
            found.append(("title", 0, (read(c.book.title.text),)))
        if c.book.collection_title is not None:
            found.append(("collection title", 0, (read(c.book.collection_title.text),)))
    return found


def _body(c: Citation, read: Reader) -> list[Group]:
    found: list[Group] = []
    if c.abstract is not None:
        found.append(("abstract", 0, (abstract_text(c.abstract.sections, read),)))
    if c.other_abstracts:
        found.append(("other abstract", 0, [abstract_text(each.sections, read) for each in c.other_abstracts]))
    if c.keyword_lists:
        found.append(("keyword", 0, _keywords(c, read, own=True)))
    return found


def _keywords(c: Citation, read: Reader, *, own: bool) -> list[str]:
    """Give the keywords of authors (`own`) or all the others, numbered through all lists."""
    return [
        read(keyword.text) if (each.owner == AUTHOR_KEYWORDS) is own else ""
        for each in c.keyword_lists
        for keyword in each.keywords
    ]


def _other_terms(c: Citation, read: Reader) -> list[Group]:
    texts = [read(keyword.text) for each in c.keyword_lists for keyword in each.keywords]
    return [("keyword", 0, texts), ("space flight mission", 0, c.space_flight_missions)]


def _terms(c: Citation, read: Reader) -> list[Group]:
    found: list[Group] = []
    if c.keyword_lists:
        found.append(("keyword", 0, _keywords(c, read, own=False)))
    found.append(("space flight mission", 0, c.space_flight_missions))
    found.append(("MeSH heading", 0, [heading.descriptor.name for heading in c.mesh_headings]))
    for part, heading in enumerate(c.mesh_headings):
        found += [("MeSH subheading", part, (qualifier.name,)) for qualifier in heading.qualifiers]
    found.append(("publication type", 0, [each.name for each in c.publication_types]))
    found.append(("substance", 0, [each.name for each in c.chemicals]))
    found.append(("supplementary concept", 0, [each.name for each in c.supplementary_concepts]))
    found += _subjects(c, read)
    found += _collective(c, read)
    found += _data_banks(c, read)
    if c.corrections:
        sources = [" ".join(filter(None, (link.source, link.note))) for link in c.corrections]
        found.append(("comment or correction", 0, sources))
    return found


def _rest(c: Citation, read: Reader) -> list[Group]:
    found: list[Group] = [("PMID", 0, (str(c.pmid),)), *_transliterated(c, read)]
    found.append(("author", 0, [_name(a, read) for each in c.author_lists for a in each.authors]))
    if c.investigator_lists:
        people = [_name(a, read) for each in c.investigator_lists for a in each.investigators]
        found.append(("investigator", 0, people))
    found += _affiliations(c, read)
    found += _identifiers(c, read)
    if c.journal is not None:
        journal = c.journal
        issn = journal.issn.value if journal.issn else None
        names = (journal.title, journal.medline_ta, journal.iso_abbreviation, journal.issn_linking, issn)
        found.append(("journal", 0, [name or "" for name in (*names, journal.nlm_unique_id)]))
        found.append(("volume", 0, (journal.volume or "",)))
        found.append(("issue", 0, (journal.issue or "",)))
    if c.pagination is not None:
        found.append(("pages", 0, (c.pagination.medline or c.pagination.start or "",)))
    found.append(("location", 0, [each.value for each in c.elocations]))
    found.append(("article identifier", 0, [each.value for each in c.article_ids]))
    found.append(("registry number", 0, [each.registry_number or "" for each in c.chemicals]))
    found += _grants(c, read)
    found.append(("language", 0, c.languages))
    found += _conflict(c, read)
    found.append(("gene symbol", 0, c.gene_symbols))
    found.append(("general note", 0, [each.text for each in c.general_notes]))
    if c.book is not None:
        found += [*_book(c, read), *_publisher(c, read), ("ISBN", 0, c.book.isbns)]
    return found


def _name(person: Author, read: Reader) -> str:
    last, initials, fore = person.last_name, person.initials, person.fore_name
    if fore == initials:
        fore = None
    if last and initials and fore and not person.suffix and not person.collective_name:
        return f"{last} {initials} {fore}"
    return " ".join(filter(None, (last, initials, fore, read(person.suffix), read(person.collective_name))))


def _subjects(c: Citation, read: Reader) -> list[Group]:
    return [("personal name subject", 0, [_name(each, read) for each in c.personal_name_subjects])]


def _transliterated(c: Citation, read: Reader) -> list[Group]:
    return [("transliterated title", 0, (read(c.vernacular_title),))]


def _conflict(c: Citation, read: Reader) -> list[Group]:
    return [("conflict of interest", 0, (read(c.coi_statement),))]


def _collective(c: Citation, read: Reader) -> list[Group]:
    lists = (*c.author_lists, *c.book.author_lists) if c.book else c.author_lists
    names = [read(a.collective_name) for each in lists for a in each.authors if a.collective_name]
    return [("corporate author", 0, names)]


def _affiliations(c: Citation, read: Reader) -> list[Group]:
    places = [place.text for each in c.author_lists for a in each.authors for place in a.affiliations]
    if c.investigator_lists:
        places += [place.text for each in c.investigator_lists for a in each.investigators for place in a.affiliations]
    known = {text: read(text) for text in dict.fromkeys(places)}  # one text may stand beside forty authors
    return [("affiliation", 0, [known[text] for text in places])]


def _identifiers(c: Citation, read: Reader) -> list[Group]:
    """Give identifiers as `ORCID 0000-...`, in whichever of its spellings the publisher sent it."""
    found = [
        f"{each.source} {_identifier(each.value)}"
        for authors in c.author_lists
        for a in authors.authors
        for each in a.identifiers
    ]
    return [("author identifier", 0, found)]


def _identifier(value: str) -> str:
    number = value.rstrip("/").rpartition("/")[2]
    if len(number) == ORCID_DIGITS and number[:-1].isdigit():
        return "-".join(number[at : at + 4] for at in range(0, ORCID_DIGITS, 4))
    return number


def _data_banks(c: Citation, read: Reader) -> list[Group]:
    names = [f"{bank.name}/{number}" for bank in c.data_banks for number in bank.accessions or ("",)]
    return [("data bank", 0, names)]


def _grants(c: Citation, read: Reader) -> list[Group]:
    parts = [part or "" for each in c.grants for part in (each.id, each.acronym, each.agency, each.country)]
    return [("grant", 0, parts)]


def _book(c: Citation, read: Reader) -> list[Group]:
    return [("book title", 0, (read(c.book.title.text) if c.book else "",))]


def _publisher(c: Citation, read: Reader) -> list[Group]:
    return [("publisher", 0, (read(c.book.publisher) if c.book else "",))]


def _place(c: Citation, read: Reader) -> list[Group]:
    place = c.journal.country if c.journal else c.book and c.book.publisher_location
    return [("place", 0, (place or "",))]


Texts = Callable[[Citation, Reader], list[Group]]

TIERS: dict[str, Texts] = {
    "title": _title,
    "body": _body,
    "terms": _terms,
    "rest": _rest,
}
"""Every text of a citation, once: [ti] is the title, [tiab] the first two, [tw] the first three, [all] all four."""


def _first(tiers: int) -> Texts:
    several = tuple(TIERS.values())[:tiers]
    return lambda c, read: [group for tier in several for group in tier(c, read)]


_TEXTS: dict[str, Texts] = {
    "ti": _first(1),
    "tiab": _first(2),
    "tw": _first(3),
    "all": _first(4),
    "ot": _other_terms,
    "tt": _transliterated,
    "ad": _affiliations,
    "auid": _identifiers,
    "cn": _collective,
    "cois": _conflict,
    "si": _data_banks,
    "gr": _grants,
    "ps": _subjects,
    "book": _book,
    "pubn": _publisher,
    "pl": _place,
}
TEXT_FIELDS = frozenset(_TEXTS)
