"""Citations as NLM writes them: the source line and the whole citation, as on the page and as in "Cite".

Rules: NLM, "Journal Source" (`[NLM:journal_source]`), the elements of an article's source by publication model, and
real "Summary (text)" output. Books follow NLM's "Citing Medicine" as PubMed applies it.
"""

from __future__ import annotations

from typing import Literal

from monitor.core import languages
from monitor.core.citation import Author, Book, Citation
from monitor.formats import notices, wording

Style = Literal["summary", "cite", "nbib"]
"""`summary` is PubMed's page, `cite` its "Cite" button and Summary (text), `nbib` the SO field of a download."""


def source_line(citation: Citation, style: Style = "summary") -> str:
    """Say where and when a citation was published: journal, date, volume, issue, pages, DOI, other dates.

    `summary` shows `Online ahead of print.` and `eCollection`; `cite` shows `Epub ahead of print.`, leaves eCollection
    and Print dates out and names languages other than English; `nbib` has the dates of `summary` without
    `Online ahead of print.`.
    """
    if citation.book is not None:
        return _book_source(citation, citation.book)
    primary, notes = _dates(citation, style)
    journal = wording.journal_name(citation)
    parts = [journal + (" [Preprint]" if journal and notices.is_preprint(citation) else "")]
    parts.append(_when_and_where(citation, primary))
    if style == "cite" and any(each != "eng" for each in citation.languages):
        parts.append(", ".join(languages.name(each) for each in citation.languages))
    doi = wording.doi(citation)
    if doi:
        parts.append(f"doi: {doi}")
    return " ".join(_stopped(part) for part in (*parts, *notes) if part)


def cite(citation: Citation) -> str:
    """Write the whole citation as PubMed's "Cite" button does: authors, title, source, linked notices, ids."""
    if citation.book is not None:
        body = _book(citation, citation.book, _people(wording.authors(citation), citation.authors_complete))
    else:
        body = [_by(citation), full_title(citation), source_line(citation, "cite")]
    return " ".join(part for part in (*body, *notices.statements(citation), _ids(citation)) if part)


def summary(citation: Citation) -> str:
    """Write the whole citation as PubMed's page shows it: title, authors, source, notices, ids, a line each."""
    by = _by(citation)
    lines = [full_title(citation), by, source_line(citation, "summary"), *notices.statements(citation), _ids(citation)]
    return "\n".join(part for part in lines if part)


def vancouver(citation: Citation) -> str:
    """Write the whole citation for a reference list by the ICMJE's recommendations.

    As `cite`, but from the seventh author on `et al.` stands, and PMID and PMCID are left out.
    """
    named = wording.authors(citation)
    complete = citation.authors_complete and len(named) <= 6
    if citation.book is not None:
        body = _book(citation, citation.book, _people(named[:6], complete))
    else:
        people = _people(named[:6], complete) if named else _by(citation)
        body = [people, full_title(citation), source_line(citation, "cite")]
    return " ".join(part for part in (*body, *notices.statements(citation)) if part)


def full_title(citation: Citation) -> str:
    """The title with one closing mark; a title in another language stands before PubMed's English one."""
    english = wording.title(citation)
    original = wording.bare_title(wording.line(citation.vernacular_title))
    if original and english:
        return _stopped(f"{original} {english if english.startswith('[') else f'[{wording.bare_title(english)}]'}")
    return _stopped(original or english)


def _by(citation: Citation) -> str:
    people = wording.authors(citation)
    if people:
        return _people(people, citation.authors_complete)
    named = wording.editors(citation)
    return f"{_names(named)}, {'editor' if len(named) == 1 else 'editors'}." if named else ""


def _people(people: tuple[Author, ...], complete: bool) -> str:
    if not people:
        return ""
    return _stopped(_names(people) + ("" if complete else ", et al"))


def _names(people: tuple[Author, ...]) -> str:
    """Names in order; NLM parts a group from what stands before and after it by a semicolon."""
    out = ""
    for i, person in enumerate(people):
        if i:
            out += "; " if person.collective_name or people[i - 1].collective_name else ", "
        out += wording.name(person)
    return out


