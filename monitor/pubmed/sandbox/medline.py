"""A citation as MEDLINE tagged text and as plain abstract: enough to tell formats apart, not an export."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from monitor.core.citation import Author, Citation, PartialDate
from monitor.core.markup import bare

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def shown_date(date: PartialDate | None) -> str:
    """Return a date as PubMed prints it: `2024 Mar 5`, `2018 Winter`, `2020 Nov-Dec`."""
    if date is None:
        return ""
    if date.text is not None:
        return date.text
    month = _MONTHS[date.month - 1] if date.month and date.month <= 12 else date.season
    return " ".join(str(part) for part in (date.year, month, date.day) if part)


def compact_date(date: PartialDate) -> str:
    return f"{date.year or 0:04}{date.month or 1:02}{date.day or 1:02}"


def name(author: Author) -> str:
    if author.collective_name is not None:
        return bare(author.collective_name)
    return " ".join(part for part in (author.last_name, author.initials, bare(author.suffix)) if part)


def title(citation: Citation) -> str:
    if citation.title:
        return bare(citation.title)
    return bare(citation.book.title.text) if citation.book else ""


def source_line(citation: Citation) -> str:
    """Return journal, date and place as esummary's `SO` does: `Invented J. 2024 Mar;12(3):101-9`."""
    journal = citation.journal
    date = shown_date(citation.pub_date)
    if journal is None:
        return f"{bare(citation.book.title.text) if citation.book else ''}. {date}".strip(". ")
    place = f"{journal.volume or ''}{f'({journal.issue})' if journal.issue else ''}"
    pages = citation.pagination.medline or citation.pagination.start if citation.pagination else None
    tail = ";" + place if place else ""
    return f"{journal.medline_ta or journal.title or ''}. {date}{tail}{f':{pages}' if pages else ''}"


def _lines(c: Citation) -> Iterator[tuple[str, str | None]]:
    yield "PMID", str(c.pmid)
    yield "OWN", c.owner
    yield "STAT", c.status
    for tag, day in (("DCOM", c.completed_on), ("LR", c.revised_on)):
        yield tag, compact_date(day) if day else None
    journal = c.journal
    if journal is not None:
        if journal.issn:
            yield "IS", f"{journal.issn.value} ({journal.issn.kind})"
        if journal.issn_linking:
            yield "IS", f"{journal.issn_linking} (Linking)"
        yield "VI", journal.volume
        yield "IP", journal.issue
    yield "DP", shown_date(c.pub_date)
    yield "TI", title(c)
    if c.pagination is not None:
        yield "PG", c.pagination.medline or c.pagination.start
    for location in c.elocations:
        yield "LID", f"{location.value} [{location.kind}]"
    if c.abstract is not None:
        yield "AB", " ".join(f"{s.label}: {bare(s.text)}" if s.label else bare(s.text) for s in c.abstract.sections)
    for author in c.authors:
        if author.collective_name is not None:
            yield "CN", name(author)
            continue
        if author.last_name and author.fore_name:
            yield "FAU", f"{author.last_name}, {author.fore_name}"
        yield "AU", name(author)
        for identifier in author.identifiers:
            yield "AUID", f"{identifier.source}: {identifier.value}"
        for affiliation in author.affiliations:
            yield "AD", bare(affiliation.text)
    for language in c.languages:
        yield "LA", language
    for grant in c.grants:
        yield "GR", "/".join(part for part in (grant.id, grant.acronym, grant.agency, grant.country) if part)
    for kind in c.publication_types:
        yield "PT", kind.name
    for article_date in c.article_dates:
        yield "DEP", compact_date(article_date.date)
    if journal is not None:
        yield "PL", journal.country
        yield "TA", journal.medline_ta
        yield "JT", journal.title
        yield "JID", journal.nlm_unique_id
    for chemical in c.chemicals:
        yield "RN", f"{chemical.registry_number} ({chemical.name})"
    for heading in c.mesh_headings:
        terms = (heading.descriptor, *heading.qualifiers)
        yield "MH", "/".join(f"*{term.name}" if term.major else term.name for term in terms)
    for keywords in c.keyword_lists:
        for keyword in keywords.keywords:
            yield "OT", f"*{bare(keyword.text)}" if keyword.major else bare(keyword.text)
    yield "PMC", c.pmcid
    for tag, status in (("EDAT", "pubmed"), ("MHDA", "medline"), ("CRDT", "entrez")):
        for moment in c.history:
            if moment.status == status:
                written = f"{moment.date.year or 0:04}/{moment.date.month or 1:02}/{moment.date.day or 1:02}"
                yield tag, f"{written} {moment.hour or 0:02}:{moment.minute or 0:02}"
    for article_id in c.article_ids:
        if article_id.kind != "pubmed":
            yield "AID", f"{article_id.value} [{article_id.kind}]"
    yield "PST", c.publication_status
    yield "SO", source_line(c)


def medline_text(citation: Citation) -> str:
    """Return the tagged form: tag in four columns, `- `, continued lines after six blanks."""
    lines = []
    for tag, value in _lines(citation):
        if value:
            lines.append(
                textwrap.fill(
                    " ".join(value.split()),
                    width=88,
                    initial_indent=f"{tag:<4}- ",
                    subsequent_indent=" " * 6,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
    return "\n".join(lines) + "\n"


def abstract_text(citation: Citation) -> str:
    """Return source, title, authors and abstract in paragraphs, with the PMID at the end."""
    parts = [f"{source_line(citation)}.", title(citation), ", ".join(name(author) for author in citation.authors)]
    if citation.abstract is not None:
        parts += [f"{s.label}: {bare(s.text)}" if s.label else bare(s.text) for s in citation.abstract.sections]
    parts.append(f"PMID: {citation.pmid}")
    return "\n\n".join(textwrap.fill(part, 80) for part in parts if part) + "\n"
