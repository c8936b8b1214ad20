"""Write citations as PubMed's own download does (MEDLINE format, `.nbib`).

Tags and their order: PubMed User Guide, "PubMed format"; files end lines with CR LF as PubMed's do. The format is
lossy (no UIs of qualifiers, no inline markup, merged labels): for other programs, never for the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monitor.core.citation import (
    Author,
    Citation,
    HistoryDate,
    MeshHeading,
    MeshTerm,
    PartialDate,
)
from monitor.formats import nlm, notices, wording

_WIDTH = 84
_EOL = "\r\n"


def write(citations: Iterable[Citation]) -> Iterator[str]:
    """Yield one record at a time, a blank line between two; the text carries its own line ends."""
    between = ""
    for citation in citations:
        yield between + record(citation)
        between = _EOL


def record(citation: Citation) -> str:
    """Write one record, without a blank line around it."""
    return "".join(_field(tag, value) for tag, value in fields(citation) if value)


def fields(citation: Citation) -> Iterator[tuple[str, str]]:
    """Yield tags and whole values in PubMed's order; empty values are left to the writer to skip."""
    book = citation.book
    yield "PMID", str(citation.pmid)
    yield "OWN", wording.one_line(citation.owner)
    yield "STAT", wording.one_line(citation.status)
    if book is not None:
        yield "DRDT", wording.digits(citation.revised_on)
        yield "CTDT", wording.digits(book.contribution_date)
        yield "PB", wording.line(book.publisher)
    else:
        yield "DCOM", wording.digits(citation.completed_on)
        yield "LR", wording.digits(citation.revised_on)
    yield from _journal(citation)
    if book is not None:
        for isbn in book.isbns:
            yield "ISBN", wording.one_line(isbn)
        yield "VI", wording.one_line(book.volume)
        yield "VTI", wording.line(book.volume_title)
        yield "DP", wording.nlm_date(book.pub_date)
    yield "TI", wording.title(citation)
    if book is not None:
        yield "BTI", wording.line(book.title.text)
        yield "CTI", wording.line(book.collection_title.text) if book.collection_title is not None else ""
        yield "EN", wording.one_line(book.edition)
    yield "PG", wording.pages(citation)
    for place in citation.elocations or (book.elocations if book is not None else ()):
        if place.valid:
            yield "LID", _marked(place.value, place.kind)
    if citation.abstract is not None:
        yield "AB", wording.abstract(citation)
        yield "CI", wording.one_line(citation.abstract.copyright)
    for other in citation.other_abstracts:
        yield "OAB", f"{wording.one_line(other.kind)}: {wording.sections(other.sections)}"
        yield "OABL", wording.one_line(other.language)
        yield "OCI", wording.one_line(other.copyright)
    for person in wording.authors(citation):
        yield from _person(person, "FAU", "AU", "AD")
    for person in wording.editors(citation):
        yield from _person(person, "FED", "ED", "AD")
    yield from _indexing(citation)
    yield from _administration(citation)
    yield "SO", nlm.source_line(citation, "nbib")


def _journal(citation: Citation) -> Iterator[tuple[str, str]]:
    journal = citation.journal
    if journal is None:
        return
    if journal.issn is not None:
        yield "IS", f"{wording.one_line(journal.issn.value)} ({wording.one_line(journal.issn.kind)})"
    if journal.issn_linking:
        yield "IS", f"{wording.one_line(journal.issn_linking)} (Linking)"
    yield "VI", wording.one_line(journal.volume)
    yield "IP", wording.one_line(journal.issue)
    yield "DP", wording.nlm_date(journal.pub_date)


