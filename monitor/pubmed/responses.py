"""Tells the answers of E-utilities apart: whole, to be asked again, never going to work, or a refusal of us.

The forms E1 to E20 and what each means are listed in `docs/decisions/pubmed-client.md`. E-utilities put most failures
inside HTTP 200, so a body counts only when it is XML, has the root that was asked for, and that root is closed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import unquote_plus, urlsplit

from lxml import etree

from monitor.core.polling import SearchResult
from monitor.errors import BatchTooLarge, PubmedError, PubmedRefused, PubmedUnavailable

LONGEST_RETRY_AFTER: Final = 60.0

_NEVER: Final = re.compile(
    r"retstart|out of acceptable range|invalid db name|empty term|id list is empty|too many (?:terms|boolean)", re.I
)
_BAD_KEY: Final = re.compile(r"api[ -]?key (?:is )?(?:invalid|wrong|not valid|unknown)", re.I)
_RATE: Final = re.compile(r"rate limit", re.I)
_ROOT: Final = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>\s*)*<([A-Za-z_][\w.:-]*)([^>]*)>",
    re.DOTALL,
)


class AskAgain(Exception):
    """The answer does not count; the same request may work later.

    `wait` is what PubMed asked for. `heavy` says that a smaller request might pass where this one does not.
    `tries` limits how often it is worth it.
    """

    def __init__(self, why: str, *, wait: float | None = None, heavy: bool = False, tries: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.wait = wait
        self.heavy = heavy
        self.tries = tries


def check_status(status: int, headers: Message, body: bytes, now: datetime) -> None:
    """Let a 200 pass; raise for everything else. Bodies are looked at and never repeated: they echo key and address."""
    if status == 200:
        return
    wait = retry_after(headers.get("Retry-After"), now)
    if status == 429:
        raise AskAgain("PubMed says we ask too often (HTTP 429)", wait=wait)
    if status >= 500 or status in (408, 425):
        raise AskAgain(f"PubMed has trouble (HTTP {status})", wait=wait, heavy=status != 503)
    if status == 413:
        raise BatchTooLarge("the request is too large for PubMed (HTTP 413)")
    if 300 <= status < 400:
        # Following would hand key and contact to another address, or turn the POST into an empty GET (urllib does).
        host = urlsplit(headers.get("Location") or "").hostname or "another address"
        raise PubmedUnavailable(f"PubMed's address redirects to {host}; not followed, check MONITOR_EUTILS_URL")
    if status == 400:
        said = "" if body.lstrip()[:1] == b"{" else unquote_plus(_error_text(body) or "")
        if _key_refused(body):
            raise PubmedRefused("PubMed says the API key is not valid; check MONITOR_NCBI_API_KEY")
        if _NEVER.search(said):
            raise PubmedError(f"PubMed cannot do this: {_short(said)}")
        raise AskAgain("PubMed calls the request bad (HTTP 400)", wait=wait, tries=2)
    if status == 407:
        raise PubmedRefused("the proxy between here and PubMed wants a password (HTTP 407)")
    if status in (401, 403):
        raise PubmedRefused(
            f"PubMed refuses this address or installation (HTTP {status}); ask eutilities@ncbi.nlm.nih.gov"
        )
    if status == 414:
        raise PubmedError("PubMed calls the address too long (HTTP 414), although everything is sent as POST")
    raise PubmedError(f"nothing like E-utilities answers at this address (HTTP {status}); check MONITOR_EUTILS_URL")


def read_search(body: bytes) -> SearchResult:
    """Return what an esearch found; raises AskAgain or PubmedError where the answer is no result."""
    root = _document(body)
    errors = [_text(each) for each in root.iter("ERROR")]
    if errors:
        _raise_error("; ".join(filter(None, errors)))
    if root.tag != "eSearchResult":
        raise AskAgain(f"the answer is a {str(root.tag)[:40]}, not a search result")
    count = _number(root.findtext("Count"))
    pmids = [_number(each.text) for each in root.iterfind("IdList/Id")]
    returned = root.findtext("RetMax")
    if count is None or None in pmids or (returned is not None and _number(returned) != len(pmids)):
        raise AskAgain("the search result is not whole", heavy=True)
    unknown = [
        _text(each)
        for path in ("ErrorList/PhraseNotFound", "ErrorList/FieldNotFound", "WarningList/QuotedPhraseNotFound")
        for each in root.iterfind(path)
    ]
    warnings = [f"ignored: {_text(each)}" for each in root.iterfind("WarningList/PhraseIgnored")]
    # "No items found." goes with every empty result and says nothing.
    warnings += [
        text for each in root.iterfind("WarningList/OutputMessage") if (text := _text(each)) != "No items found."
    ]
    return SearchResult(
        pmids=tuple(dict.fromkeys(each for each in pmids if each is not None)),
        count=count,
        translation=_text(root.find("QueryTranslation")),
        unknown_phrases=tuple(dict.fromkeys(filter(None, unknown))),
        warnings=tuple(dict.fromkeys(filter(None, warnings))),
    )


def check_records(body: bytes) -> bytes:
    """Return the XML of an efetch if it is one whole set of records; an empty set is a good answer.

    Only the frame is looked at; `pubmed.parse` reads the records and finds what is wrong inside.
    """
    _refuse_other_formats(body)
    found = _ROOT.match(body)
    if found is None:
        raise AskAgain("the answer holds no element, only an XML declaration", heavy=True)
    root, attributes = found[1], found[2]
    if root in (b"eFetchResult", b"eEfetchResult") or b"<ERROR>" in body:
        _raise_error(_error_text(body) or "an error without text")
    if root not in (b"PubmedArticleSet", b"PubmedBookArticleSet"):
        raise AskAgain(f"the answer is a {root.decode('ascii', 'replace')[:40]}, not a set of records")
    if not attributes.rstrip().endswith(b"/") and not body.rstrip().endswith(b"</" + root + b">"):
        raise AskAgain("the answer is cut off", heavy=True)
    return body


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read Retry-After, seconds or a date (RFC 9110 section 10.2.3), at most a minute; None for nothing usable."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_RETRY_AFTER)


def _document(body: bytes) -> etree._Element:
    _refuse_other_formats(body)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise AskAgain("the answer is cut off or is not XML", heavy=True) from error
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and list(_entities(declared)):
        raise AskAgain("the answer declares entities of its own")
    return root


def _entities(dtd: Any) -> Iterable[object]:
    entities: Iterable[object] = dtd.iterentities()
    return entities


def _refuse_other_formats(body: bytes) -> None:
    start = body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise AskAgain("the answer is empty", heavy=True)
    if start[:1] in (b"{", b"["):
        if _key_refused(body):
            raise PubmedRefused("PubMed says the API key is not valid; check MONITOR_NCBI_API_KEY")
        said = str(_json(body).get("error", ""))
        raise AskAgain("PubMed says we ask too often" if _RATE.search(said) else "the answer is JSON, not XML")
    if re.search(rb"<(?:!doctype )?html\b", start, re.I):
        raise AskAgain("the answer is a web page, not XML")
    if start[:1] != b"<":
        raise AskAgain("the answer is plain text, not XML")


def _raise_error(text: str) -> None:
    if _BAD_KEY.search(text):
        raise PubmedRefused("PubMed says the API key is not valid; check MONITOR_NCBI_API_KEY")
    if _RATE.search(text):
        raise AskAgain("PubMed says we ask too often")
    if _NEVER.search(text):
        raise PubmedError(f"PubMed cannot do this: {_short(text)}")
    raise AskAgain(f"PubMed reports an error: {_short(text)}")


def _key_refused(body: bytes) -> bool:
    if body.lstrip()[:1] == b"{":
        return bool(_BAD_KEY.search(str(_json(body).get("error", ""))))
    return bool(_BAD_KEY.search(body[:2000].decode("utf-8", "replace")))


def _json(body: bytes) -> dict[str, object]:
    try:
        # strict=False: the error texts may hold raw line breaks.
        value = json.loads(body[:20_000].decode("utf-8", "replace"), strict=False)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _error_text(body: bytes) -> str:
    text = body[:20_000].decode("utf-8", "replace")
    found = re.search(r"<ERROR>(.*?)(?:</ERROR>|\Z)", text, re.S)
    if found is not None:
        return found[1]
    return "" if text.lstrip()[:1] == "<" else text


def _text(element: etree._Element | None) -> str:
    return "" if element is None else " ".join("".join(str(each) for each in element.itertext()).split())


def _number(text: str | None) -> int | None:
    stripped = (text or "").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 19 else None


def _short(text: str) -> str:
    return " ".join(text.split())[:300]
