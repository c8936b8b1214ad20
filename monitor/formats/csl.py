"""Write citations as CSL-JSON (CSL 1.0.2 input) for Zotero, pandoc and citeproc: one array of items."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from monitor.core import languages
from monitor.core.citation import Author, Citation, InlineXml, PartialDate
from monitor.core.markup import safe_html
from monitor.formats import notices, wording


def write(citations: Iterable[Citation]) -> Iterator[str]:
    """Yield the array item by item, one item per line; no citations give an empty array."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    before = "[\n"
    for citation in citations:
        yield before + encode(item(citation))
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


def item(citation: Citation) -> dict[str, Any]:
    """One citation as a CSL item; what is missing is left out."""
    return {name: value for name, value in _item(citation).items() if value not in (None, "", [])}


def _item(citation: Citation) -> dict[str, Any]:
    book, journal = citation.book, citation.journal
    preprint = notices.is_preprint(citation)
    own = citation.title if citation.title is not None else book.title.text if book is not None else None
    out: dict[str, Any] = {
        "id": f"pmid:{citation.pmid}",
        "type": ("chapter" if wording.is_chapter(citation) else "book")
        if book is not None
        else ("article" if preprint else "article-journal"),
        "genre": "Preprint" if preprint else None,
        "title": wording.bare_title(_rich(own)),
        "original-title": wording.bare_title(wording.line(citation.vernacular_title)),
        "author": [_name(each) for each in wording.authors(citation)],
        "editor": [_name(each) for each in wording.editors(citation)],
        "issued": _date(wording.issued(citation)),
        "available-date": _date(citation.electronic_date) if journal is not None else None,
        "page": _pages(citation),
        "number": wording.location(citation, "pii"),
        "DOI": wording.doi(citation),
        "URL": wording.pubmed_url(citation),
        "PMID": str(citation.pmid),
        "PMCID": wording.one_line(citation.pmcid),
        "abstract": wording.abstract(citation),
        "keyword": ", ".join(wording.keywords(citation)),
        "language": languages.tag(citation.languages[0]) if citation.languages else None,
        "status": notices.standing(citation),
        "note": " ".join(notices.remarks(citation)),
    }
    if journal is not None:
        out |= {
            "container-title": wording.one_line(journal.title or journal.medline_ta),
            "container-title-short": wording.one_line(journal.medline_ta),
            "volume": wording.one_line(journal.volume),
            "issue": wording.one_line(journal.issue),
            "ISSN": wording.one_line(journal.issn.value if journal.issn is not None else journal.issn_linking),
        }
    if book is not None:
        out |= {
            "container-title": wording.line(book.title.text) if wording.is_chapter(citation) else None,
            "collection-title": wording.line(book.collection_title.text) if book.collection_title else None,
            "publisher": wording.line(book.publisher),
            "publisher-place": wording.one_line(book.publisher_location),
            "edition": wording.one_line(book.edition),
            "ISBN": wording.one_line(" ".join(book.isbns)),
            "number": wording.one_line(book.report_number),
            "URL": wording.bookshelf_url(citation) or out["URL"],
        }
    return out


def _rich(xml: InlineXml | None) -> str:
    """CSL's inline markup: `<i> <b> <sub> <sup>` as tags, all other text as itself, unescaped."""
    html = safe_html(xml).replace("<u>", "").replace("</u>", "")
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        html = html.replace(entity, character)
    return wording.one_line(html)


def _name(person: Author) -> dict[str, str]:
    if person.collective_name:
        return {"literal": wording.line(person.collective_name)}
    parts = {
        "family": wording.one_line(person.last_name),
        "given": wording.one_line(person.fore_name or person.initials),
        "suffix": wording.line(person.suffix),
    }
    return {key: value for key, value in parts.items() if value}


def _date(date: PartialDate | None) -> dict[str, Any] | None:
    """Date parts as far as known; of a MedlineDate the year, by which programs sort, beside its text."""
    if date is None:
        return None
    if date.text is not None or date.year is None:
        text = wording.nlm_date(date)
        year = {"date-parts": [[date.year]]} if date.year is not None else {}
        return {**year, **({"literal": text} if text else {})} or None
    parts = [date.year]
    if date.month is not None and wording.month_name(date.month):
        day = wording.day_of(date)
        parts += [date.month, day] if day else [date.month]
    season = {"season": wording.one_line(date.season)} if date.season else {}
    return {"date-parts": [parts], **season}


def _pages(citation: Citation) -> str:
    place = citation.pagination
    if place is not None and place.start and place.end:
        return wording.one_line(f"{place.start}-{place.end}")
    return wording.pages(citation) or wording.location(citation, "pii") or ""
