"""esummary: light records in XML (version 1 and 2.0) and JSON; unknown UIDs are named one by one."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from monitor.core.citation import Citation, PartialDate
from monitor.core.markup import bare
from monitor.pubmed.sandbox.context import Context
from monitor.pubmed.sandbox.documents import doctype, error_document, json_answer, json_error
from monitor.pubmed.sandbox.efetch import LIMIT, wanted
from monitor.pubmed.sandbox.exchange import Answer, Request
from monitor.pubmed.sandbox.history import HistoryError
from monitor.pubmed.sandbox.medline import name, shown_date, source_line, title

_ID_NUMBERS = {"pubmed": 1, "doi": 3, "pii": 4, "pmcid": 5}
_PUB_STATUS = {"received": 1, "accepted": 2, "epublish": 3, "ppublish": 4, "revised": 5, "aheadofprint": 10}
_RECORD_STATUS = {
    "MEDLINE": "PubMed - indexed for MEDLINE",
    "In-Process": "PubMed - in process",
    "In-Data-Review": "PubMed - in process",
    "Publisher": "PubMed - as supplied by publisher",
    "PubMed-not-MEDLINE": "PubMed",
    "OLDMEDLINE": "PubMed - OLDMEDLINE",
}
UNKNOWN = "cannot get document summary"


def esummary(context: Context, request: Request) -> Answer:
    """Answer with summaries of the UIDs asked for, by list or by history."""
    if request.db != "pubmed":
        return _error(request, f"Invalid db name specified: {request.db}")
    try:
        ids = wanted(context, request)
    except HistoryError as error:
        return _error(request, str(error))
    if not ids:
        given = request.get("id")
        return _error(request, "Invalid uid " + given if given else "Neither query_key nor id specified")
    start = request.number("retstart", 0)
    ids = ids[start : start + min(request.number("retmax", LIMIT), LIMIT)]
    view = context.view()
    found = {pmid: context.index.citation(view.states.get(pmid)) for pmid in ids}
    if request.json:
        return _json(found)
    if request.get("version") == "2.0":
        return _version2(found)
    return _version1(found)


def _error(request: Request, message: str) -> Answer:
    return json_error("esummary", message) if request.json else Answer(error_document("esummary", message))


def sort_date(date: PartialDate | None) -> str:
    """Return the sortable form, in which a missing month is January and a missing day the first."""
    if date is None or date.year is None:
        return ""
    return f"{date.year:04}/{date.month or 1:02}/{date.day or 1:02} 00:00"


def _electronic(citation: Citation) -> str:
    return shown_date(citation.electronic_date)


def _ids(citation: Citation) -> Iterator[tuple[str, int, str]]:
    for each in citation.article_ids:
        yield each.kind, _ID_NUMBERS.get(each.kind, 8), each.value
    if citation.pmcid:
        yield "pmcid", 5, f"pmc-id: {citation.pmcid};"


def _history(citation: Citation) -> Iterator[tuple[str, str]]:
    for each in citation.history:
        day = f"{each.date.year or 0:04}/{each.date.month or 1:02}/{each.date.day or 1:02}"
        yield each.status, f"{day} {each.hour or 0:02}:{each.minute or 0:02}"


def summary(c: Citation) -> dict[str, object]:
    """Return the members of the JSON form; the other forms are made from it."""
    journal, book = c.journal, c.book
    issn = journal.issn if journal else None
    authors = [
        {"name": name(author), "authtype": "CollectiveName" if author.collective_name else "Author", "clusterid": ""}
        for author in c.authors
    ]
    return {
        "uid": str(c.pmid),
        "pubdate": shown_date(c.pub_date),
        "epubdate": _electronic(c),
        "source": journal.medline_ta or "" if journal else bare(book.title.text) if book else "",
        "authors": authors,
        "lastauthor": authors[-1]["name"] if authors else "",
        "title": title(c),
        "sorttitle": " ".join("".join(x if x.isalnum() else " " for x in title(c).lower()).split()),
        "volume": journal.volume or "" if journal else "",
        "issue": journal.issue or "" if journal else "",
        "pages": c.pagination.medline or c.pagination.start or "" if c.pagination else "",
        "lang": list(c.languages),
        "nlmuniqueid": journal.nlm_unique_id or "" if journal else "",
        "issn": issn.value if issn and issn.kind == "Print" else "",
        "essn": issn.value if issn and issn.kind == "Electronic" else "",
        "pubtype": [each.name for each in c.publication_types],
        "recordstatus": _RECORD_STATUS.get(c.status or "", "PubMed"),
        "pubstatus": str(_PUB_STATUS.get(c.publication_status or "", 0)),
        "articleids": [{"idtype": kind, "idtypen": number, "value": value} for kind, number, value in _ids(c)],
        "history": [{"pubstatus": status, "date": day} for status, day in _history(c)],
        "references": [],
        "attributes": ["Has Abstract"] if c.abstract and c.abstract.sections else [],
        "pmcrefcount": "",
        "fulljournalname": journal.title or "" if journal else "",
        "elocationid": " ".join(f"{each.kind}: {each.value}" for each in c.elocations if each.valid),
        "doctype": "book" if book and not c.title else "chapter" if book else "citation",
        "srccontriblist": [],
        "booktitle": bare(book.title.text) if book else "",
        "medium": book.medium or "" if book else "",
        "edition": book.edition or "" if book else "",
        "publisherlocation": book.publisher_location or "" if book else "",
        "publishername": bare(book.publisher) if book else "",
        "srcdate": "",
        "reportnumber": book.report_number or "" if book else "",
        "availablefromurl": "",
        "locationlabel": "",
        "doccontriblist": [],
        "docdate": "",
        "bookname": book.title.book or "" if book else "",
        "chapter": "",
        "sortpubdate": sort_date(c.pub_date),
        "sortfirstauthor": authors[0]["name"] if authors else "",
        "vernaculartitle": bare(c.vernacular_title),
    }


def _json(found: dict[int, Citation | None]) -> Answer:
    result: dict[str, object] = {"uids": [str(pmid) for pmid in found]}
    for pmid, citation in found.items():
        result[str(pmid)] = summary(citation) if citation else {"uid": str(pmid), "error": UNKNOWN}
    return json_answer({"header": {"type": "esummary", "version": "0.3"}, "result": result})


_V2_NAMES = {
    "pubdate": "PubDate", "epubdate": "EPubDate", "source": "Source", "authors": "Authors",
    "lastauthor": "LastAuthor", "title": "Title", "sorttitle": "SortTitle", "volume": "Volume", "issue": "Issue",
    "pages": "Pages", "lang": "Lang", "nlmuniqueid": "NlmUniqueID", "issn": "ISSN", "essn": "ESSN",
    "pubtype": "PubType", "recordstatus": "RecordStatus", "pubstatus": "PubStatus", "articleids": "ArticleIds",
    "history": "History", "references": "References", "attributes": "Attributes", "pmcrefcount": "PmcRefCount",
    "fulljournalname": "FullJournalName", "elocationid": "ELocationID", "doctype": "DocType",
    "srccontriblist": "SrcContribList", "booktitle": "BookTitle", "medium": "Medium", "edition": "Edition",
    "publisherlocation": "PublisherLocation", "publishername": "PublisherName", "srcdate": "SrcDate",
    "reportnumber": "ReportNumber", "availablefromurl": "AvailableFromURL", "locationlabel": "LocationLabel",
    "doccontriblist": "DocContribList", "docdate": "DocDate", "bookname": "BookName", "chapter": "Chapter",
    "sortpubdate": "SortPubDate", "sortfirstauthor": "SortFirstAuthor", "vernaculartitle": "VernacularTitle",
}  # fmt: skip
_V2_ITEMS = {"authors": "Author", "articleids": "ArticleId", "history": "PubMedPubDate", "lang": "string"}
_V2_MEMBERS = {
    "name": "Name", "authtype": "AuthType", "clusterid": "ClusterID", "idtype": "IdType", "idtypen": "IdTypeN",
    "value": "Value", "pubstatus": "PubStatus", "date": "Date",
}  # fmt: skip


def _version2(found: dict[int, Citation | None]) -> Answer:
    sets = "".join(
        f"<DocumentSummary uid={quoteattr(str(pmid))}>{_v2(c)}</DocumentSummary>\n" for pmid, c in found.items()
    )
    text = f'<eSummaryResult>\n<DocumentSummarySet status="OK">\n{sets}</DocumentSummarySet>\n</eSummaryResult>\n'
    return Answer(doctype("esummary2") + text.encode())


def _v2(citation: Citation | None) -> str:
    if citation is None:
        return f"<error>{UNKNOWN}</error>"
    parts = []
    for key, value in summary(citation).items():
        if key == "uid":
            continue
        inner = escape(str(value))
        if isinstance(value, list):
            item = _V2_ITEMS.get(key, "flag")
            inner = "".join(f"<{item}>{_v2_members(each)}</{item}>" for each in value)
        parts.append(f"\n\t<{_V2_NAMES[key]}>{inner}</{_V2_NAMES[key]}>")
    return "".join(parts) + "\n"


def _v2_members(value: object) -> str:
    if not isinstance(value, dict):
        return escape(str(value))
    return "".join(f"<{_V2_MEMBERS[key]}>{escape(str(each))}</{_V2_MEMBERS[key]}>" for key, each in value.items())


def _version1(found: dict[int, Citation | None]) -> Answer:
    parts = []
    for pmid, citation in found.items():
        if citation is None:
            parts.append(f"<ERROR>UID={pmid}: {UNKNOWN}</ERROR>\n")
        else:
            parts.append(f"<DocSum>\n\t<Id>{pmid}</Id>\n{''.join(_items(citation))}</DocSum>\n")
    return Answer(doctype("esummary") + f"<eSummaryResult>\n{''.join(parts)}</eSummaryResult>\n".encode())


def _items(c: Citation) -> Iterator[str]:
    s = summary(c)
    authors = [(str(author["name"]), "Author") for author in s["authors"]]  # type: ignore[attr-defined]
    yield _item("PubDate", s["pubdate"], "Date")
    yield _item("EPubDate", s["epubdate"], "Date")
    yield _item("Source", s["source"])
    yield _list("AuthorList", [(kind, "String", text) for text, kind in authors])
    yield _item("LastAuthor", s["lastauthor"])
    for label, key in (("Title", "title"), ("Volume", "volume"), ("Issue", "issue"), ("Pages", "pages")):
        yield _item(label, s[key])
    yield _list("LangList", [("Lang", "String", language) for language in c.languages])
    for label, key in (("NlmUniqueID", "nlmuniqueid"), ("ISSN", "issn"), ("ESSN", "essn")):
        yield _item(label, s[key])
    yield _list("PubTypeList", [("PubType", "String", each.name) for each in c.publication_types])
    yield _item("RecordStatus", s["recordstatus"])
    yield _item("PubStatus", c.publication_status or "")
    yield _list("ArticleIds", [(kind, "String", value) for kind, _, value in _ids(c)])
    yield _item("DOI", c.doi or "")
    yield _list("History", [(status, "Date", day) for status, day in _history(c)])
    yield _list("References", [])
    yield _item("HasAbstract", 1 if s["attributes"] else 0, "Integer")
    yield _item("PmcRefCount", "", "Integer")
    yield _item("FullJournalName", s["fulljournalname"])
    yield _item("ELocationID", s["elocationid"])
    yield _item("SO", source_line(c))


def _item(label: str, value: object, kind: str = "String", indent: str = "\t") -> str:
    return f'{indent}<Item Name={quoteattr(label)} Type="{kind}">{escape(str(value))}</Item>\n'


def _list(label: str, items: list[tuple[str, str, str]]) -> str:
    inner = "".join(_item(each, value, kind, "\t\t") for each, kind, value in items)
    return f'\t<Item Name="{label}" Type="List">{chr(10) + inner + chr(9) if inner else ""}</Item>\n'
