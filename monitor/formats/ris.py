"""Write citations as RIS for EndNote, Zotero, Mendeley and screening tools.

Field use as is customary (RIS format specification, 2001 and 2011): PMID in `AN` with `DB  - PubMed`, PMCID in `C2`,
notices of retraction, concern and correction in `N1`. Lines end with CR LF.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monitor.core.citation import Author, Citation, PartialDate
from monitor.formats import notices, wording

_EOL = "\r\n"


def write(citations: Iterable[Citation]) -> Iterator[str]:
    """Yield one record at a time, a blank line between two; the text carries its own line ends."""
    between = ""
    for citation in citations:
        yield between + record(citation)
        between = _EOL


def record(citation: Citation) -> str:
    """Write one record from `TY` to `ER`."""
    lines = [f"{tag}  - {value}" for tag, value in fields(citation) if value]
    return _EOL.join((*lines, "ER  - ", ""))


def fields(citation: Citation) -> Iterator[tuple[str, str]]:
    """Yield tags and values in order; empty values are left to the writer to skip."""
    book = citation.book
    chapter = wording.is_chapter(citation)
    yield "TY", _type(citation)
    yield "ID", str(citation.pmid)
    yield "AN", str(citation.pmid)
    yield "DB", "PubMed"
    yield "TI", wording.title(citation)
    yield "TT", wording.line(citation.vernacular_title)
    for person in wording.authors(citation):
        yield "AU", name(person)
    for person in wording.editors(citation):
        yield "A2" if chapter else "ED", name(person)
    if citation.journal is not None:
        journal = citation.journal
        yield "T2", wording.one_line(journal.title or journal.medline_ta)
        yield "J2", wording.one_line(journal.medline_ta or journal.iso_abbreviation)
        yield "VL", wording.one_line(journal.volume)
        yield "IS", wording.one_line(journal.issue)
        for issn in dict.fromkeys(filter(None, (journal.issn.value if journal.issn else None, journal.issn_linking))):
            yield "SN", wording.one_line(issn)
    if book is not None:
        yield "T2" if chapter else "T3", wording.line(book.title.text) if chapter else _collection(citation)
        yield "VL", wording.one_line(book.volume)
        yield "ET", wording.one_line(book.edition)
        yield "CY", wording.one_line(book.publisher_location)
        yield "PB", wording.line(book.publisher)
        for isbn in book.isbns:
            yield "SN", wording.one_line(isbn)
    yield from _dates(citation)
    yield from _pages(citation)
    yield "DO", wording.doi(citation) or ""
    yield "C2", wording.one_line(citation.pmcid)
    yield "UR", wording.pubmed_url(citation)
    yield "AB", wording.abstract(citation)
    for keyword in wording.keywords(citation):
        yield "KW", keyword
    for language in citation.languages:
        yield "LA", wording.one_line(language)
    for kind in citation.publication_types:
        yield "M3", wording.one_line(kind.name)
    for statement in notices.remarks(citation):
        yield "N1", statement


def name(person: Author) -> str:
    """`Last, Fore, Suffix`; a group verbatim, without commas that would make a person of it."""
    if person.collective_name:
        return wording.line(person.collective_name)
    first = wording.one_line(person.fore_name or person.initials)
    suffix = wording.line(person.suffix)
    parts = (
        [wording.one_line(person.last_name), first, suffix] if suffix else [wording.one_line(person.last_name), first]
    )
    return ", ".join(parts).rstrip(", ")


def _type(citation: Citation) -> str:
    if citation.book is not None:
        return "CHAP" if wording.is_chapter(citation) else "BOOK"
    return "UNPB" if notices.is_preprint(citation) else "JOUR"


def _collection(citation: Citation) -> str:
    book = citation.book
    return wording.line(book.collection_title.text) if book is not None and book.collection_title is not None else ""


def _dates(citation: Citation) -> Iterator[tuple[str, str]]:
    """`PY` is the year; `DA` is `YYYY/MM/DD/other`, parts left empty where unknown (RIS specification)."""
    date = wording.issued(citation)
    if date is None:
        return
    if date.year is not None:
        yield "PY", f"{date.year:04}"
        month = f"{date.month:02}" if wording.month_name(date.month) else ""
        day = f"{date.day:02}" if wording.day_of(date) else ""
        yield "DA", f"{date.year:04}/{month}/{day}/{_other(date)}"
    else:
        yield "DA", wording.nlm_date(date)


def _other(date: PartialDate) -> str:
    return wording.one_line(date.text or date.season).replace("/", "-")


def _pages(citation: Citation) -> Iterator[tuple[str, str]]:
    place = citation.pagination
    if place is not None and place.start:
        yield "SP", wording.one_line(place.start)
        yield "EP", wording.one_line(place.end)
    elif place is not None and place.medline:
        yield "SP", wording.one_line(place.medline)
    else:
        yield "SP", wording.location(citation, "pii") or ""