def _dates(citation: Citation, style: Style) -> tuple[str, list[str]]:
    """The date that counts and the notes on the others, by publication model."""
    issue = citation.journal.pub_date if citation.journal is not None else None
    online = citation.electronic_date
    model = citation.pub_model or "Print"
    ahead = citation.publication_status == "aheadofprint"
    primary = issue
    notes: list[str] = []
    if online is not None and model.startswith("Electronic"):
        if model != "Electronic" or wording.precision(issue) < wording.precision(online):
            primary = online
        other = {"Electronic-Print": "Print", "Electronic-eCollection": "eCollection"}.get(model)
        if other and wording.nlm_date(issue) and style != "cite":
            notes.append(f"{other} {wording.nlm_date(issue)}")
    elif online is not None and model == "Print-Electronic" and not ahead:
        notes.append(f"Epub {wording.nlm_date(online)}")
    if primary is None:
        primary = online
    if ahead and style != "nbib":
        notes.append("Online ahead of print" if style == "summary" else "Epub ahead of print")
    return wording.nlm_date(primary), notes


def _when_and_where(citation: Citation, date: str) -> str:
    journal = citation.journal
    volume = wording.one_line(journal.volume) if journal is not None else ""
    issue = wording.one_line(journal.issue) if journal is not None else ""
    pages = wording.pages(citation) or wording.location(citation, "pii") or ""
    place = volume + (f"({issue})" if issue else "")
    out = f"{date};{place}" if date and place else date or place
    return f"{out}:{pages}" if out and pages else out or pages


def _book_source(citation: Citation, book: Book) -> str:
    parts = _imprint(book)
    if wording.is_chapter(citation):
        parts = [wording.nlm_date(book.contribution_date), f"In: {_book_title(book)}", *parts]
    else:
        parts = [_book_title(book), *parts]
    return " ".join(_stopped(part) for part in parts if part)


def _book(citation: Citation, book: Book, people: str) -> list[str]:
    """A chapter with authors comes first and its book after `In:`; one without comes after its book."""
    if not wording.is_chapter(citation):
        parts = [people or _by(citation), _stopped(_book_title(book)), *map(_stopped, _imprint(book))]
    elif people:
        editors = _names(wording.editors(citation))
        by = f"{editors}, {'editor' if len(wording.editors(citation)) == 1 else 'editors'}. " if editors else ""
        dated = wording.nlm_date(book.contribution_date)
        parts = [people, full_title(citation), _stopped(dated)]
        parts += [_stopped(f"In: {by}{_book_title(book)}"), *map(_stopped, _imprint(book))]
    else:
        parts = [_stopped(_book_title(book)), *map(_stopped, _imprint(book)), full_title(citation)]
        parts.append(_stopped(wording.nlm_date(book.contribution_date)))
    return [part for part in parts if part]


def _book_title(book: Book) -> str:
    title = wording.bare_title(wording.line(book.title.text))
    medium = wording.one_line(book.medium)
    return f"{title} [{medium}]" if title and medium else title


def _imprint(book: Book) -> list[str]:
    """Edition, place, publisher, years, report number; a book still growing has a first year and a dash."""
    place, publisher = wording.one_line(book.publisher_location), wording.line(book.publisher)
    house = f"{place}: {publisher}" if place and publisher else place or publisher
    years = wording.nlm_date(book.pub_date)
    if book.beginning_date is not None:
        years = f"{wording.nlm_date(book.beginning_date)}–{wording.nlm_date(book.ending_date)}"
    imprint = f"{house}; {years}" if house and years else house or years
    report = wording.one_line(book.report_number)
    return [wording.one_line(book.edition), imprint, f"Report No.: {report}" if report else ""]


def _ids(citation: Citation) -> str:
    pmcid = wording.one_line(citation.pmcid)
    return f"PMID: {citation.pmid}; PMCID: {pmcid}." if pmcid else f"PMID: {citation.pmid}."


def _stopped(text: str) -> str:
    """End with a full stop unless another closing mark stands there."""
    if not text or text.endswith((".", "?", "!")):
        return text
    return text + "."
