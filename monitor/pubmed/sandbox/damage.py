"""Turns a right answer into a wrong one: replaced answers, cut bodies, poisoned records."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random

from monitor.pubmed.sandbox.documents import doctype, error_document, set_document
from monitor.pubmed.sandbox.exchange import HTML, JSON, TEXT, Answer, Request, html
from monitor.pubmed.sandbox.faults import Fault, Rule

_STATUS_FAULTS = {
    Fault.BAD_REQUEST: (400, "Bad Request", "Your request could not be processed."),
    Fault.FORBIDDEN: (403, "Access Denied", "Your access to the NCBI website has been temporarily blocked."),
    Fault.URI_TOO_LONG: (414, "Request-URI Too Long", "The requested URL's length exceeds the capacity limit."),
    Fault.HTTP_500: (500, "NCBI/eutils202 - WWW Error 500 Diagnostic", "Server Error"),
    Fault.HTTP_502: (502, "Bad Gateway", "The proxy server received an invalid response."),
    Fault.HTTP_503: (503, "Service Unavailable", "The server is temporarily unable to service your request."),
    Fault.HTTP_504: (504, "Gateway Timeout", "The gateway did not receive a timely response."),
}
RETSTART_TEXT = (
    "Search Backend failed: Exception:\n'retstart' cannot be larger than {last}. For PubMed, ESearch can only retrieve "
    "the first {limit:,} records matching the query. To obtain more than {limit:,} PubMed records, consider using EDirect"
)
_ERRORS: dict[Fault, tuple[str, ...]] = {
    Fault.SEVERAL_ERRORS: ("Search Backend failed: Read timed out", "Some IDs have invalid value and were omitted."),
    Fault.DATABASE_OUTAGE: ("Search Backend failed: Database is not supported: pubmed",),
    Fault.NO_CONNECTION: ("Unable to open connection to #PMQuerySrv?db=pubmed",),
    Fault.RETSTART_REFUSED: (RETSTART_TEXT.format(last=9998, limit=9999),),
    Fault.UNRESOLVED: ("Couldn't resolve #exLinkSrv2, the address table is empty.",),
    Fault.HISTORY_EXPIRED: ("Unable to obtain query #1",),
}
_TRACE = (
    "Error: 2026-05-04T03:02:01 NCBI C++ Exception:\n"
    '    Error: TXCLIENT(CException::eUnknown) "txclient.cpp", line 123: TXCLIENT::readAll --- EOF\n'
)


def rate_limited(who: str, count: int, limit: int, retry_after: str | None = "2", status: int = 429) -> Answer:
    """Return NCBI's refusal; it echoes the key or the address, which a client must keep out of its logs."""
    text = {"error": "API rate limit exceeded", "api-key": who, "count": str(count), "limit": str(limit)}
    headers = {"Retry-After": retry_after} if retry_after is not None else {}
    return Answer(json.dumps(text, separators=(",", ":")).encode() + b"\n", JSON, status, headers)


def key_invalid(key: str) -> Answer:
    """Return NCBI's refusal of a key, which it echoes."""
    text = {"error": "API key invalid", "api-key": key, "type": "invalid", "status": "unknown"}
    return Answer(json.dumps(text, separators=(",", ":")).encode() + b"\n", JSON, 400)


def no_ids(request: Request) -> Answer:
    """Return efetch's 400; text modes answer plain text with plus signs for blanks."""
    message = "ID list is empty! Possibly it has no correct IDs."
    if request.get("retmode").lower() == "text" or request.get("rettype").lower() in ("medline", "uilist"):
        return Answer(message.replace(" ", "+").encode(), TEXT, 400)
    return Answer(error_document("efetch", message), status=400)


def replaced(rule: Rule, request: Request, key: str | None, trap: str, version: str) -> Answer | None:
    """Return the answer that stands instead of the right one, or None when the fault works on the right one."""
    fault, who = rule.fault, key or request.client
    wait = f"{rule.seconds:g}" if rule.seconds is not None else "2"
    if fault in _STATUS_FAULTS:
        return html(*_STATUS_FAULTS[fault])
    if fault in _ERRORS:
        return Answer(error_document(request.utility, *_ERRORS[fault]))
    match fault:
        case Fault.RATE_LIMITED:
            return rate_limited(who, 4, 3, wait)
        case Fault.RATE_LIMITED_SILENT:
            return rate_limited(who, 4, 3, None)
        case Fault.RATE_LIMITED_DATE:
            until = datetime.now(UTC) + timedelta(seconds=rule.seconds if rule.seconds is not None else 2)
            return rate_limited(who, 4, 3, format_datetime(until, usegmt=True))
        case Fault.RATE_LIMITED_HUGE:
            return rate_limited(who, 4, 3, "31536000")
        case Fault.RATE_LIMITED_IN_200:
            return rate_limited(who, 4, 3, None, 200)
        case Fault.KEY_INVALID:
            return key_invalid(who)
        case Fault.NO_IDS:
            return no_ids(request)
        case Fault.ERROR_ELEMENT:
            return Answer(error_document(request.utility, rule.text or "Search Backend failed: unexpected end of data"))
        case Fault.CPP_TRACE:
            return Answer(_TRACE.encode())
        case Fault.PROLOG_ONLY:
            return Answer(doctype(request.utility, version))
        case Fault.HTML_PAGE:
            return html(200, "NCBI is under maintenance", "Please try again later.")
        case Fault.JSON_FOR_XML:
            return Answer(b'{"header":{"type":"' + request.utility.encode() + b'","version":"0.3"}}\n', JSON)
        case Fault.EMPTY_BODY:
            return Answer(b"")
        case Fault.REDIRECT_301 | Fault.REDIRECT_302 | Fault.REDIRECT_307:
            page = html(int(fault.value[-3:]), "Moved", "The document has moved.")
            page.headers["Location"] = rule.text or trap.replace("127.0.0.1", "localhost") + request.path.lstrip("/")
            return page
        case Fault.GZIP_BOMB:
            return Answer(
                _gzip_bomb(rule.size if rule.size is not None else 1 << 30), headers={"Content-Encoding": "gzip"}
            )
    return None


