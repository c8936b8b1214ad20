"""Single words of the search index that stand for exact facts of a citation, spelt the same for writing and asking.

A token is a kind of two letters and a value in folded words. Three letters that no folded word holds join them, so
that a token is one word to any tokenizer and its beginning means the beginning of the value: `mnkillerøcellsønatural`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

from monitor.core.citation import Author, Citation, PublicationType
from monitor.core.query.dates import Day, days_of
from monitor.core.query.exact import values
from monitor.core.query.filters import subsets_of
from monitor.core.query.flags import flags_of
from monitor.core.query.matching import type_ui
from monitor.core.query.mesh import MeshTree, is_ui
from monitor.core.query.people import name_words, people
from monitor.core.query.words import heading_key, split_words, words_of

JOIN: Final = "ø"
REST: Final = "ł"
"""Joins a word that stands after as many as the surname has; `JOIN` those before."""
END: Final = "đ"
"""Ends a whole name."""
EVERY: Final = "every"
CROWDED: Final = "crowded"
"""On PostgreSQL, a citation of which a `tsvector` cannot hold every place of every word: it has the words, not all
phrases. `CUT`: it has not even all the words."""
CUT: Final = "cut"

HEADING, MAJOR, TYPE = "m", "j", "p"
"""With `u` the heading itself by its UI, with `x` what it is narrower than, with `n` its name."""
DATES: Final = {
    "crdt": "dc",
    "edat": "de",
    "mhda": "dm",
    "lr": "dl",
    "dcom": "dk",
    "epdat": "dx",
    "ppdat": "dq",
    "dp": "dp",
    "added": "dd",
}
ONE_DATE: Final = frozenset(DATES) - {"dp", "epdat"}
"""Fields of which a citation has one date at most."""
GRAINED: Final = frozenset({"dp", "de", "dc"})
"""Dates that are asked for by years and decades so often that these have tokens of their own."""
NAMES: Final = {"au": "", "ir": "ir", "ed": "ed"}
VALUES: Final = {"ta": "jo", "jid": "ji", "vi": "vi", "ip": "ip", "pg": "pg", "nm": "nm", "rn": "rn"}
"""Fields that a term fits as a whole, compared by `heading_key`."""

_PLACES = ("vi", "ip", "pg")
_EACH_VALUE = (*_PLACES, "nm", "rn")
"""Those that are not of the journal, which recurs as a whole."""
_ALL_DATES = "da"
_FAR = 2100
_TREES = 4
_KNOWN = 30_000


def tokens(citation: Citation, added_on: date, tree: MeshTree) -> list[str]:
    """Return all that exact conditions ask of a citation; some may stand there twice."""
    vocabulary = _vocabulary(tree)
    found = [EVERY, uid(citation.pmid)]
    for heading in citation.mesh_headings:
        descriptor = heading.descriptor
        found += vocabulary.heading(descriptor.ui, descriptor.name, heading.major)
        found += [key("sh", qualifier.name) for qualifier in heading.qualifiers]
    for each in citation.publication_types:
        found += vocabulary.publication_type(each.ui, each.name)
    fields = _EACH_VALUE if citation.chemicals or citation.supplementary_concepts else _PLACES
    for field in fields:
        kind = VALUES[field]
        found += [key(kind, value) for value in values(field, citation)]
    journal = citation.journal
    if journal is not None:
        issn = journal.issn.value if journal.issn else None
        names = (journal.medline_ta, journal.iso_abbreviation, journal.title, issn, journal.issn_linking)
        found += _journal(names, journal.nlm_unique_id)
    found += [code("la", language.lower().upper()) for language in citation.languages]
    found += map(flag, flags_of(citation))
    found += ["sb" + name for name in subsets_of(citation) if name != "all"]
    found += [code("sj", subset) for subset in citation.citation_subsets]
    book = citation.book
    if book is not None:
        found += [isbn(number) for number in book.isbns]
    place = journal.country if journal is not None else book and book.publisher_location
    if place:
        found += _place(place)
    for field, kind in NAMES.items():
        if field == "ir" and not citation.investigator_lists:
            continue
        for _, person in people(citation, field)[1]:
            found += _person(kind, person)
    dates = days_of(citation)
    for field, days in dates.items():
        kind = DATES[field]
        for year, month, day in days:
            found += _day(kind, year, month, day)
    found += _common(dates.get("dp", ()))
    found += _day(DATES["added"], added_on.year, added_on.month, added_on.day)
    return found


# Spelling ---------------------------------------------------------------------------------------------------------


def uid(pmid: int) -> str:
    return f"uid{pmid}"


@lru_cache(_KNOWN)
def key(kind: str, text: str) -> str:
    """Spell a value that is compared by its `heading_key`."""
    return kind + JOIN.join(heading_key(text))


def by_ui(kind: str, ui: str) -> str:
    return kind + "u" + ui.lower()


def narrower_than(kind: str, ui: str) -> str:
    """Spell that something is narrower than a heading of the tree."""
    return kind + "x" + ui.lower()


def is_code(value: str) -> bool:
    """Say whether a code is spelt as NLM spells codes; only then does its token say exactly what it is."""
    return value.isascii() and value.isalnum() and value == value.upper()


@lru_cache(_KNOWN)
def code(kind: str, value: str) -> str:
    """Spell a code in capitals that is compared letter by letter; odd ones may share a token."""
    return kind + value.lower() if is_code(value) else kind + REST + JOIN.join(split_words(value)[0])


def isbn(text: str) -> str:
    return "is" + "".join(c for c in text.upper() if c.isalnum()).lower()


@lru_cache(_KNOWN)
def flag(name: str) -> str:
    return "fl" + name.replace("_", "")


def name_part(kind: str, words: Sequence[str], surname: int) -> str:
    """Spell the beginning of a name whose surname has so many words."""
    return kind + "".join([(JOIN if at < surname else REST) + word for at, word in enumerate(words)])


def single(day: Day, grain: int) -> str:
    """Spell that every [dp] date is in the year (grain 1), month (2) or day (3) of this one."""
    return f"{_ALL_DATES}{'ymd'[grain - 1]}{_digits(day[:grain])}"


def between(kind: str, low: Day, high: Day) -> Iterator[tuple[str, bool]]:
    """Yield the tokens, and whether each is a beginning, of which a date has one exactly when it is in a range."""
    if low > high:
        return
    (first, *begin), (last, *end) = low, high
    if first == last and (begin > [1, 1] or end < [12, 31]):
        yield from _in_year(kind, first, (begin[0], begin[1]), (end[0], end[1]))
        return
    if begin > [1, 1]:
        yield from _in_year(kind, first, (begin[0], begin[1]), (12, 31))
        first += 1
    if end < [12, 31]:
        yield from _in_year(kind, last, (1, 1), (end[0], end[1]))
        last -= 1
    yield from _years(kind, first, last)


# What the writing side remembers ----------------------------------------------------------------------------------


class _Vocabulary:
    """Tokens of headings and publication types, which recur, as one tree explodes them."""

    def __init__(self, tree: MeshTree) -> None:
        self._tree = tree
        self.heading = lru_cache(_KNOWN)(self._heading)
        self.publication_type = lru_cache(_KNOWN)(self._publication_type)

    def _heading(self, ui: str | None, name: str, major: bool) -> tuple[str, ...]:
        uis = {ui} if ui is not None else set(self._tree.named(heading_key(name)))
        plain = self._tokens(HEADING, uis, name)
        return (*plain, *self._tokens(MAJOR, uis, name)) if major else plain

    def _publication_type(self, ui: str | None, name: str) -> tuple[str, ...]:
        # A type is found by its UI and, whatever its UI says, by its name.
        known = type_ui(PublicationType(ui, name), self._tree)
        uis = set(self._tree.named(heading_key(name))) | ({known} if known is not None else set())
        return self._tokens(TYPE, uis, name)

    def _tokens(self, kind: str, uis: Iterable[str], name: str) -> tuple[str, ...]:
        found = [key(kind + "n", name)]
        for ui in sorted(uis):
            if is_ui(ui):  # else it names nothing that anybody could ask for
                found.append(by_ui(kind, ui))
            found += sorted(narrower_than(kind, above) for above in self._tree.broader(ui) if above != ui)
        return tuple(found)


@lru_cache(_TREES)
def _vocabulary(tree: MeshTree) -> _Vocabulary:
    return _Vocabulary(tree)


def _person(kind: str, person: Author) -> list[str]:
    """Spell what `core.query.people` compares: initials and full name either way round, with the suffix and without."""
    last, initials, fore, suffix = name_words(person)
    found = []
    surname = kind
    for word in last:
        surname += JOIN + word
        found.append(surname)
    behind = "".join([REST + word for word in suffix]) + END
    short = surname + REST + initials if initials else surname
    found.append(short + END)
    if suffix:
        found.append(short + behind)
    if fore:
        found.append(surname + REST + REST.join(fore) + behind)
        turned = kind
        for at, word in enumerate((*fore, *last)):
            if at < len(last):
                turned += JOIN + word
                found.append(turned)
            else:
                turned += REST + word
        found.append(turned + behind)
    return found


@lru_cache(_KNOWN)
def _journal(names: tuple[str | None, ...], number: str | None) -> tuple[str, ...]:
    spelt = [key(VALUES["ta"], name) for name in dict.fromkeys(names) if name]
    return (*spelt, key(VALUES["jid"], number)) if number else tuple(spelt)


@lru_cache(_KNOWN)
def _place(name: str) -> tuple[str, ...]:
    return tuple(["pl" + word for word in words_of(name)])


@lru_cache(_KNOWN)
def _day(kind: str, year: int, month: int, day: int) -> tuple[str, ...]:
    found = [f"{kind}{_digits((year, month, day))}"]
    if kind in GRAINED:
        found += [f"{kind}y{year:04}", f"{kind}t{year // 10:03}"]
        if not 1900 <= year < _FAR:
            found.append(f"{kind}c{year // 100:02}")
    if year >= _FAR:
        found.append(f"{kind}z")
    return tuple(found)


@lru_cache(_KNOWN)
def _common(days: tuple[Day, ...]) -> tuple[str, ...]:
    return tuple(single(days[0], grain) for grain in (1, 2, 3) if len({day[:grain] for day in days}) == 1)


def _digits(parts: Sequence[int]) -> str:
    return f"{parts[0]:04}" + "".join([f"{part:02}" for part in parts[1:]])


def _in_year(kind: str, year: int, low: tuple[int, int], high: tuple[int, int]) -> Iterator[tuple[str, bool]]:
    for month in range(low[0], high[0] + 1):
        first = low[1] if month == low[0] else 1
        last = high[1] if month == high[0] else 31
        if first <= 1 and last >= 31:
            yield f"{kind}{_digits((year, month))}", True
        else:
            yield from ((f"{kind}{_digits((year, month, day))}", False) for day in range(first, last + 1))


def _years(kind: str, first: int, last: int) -> Iterator[tuple[str, bool]]:
    """Yield years, decades and centuries; of a kind that has no tokens for them, beginnings of days."""
    grained = kind in GRAINED
    while first <= last:
        if first == _FAR and last >= 9999:
            yield f"{kind}z", False
            return
        if first % 100 == 0 and first + 99 <= last and not 1900 <= first < _FAR:
            yield f"{kind}{'c' if grained else ''}{first // 100:02}", not grained
            first += 100
        elif first % 10 == 0 and first + 9 <= last:
            yield f"{kind}{'t' if grained else ''}{first // 10:03}", not grained
            first += 10
        else:
            yield f"{kind}{'y' if grained else ''}{first:04}", not grained
            first += 1
