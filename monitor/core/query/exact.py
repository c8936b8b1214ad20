"""Fields that a search term must fit as a whole: journal, volume, identifiers, substances, language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from monitor.core import languages
from monitor.core.citation import Citation
from monitor.core.query.document import FieldText
from monitor.core.query.tree import Term
from monitor.core.query.words import heading_key, search_words

Value = tuple[str, int, str | None]
"""Place, part, value."""


def values(field: str, citation: Citation) -> Iterator[str]:
    """Yield what a field holds of a citation, as `exact` compares it."""
    return (value for _, _, value in _VALUES[field](citation) if value)


def exact(term: Term, citation: Citation) -> Iterator[FieldText]:
    """Yield the values that a term fits; a truncated term fits every value that begins with it."""
    if term.field not in _VALUES:
        return
    fits = _FITS.get(term.field, _same_words)
    for place, part, value in _VALUES[term.field](citation):
        if value and fits(term.text, value):
            yield FieldText(place, part, value)


def _same_words(text: str, value: str) -> bool:
    if search_words(text).truncated:
        return " ".join(heading_key(value)).startswith(" ".join(heading_key(text)))
    return heading_key(text) == heading_key(value)


def _same_text(text: str, value: str) -> bool:
    text, value = text.casefold(), value.casefold()
    if text.endswith("*") and search_words(text).truncated:
        return value.startswith(text.rstrip("*"))
    return text == value


def _same_language(text: str, value: str) -> bool:
    return languages.code(text) == value.lower()


def _same_digits(text: str, value: str) -> bool:
    return _alphanumeric(text) == _alphanumeric(value)


def _alphanumeric(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum())


def _journal(c: Citation) -> Iterable[Value]:
    if c.journal is None:
        return ()
    j = c.journal
    names = (j.medline_ta, j.iso_abbreviation, j.title, j.issn.value if j.issn else None, j.issn_linking)
    return (("journal", 0, name) for name in dict.fromkeys(names))


def _pages(c: Citation) -> Iterable[Value]:
    if c.pagination is None:
        return ()
    first = c.pagination.start or (c.pagination.medline or "").partition("-")[0]
    return [("pages", 0, first)]


def _own_ids(c: Citation) -> Iterable[Value]:
    ids = [each.value for each in c.article_ids] + [each.value for each in c.elocations if each.valid]
    return (("article identifier", part, value) for part, value in enumerate(dict.fromkeys(ids)))


def _publisher_ids(c: Citation) -> Iterable[Value]:
    return (("article identifier", part, each.value) for part, each in enumerate(c.article_ids) if each.kind == "pii")


def _substances(c: Citation) -> Iterable[Value]:
    for part, chemical in enumerate(c.chemicals):
        yield "substance", part, chemical.name
        yield "substance", part, chemical.ui
    for part, concept in enumerate(c.supplementary_concepts):
        yield "supplementary concept", part, concept.name
        yield "supplementary concept", part, concept.ui


_VALUES: dict[str, Callable[[Citation], Iterable[Value]]] = {
    "ta": _journal,
    "jid": lambda c: [("journal", 0, c.journal.nlm_unique_id if c.journal else None)],
    "vi": lambda c: [("volume", 0, c.journal.volume if c.journal else c.book and c.book.volume)],
    "ip": lambda c: [("issue", 0, c.journal.issue if c.journal else None)],
    "pg": _pages,
    "aid": _own_ids,
    "lid": lambda c: (("location", part, each.value) for part, each in enumerate(c.elocations)),
    "pid": _publisher_ids,
    "la": lambda c: (("language", part, code) for part, code in enumerate(c.languages)),
    "nm": _substances,
    "rn": lambda c: (("registry number", part, each.registry_number) for part, each in enumerate(c.chemicals)),
    "isbn": lambda c: (("ISBN", part, number) for part, number in enumerate(c.book.isbns if c.book else ())),
}
_FITS: dict[str, Callable[[str, str], bool]] = {
    "aid": _same_text,
    "lid": _same_text,
    "pid": _same_text,
    "la": _same_language,
    "isbn": _same_digits,
}