def _gzip_bomb(size: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9, mtime=0) as stream:
        blanks = b" " * (1 << 20)
        for _ in range(size >> 20):
            stream.write(blanks)
        stream.write(blanks[: size & ((1 << 20) - 1)])
    return packed.getvalue()


def _poison(raw: bytes, poison: bytes) -> bytes:
    """Put the poison into the title, or before the end of the record's last element."""
    place = re.search(rb"<(?:ArticleTitle|BookTitle)(?:\s[^>]*)?>", raw)
    at = place.end() if place else max(raw.rfind(b"</"), 0)
    return raw[:at] + poison + raw[at:]


_POISONS = {
    Fault.ILLEGAL_CHARACTER: b"\x02",
    Fault.NUL: b"\x00",
    Fault.BAD_UTF8: b"\xe9 ",
    Fault.UNBOUND_PREFIX: b"<odd:x>y</odd:x>",
    Fault.UNDEFINED_ENTITY: b"&nbsp;",
}


def damaged(rule: Rule, answer: Answer, others: Callable[[int], list[bytes]], trap: str, random: Random) -> Answer:
    """Return the right answer with the fault worked into it. `others(n)` gives n records that were not asked for."""
    fault, records = rule.fault, answer.records
    if fault is Fault.WRONG_TYPE:
        return replace(answer, content_type=HTML)
    if fault in (Fault.ENTITY_BOMB, Fault.EXTERNAL_ENTITY, Fault.EXTERNAL_DTD):
        return replace(answer, body=_with_dtd(fault, answer.body, trap))
    if fault in _POISONS:
        if not records:
            return replace(answer, body=_poison(answer.body, _POISONS[fault]))
        chosen = answer.pmids.index(rule.pmid) if rule.pmid in answer.pmids else 0
        return _joined(answer, [_poison(raw, _POISONS[fault]) if n == chosen else raw for n, raw in enumerate(records)])
    match fault:
        case Fault.EMPTY_RESULT if records:
            return _joined(answer, [])
        case Fault.PARTIAL_SET:
            return _joined(answer, records[::2] if len(records) > 1 else [])
        case Fault.WRONG_RECORDS:
            return _joined(answer, others(max(1, len(records))))
        case Fault.EXTRA_RECORD:
            return _joined(answer, [*records, *others(1)])
        case Fault.DUPLICATED_RECORDS:
            return _joined(answer, [raw for each in records for raw in (each, each)])
        case Fault.SHUFFLED:
            mixed = records[:]
            random.shuffle(mixed)
            return _joined(answer, mixed if mixed != records else records[::-1])
    return answer


def _joined(answer: Answer, records: list[bytes]) -> Answer:
    if answer.content_type.startswith("text/plain"):
        return replace(answer, body=b"\n".join(records) + b"\n", records=records)
    prolog = answer.body[: answer.body.index(b"<PubmedArticleSet") if b"<PubmedArticleSet" in answer.body else 0]
    opening = re.search(rb"<PubmedArticleSet[^>]*>", answer.body[len(prolog) :])
    body = set_document(prolog, records, opening[0] if opening else b"<PubmedArticleSet>")
    return replace(answer, body=body, records=records)


def _with_dtd(fault: Fault, body: bytes, trap: str) -> bytes:
    found = re.search(rb"<!DOCTYPE\s+(\w+)[^>]*>", body)
    if found is None:
        return body
    name = found[1]
    if fault is Fault.EXTERNAL_DTD:
        return body.replace(found[0], b'<!DOCTYPE %s SYSTEM "%sdtd">' % (name, trap.encode()), 1)
    if fault is Fault.ENTITY_BOMB:
        levels = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
        subset = b'<!ENTITY l0 "ha">' + levels
        used = b"&l9;"
    else:
        subset = b'<!ENTITY trap SYSTEM "%sentity">' % trap.encode()
        used = b"&trap;"
    place = body.index(found[0]) + len(found[0])
    head, rest = body[: place - len(found[0])], body[place:]
    text = re.search(rb"<(?:ArticleTitle|BookTitle)(?:\s[^>]*)?>", rest) or re.search(
        rb"<[A-Za-z]+(?:\s[^>]*)?>(?=[^<\s])", rest
    )
    at = text.end() if text else rest.rindex(b"</")
    return head + b"<!DOCTYPE %s [%s]>" % (name, subset) + rest[:at] + used + rest[at:]


def cut(rule: Rule, answer: Answer) -> int:
    """Return after how many bytes the body ends."""
    body = answer.body
    match rule.fault:
        case Fault.CUT_AT:
            return min(len(body), rule.size if rule.size is not None else len(body) // 2)
        case Fault.CUT_IN_CHARACTER:
            for position in range(len(body) - 1, 0, -1):
                if body[position] >= 0x80 and body[position] < 0xC0:
                    return position
        case Fault.CUT_BETWEEN_RECORDS if answer.records:
            half = max(1, len(answer.records) // 2)
            position = 0
            for raw in answer.records[:half]:
                position = body.index(raw, position) + len(raw)
            return position
        case _:
            pass
    middle = body.rfind(b"</", 0, max(2, len(body) * 2 // 3))
    return middle + 3 if middle >= 0 else len(body) // 2
