"""Write citations as CSV for spreadsheets: one row each, a few plain columns.

The file starts with a byte order mark, without which Excel garbles every accent; other readers take it as
`utf-8-sig`. Lines end with CR LF (RFC 4180). A cell that a spreadsheet would run as a formula gets a leading `'`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from monitor.core.citation import Citation
from monitor.formats import nlm, notices, wording

COLUMNS = (
    "pmid",
    "doi",
    "pmcid",
    "title",
    "original_title",
    "authors",
    "journal",
    "journal_abbreviation",
    "year",
    "date",
    "volume",
    "issue",
    "pages",
    "publication_types",
    "languages",
    "status",
    "standing",
    "notices",
    "keywords",
    "abstract",
    "source",
    "url",
)

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write(citations: Iterable[Citation]) -> Iterator[str]:
    """Yield the byte order mark and the head, then one row at a time."""
    yield "\ufeff" + _row(COLUMNS)
    for citation in citations:
        yield _row(cells(citation))


def cells(citation: Citation) -> tuple[str, ...]:
    """The cells of one row, in the order of COLUMNS, safe in any spreadsheet."""
    journal, book = citation.journal, citation.book
    date = wording.issued(citation)
    values = (
        str(citation.pmid),
        wording.doi(citation) or "",
        wording.one_line(citation.pmcid),
        wording.title(citation),
        wording.line(citation.vernacular_title),
        "; ".join(map(wording.name, wording.authors(citation))),
        wording.one_line(journal.title) if journal is not None else wording.line(book.title.text) if book else "",
        wording.one_line(journal.medline_ta) if journal is not None else "",
        str(date.year) if date is not None and date.year is not None else "",
        wording.nlm_date(date),
        wording.one_line(journal.volume) if journal is not None else "",
        wording.one_line(journal.issue) if journal is not None else "",
        wording.pages(citation) or wording.location(citation, "pii") or "",
        "; ".join(wording.one_line(each.name) for each in citation.publication_types),
        "; ".join(map(wording.one_line, citation.languages)),
        wording.one_line(citation.status),
        notices.standing(citation) or "",
        " ".join(notices.statements(citation)),
        "; ".join(wording.keywords(citation)),
        wording.abstract(citation),
        nlm.source_line(citation),
        wording.pubmed_url(citation),
    )
    return tuple(safe(value) for value in values)


def safe(value: str) -> str:
    """Disarm a cell that a spreadsheet would take for a formula (OWASP, "CSV injection")."""
    return f"'{value}" if value.startswith(_DANGEROUS) else value


def _row(values: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(values)
    return out.getvalue()
