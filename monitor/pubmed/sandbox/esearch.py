"""esearch: a real search over the records that can be seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from xml.sax.saxutils import escape

from monitor.core.citation import Citation
from monitor.core.query.tree import And, DateRange, EarlierSearch, Pmids, Query, SearchDate, map_leaves, terms
from monitor.errors import QuerySyntaxError
from monitor.pubmed.sandbox.context import Context
from monitor.pubmed.sandbox.corpus import View
from monitor.pubmed.sandbox.damage import RETSTART_TEXT
from monitor.pubmed.sandbox.documents import doctype, error_document, json_answer, json_error
from monitor.pubmed.sandbox.exchange import Answer, Request
from monitor.pubmed.sandbox.history import HistoryError
from monitor.pubmed.sandbox.translation import LONG_NAMES, Understood, understand

_DATE_TYPES = {"edat": "edat", "pdat": "dp", "mdat": "lr", "crdt": "crdt", "mhda": "mhda", "dp": "dp", "lr": "lr"}
_DATE = re.compile(r"(\d{4})(?:/(\d{1,2})(?:/(\d{1,2}))?)?", re.ASCII)


class SearchError(Exception):
    """The text of the `ERROR` that the client gets under status 200."""


@dataclass
class Found:
    """What a search found, all of it, and what PubMed would say about it."""

    pmids: list[int]
    understood: Understood
    messages: list[str] = field(default_factory=list)


def esearch(context: Context, request: Request, empty: bool = False) -> Answer:
    """Answer a search; `empty` lets it find nothing, whatever there is."""
    try:
        found = search(context, request)
        if empty:
            found.pmids = []
        return _answer(context, request, found)
    except (SearchError, HistoryError) as error:
        return json_error("esearch", str(error)) if request.json else Answer(error_document("esearch", str(error)))


def search(context: Context, request: Request) -> Found:
    """Run the search a request describes; raises SearchError and HistoryError."""
    if request.db != "pubmed":
        raise SearchError(f"Invalid db name specified: {request.db}")
    term, env, key = request.get("term"), request.get("WebEnv"), request.get("query_key")
    if not term and not (env and key):
        raise SearchError("Empty term and query_key - nothing todo")
    understood = Understood(None)
    if term:
        if wanted := request.get("field"):
            term = f"({term})" if "[" in term else f"{term}[{wanted}]"
        try:
            understood = understand(context, term)
        except QuerySyntaxError as error:
            raise SearchError(f"Search Backend failed: Exception:\n'term' cannot be read: {error}") from error
    query = understood.query
    view = context.view()
    if query is not None:
        if any(isinstance(leaf, EarlierSearch) for leaf in terms(query)):
            query = map_leaves(
                query, lambda leaf: _earlier(context, env, leaf) if isinstance(leaf, EarlierSearch) else leaf
            )
        numbers = context.index.evaluate(query, context.today(), view.numbers)
    else:
        numbers = view.numbers if not term else frozenset()
    if env and key:
        kept = frozenset(context.history.get(env, key))
        numbers = frozenset(view.states[pmid].number for pmid in kept if pmid in view.states) & numbers
        shown = f"#{key}"
        understood.translation = f"{shown} AND ({understood.translation})" if understood.translation else shown
    if limits := _dates(context, request):
        numbers = context.index.evaluate(limits, context.today(), numbers)
        dates = f"{limits.low}:{limits.high}[{LONG_NAMES[limits.field]}]"
        inner = understood.translation
        inner = f"({inner})" if isinstance(understood.query, And) or " OR " in inner or " NOT " in inner else inner
        understood.translation = f"{inner} AND {dates}"
    pmids = [pmid for pmid in view.newest if view.states[pmid].number in numbers]
    return Found(_sorted(context, view, pmids, request.get("sort").lower()), understood)


def _earlier(context: Context, env: str, leaf: EarlierSearch) -> Query:
    if not env:
        raise SearchError(f"Unable to obtain query #{leaf.number}: there is no WebEnv")
    return Pmids(tuple(context.history.get(env, str(leaf.number))))


def _dates(context: Context, request: Request) -> DateRange | None:
    """Read `reldate`, else `mindate` and `maxdate`; one of the two alone has no effect."""
    name = _DATE_TYPES.get(request.get("datetype").lower(), "edat")
    days = request.number("reldate", -1)
    if days >= 0:
        today = context.today()
        first = today - timedelta(days=min(days, 700_000))
        low, high = (SearchDate(day.year, day.month, day.day) for day in (first, today))
        return DateRange(name, low, high)
    ends = [_DATE.fullmatch(request.get(end)) for end in ("mindate", "maxdate")]
    if ends[0] is None or ends[1] is None:
        return None
    low, high = (SearchDate(*(int(part) if part else None for part in end.groups())) for end in ends if end)  # type: ignore[arg-type]
    return DateRange(name, low, high)


def _sorted(context: Context, view: View, pmids: list[int], sort: str) -> list[int]:
    def citation(pmid: int) -> Citation:
        found = context.index.citation(view.states[pmid])
        return found if found is not None else Citation(pmid=pmid)

    def published(pmid: int) -> tuple[int, int, int]:
        date = citation(pmid).pub_date
        return (date.year or 0, date.month or 0, date.day or 0) if date else (0, 0, 0)

    def author(pmid: int) -> str:
        first = next(iter(citation(pmid).authors), None)
        return f"{first.last_name or first.collective_name or ''} {first.initials or ''}".lower() if first else "~"

    def journal(pmid: int) -> str:
        of = citation(pmid).journal
        return (of.medline_ta or of.title or "").lower() if of else "~"

    match sort:
        case "pub_date" | "pub date" | "pub+date":
            return sorted(pmids, key=published, reverse=True)
        case "author":
            return sorted(pmids, key=author)
        case "journalname" | "journal":
            return sorted(pmids, key=journal)
    return pmids


def _answer(context: Context, request: Request, found: Found) -> Answer:
    limit, understood = context.limit, found.understood
    if request.get("rettype").lower() == "count":
        if request.json:
            return json_answer({"header": _header(), "esearchresult": {"count": str(len(found.pmids))}})
        count = f"<eSearchResult>\n\t<Count>{len(found.pmids)}</Count>\n</eSearchResult>\n"
        return Answer(doctype("esearch") + count.encode())
    start, most = request.number("retstart", 0), request.number("retmax", 20)
    if start > limit - 1:
        raise SearchError(RETSTART_TEXT.format(last=limit - 1, limit=limit))
    if start + most > limit and len(found.pmids) > limit:
        most = limit - start
        found.messages.append(f"Restrictions achieved. start and count adjusted to {start}, {most}")
    page = found.pmids[start : start + min(most, limit - start)]
    if not found.pmids:
        found.messages.append("No items found.")
    history = None
    if request.get("usehistory").lower() in ("y", "yes", "1"):
        history = context.history.put(found.pmids, request.get("WebEnv"))
    if request.json:
        return _json(found, page, start, history, understood)
    return Answer(doctype("esearch") + _xml(found, page, start, history, understood).encode())


def _header() -> dict[str, str]:
    return {"type": "esearch", "version": "0.3"}


def _xml(found: Found, page: list[int], start: int, history: tuple[str, int] | None, understood: Understood) -> str:
    ids = "".join(f"<Id>{pmid}</Id>\n" for pmid in page)
    parts = [
        f"<eSearchResult><Count>{len(found.pmids)}</Count><RetMax>{len(page)}</RetMax><RetStart>{start}</RetStart>"
    ]
    if history:
        parts.append(f"<QueryKey>{history[1]}</QueryKey><WebEnv>{history[0]}</WebEnv>")
    parts.append(f"<IdList>\n{ids}</IdList>" if ids else "<IdList/>")
    pairs = "".join(
        f"<Translation>     <From>{escape(old)}</From>     <To>{escape(new)}</To>    </Translation>"
        for old, new in understood.translations
    )
    parts.append(f"<TranslationSet>{pairs}</TranslationSet>" if pairs else "<TranslationSet/>")
    parts.append(f"<QueryTranslation>{escape(understood.translation)}</QueryTranslation>")
    parts.append(
        _list(
            "ErrorList",
            ("PhraseNotFound", understood.phrases_not_found),
            ("FieldNotFound", understood.fields_not_found),
        )
    )
    parts.append(
        _list(
            "WarningList",
            ("PhraseIgnored", understood.phrases_ignored),
            ("QuotedPhraseNotFound", understood.quoted_not_found),
            ("OutputMessage", found.messages),
        )
    )
    return "".join(parts) + "</eSearchResult>\n"


def _list(name: str, *members: tuple[str, Sequence[str]]) -> str:
    inner = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, texts in members for text in texts)
    return f"<{name}>{inner}</{name}>" if inner else ""


def _json(found: Found, page: list[int], start: int, history: tuple[str, int] | None, understood: Understood) -> Answer:
    result: dict[str, object] = {"count": str(len(found.pmids)), "retmax": str(len(page)), "retstart": str(start)}
    if history:
        result |= {"querykey": str(history[1]), "webenv": history[0]}
    result |= {
        "idlist": [str(pmid) for pmid in page],
        "translationset": [{"from": old, "to": new} for old, new in understood.translations],
        "querytranslation": understood.translation,
    }
    if understood.phrases_not_found or understood.fields_not_found:
        result["errorlist"] = {
            "phrasesnotfound": understood.phrases_not_found,
            "fieldsnotfound": understood.fields_not_found,
        }
    if understood.phrases_ignored or understood.quoted_not_found or found.messages:
        result["warninglist"] = {
            "phrasesignored": understood.phrases_ignored,
            "quotedphrasesnotfound": understood.quoted_not_found,
            "outputmessages": found.messages,
        }
        result.setdefault("errorlist", None)
    return json_answer({"header": _header(), "esearchresult": result})
