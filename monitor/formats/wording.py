"""How a citation's parts are worded in every format: one-line text, NLM dates, names, places in a journal."""

from __future__ import annotations

import re

from monitor.core.citation import AbstractSection, Author, Citation, ELocation, InlineXml, PartialDate
from monitor.core.markup import plain

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")


def one_line(text: str | None) -> str:
    """Put text on one line: white space and every kind of line end become one blank, control characters vanish.

    Every value of a line-based format passes through here, so no field can end its record or start another.
    """
    if not text:
        return ""
    return " ".join(_CONTROL.sub("", text).split())


def line(xml: InlineXml | None) -> str:
    """Readable text of inline XML on one line."""
    return one_line(plain(xml)) if xml else ""


def nlm_date(date: PartialDate | None) -> str:
    """Write a date as NLM cites it: `2023 Sep 4`, `1990 Spring`, or the MedlineDate as it stands."""
    if date is None:
        return ""
    if date.text is not None:
        return one_line(date.text)
    if date.year is None:
        return ""
    parts = [str(date.year)]
    month = month_name(date.month)
    if month:
        parts.append(month)
        if day_of(date):
            parts.append(str(date.day))
    elif date.season:
        parts.append(one_line(date.season))
    return " ".join(parts)


def month_name(month: int | None) -> str | None:
    return MONTHS[month - 1] if month is not None and 1 <= month <= 12 else None


def day_of(date: PartialDate) -> int | None:
    """The day, where a month stands before it and a calendar could have it."""
    return date.day if month_name(date.month) and date.day is not None and 1 <= date.day <= 31 else None


def digits(date: PartialDate | None, separator: str = "") -> str:
    """Write as much of a date as is known in digits: `20230904`, `202309`, `2023`."""
    if date is None or date.year is None:
        return ""
    parts = [f"{date.year:04}"]
    if month_name(date.month):
        parts.append(f"{date.month:02}")
        if day_of(date):
            parts.append(f"{date.day:02}")
    return separator.join(parts)


def precision(date: PartialDate | None) -> int:
    """0 for nothing, 1 for a year, 2 for a month or season, 3 for a day."""
    if date is None or (date.year is None and not date.text):
        return 0
    if month_name(date.month):
        return 3 if day_of(date) else 2
    return 2 if date.season else 1


def name(author: Author) -> str:
    """Write a name as NLM cites it: `Hambrick GW Jr`; a group verbatim."""
    if author.collective_name:
        return line(author.collective_name)
    initials = author.initials or "".join(part[0] for part in (author.fore_name or "").split())
    return one_line(" ".join(filter(None, (author.last_name, initials, line(author.suffix)))))


def title(citation: Citation) -> str:
    """The title in plain text as PubMed has it, final stop included; a whole book's title is the book's."""
    if citation.title is not None:
        return line(citation.title)
    return line(citation.book.title.text) if citation.book is not None else ""


def bare_title(text: str) -> str:
    """Take the final stop off, but never an ellipsis, a question mark or a bracket."""
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text


def editors(citation: Citation) -> tuple[Author, ...]:
    """Valid editors that have a name, of the book when there is one."""
    lists = (*citation.author_lists, *(citation.book.author_lists if citation.book is not None else ()))
    return tuple(a for each in lists if each.kind == "editors" for a in each.authors if a.valid and name(a))


def authors(citation: Citation) -> tuple[Author, ...]:
    """Valid authors that have a name; those of a whole book stand with the book."""
    own = citation.authors
    if not own and citation.book is not None and not is_chapter(citation):
        lists = citation.book.author_lists
        own = tuple(a for each in lists if each.kind != "editors" for a in each.authors if a.valid)
    return tuple(each for each in own if name(each))


def is_chapter(citation: Citation) -> bool:
    """A `PubmedBookArticle` with a title of its own is a part of the book; without one it is the book."""
    if citation.book is None or citation.title is None:
        return False
    return line(citation.title).rstrip(".").casefold() != line(citation.book.title.text).rstrip(".").casefold()


def location(citation: Citation, kind: str) -> str | None:
    """The valid ELocationID of that kind, the article's or the book's."""
    places: tuple[ELocation, ...] = citation.elocations or (citation.book.elocations if citation.book else ())
    return next((one_line(each.value) for each in places if each.kind == kind and each.valid), None)


def pages(citation: Citation) -> str:
    """MedlinePgn as given, else start and end."""
    place = citation.pagination
    if place is None:
        return ""
    if place.medline:
        return one_line(place.medline)
    return one_line("-".join(filter(None, (place.start, place.end))))


def journal_name(citation: Citation) -> str:
    """The abbreviation NLM cites, else the next best name."""
    journal = citation.journal
    if journal is None:
        return ""
    return one_line(journal.medline_ta or journal.iso_abbreviation or journal.title)


def doi(citation: Citation) -> str | None:
    return one_line(citation.doi or location(citation, "doi")) or None


def pubmed_url(citation: Citation) -> str:
    return f"https://pubmed.ncbi.nlm.nih.gov/{citation.pmid}/"


def bookshelf_url(citation: Citation) -> str | None:
    accession = one_line(citation.article_id("bookaccession"))
    return f"https://www.ncbi.nlm.nih.gov/books/{accession}/" if accession else None


def issued(citation: Citation) -> PartialDate | None:
    """The date a reference list wants: of the issue or book, else of electronic publication."""
    date = citation.pub_date
    if citation.book is not None and is_chapter(citation) and citation.book.contribution_date is not None:
        return citation.book.contribution_date
    return date if date is not None else citation.electronic_date


def abstract(citation: Citation) -> str:
    """The abstract on one line, labels before their sections."""
    return sections(citation.abstract.sections) if citation.abstract is not None else ""


def sections(parts: tuple[AbstractSection, ...]) -> str:
    """Sections of an abstract on one line, labels before their text."""
    return " ".join(
        f"{one_line(each.label)}: {line(each.text)}" if each.label else line(each.text) for each in parts
    ).strip()


def keywords(citation: Citation) -> tuple[str, ...]:
    """Author keywords, then MeSH headings with their qualifiers; each once, an asterisk marks a major topic."""
    words = [line(each.text) for group in citation.keyword_lists for each in group.keywords]
    for heading in citation.mesh_headings:
        terms = (heading.descriptor, *heading.qualifiers)
        words.append("/".join(("*" if term.major else "") + one_line(term.name) for term in terms))
    return tuple(word for word in dict.fromkeys(words) if word)
