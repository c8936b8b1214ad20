"""Citations by GB/T 7714-2015, numeric style, as Chinese journals and theses ask for.

Up to three authors, surname in capitals and initials without stops, then `et al`. `[J]` journal article, `[J/OL]`
one known only online, `[A/OL]` preprint, `[M]` book, `[M/OL]` book on the Internet, `[M]//` part of a book. The
standard wants the day on which an online source was read; who cites knows it, PubMed does not.
"""

from __future__ import annotations

from monitor.core.citation import Author, Book, Citation, PartialDate
from monitor.formats import nlm, notices, wording


def cite(citation: Citation, *, read_on: PartialDate | None = None) -> str:
    """Write the whole citation; `read_on` is the day an online source was read, given in brackets."""
    text = _book(citation, citation.book, read_on) if citation.book is not None else _article(citation, read_on)
    return " ".join((text, *notices.statements(citation)))


def _article(citation: Citation, read_on: PartialDate | None) -> str:
    journal = citation.journal
    volume = wording.one_line(journal.volume) if journal is not None else ""
    issue = wording.one_line(journal.issue) if journal is not None else ""
    pages = wording.pages(citation)
    doi = wording.doi(citation)
    online = notices.is_preprint(citation) or not (volume or issue or pages)
    mark = "A/OL" if notices.is_preprint(citation) else "J/OL" if online else "J"
    head = _by(wording.authors(citation), citation.authors_complete) + _title(citation) + f"[{mark}]"
    name = wording.one_line(journal.title or journal.medline_ta) if journal is not None else ""
    place = volume + (f"({issue})" if issue else "")
    date = wording.issued(citation)
    when = str(date.year) if date is not None and date.year is not None else wording.nlm_date(date)
    where = ", ".join(part for part in (name, when, place) if part)
    if online:
        day = citation.electronic_date or date
        where += f"({wording.digits(day, '-')})" if wording.precision(day) == 3 else ""
    if pages:
        where += f": {pages}"
    if online:
        where += _read(read_on)
    tail = [where]
    if online:
        tail.append(f"https://doi.org/{doi}" if doi else wording.pubmed_url(citation))
    if doi:
        tail.append(f"DOI: {doi}")
    return ". ".join((head, *(each for each in tail if each))) + "."


def _book(citation: Citation, book: Book, read_on: PartialDate | None) -> str:
    online = (book.medium or "").casefold() == "internet"
    mark = "M/OL" if online else "M"
    title = wording.bare_title(wording.line(book.title.text))
    head = _by(wording.authors(citation), citation.authors_complete)
    if wording.is_chapter(citation):
        editors = _by(wording.editors(citation), True)
        head += f"{_title(citation)}[{mark}]//{editors}{title}"
    else:
        head += f"{title}[{mark}]"
    house = ": ".join(filter(None, (wording.one_line(book.publisher_location), wording.line(book.publisher))))
    date = wording.issued(citation) or book.beginning_date
    when = str(date.year) if date is not None and date.year is not None else wording.nlm_date(date)
    imprint = ", ".join(filter(None, (house, when)))
    pages = wording.pages(citation)
    imprint += f": {pages}" if pages else ""
    imprint += _read(read_on) if online else ""
    url = (wording.bookshelf_url(citation) or wording.pubmed_url(citation)) if online else ""
    return ". ".join(filter(None, (head, wording.one_line(book.edition).rstrip("."), imprint, url))) + "."


def _by(people: tuple[Author, ...], complete: bool) -> str:
    """`EXAMPLE A B, PLACEHOLDER C, et al. `, or nothing where no author is named."""
    names = [_name(each) for each in people[:3]]
    if len(people) > 3 or (people and not complete):
        names.append("et al")
    return ", ".join(names) + ". " if names else ""


def _name(person: Author) -> str:
    if person.collective_name:
        return wording.line(person.collective_name)
    initials = wording.one_line(person.initials) or "".join(part[0] for part in (person.fore_name or "").split())
    spaced = " ".join(initials) if initials.isalpha() else initials
    parts = (wording.one_line(person.last_name).upper(), spaced, wording.line(person.suffix))
    return " ".join(filter(None, parts))


def _title(citation: Citation) -> str:
    return wording.bare_title(nlm.full_title(citation))


def _read(read_on: PartialDate | None) -> str:
    return f"[{wording.digits(read_on, '-')}]" if read_on is not None else ""
