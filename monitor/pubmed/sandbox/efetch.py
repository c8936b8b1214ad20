"""efetch: records whole, in XML, as MEDLINE text or as a list of PMIDs."""

from __future__ import annotations

from monitor.pubmed.sandbox.context import Context
from monitor.pubmed.sandbox.damage import no_ids
from monitor.pubmed.sandbox.documents import doctype, error_document, set_document
from monitor.pubmed.sandbox.exchange import TEXT, Answer, Request
from monitor.pubmed.sandbox.history import HistoryError
from monitor.pubmed.sandbox.medline import abstract_text, medline_text

LIMIT = 10_000


def efetch(context: Context, request: Request) -> Answer:
    """Answer with the records that exist; what does not exist is simply absent."""
    if request.db != "pubmed":
        return Answer(error_document("efetch", f"Invalid db name specified: {request.db}"), status=400)
    try:
        ids = wanted(context, request)
    except HistoryError as error:
        return Answer(error_document("efetch", str(error)), status=400)
    if not ids:
        return no_ids(request)
    start = request.number("retstart", 0)
    ids = ids[start : start + min(request.number("retmax", LIMIT), LIMIT)]
    view = context.view()
    found = [pmid for pmid in ids if pmid in view.states]
    if context.shuffle:
        context.random.shuffle(found)
    rettype = request.get("rettype").lower()
    as_text = request.get("retmode").lower() == "text"
    if rettype == "uilist":
        return Answer("".join(f"{pmid}\n" for pmid in found).encode(), TEXT)
    if rettype == "medline" or (as_text and rettype in ("abstract", "docsum", "")):
        write = medline_text if rettype == "medline" else abstract_text
        read = ((pmid, context.index.citation(view.states[pmid])) for pmid in found)
        readable = {pmid: write(citation).encode() for pmid, citation in read if citation is not None}
        found, texts = list(readable), list(readable.values())
        return Answer(b"\n" + b"\n".join(texts), TEXT, records=texts, pmids=found)
    records = [raw for pmid in found if (raw := view.raw(pmid)) is not None]
    opening = b" ".join([b"<PubmedArticleSet", *context.corpus.namespaces.values()]) + b">"
    body = set_document(doctype("efetch", context.dtd), records, opening)
    return Answer(body, records=records, pmids=found)


def wanted(context: Context, request: Request) -> list[int]:
    """Return the UIDs a request names, by list or by history; raises HistoryError."""
    if request.get("WebEnv") and request.get("query_key"):
        return context.history.get(request.get("WebEnv"), request.get("query_key"))
    return request.ids
