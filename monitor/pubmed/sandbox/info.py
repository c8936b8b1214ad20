"""einfo, espell and ecitmatch: what there is to search, how to spell it, and which PMID a citation has."""

from __future__ import annotations

from difflib import get_close_matches
from xml.sax.saxutils import escape

from monitor.core.citation import Citation
from monitor.core.query.words import split_words
from monitor.pubmed.sandbox.context import Context
from monitor.pubmed.sandbox.documents import doctype, error_document, json_answer, json_error
from monitor.pubmed.sandbox.elink import LINKS
from monitor.pubmed.sandbox.exchange import TEXT, Answer, Request

_FIELDS = (
    "ALL All Fields;UID UID;FILT Filter;TITL Title;MESH MeSH Terms;MAJR MeSH Major Topic;JOUR Journal;AFFL Affiliation;"
    "ECNO EC/RN Number;SUBS Supplementary Concept;PDAT Date - Publication;EDAT Date - Entry;VOL Volume;PAGE Pagination;"
    "PTYP Publication Type;LANG Language;ISS Issue;SUBH MeSH Subheading;SI Secondary Source ID;MHDA Date - MeSH;"
    "TIAB Title/Abstract;OTRM Other Term;COLN Author - Corporate;CNTY Place of Publication;PAPX Pharmacological Action;"
    "GRNT Grants and Funding;MDAT Date - Modification;CDAT Date - Completion;PID Publisher ID;FAUT Author - First;"
    "FULL Author;FINV Investigator;TT Transliterated Title;LAUT Author - Last;"
    "PPDT Print Publication Date;EPDT Electronic Publication Date;LID Location ID;CRDT Date - Create;BOOK Book;"
    "ED Editor;ISBN ISBN;PUBN Publisher;AUCL Author Cluster ID;EID Extended PMID;DSO DSO;AUID Author - Identifier;"
    "PS Subject - Personal Name;COIS Conflict of Interest Statements;WORD Text Word;P1DAT P1DAT"
)
_DATES = frozenset(["PDAT", "EDAT", "MHDA", "MDAT", "CDAT", "PPDT", "EPDT", "CRDT", "P1DAT"])
_WORDS = frozenset(["ALL", "TITL", "AFFL", "TIAB", "OTRM", "COLN", "CNTY", "TT", "DSO", "COIS", "WORD"])
_HIDDEN = frozenset({"UID", "CNTY", "PID", "PPDT", "EPDT", "AUCL", "EID", "DSO", "P1DAT"})
_TREES = frozenset({"MESH", "MAJR", "PTYP", "SUBH"})


def _fields() -> list[dict[str, str]]:
    fields = []
    for each in _FIELDS.split(";"):
        short, _, full = each.partition(" ")
        fields.append(
            {
                "name": short,
                "fullname": full,
                "description": f"Searches {full}",
                "termcount": "",
                "isdate": "Y" if short in _DATES else "N",
                "isnumerical": "Y" if short == "UID" else "N",
                "singletoken": "N" if short in _WORDS else "Y",
                "hierarchy": "Y" if short in _TREES else "N",
                "ishidden": "Y" if short in _HIDDEN else "N",
            }
        )
    return fields


_XML_NAMES = {
    "name": "Name",
    "fullname": "FullName",
    "description": "Description",
    "termcount": "TermCount",
    "isdate": "IsDate",
    "isnumerical": "IsNumerical",
    "singletoken": "SingleToken",
    "hierarchy": "Hierarchy",
    "ishidden": "IsHidden",
}