def _indexing(citation: Citation) -> Iterator[tuple[str, str]]:
    for language in citation.languages:
        yield "LA", wording.one_line(language)
    for bank in citation.data_banks:
        for accession in bank.accessions:
            yield "SI", wording.one_line(f"{bank.name}/{accession}")
    for grant in citation.grants:
        parts = (grant.id, grant.acronym, grant.agency, grant.country)
        yield "GR", "/".join(filter(None, map(wording.one_line, parts)))
    for kind in citation.publication_types:
        yield "PT", wording.one_line(kind.name)
    yield "TT", wording.line(citation.vernacular_title)
    for published in citation.article_dates:
        yield "DEP", wording.digits(published.date)
    if citation.book is not None:
        yield "PL", wording.one_line(citation.book.publisher_location)
    if citation.journal is not None:
        yield "PL", wording.one_line(citation.journal.country)
        yield "TA", wording.one_line(citation.journal.medline_ta)
        yield "JT", wording.one_line(citation.journal.title)
        yield "JID", wording.one_line(citation.journal.nlm_unique_id)
    for chemical in citation.chemicals:
        yield "RN", f"{wording.one_line(chemical.registry_number)} ({wording.one_line(chemical.name)})"
    for subset in citation.citation_subsets:
        yield "SB", wording.one_line(subset)
    for concept in citation.supplementary_concepts:
        yield "NM", wording.one_line(concept.name)
    for notice in citation.corrections:
        tag = notices.tag(notice.kind)
        if tag is not None:
            source = wording.one_line(notice.source)
            yield tag, f"{source} PMID: {notice.pmid}".strip() if notice.pmid else source
    for heading in citation.mesh_headings:
        yield "MH", _heading(heading)
    for symbol in citation.gene_symbols:
        yield "GS", wording.one_line(symbol)
    yield "RF", wording.one_line(citation.number_of_references)
    for person in citation.personal_name_subjects:
        yield from _person(person, "FPS", "PS", None)
    for each in citation.other_ids:
        yield "OID", wording.one_line(f"{each.source}: {each.value}")


def _administration(citation: Citation) -> Iterator[tuple[str, str]]:
    yield "PMC", wording.one_line(citation.pmcid)
    yield "MID", wording.one_line(citation.article_id("mid"))
    for keywords in citation.keyword_lists:
        yield "OTO", wording.one_line(keywords.owner)
        for keyword in keywords.keywords:
            yield "OT", ("*" if keyword.major else "") + wording.line(keyword.text)
    yield "COIS", wording.line(citation.coi_statement)
    for mission in citation.space_flight_missions:
        yield "SFM", wording.one_line(mission)
    for group in citation.investigator_lists:
        for person in group.investigators:
            yield from _person(person, "FIR", "IR", "IRAD")
    for remark in citation.general_notes:
        yield "GN", wording.one_line(f"{remark.owner}: {remark.text}")
    for tag, status in (("EDAT", "pubmed"), ("MHDA", "medline"), ("PMCR", "pmc-release"), ("CRDT", "entrez")):
        for entry in citation.history:
            if entry.status == status:
                yield tag, wording.digits(entry.date, "/") if tag == "PMCR" else _moment(entry)
                break
    for entry in citation.history:
        yield "PHST", _marked(_moment(entry), entry.status)
    for article_id in citation.article_ids:
        if article_id.kind not in ("pubmed", "pmc", "mid", "medline"):
            yield "AID", _marked(article_id.value, article_id.kind)
    yield "PST", wording.one_line(citation.publication_status)


def _person(person: Author, full: str, short: str, place: str | None) -> Iterator[tuple[str, str]]:
    if person.collective_name and full == "FAU":
        yield "CN", wording.line(person.collective_name)
    elif person.collective_name:
        yield full, wording.name(person)
        yield short, wording.name(person)
    else:
        first = wording.one_line(person.fore_name or person.initials)
        given = " ".join(filter(None, (first, wording.line(person.suffix))))
        yield full, ", ".join(filter(None, (wording.one_line(person.last_name), given)))
        yield short, wording.name(person)
    for each in person.identifiers:
        yield "AUID", wording.one_line(f"{each.source}: {each.value}")
    if place is not None:
        for affiliation in person.affiliations:
            yield place, wording.line(affiliation.text)


def _heading(heading: MeshHeading) -> str:
    return "/".join(map(_term, (heading.descriptor, *heading.qualifiers)))


def _term(term: MeshTerm) -> str:
    return ("*" if term.major else "") + wording.one_line(term.name)


def _marked(value: str, kind: str) -> str:
    text = wording.one_line(value)
    return f"{text} [{wording.one_line(kind)}]" if text else ""


def _moment(entry: HistoryDate) -> str:
    date: PartialDate = entry.date
    text = wording.digits(date, "/") or wording.nlm_date(date)
    if text and entry.hour is not None:
        text += f" {entry.hour:02}:{entry.minute or 0:02}"
    return text


def _field(tag: str, value: str) -> str:
    """Pad the tag to four characters and break the value at blanks; a blank ends each line that goes on."""
    if len(value) <= _WIDTH:
        return f"{tag:<4}- {value}{_EOL}"
    lines: list[str] = []
    rest = value
    while len(rest) > _WIDTH:
        at = rest.rfind(" ", 0, _WIDTH)
        if at <= 0:
            at = rest.find(" ", _WIDTH)
            if at < 0:
                break
        lines.append(rest[: at + 1])
        rest = rest[at + 1 :]
    lines.append(rest)
    return f"{tag:<4}- " + f"{_EOL}      ".join(lines) + _EOL
