"""elink: links among the records of the corpus, and from them to PMC and to full text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from xml.sax.saxutils import escape

from monitor.core.citation import Citation, ReferenceList
from monitor.core.query.words import STOPWORDS, split_words
from monitor.pubmed.sandbox.context import Context
from monitor.pubmed.sandbox.documents import doctype, error_document, json_answer, json_error
from monitor.pubmed.sandbox.efetch import wanted
from monitor.pubmed.sandbox.esearch import SearchError, search
from monitor.pubmed.sandbox.exchange import Answer, Request, usable
from monitor.pubmed.sandbox.faults import Fault
from monitor.pubmed.sandbox.history import HistoryError
from monitor.pubmed.sandbox.medline import title

LINKS = {
    "pubmed_pubmed": ("pubmed", "Similar articles"),
    "pubmed_pubmed_refs": ("pubmed", "References for PMC Articles"),
    "pubmed_pubmed_citedin": ("pubmed", "Cited in"),
    "pubmed_pmc": ("pmc", "PMC Links"),
}
_COMMANDS = (
    "neighbor",
    "neighbor_score",
    "neighbor_history",
    "acheck",
    "ncheck",
    "lcheck",
    "llinks",
    "llinkslib",
    "prlinks",
)
Links = list[tuple[int, int]]
"""UIDs with their scores."""


def elink(context: Context, request: Request, fault: Fault | None = None) -> Answer:
    """Answer one LinkSet for all ids of one `id=`, one for each when `id=` is repeated."""
    command = request.get("cmd") or "neighbor"
    if request.get("dbfrom") not in ("", "pubmed"):
        return _error(request, f"Invalid dbfrom name specified: {request.get('dbfrom')}")
    if command not in _COMMANDS:
        return _error(request, f"Unknown cmd: {command}")
    try:
        groups = [ids for group in request.id_groups if (ids := usable(group))]
        if not groups:
            groups = [ids] if (ids := wanted(context, request)) else []
        allowed = _allowed(context, request)
    except (HistoryError, SearchError) as error:
        return _error(request, str(error))
    if not groups:
        return _error(request, "Empty list of UIDs")
    sets = []
    for ids in groups:
        found = _neighbours(context, request, ids, allowed) if command.startswith("neighbor") else {}
        sets.append((ids, found))
    if request.json:
        return _json(command, sets)
    written = "".join(_link_set(context, command, ids, found, fault) for ids, found in sets)
    return Answer(doctype("elink") + f"<eLinkResult>\n{written}</eLinkResult>\n".encode())


def _error(request: Request, message: str) -> Answer:
    return json_error("elink", message) if request.json else Answer(error_document("elink", message))


def _allowed(context: Context, request: Request) -> set[int] | None:
    """Return the PMIDs that `term`, `reldate` or `mindate` and `maxdate` leave; None when nothing is asked."""
    dated = request.get("reldate") or (request.get("mindate") and request.get("maxdate"))
    if not request.get("term") and not dated:
        return None
    limits = {**request.parameters, "term": [request.get("term") or "all[sb]"]}
    for name in ("WebEnv", "query_key", "db"):
        limits.pop(name, None)
    return set(search(context, replace(request, parameters=limits)).pmids)


def _neighbours(context: Context, request: Request, ids: list[int], allowed: set[int] | None) -> dict[str, Links]:
    """Return the links by link name, of those asked for; names without a link are left out."""
    view = context.view()
    read = {pmid: context.index.citation(view.states.get(pmid)) for pmid in ids}
    here = {pmid: citation for pmid, citation in read.items() if citation is not None}
    db, names = request.get("db") or "pubmed", request.get("linkname")
    asked = names.split(",") if names else [each for each, (to, _) in LINKS.items() if to == db]
    found: dict[str, Links] = {}
    for link in asked:
        links: dict[int, int] = {}
        for pmid, citation in here.items():
            for target, score in _links(context, link, pmid, citation):
                links[target] = max(score, links.get(target, 0))
        kept = [
            (target, score)
            for target, score in links.items()
            if allowed is None or target in allowed or link == "pubmed_pmc"
        ]
        if kept:
            found[link] = kept
    return found


def _links(context: Context, link: str, pmid: int, citation: Citation) -> Iterable[tuple[int, int]]:
    view = context.view()
    match link:
        case "pubmed_pubmed":
            return _similar(context, pmid, citation)
        case "pubmed_pubmed_refs":
            return [(target, 0) for target in references(citation) if target in view.states]
        case "pubmed_pubmed_citedin":
            return [(other.pmid, 0) for other in context.index.citations(view) if pmid in references(other)]
        case "pubmed_pmc" if citation.pmcid:
            number = citation.pmcid.upper().removeprefix("PMC")
            return [(int(number), 0)] if number.isascii() and number.isdigit() else []
    return []


def references(citation: Citation) -> list[int]:
    """Return the PMIDs a record cites."""

    def walk(lists: tuple[ReferenceList, ...]) -> Iterator[int]:
        for each in lists:
            for reference in each.references:
                yield from usable(i.value for i in reference.ids if i.kind == "pubmed")
            yield from walk(each.lists)

    return list(dict.fromkeys(walk(citation.reference_lists)))


def _words(citation: Citation) -> set[str]:
    headings = " ".join(heading.descriptor.name for heading in citation.mesh_headings)
    return {word for word in split_words(f"{title(citation)} {headings}")[0] if word not in STOPWORDS}


def _similar(context: Context, pmid: int, citation: Citation) -> Links:
    """Rank records by the words they share in title and headings; the source comes first, as in PubMed."""
    view = context.view()
    own = _words(citation)
    scored = []
    for other in context.index.citations(view):
        if other.pmid != pmid and (shared := len(own & _words(other))) > 1:
            scored.append((other.pmid, 10_000_000 + shared * 1_000_000))
    scored.sort(key=lambda each: (-each[1], -each[0]))
    return [(pmid, 2**31 - 1), *scored[:100]]


def _link_set(context: Context, command: str, ids: list[int], found: dict[str, Links], fault: Fault | None) -> str:
    listed = "".join(f"<Id>{pmid}</Id>" for pmid in ids)
    head = "<LinkSet>\n\t<DbFrom>pubmed</DbFrom>\n"
    if fault is Fault.LINKSET_ERROR:
        return f"{head}\t<IdList>{listed}</IdList>\n\t<ERROR>Error retrieving links</ERROR>\n</LinkSet>\n"
    if command in ("acheck", "ncheck", "lcheck"):
        return f"{head}\t<IdCheckList>{''.join(_check(context, command, pmid) for pmid in ids)}</IdCheckList>\n</LinkSet>\n"
    if command in ("llinks", "llinkslib", "prlinks"):
        urls = "".join(_urls(context, pmid) for pmid in ids)
        return f"{head}\t<IdUrlList>{urls}</IdUrlList>\n</LinkSet>\n"
    parts = [head, f"\t<IdList>{listed}</IdList>\n"]
    env = ""
    for link, links in found.items():
        to = LINKS[link][0]
        if command == "neighbor_history":
            env, key = context.history.put([pmid for pmid, _ in links], env)
            parts.append(
                f"\t<LinkSetDbHistory><DbTo>{to}</DbTo><LinkName>{link}</LinkName><QueryKey>{key}</QueryKey></LinkSetDbHistory>\n"
            )
            continue
        scores = command == "neighbor_score" and fault is not Fault.SCORES_MISSING
        inner = "".join(
            f"\t\t<Link><Id>{pmid}</Id>{f'<Score>{score}</Score>' if scores else ''}</Link>\n" for pmid, score in links
        )
        parts.append(f"\t<LinkSetDb>\n\t\t<DbTo>{to}</DbTo>\n\t\t<LinkName>{link}</LinkName>\n{inner}\t</LinkSetDb>\n")
    if env:
        parts.append(f"\t<WebEnv>{env}</WebEnv>\n")
    return "".join(parts) + "</LinkSet>\n"


def _citation(context: Context, pmid: int) -> Citation | None:
    return context.index.citation(context.view().states.get(pmid))


def _check(context: Context, command: str, pmid: int) -> str:
    citation = _citation(context, pmid)
    if command == "acheck":
        infos = ""
        for priority, (link, (to, menu)) in enumerate(LINKS.items(), 100):
            if citation is not None and any(True for _ in _links(context, link, pmid, citation)):
                infos += (
                    f"<LinkInfo><DbTo>{to}</DbTo><LinkName>{link}</LinkName><MenuTag>{menu}</MenuTag>"
                    f"<HtmlTag>{menu}</HtmlTag><Priority>{priority}</Priority></LinkInfo>"
                )
        return f"<IdLinkSet><Id>{pmid}</Id>{infos}</IdLinkSet>"
    if command == "ncheck":
        there = citation is not None and len(_similar(context, pmid, citation)) > 1
        return f'<Id HasNeighbor="{"Y" if there else "N"}">{pmid}</Id>'
    there = citation is not None and citation.doi is not None
    return f'<Id HasLinkOut="{"Y" if there else "N"}">{pmid}</Id>'


def _urls(context: Context, pmid: int) -> str:
    citation = _citation(context, pmid)
    if citation is None or citation.doi is None:
        return f"<IdUrlSet><Id>{pmid}</Id><Info>No LinkOut available</Info></IdUrlSet>"
    return (
        f"<IdUrlSet><Id>{pmid}</Id><ObjUrl><Url>https://doi.org/{escape(citation.doi)}</Url><Category>Full Text Sources</Category>"
        "<Provider><Name>Invented Provider</Name><NameAbbr>invented</NameAbbr><Id>1</Id></Provider></ObjUrl></IdUrlSet>"
    )


def _json(command: str, sets: list[tuple[list[int], dict[str, Links]]]) -> Answer:
    written = []
    for ids, found in sets:
        each: dict[str, object] = {"dbfrom": "pubmed", "ids": [str(pmid) for pmid in ids]}
        if found:
            each["linksetdbs"] = [
                {
                    "dbto": LINKS[link][0],
                    "linkname": link,
                    "links": [{"id": str(pmid), "score": score} for pmid, score in links]
                    if command == "neighbor_score"
                    else [str(pmid) for pmid, _ in links],
                }
                for link, links in found.items()
            ]
        written.append(each)
    return json_answer({"header": {"type": "elink", "version": "0.3"}, "linksets": written})