def einfo(context: Context, request: Request) -> Answer:
    """Answer with the list of databases, or with fields, links, count and date of pubmed."""
    db = request.get("db")
    if not db:
        if request.json:
            return json_answer({"header": _header(), "einforesult": {"dblist": ["pubmed"]}})
        return Answer(
            doctype("einfo") + b"<eInfoResult>\n<DbList>\n\n\t<DbName>pubmed</DbName>\n</DbList>\n\n</eInfoResult>\n"
        )
    if db != "pubmed":
        message = f"Can not retrieve DbInfo for db={db}"
        return json_error("einfo", message) if request.json else Answer(error_document("einfo", message))
    now = context.clock.now()
    about = {
        "dbname": "pubmed",
        "menuname": "PubMed",
        "description": "PubMed bibliographic record",
        "dbbuild": f"Build-{now:%Y.%m.%d.%H.%M}",
        "count": str(len(context.view().states)),
        "lastupdate": f"{now:%Y/%m/%d %H:%M}",
    }
    links = [
        {"name": name, "menu": menu, "description": f"{menu} of PubMed records", "dbto": to}
        for name, (to, menu) in LINKS.items()
        if name != "pubmed_pubmed_citedin"  # works, and is not listed
    ]
    if request.json:
        info = {**about, "fieldlist": _fields(), "linklist": links}
        return json_answer({"header": _header(), "einforesult": {"dbinfo": [info]}})
    names = ("DbName", "MenuName", "Description", "DbBuild", "Count", "LastUpdate")
    head = "".join(f"\t\t<{name}>{escape(value)}</{name}>\n" for name, value in zip(names, about.values(), strict=True))
    fields = "".join(
        "\t\t\t<Field>"
        + "".join(f"<{_XML_NAMES[key]}>{value}</{_XML_NAMES[key]}>" for key, value in each.items())
        + "</Field>\n"
        for each in _fields()
    )
    listed = "".join(
        f"\t\t\t<Link><Name>{each['name']}</Name><Menu>{each['menu']}</Menu><Description>{each['description']}</Description>"
        f"<DbTo>{each['dbto']}</DbTo></Link>\n"
        for each in links
    )
    text = f"<eInfoResult>\n\t<DbInfo>\n{head}\t\t<FieldList>\n{fields}\t\t</FieldList>\n\t\t<LinkList>\n{listed}\t\t</LinkList>\n\t</DbInfo>\n\n</eInfoResult>\n"
    return Answer(doctype("einfo") + text.encode())


def _header() -> dict[str, str]:
    return {"type": "einfo", "version": "0.3"}


def espell(context: Context, request: Request) -> Answer:
    """Answer with the nearest words of the corpus for those it does not hold."""
    query = request.get("term")
    if not query:
        return Answer(error_document("espell", "Empty query"))
    known = context.index.words()
    pieces, corrected = [], []
    for word in query.split():
        folded = "".join(split_words(word)[0])
        near = [] if folded in known or not folded else get_close_matches(folded, known, n=1, cutoff=0.75)
        corrected.append(near[0] if near else word)
        tag = "Replaced" if near else "Original"
        pieces.append(f"<{tag}>{escape(corrected[-1])}</{tag}>")
    changed = any(piece.startswith("<Replaced") for piece in pieces)
    text = (
        f"<eSpellResult>\n\t<Database>pubmed</Database>\n\t<Query>{escape(query)}</Query>\n"
        f"\t<CorrectedQuery>{escape(' '.join(corrected)) if changed else ''}</CorrectedQuery>\n"
        f"\t<SpelledQuery>{''.join(pieces) if changed else ''}</SpelledQuery>\n\t<ERROR/>\n</eSpellResult>\n"
    )
    return Answer(doctype("espell") + text.encode())


def ecitmatch(context: Context, request: Request) -> Answer:
    """Answer each line `journal|year|volume|first page|author|key|` with its PMID, as plain text whatever is asked."""
    view = context.view()
    citations = context.index.citations(view)
    journals = {name for citation in citations for name in _journal_names(citation)}
    lines = []
    for line in request.get("bdata").replace("\n", "\r").split("\r"):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("|")]
        journal, year, volume, page, author, key = [*parts, *[""] * 6][:6]
        if not journal:
            break  # PubMed stops at a line without journal
        if journal.lower() not in journals:
            lines.append(f"{key}|NOT_FOUND;INVALID_JOURNAL")
            continue
        found = [citation.pmid for citation in citations if _fits(citation, journal, year, volume, page, author)]
        lines.append(f"{'|'.join((journal, year, volume, page, author, key))}|{_outcome(sorted(found))}")
    return Answer("".join(f"{line}\n" for line in lines).encode(), TEXT)


def _outcome(found: list[int]) -> str:
    if not found:
        return "NOT_FOUND"
    if len(found) == 1:
        return str(found[0])
    return f"AMBIGUOUS {','.join(map(str, found))}" if len(found) <= 3 else f"AMBIGUOUS ({len(found)} citations)"


def _journal_names(citation: Citation) -> set[str]:
    journal = citation.journal
    if journal is None:
        return set()
    names = (journal.title, journal.medline_ta, journal.iso_abbreviation, journal.issn.value if journal.issn else None)
    return {name.lower() for name in (*names, journal.issn_linking) if name}


def _fits(citation: Citation, journal: str, year: str, volume: str, page: str, author: str) -> bool:
    of, pages, date = citation.journal, citation.pagination, citation.pub_date
    first = next(iter(citation.authors), None)
    return (
        journal.lower() in _journal_names(citation)
        and (not year or (date is not None and str(date.year) == year))
        and (not volume or (of is not None and of.volume == volume))
        and (not page or (pages is not None and page in (pages.start, (pages.medline or "").split("-")[0])))
        and (not author or (first is not None and (first.last_name or "").lower() == author.lower().split()[0]))
    )
