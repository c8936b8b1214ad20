"""What can go wrong, by name, and when: the script of faults that a sandbox plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from threading import Lock

from monitor.errors import UsageError
from monitor.pubmed.sandbox.exchange import Request

UTILITIES = ("esearch", "efetch", "epost", "esummary", "elink", "einfo", "espell", "ecitmatch", "egquery")
FRAMINGS = ("length", "promised", "chunked", "close")


class Fault(Enum):
    """Every failure the sandbox can produce; the value is its name in a faults file."""

    def __new__(cls, value: str, doc: str = "") -> Fault:
        member = object.__new__(cls)
        member._value_ = value
        member.__doc__ = doc
        return member

    RATE_LIMITED = "rate-limited", "429, JSON body, `Retry-After` of `seconds` (default 2)."
    RATE_LIMITED_SILENT = "rate-limited-silent", "429, JSON body, no `Retry-After`."
    RATE_LIMITED_DATE = "rate-limited-date", "429, `Retry-After` is an HTTP date, `seconds` (default 2) ahead."
    RATE_LIMITED_HUGE = "rate-limited-huge", "429, `Retry-After: 31536000`."
    RATE_LIMITED_IN_200 = "rate-limited-in-200", "The rate-limit JSON under status 200."
    KEY_INVALID = "key-invalid", "400, JSON: API key invalid."
    BAD_REQUEST = "bad-request", "400 with an HTML page, as happens now and then under load."
    NO_IDS = "no-ids", "400: ID list is empty! Possibly it has no correct IDs."
    FORBIDDEN = "forbidden", "403 with an HTML page: the address is blocked."
    URI_TOO_LONG = "uri-too-long", "414 with an HTML page."
    HTTP_500 = "http-500", "500 with an HTML diagnostic page."
    HTTP_502 = "http-502", "502 with an HTML page."
    HTTP_503 = "http-503", "503 with an HTML page."
    HTTP_504 = "http-504", "504 with an HTML page."

    ERROR_ELEMENT = "error-element", "200, the utility's result element holds `ERROR` with `text`."
    SEVERAL_ERRORS = "several-errors", "200, the result element holds several `ERROR`s."
    DATABASE_OUTAGE = "database-outage", "200, `ERROR`: Database is not supported: pubmed."
    NO_CONNECTION = "no-connection", "200, `ERROR`: Unable to open connection to #PMQuerySrv."
    RETSTART_REFUSED = "retstart-refused", "200, `ERROR`: 'retstart' cannot be larger than 9998 (permanent)."
    UNRESOLVED = "unresolved", "200, `ERROR`: Couldn't resolve #exLinkSrv2, the address table is empty."
    HISTORY_EXPIRED = "history-expired", "200, `ERROR`: Unable to obtain query #1."
    CPP_TRACE = "cpp-trace", "200, a C++ exception trace as text."
    PROLOG_ONLY = "prolog-only", "200, XML declaration and DOCTYPE, then nothing."
    HTML_PAGE = "html-page", "200, an HTML maintenance page."
    JSON_FOR_XML = "json-for-xml", "200, JSON although XML was asked for."
    EMPTY_BODY = "empty-body", "200, no body."
    WRONG_TYPE = "wrong-type", "The right body as `text/html`."
    EMPTY_RESULT = "empty-result", "esearch finds nothing, efetch returns a valid empty set."

    CUT_IN_TAG = "cut-in-tag", "The body ends inside a tag."
    CUT_IN_CHARACTER = "cut-in-character", "The body ends inside a multi-byte character (in a tag, if it has none)."
    CUT_BETWEEN_RECORDS = "cut-between-records", "The body ends exactly between two records."
    CUT_AT = "cut-at", "The body ends after `size` bytes."
    ILLEGAL_CHARACTER = "illegal-character", "A control character in the record of `pmid` (or the first)."
    NUL = "nul", "A NUL in the record of `pmid` (or the first)."
    BAD_UTF8 = "bad-utf8", "A byte that is no UTF-8 in the record of `pmid` (or the first)."
    UNBOUND_PREFIX = "unbound-prefix", "A namespace prefix without declaration in the record of `pmid` (or the first)."
    UNDEFINED_ENTITY = "undefined-entity", "`&nbsp;` without a DTD in the record of `pmid` (or the first)."
    PARTIAL_SET = "partial-set", "efetch leaves out every second record."
    WRONG_RECORDS = "wrong-records", "efetch returns records that were not asked for."
    EXTRA_RECORD = "extra-record", "efetch returns one record more than was asked for."
    DUPLICATED_RECORDS = "duplicated-records", "efetch returns every record twice."
    SHUFFLED = "shuffled", "efetch returns the records in another order."
    ENTITY_BOMB = "entity-bomb", "An internal DTD subset with nested entities (billion laughs), used in the body."
    EXTERNAL_ENTITY = (
        "external-entity",
        "An internal DTD subset with an external entity at the sandbox's trap, used in the body.",
    )
    EXTERNAL_DTD = "external-dtd", "The DOCTYPE names a DTD at the sandbox's trap."
    LINKSET_ERROR = "linkset-error", "elink: each LinkSet holds an `ERROR` instead of links."
    SCORES_MISSING = "scores-missing", "elink neighbor_score without any `Score`."

    REFUSED = "refused", "The connection is reset, and the port refuses connections for `seconds` (default 1)."
    RESET = "reset", "The connection is reset before the status line."
    RESET_IN_BODY = "reset-in-body", "The connection is reset after `size` bytes of the body (default half)."
    SILENT_CLOSE = "silent-close", "The connection is closed in order, without a status line."
    GARBAGE = "garbage", "Bytes that are no HTTP, then the end."
    SLOW_START = "slow-start", "Nothing for `seconds` (default 30), then the right answer."
    DRIP = "drip", "The body comes byte by byte, `seconds` (default 0.1) apart."
    STALL = "stall", "The body stops after `size` bytes (default half) and the connection stays open."
    ENDLESS = "endless", "The body never ends: after the right answer come blanks, for ever."
    GZIP_BOMB = "gzip-bomb", "A small gzip body that becomes `size` bytes of blanks (default 1 GiB)."
    REDIRECT_301 = "redirect-301", "301 to `text`, by default another host name, plain http."
    REDIRECT_302 = "redirect-302", "302 to `text`, by default another host name, plain http."
    REDIRECT_307 = "redirect-307", "307 to `text`, by default another host name, plain http."


CUTS = (Fault.CUT_IN_TAG, Fault.CUT_IN_CHARACTER, Fault.CUT_BETWEEN_RECORDS, Fault.CUT_AT)


@dataclass(slots=True)
class Rule:
    """One fault and when it strikes. Conditions add up; `calls` and `every` count the requests that meet the others."""

    fault: Fault
    utility: str | None = None
    more_than: int | None = None
    """Only requests with more ids than this."""
    pmid: int | None = None
    """Only requests for this PMID: one poisoned record."""
    term: str | None = None
    """Only searches whose term holds this text."""
    calls: Sequence[int] = ()
    """Only the n-th such requests, from 1."""
    every: int | None = None
    """Only every k-th such request."""
    probability: float | None = None
    times: int | None = None
    """At most so often."""
    framing: str | None = None
    """`length` (of what is sent), `promised` (length of the whole), `chunked` (a cut body has no last chunk), `close`."""
    seconds: float | None = None
    size: int | None = None
    text: str | None = None
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        problems = []
        if self.utility is not None and self.utility not in UTILITIES:
            problems.append(f"there is no utility {self.utility!r}")
        if self.framing is not None and self.framing not in FRAMINGS:
            problems.append(f"framing is one of {', '.join(FRAMINGS)}, not {self.framing!r}")
        if self.probability is not None and not 0 <= self.probability <= 1:
            problems.append("probability is a number from 0 to 1")
        for name in ("every", "times", "pmid"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                problems.append(f"{name} is a number from 1")
        for name in ("more_than", "seconds", "size"):
            if getattr(self, name) is not None and getattr(self, name) < 0:
                problems.append(f"{name} cannot be below 0")
        if any(call < 1 for call in self.calls):
            problems.append("calls are counted from 1")
        if problems:
            raise UsageError(f"{self.fault.value}: {'; '.join(problems)}")

    def concerns(self, request: Request, ids: Sequence[int]) -> bool:
        return (
            (self.utility is None or self.utility == request.utility)
            and (self.more_than is None or len(ids) > self.more_than)
            and (self.pmid is None or self.pmid in ids)
            and (self.term is None or self.term in request.get("term"))
        )


class FaultScript:
    """All rules of a sandbox; the first that strikes decides. The same seed and requests give the same faults."""

    def __init__(self, rules: Sequence[Rule] = (), seed: int = 0) -> None:
        self.rules = list(rules)
        self.random = Random(seed)
        self._lock = Lock()

    def add(self, rule: Rule) -> Rule:
        with self._lock:
            self.rules.append(rule)
        return rule

    def clear(self) -> None:
        with self._lock:
            self.rules.clear()

    def strike(self, request: Request, ids: Sequence[int]) -> Rule | None:
        """Count this request in every rule it concerns; return the rule that strikes, if any."""
        with self._lock:
            chosen = None
            for rule in self.rules:
                if not rule.concerns(request, ids):
                    continue
                rule.seen += 1
                due = (
                    (not rule.calls or rule.seen in rule.calls)
                    and (rule.every is None or rule.seen % rule.every == 0)
                    and (rule.times is None or rule.struck < rule.times)
                    and (rule.probability is None or self.random.random() < rule.probability)
                )
                if due and chosen is None:
                    rule.struck += 1
                    chosen = rule
            return chosen
