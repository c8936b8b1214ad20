"""epost: store UIDs on the history server."""

from __future__ import annotations

from xml.sax.saxutils import escape

from monitor.pubmed.sandbox.context import Context
from monitor.pubmed.sandbox.documents import doctype, error_document
from monitor.pubmed.sandbox.exchange import Answer, Request, usable
from monitor.pubmed.sandbox.history import HistoryError


def epost(context: Context, request: Request) -> Answer:
    """Store what is usable. Bad ids beside good ones stand in InvalidIdList; nothing but bad ones gives two `ERROR`s."""
    if request.db != "pubmed":
        return Answer(error_document("epost", f"Invalid db name specified: {request.db}"))
    given = [text for group in request.id_groups for text in group]
    ids, errors = request.ids, []
    if len(ids) > context.post_limit:
        errors.append(f"Too many UIDs in request. Maximum number of UIDs is {context.post_limit}")
        return Answer(error_document("epost", *errors), status=400)
    if not ids:
        errors.append("Empty ID list; Nothing to store")
    if any(not usable([text]) for text in given):
        errors.append("Some IDs have invalid value and were omitted. Maximum ID value 18446744073709551615")
    if not ids:
        return Answer(error_document("epost", *errors))
    try:
        env, key = context.history.put(ids, request.get("WebEnv"))
    except HistoryError as error:
        return Answer(error_document("epost", str(error)))
    invalid = "".join(f"<Id>{escape(text)}</Id>" for text in given if not usable([text]))
    notes = f"\t<InvalidIdList>{invalid}</InvalidIdList>\n" if invalid else ""
    stored = f"<ePostResult>\n{notes}\t<QueryKey>{key}</QueryKey>\n\t<WebEnv>{env}</WebEnv>\n</ePostResult>\n"
    return Answer(doctype("epost") + stored.encode())
