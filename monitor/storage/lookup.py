"""What each leaf of a search asks of the index: words, phrases and tokens as `storage.fulltext` writes them.

What is found is exactly what `core.query` finds where `Lookup.exact` says so; else it is at least that, and
`core.query` has the last word. Nothing here knows a database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from monitor.core import languages
from monitor.core.query.dates import Day, range_window, recent_window
from monitor.core.query.filters import OUT_OF_REACH, filter_key, filter_search, subset_test
from monitor.core.query.flags import is_flag
from monitor.core.query.matching import ignored, split_heading
from monitor.core.query.mesh import MeshTree, is_ui
from monitor.core.query.qualifiers import qualifier_keys
from monitor.core.query.tree import DateRange, Flag, Leaf, PmidRange, Pmids, Proximity, Recent, Term
from monitor.core.query.words import STOPWORDS, SearchWords, heading_key, search_words
from monitor.storage import tokens


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words one after the other in one of the columns; with `prefix` the last word may go on."""

    columns: tuple[str, ...]
    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Near:
    """Different words in any order in one of the columns, with at most `distance` others among them."""

    columns: tuple[str, ...]
    words: tuple[str, ...]
    distance: int


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the column `facets`, or with `prefix` the beginning of one."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Any of two or more parts."""

    parts: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of two or more parts."""

    parts: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """No citation at all."""


Wanted = Phrase | Near | Token | AnyOf | AllOf | Nothing
NOTHING: Final = Nothing()
EVERY: Final = Token(tokens.EVERY)

TITLE: Final = ("title",)
TIAB: Final = ("title", "body")
TEXT_WORDS: Final = ("title", "body", "terms")
ALL: Final = ("title", "body", "terms", "rest")

_TEXT: Final[dict[str | None, tuple[str, ...]]] = {
    None: ALL,
    "all": ALL,
    "tw": TEXT_WORDS,
    "tiab": TIAB,
    "ti": TITLE,
}
_WITHIN: Final[dict[str, tuple[str, ...]]] = {
    "ot": ("body", "terms"),
    "cn": ("terms",),
    "si": ("terms",),
    "ps": ("terms",),
    "tt": ("rest",),
    "ad": ("rest",),
    "auid": ("rest",),
    "cois": ("rest",),
    "gr": ("rest",),
    "book": ("rest",),
    "pubn": ("rest",),
    "aid": ("rest",),
    "lid": ("rest",),
    "pid": ("rest",),
}
"""Where the texts of a field stand among others."""
_PEOPLE: Final = {"au": "au", "1au": "au", "lastau": "au", "fau": "au", "ir": "ir", "fir": "ir", "ed": "ed"}
_LONG: Final = 8_000
"""Letters of a word beyond which SQLite may have cut it (at 32,768 bytes)."""


class Lookup(NamedTuple):
    """What a leaf asks of the index; not `exact` means that more may be found than match, never less."""

    wanted: Wanted
    exact: bool = True


def look_up(leaf: Leaf, tree: MeshTree, today: date | None = None) -> Lookup | None:
    """Say what a leaf asks of the index; None where PubMed ignores it.

    Raises ValueError for a relative date without today's date. Terms in fields of our own library but [added] are
    not in the index: for them, and for ranges of PMIDs, this is every citation.
    """
    if ignored(leaf):
        return None
    if isinstance(leaf, Term):
        return _term(leaf, tree)
    if isinstance(leaf, Proximity):
        return _near(leaf)
    if isinstance(leaf, DateRange):
        return _date(leaf)
    if isinstance(leaf, Recent):
        if today is None:
            raise ValueError("a search with a relative date needs today's date")
        low, high = recent_window(leaf, today)
        return Lookup(_between(leaf.field, low, high))
    if isinstance(leaf, Pmids):
        return Lookup(_any(Token(tokens.uid(pmid)) for pmid in dict.fromkeys(leaf.values)))
    if isinstance(leaf, Flag):
        return Lookup(Token(tokens.flag(leaf.name)) if is_flag(leaf.name, own=True) else NOTHING)
    if isinstance(leaf, PmidRange):
        return Lookup(EVERY, exact=False)
    return Lookup(NOTHING)


def _any(parts: Iterable[Wanted]) -> Wanted:
    several = tuple(dict.fromkeys(part for part in parts if part != NOTHING))
    return AnyOf(several) if len(several) > 1 else several[0] if several else NOTHING


def _all(parts: Iterable[Wanted]) -> Wanted:
    several = tuple(dict.fromkeys(parts))
    if not several or NOTHING in several:
        return NOTHING
    return AllOf(several) if len(several) > 1 else several[0]


def _term(term: Term, tree: MeshTree) -> Lookup:
    field = term.field
    if field is None and not term.quoted:
        return _untagged(term)
    if field in _TEXT:
        return _phrase(_TEXT[field], search_words(term.text))
    if field in _WITHIN:
        return Lookup(_phrase(_WITHIN[field], search_words(term.text)).wanted, exact=False)
    if field in _PEOPLE:
        return _name(term, _PEOPLE[field])
    if field in tokens.VALUES:
        return _value(term, tokens.VALUES[field])
    decide = _FIELDS.get(field or "")
    return decide(term, tree) if decide is not None else Lookup(NOTHING)


def _phrase(columns: tuple[str, ...], search: SearchWords) -> Lookup:
    words, truncated = search
    if not words:
        return Lookup(NOTHING)
    return Lookup(Phrase(columns, words, truncated), exact=max(map(len, words)) < _LONG)


def _untagged(term: Term) -> Lookup:
    """Each word is looked for by itself, hyphenated ones as phrases, stopwords not at all."""
    searches = [search_words(word) for word in term.text.split()]
    found = [_phrase(ALL, each) for each in searches if not (len(each.words) == 1 and each.words[0] in STOPWORDS)]
    return Lookup(_all(each.wanted for each in found), all(each.exact for each in found))


def _near(leaf: Proximity) -> Lookup:
    columns = _TEXT.get(leaf.field) or _WITHIN[leaf.field]
    if "*" in leaf.text:  # PubMed then ignores the proximity
        found = _phrase(columns, search_words(leaf.text))
        return Lookup(found.wanted, found.exact and leaf.field in _TEXT)
    words = search_words(leaf.text).words
    different = tuple(dict.fromkeys(words))
    if len(different) < 2:
        return Lookup(_phrase(columns, SearchWords(different)).wanted, exact=False)
    return Lookup(Near(columns, different, leaf.distance + len(words) - len(different)), exact=False)


def _date(leaf: DateRange) -> Lookup:
    if leaf.field not in tokens.DATES:
        return Lookup(NOTHING)
    if leaf.high is None and leaf.field == "dp":  # a single date must fit all that a record has
        low = leaf.low
        return Lookup(Token(tokens.single(low.first, 1 if low.month is None else 2 if low.day is None else 3)))
    return Lookup(_between(leaf.field, *range_window(leaf)), leaf.high is not None or leaf.field in tokens.ONE_DATE)


def _between(field: str, low: Day, high: Day) -> Wanted:
    return _any(Token(text, prefix) for text, prefix in tokens.between(tokens.DATES[field], low, high))


def _name(term: Term, field: str) -> Lookup:
    """Follow `core.query.people`: an unquoted name is truncated, but for a word within the surname.

    Of how many words the surname is, only the index knows: every number up to those of the search is asked for.
    """
    words, truncated = search_words(term.text)
    if not words:
        return Lookup(NOTHING)
    kind = tokens.NAMES[field]
    starts = [tokens.name_part(kind, words, surname) for surname in range(len(words) + 1)]
    if truncated:
        wanted = _any(Token(each, prefix=True) for each in starts)
    elif term.quoted:
        wanted = _any(Token(each + tokens.END) for each in starts)
    else:
        *within, whole = starts
        wanted = _any([Token(whole), *(Token(each, prefix=True) for each in within)])
    return Lookup(wanted, exact=term.field == field and max(map(len, words)) < _LONG)


def _value(term: Term, kind: str) -> Lookup:
    return Lookup(Token(tokens.key(kind, term.text), prefix=search_words(term.text).truncated))


def _mesh(term: Term, tree: MeshTree) -> Lookup:
    name, qualifiers = split_heading(term)
    found = _heading(tokens.HEADING if term.field == "mh" else tokens.MAJOR, name, term.explode, tree)
    if qualifiers is None:
        return found
    return Lookup(_all([found.wanted, _subheadings(qualifiers)]), exact=False)


def _heading(kind: str, name: str, explode: bool, tree: MeshTree) -> Lookup:
    words, truncated = search_words(name)
    if truncated:  # truncation turns explosion off
        return Lookup(Token(kind + "n" + tokens.JOIN.join(words), prefix=True))
    heading = tree.find(name)
    if heading is not None:
        return Lookup(_any(_narrower(kind, heading.ui, explode)))
    return Lookup(_any(_unknown(kind, name)))


def _narrower(kind: str, ui: str, explode: bool) -> list[Token]:
    return [Token(tokens.by_ui(kind, ui)), *([Token(tokens.narrower_than(kind, ui))] if explode else [])]


def _unknown(kind: str, text: str) -> list[Token]:
    """Ask for a heading that the tree lacks: by its name, and by its UI where this is one."""
    ui = text.strip().upper()
    return [Token(tokens.key(kind + "n", text)), *([Token(tokens.by_ui(kind, ui))] if is_ui(ui) else [])]


def _publication_type(term: Term, tree: MeshTree) -> Lookup:
    words, truncated = search_words(term.text)
    kind = tokens.TYPE
    if truncated:
        return Lookup(Token(kind + "n" + tokens.JOIN.join(words), prefix=True))
    heading = tree.find(term.text)
    if heading is not None:
        by_name = Token(tokens.key(kind + "n", term.text))
        return Lookup(_any([*_narrower(kind, heading.ui, term.explode), by_name]))
    return Lookup(_any(_unknown(kind, term.text)))


def _subheadings(keys: Iterable[tuple[str, ...]]) -> Wanted:
    return _any(Token("sh" + tokens.JOIN.join(key)) for key in sorted(keys))


def _subheading(term: Term, tree: MeshTree) -> Lookup:
    return Lookup(_subheadings(qualifier_keys(term.text, term.explode) or {heading_key(term.text)}))


def _filter(term: Term, tree: MeshTree) -> Lookup:
    key = filter_key(term.text)
    if subset_test(key):
        if key.startswith("jsubset"):
            code = key.removeprefix("jsubset").upper()
            return Lookup(Token(tokens.code("sj", code)), tokens.is_code(code))
        return Lookup(EVERY if key == "all" else Token("sb" + key))
    if search := filter_search(key):
        return _term(search, tree)
    if key not in OUT_OF_REACH and (name := tree.publication_type(key)):
        return _publication_type(Term(name, "pt"), tree)
    return Lookup(NOTHING)


def _language(term: Term, tree: MeshTree) -> Lookup:
    code = languages.code(term.text).upper()
    return Lookup(Token(tokens.code("la", code)), tokens.is_code(code))


def _isbn(term: Term, tree: MeshTree) -> Lookup:
    return Lookup(Token(tokens.isbn(term.text)), exact=False)


def _place(term: Term, tree: MeshTree) -> Lookup:
    words, truncated = search_words(term.text)
    last = len(words) - 1
    return Lookup(
        _all(Token("pl" + word, truncated and at == last) for at, word in enumerate(words)), exact=len(words) == 1
    )


def _in_library(term: Term, tree: MeshTree) -> Lookup:
    return Lookup(EVERY, exact=False)


_FIELDS: Final[dict[str, Callable[[Term, MeshTree], Lookup]]] = {
    "mh": _mesh,
    "majr": _mesh,
    "pt": _publication_type,
    "sh": _subheading,
    "sb": _filter,
    "la": _language,
    "isbn": _isbn,
    "pl": _place,
    "topic": _in_library,
    "wide": _in_library,
    "tag": _in_library,
    "level": _in_library,
    "claim": _in_library,
    "decision": _in_library,
}
