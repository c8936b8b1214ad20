"""Whether one citation matches a search, and which words of it are the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from monitor.core.citation import PublicationType
from monitor.core.query.dates import Day, citation_days, day_text, own_days, range_days, recent_days
from monitor.core.query.document import TEXT_FIELDS, Document, FieldText, Hit
from monitor.core.query.exact import exact
from monitor.core.query.fields import OWN_DATE_FIELDS, OWN_FIELDS
from monitor.core.query.filters import OUT_OF_REACH, filter_key, filter_search, subset_test
from monitor.core.query.flags import flag_holds
from monitor.core.query.mesh import MeshTree, is_ui
from monitor.core.query.own import LIBRARY, own_values
from monitor.core.query.people import named, people
from monitor.core.query.qualifiers import qualifier_keys
from monitor.core.query.tree import (
    And,
    DateRange,
    EarlierSearch,
    Flag,
    Leaf,
    Not,
    Or,
    PmidRange,
    Pmids,
    Proximity,
    Query,
    Recent,
    Term,
    terms,
)
from monitor.core.query.words import STOPWORDS, heading_key, search_words

_UNDECIDABLE_FIELDS = {
    "pa": "records do not hold pharmacological actions",
    "p1dat": "records do not hold the date of first access",
    "aucl": "records do not hold author clusters",
    "dso": "records do not hold this field",
    "eid": "records do not hold this field",
}
_PEOPLE = frozenset({"au", "1au", "lastau", "fau", "ir", "fir", "ed"})


class Match(NamedTuple):
    """Why a citation matches: a leaf of the search and the characters [start, end) that fit it.

    They count in the `bare` text of `place` (`abstract_text` for abstracts); `part` numbers the several texts of
    a place (keywords, headings, ...) from 0 in the record's order. `words` is the text between start and end.
    """

    term: Leaf
    place: str
    part: int
    words: str
    start: int
    end: int


def matches(query: Query, document: Document, tree: MeshTree, today: date | None = None) -> bool:
    """Say whether a citation matches; `today` is needed for searches such as `"last 30 days"[crdt]`."""
    return _Matcher(document, tree, today).holds(query) is True


def explain(query: Query, document: Document, tree: MeshTree, today: date | None = None) -> tuple[Match, ...]:
    """Return every reason a citation matches, in the order of the search; nothing when it does not match.

    Of an OR every branch that holds is reported; what stands under NOT is no reason.
    """
    matcher = _Matcher(document, tree, today)
    return tuple(dict.fromkeys(matcher.reasons(query))) if matcher.holds(query) is True else ()


def undecidable(query: Query, tree: MeshTree) -> tuple[tuple[Leaf, str], ...]:
    """Return the leaves that no record can decide here, with the reason; they match nothing."""
    return tuple((leaf, why) for leaf in terms(query) if (why := _why_undecidable(leaf, tree)) is not None)


def ignored(leaf: Leaf) -> bool:
    """Say whether PubMed drops this term: stopwords outside phrases, Booleans in lower case among them."""
    return isinstance(leaf, Term) and not leaf.quoted and leaf.field in _STOPPED and _only_stopwords(leaf.text)


_STOPPED = frozenset({None, "all", "tiab", "ti", "tw", "ad", "ot"})


def _only_stopwords(text: str) -> bool:
    return all(word in STOPWORDS for word in search_words(text).words)


def _why_undecidable(leaf: Leaf, tree: MeshTree) -> str | None:
    if isinstance(leaf, EarlierSearch):
        return "an earlier search is known only to the session it was made in"
    if isinstance(leaf, Term | DateRange) and leaf.field in _UNDECIDABLE_FIELDS:
        return _UNDECIDABLE_FIELDS[leaf.field]
    if isinstance(leaf, Term) and leaf.field == "sb":
        key = filter_key(leaf.text)
        if key in OUT_OF_REACH:
            return "PubMed computes this filter from links or strategies that records do not hold"
        if not (subset_test(key) or filter_search(key) or tree.publication_type(key)):
            return "this filter is not known here"
    return None


class _Matcher:
    """Evaluates one tree against one document; None means "ignored", as PubMed ignores stopwords."""

    def __init__(self, document: Document, tree: MeshTree, today: date | None) -> None:
        self.document = document
        self.tree = tree
        self.today = today

    def holds(self, query: Query) -> bool | None:
        if isinstance(query, Term):
            if ignored(query):
                return None
            return next(self.found(query), None) is not None
        if isinstance(query, And):
            return self.every(query.parts)
        if isinstance(query, Or):
            return self.some(query.parts)
        if isinstance(query, Not):
            return self.without(query)
        return next(self.found(query), None) is not None

    def every(self, parts: tuple[Query, ...]) -> bool | None:
        known = False
        for part in parts:
            held = self.holds(part)
            if held is False:
                return False
            known = known or held is True
        return True if known else None

    def some(self, parts: tuple[Query, ...]) -> bool | None:
        known = False
        for part in parts:
            held = self.holds(part)
            if held:
                return True
            known = known or held is False
        return False if known else None

    def without(self, query: Not) -> bool | None:
        base = self.holds(query.base)
        if base is False:
            return False
        excluded = self.some(query.excluded)
        return None if base is None and excluded is None else not excluded

    def reasons(self, query: Query) -> Iterator[Match]:
        """Yield the reasons of a part that holds."""
        if isinstance(query, And):
            for part in query.parts:
                yield from self.reasons(part)
        elif isinstance(query, Or):
            for part in query.parts:
                if self.holds(part):
                    yield from self.reasons(part)
        elif isinstance(query, Not):
            yield from self.reasons(query.base)
        elif not ignored(query):
            for source, start, end in self.found(query):
                yield Match(query, source.place, source.part, source.text[start:end], start, end)

    def found(self, leaf: Leaf) -> Iterator[Hit]:
        if isinstance(leaf, Term):
            return self.term(leaf)
        if isinstance(leaf, Proximity):
            index = self.document.index(leaf.field)
            if "*" in leaf.text:  # PubMed then ignores the proximity
                return index.phrase(search_words(leaf.text))
            return index.near(search_words(leaf.text).words, leaf.distance)
        return self.other(leaf)

    def other(self, leaf: Leaf) -> Iterator[Hit]:
        citation = self.document.citation
        if isinstance(leaf, DateRange):
            for part, day in enumerate(range_days(leaf, self.days(leaf.field))):
                yield _whole(_date_place(leaf.field), part, day_text(day))
        elif isinstance(leaf, Recent):
            if self.today is None:
                raise ValueError("a search with a relative date needs today's date")
            for part, day in enumerate(recent_days(leaf, self.days(leaf.field), self.today)):
                yield _whole(_date_place(leaf.field), part, day_text(day))
        elif isinstance(leaf, Pmids):
            if citation.pmid in leaf.values:
                yield _whole("PMID", 0, str(citation.pmid))
        elif isinstance(leaf, PmidRange):
            if leaf.low <= citation.pmid <= leaf.high:
                yield _whole("PMID", 0, str(citation.pmid))
        elif isinstance(leaf, Flag) and flag_holds(leaf.name, citation):
            yield _whole("record", 0, leaf.name)

    def days(self, field: str) -> tuple[Day, ...]:
        if field in OWN_DATE_FIELDS:
            return own_days(self.document.own)
        return citation_days(self.document.citation, field)

    def term(self, term: Term) -> Iterator[Hit]:
        field = term.field
        if field in OWN_FIELDS:
            return (_whole(LIBRARY, number, value) for number, value in own_values(term, self.document.own))
        if field is None and not term.quoted:
            return self.all_words(term)
        if field is None or field in TEXT_FIELDS:
            return self.document.index(field).phrase(search_words(term.text))
        if field in {"mh", "majr"}:
            return self.mesh(term)
        if field == "pt":
            return self.publication_type(term)
        if field == "sh":
            return self.subheading(term)
        if field == "sb":
            return self.filter(term)
        if field in _PEOPLE:
            place, who = people(self.document.citation, field)
            found = named(search_words(term.text), term.quoted, field in {"fau", "fir"}, place, who)
            return (Hit(source, 0, len(source.text)) for source in found)
        return (Hit(source, 0, len(source.text)) for source in exact(term, self.document.citation))

    def all_words(self, term: Term) -> Iterator[Hit]:
        """Untagged words are each looked for in all fields; hyphenated ones as phrases. No term mapping."""
        index = self.document.index(None)
        hits: list[Hit] = []
        for word in term.text.split():
            search = search_words(word)
            if len(search.words) == 1 and search.words[0] in STOPWORDS:
                continue
            found = list(index.phrase(search))
            if not found:
                return
            hits.extend(found)
        yield from hits

    def mesh(self, term: Term) -> Iterator[Hit]:
        headings = self.document.citation.mesh_headings
        if not headings:
            return
        name, qualifiers = split_heading(term)
        for number in sorted(self.heading_numbers(name, term)):
            heading = headings[number]
            if qualifiers is None:
                if term.field == "mh" or heading.major:
                    yield _whole("MeSH heading", number, heading.descriptor.name)
                continue
            for qualifier in heading.qualifiers:
                if heading_key(qualifier.name) in qualifiers and (
                    term.field == "mh" or qualifier.major or heading.descriptor.major
                ):
                    yield _whole("MeSH heading", number, f"{heading.descriptor.name}/{qualifier.name}")
                    break

    def heading_numbers(self, name: str, term: Term) -> Iterable[int]:
        words, truncated = search_words(name)
        if truncated:  # truncation turns explosion off
            return (n for n, key in enumerate(self.document.heading_keys) if " ".join(key).startswith(" ".join(words)))
        by_ui = self.document.headings
        heading = self.tree.find(name)
        if heading is not None:
            uis = self.tree.explode(heading.ui) if term.explode else frozenset({heading.ui})
            named = {heading_key(self.tree.name(ui) or "") for ui in uis} if None in by_ui else set()
            without_ui = (number for number in by_ui.get(None, ()) if self.document.heading_keys[number] in named)
            return {number for ui in uis & by_ui.keys() for number in by_ui[ui]}.union(without_ui)
        ui = name.strip().upper()
        if ui in by_ui and is_ui(ui):
            return by_ui[ui]
        wanted = heading_key(name)
        return (number for number, key in enumerate(self.document.heading_keys) if key == wanted)

    def publication_type(self, term: Term) -> Iterator[Hit]:
        types = self.document.citation.publication_types
        keys = self.document.type_keys
        words, truncated = search_words(term.text)
        heading = None if truncated else self.tree.find(term.text)
        if truncated:
            numbers = [n for n, key in enumerate(keys) if " ".join(key).startswith(" ".join(words))]
        elif heading is None:
            wanted, ui = heading_key(term.text), term.text.strip().upper()
            numbers = [n for n, key in enumerate(keys) if key == wanted or (types[n].ui == ui and is_ui(ui))]
        else:
            uis = self.tree.explode(heading.ui) if term.explode else frozenset({heading.ui})
            names = {heading_key(self.tree.name(ui) or "") for ui in uis} | {heading_key(term.text)}
            numbers = [n for n, key in enumerate(keys) if type_ui(types[n], self.tree) in uis or key in names]
        for number in numbers:
            yield _whole("publication type", number, types[number].name)

    def subheading(self, term: Term) -> Iterator[Hit]:
        keys = qualifier_keys(term.text, term.explode) or frozenset({heading_key(term.text)})
        for number, heading in enumerate(self.document.citation.mesh_headings):
            for qualifier in heading.qualifiers:
                if heading_key(qualifier.name) in keys:
                    yield _whole("MeSH subheading", number, qualifier.name)

    def filter(self, term: Term) -> Iterator[Hit]:
        key = filter_key(term.text)
        if test := subset_test(key):
            if test(self.document.citation):
                yield _whole("record", 0, term.text)
        elif search := filter_search(key):
            yield from self.term(search)
        elif key not in OUT_OF_REACH and (name := self.tree.publication_type(key)):
            yield from self.publication_type(Term(name, "pt"))


def split_heading(term: Term) -> tuple[str, frozenset[tuple[str, ...]] | None]:
    """Divide `Heading/subheading` into the heading and the keys of the subheadings that are meant."""
    name, slash, qualifier = term.text.rpartition("/")
    if slash and (keys := qualifier_keys(qualifier, term.explode)):
        return name, keys
    return term.text, None


def type_ui(each: PublicationType, tree: MeshTree) -> str | None:
    """Return a publication type's UI; old exports and other formats give the name alone, which may be a former one."""
    if each.ui is not None:
        return each.ui
    heading = tree.find(each.name)
    return heading.ui if heading is not None else None


def _date_place(field: str) -> str:
    return LIBRARY if field in OWN_DATE_FIELDS else "date"


def _whole(place: str, part: int, text: str) -> Hit:
    return Hit(FieldText(place, part, text), 0, len(text))
