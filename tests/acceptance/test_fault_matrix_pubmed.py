"""Every failure form of E-utilities we know, over real HTTP, with the outcome that stands in docs/decisions/pubmed-client.md."""

from __future__ import annotations

import logging
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from monitor.errors import BatchTooLarge, MonitorError, PubmedError, PubmedRefused, PubmedUnavailable, RecordError
from monitor.pubmed.client import PubmedClient
from monitor.pubmed.parse import read_records
from tests.scripted_http import Reply, ScriptedServer, chunked, gzipped, http

KEY = "canary0key0f00d0000000000000000000000"
EMAIL = "canary.contact@example.org"
ECHO = "203.0.113.77"


class NoPace:
    """Counts places; nobody waits."""

    def __init__(self) -> None:
        self.taken = 0

    def reserve(self) -> float:
        self.taken += 1
        return 0.0


DOCTYPE = (
    '<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2099//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_990101.dtd">\n'
)


def record(pmid: int, title: str = "Invented title") -> str:
    return (
        f'<PubmedArticle><MedlineCitation Status="Publisher" Owner="NLM"><PMID Version="1">{pmid}</PMID><Article>'
        f"<Journal><JournalIssue><PubDate><Year>2024</Year></PubDate></JournalIssue></Journal>"
        f"<ArticleTitle>{title}</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
    )


def records(*pmids: int) -> str:
    return f"{DOCTYPE}<PubmedArticleSet>{''.join(map(record, pmids))}</PubmedArticleSet>"


def search(*pmids: int, count: int | None = None, extra: str = "") -> str:
    ids = "".join(f"<Id>{pmid}</Id>" for pmid in pmids)
    return (
        '<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE eSearchResult PUBLIC "-//NLM//DTD esearch 20060628//EN" '
        '"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20060628/esearch.dtd">\n'
        f"<eSearchResult><Count>{len(pmids) if count is None else count}</Count><RetMax>{len(pmids)}</RetMax>"
        f"<RetStart>0</RetStart><IdList>{ids}</IdList><TranslationSet/>"
        f"<QueryTranslation>invented[All Fields]</QueryTranslation>{extra}</eSearchResult>"
    )


def search_error(text: str) -> bytes:
    return http(f"<?xml version='1.0'?><eSearchResult><ERROR>{text}</ERROR></eSearchResult>")


ANSWERED = records(90000001, 90000002)
GOOD_FETCH = http(ANSWERED)
GOOD_SEARCH = http(search(90000001, 90000002))
RATE = f'{{"error":"API rate limit exceeded","api-key":"{KEY}","count":"4","limit":"3","ip":"{ECHO}"}}'
HTML = "<!DOCTYPE html><html><head><title>NCBI/eutils202 - WWW Error 500 Diagnostic</title></head><body/></html>"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE eSearchResult [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><eSearchResult><Count>1</Count><RetMax>0</RetMax><IdList/>"
    "<QueryTranslation>&c;</QueryTranslation></eSearchResult>"
)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_inside(connection: socket.socket) -> None:
    connection.sendall(GOOD_FETCH[:300])
    time.sleep(0.02)
    reset(connection)


def silent(connection: socket.socket) -> None:
    connection.settimeout(5)
    connection.recv(1)


def stall(connection: socket.socket) -> None:
    connection.sendall(GOOD_FETCH[:400])
    silent(connection)


def drip(connection: socket.socket) -> None:
    """Every read brings a byte, so no read ever times out; only a deadline on the whole ends this."""
    connection.sendall(GOOD_FETCH[:150])
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n<PubmedArticleSet>")
    while True:
        connection.sendall(b" " * 65536)


@dataclass(frozen=True)
class Fault:
    """Replies in order (the last repeats), the question, and what must come of it: `ok` or an error, after `tries`."""

    form: str
    replies: list[Reply]
    outcome: type[MonitorError] | str
    tries: int
    ask: str = "fetch"
    one: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    says: str = ""
    waits: float | None = None


def status(code: int, body: str = HTML, kind: str = "text/html", headers: tuple[str, ...] = ()) -> bytes:
    return http(body, status=code, kind=kind, headers=headers)


JSON = "application/json; charset=UTF-8"
SHORT = {"answer_seconds": 0.4, "connect_seconds": 0.4}

MATRIX = [
    Fault("E1 429 with Retry-After: 2", [status(429, RATE, JSON, ("Retry-After: 2",)), GOOD_FETCH], "ok", 2, waits=2),
    Fault("E1 429 without Retry-After", [status(429, RATE, JSON), GOOD_FETCH], "ok", 2),
    Fault(
        "E1 429, Retry-After as a date long past",
        [status(429, RATE, JSON, ("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT",)), GOOD_FETCH],
        "ok",
        2,
    ),
    Fault(
        "E1 429, Retry-After of years is capped at a minute",
        [status(429, RATE, JSON, ("Retry-After: 99999999999",)), GOOD_FETCH],
        "ok",
        2,
        waits=60,
    ),
    Fault("E1 429, Retry-After unreadable", [status(429, RATE, JSON, ("Retry-After: soon",)), GOOD_FETCH], "ok", 2),
    Fault("E1 429 for ever", [status(429, RATE, JSON)], PubmedUnavailable, 6),
    Fault("E2 rate limit inside 200", [http(RATE, kind=JSON), GOOD_FETCH], "ok", 2),
    Fault("E2 rate limit inside 200, search", [http(RATE, kind=JSON), GOOD_SEARCH], "ok", 2, ask="search"),
    Fault(
        "E3 key invalid, 400",
        [status(400, f'{{"error":"API key invalid","api-key":"{KEY}","type":"invalid","status":"unknown"}}', JSON)],
        PubmedRefused,
        1,
        says="MONITOR_NCBI_API_KEY",
    ),
    Fault(
        "E3 key invalid inside 200",
        [http(f'{{"error":"API key invalid","api-key":"{KEY}"}}', kind=JSON)],
        PubmedRefused,
        1,
        ask="search",
    ),
    Fault(
        "E4 no usable id, XML",
        [status(400, "<eFetchResult><ERROR>ID list is empty! Possibly it has no correct IDs.</ERROR></eFetchResult>", "text/xml")],
        PubmedError,
        1,
        says="ID list is empty",
    ),
    Fault(
        "E4 no usable id, plain text with plus signs",
        [status(400, "ID+list+is+empty!+Possibly+it+has+no+correct+IDs.", "text/plain")],
        PubmedError,
        1,
        says="ID list is empty",
    ),
    Fault(
        "E4 inside 200",
        [http("<?xml version='1.0'?><eFetchResult><ERROR>ID list is empty!</ERROR></eFetchResult>")],
        PubmedError,
        1,
    ),
    Fault("E5 sporadic 400", [status(400), GOOD_FETCH], "ok", 2),
    Fault("E5 lasting 400", [status(400)], PubmedError, 2),
    Fault("E6 414", [status(414)], PubmedError, 1),
    Fault("E6 413 on a batch", [status(413)], BatchTooLarge, 1),
    Fault("E7 403 blocked", [status(403)], PubmedRefused, 1, says="eutilities@ncbi.nlm.nih.gov"),
    Fault("E7 401", [status(401)], PubmedRefused, 1),
    Fault("E7 407 proxy", [status(407)], PubmedRefused, 1, says="proxy"),
    Fault("E8 500 once", [status(500), GOOD_FETCH], "ok", 2),
    Fault("E8 502 on a batch, lasting", [status(502)], BatchTooLarge, 3),
    Fault("E8 504 on one record, lasting", [status(504)], PubmedUnavailable, 6, one=True),
    Fault("E8 503 lasting", [status(503)], PubmedUnavailable, 6),
    Fault("E8 503 with Retry-After", [status(503, headers=("Retry-After: 7",)), GOOD_SEARCH], "ok", 2, ask="search", waits=7),
    Fault(
        "E9 backend error in 200, passing",
        [search_error("Search Backend failed: Database is not supported: pubmed"), GOOD_SEARCH],
        "ok",
        2,
        ask="search",
    ),
    Fault(
        "E9 backend error in 200, lasting",
        [search_error("Search Backend failed: Unable to open connection to #PMQuerySrv?")],
        PubmedUnavailable,
        6,
        ask="search",
        says="PMQuerySrv",
    ),
    Fault(
        "E9 retstart beyond the barrier",
        [search_error("Search Backend failed: Exception:\n'retstart' cannot be larger than 9998.")],
        PubmedError,
        1,
        ask="search",
    ),
    Fault("E9 position out of range", [search_error("Position 15000 is out of acceptable range [9999,9998]")], PubmedError, 1, ask="search"),
    Fault("E9 wrong database", [search_error("Invalid db name specified: nothing")], PubmedError, 1, ask="search"),
    Fault(
        "E9 several ERROR elements",
        [http("<?xml version='1.0'?><eSearchResult><ERROR>one</ERROR><ERROR>two</ERROR></eSearchResult>")],
        PubmedUnavailable,
        6,
        ask="search",
        says="one; two",
    ),
    Fault("E10 C++ trace in 200", [http("NCBI C++ Exception: TXCLIENT::readAll EOF", kind="text/plain"), GOOD_FETCH], "ok", 2),
    Fault(
        "E10 address table empty in 200",
        [http("<?xml version='1.0'?><eSearchResult><ERROR>Couldn't resolve #exLinkSrv2, the address table is empty.</ERROR></eSearchResult>"), GOOD_SEARCH],
        "ok",
        2,
        ask="search",
    ),
    Fault("E11 prolog only, fetch", [http(DOCTYPE), GOOD_FETCH], "ok", 2),
    Fault("E11 prolog only, search", [http('<?xml version="1.0"?>'), GOOD_SEARCH], "ok", 2, ask="search"),
    Fault("E12 HTML in 200, fetch", [http(HTML, kind="text/html"), GOOD_FETCH], "ok", 2),
    Fault("E12 HTML in 200 called XML, search", [http(HTML), GOOD_SEARCH], "ok", 2, ask="search"),
    Fault("E12 another root", [http("<?xml version='1.0'?><eLinkResult/>"), GOOD_SEARCH], "ok", 2, ask="search"),
    Fault("E12 another root, fetch", [GOOD_SEARCH, GOOD_FETCH], "ok", 2),
    Fault("E13 cut inside a tag, length lies", [http(ANSWERED[:-40], length=len(ANSWERED)), GOOD_FETCH], "ok", 2),
    Fault("E13 cut inside a tag, length agrees", [http(ANSWERED[:-40]), GOOD_FETCH], "ok", 2),
    Fault(
        "E13 cut exactly between two records",
        [http(f"{DOCTYPE}<PubmedArticleSet>{record(90000001)}"), GOOD_FETCH],
        "ok",
        2,
    ),
    Fault(
        "E13 cut inside a character",
        [http(f"{DOCTYPE}<PubmedArticleSet>{record(90000001, 'Zürich')}".encode().split(b"\xbcrich")[0], length=-1), GOOD_FETCH],
        "ok",
        2,
    ),
    Fault("E13 chunked without an end", [chunked(ANSWERED[:500], end=False), GOOD_FETCH], "ok", 2),
    Fault("E13 cut for ever on a batch", [http(ANSWERED[:-9])], BatchTooLarge, 3),
    Fault("E13 gzip cut", [gzipped(ANSWERED, keep=200), GOOD_FETCH], "ok", 2),
    Fault("E13 gzip that is none", [http(ANSWERED, headers=("Content-Encoding: gzip",)), GOOD_FETCH], "ok", 2),
    Fault("E13 search cut", [http(search(90000001)[:-30]), GOOD_SEARCH], "ok", 2, ask="search"),
    Fault("E13 search without Count", [http("<?xml version='1.0'?><eSearchResult><IdList/></eSearchResult>"), GOOD_SEARCH], "ok", 2, ask="search"),
    Fault("E13 fewer ids than RetMax says", [http(search(90000001).replace("<RetMax>1<", "<RetMax>2<")), GOOD_SEARCH], "ok", 2, ask="search"),
    Fault("E14 empty body, fetch", [http(""), GOOD_FETCH], "ok", 2),
    Fault("E14 empty body, search", [http(""), GOOD_SEARCH], "ok", 2, ask="search"),
    Fault("E15 closed before the status line", [b"", GOOD_FETCH], "ok", 2),
    Fault("E15 reset before the answer", [reset, GOOD_FETCH], "ok", 2),
    Fault("E15 reset inside the body", [reset_inside, GOOD_FETCH], "ok", 2),
    Fault("E15 garbage instead of a status line", [b"\x16\x03\x01 no HTTP\r\n\r\n", GOOD_FETCH], "ok", 2),
    Fault("E15 silence", [silent, GOOD_FETCH], "ok", 2, options=SHORT),
    Fault("E15 stall inside the body", [stall, GOOD_FETCH], "ok", 2, options=SHORT),
    Fault("E15 drip beats every read timeout", [drip, GOOD_FETCH], "ok", 2, options=SHORT),
    Fault("E15 dripping headers", [drip_headers, GOOD_FETCH], "ok", 2, options=SHORT),
    Fault("E15 endless body on a batch", [endless], BatchTooLarge, 1, options={"largest": 2**20}),
    Fault("E15 endless body for one record", [endless], PubmedError, 1, one=True, options={"largest": 2**20}),
    Fault("E15 gzip bomb", [gzipped(b" " * 2**24)], BatchTooLarge, 1, options={"largest": 2**20}),
    Fault(
        "E16 unknown phrase beside hits",
        [http(search(90000001, 90000002, extra="<ErrorList><PhraseNotFound>abcXYZ</PhraseNotFound></ErrorList><WarningList><PhraseIgnored>the</PhraseIgnored><QuotedPhraseNotFound>\"CAR-iNK\"</QuotedPhraseNotFound><OutputMessage>Quoted phrase not found.</OutputMessage></WarningList>"))],
        "warned",
        1,
        ask="search",
    ),
    Fault(
        "E17 no hits",
        [http(search(extra="<WarningList><OutputMessage>No items found.</OutputMessage></WarningList>"))],
        "none",
        1,
        ask="search",
    ),
    Fault("E17 empty set", [http(f"{DOCTYPE}<PubmedArticleSet></PubmedArticleSet>")], "none", 1),
    Fault("E17 empty set, self-closed", [http(f"{DOCTYPE}<PubmedArticleSet/>")], "none", 1),
    Fault("E18 fewer records than asked for", [http(records(90000002))], "partial", 1),
    Fault("E19 expired history (which we never use)", [search_error("Unable to obtain query #1")], PubmedUnavailable, 6, ask="search"),
    Fault(
        "E20 control character in one record",
        [http(f"{DOCTYPE}<PubmedArticleSet>{record(90000001, 'bad &#1; byte')}{record(90000002)}</PubmedArticleSet>")],
        "one refused",
        1,
    ),
    Fault(
        "E20 bad UTF-8 in one record",
        [http(f"{DOCTYPE}<PubmedArticleSet>{record(90000001, 'XX')}{record(90000002)}</PubmedArticleSet>".encode().replace(b"XX", b"\xff\xfe"))],
        "one refused",
        1,
    ),
    Fault("E20 bad UTF-8 in a search, lasting", [http(search(90000001).encode().replace(b"invented", b"\xff"))], PubmedUnavailable, 6, ask="search"),
    Fault("entity bomb in a search", [http(BOMB)], PubmedUnavailable, 6, ask="search"),
    Fault("301 to another host", [status(301, headers=("Location: http://192.0.2.1/entrez/",))], PubmedUnavailable, 1, says="192.0.2.1"),
    Fault("302 to the same host", [status(302, headers=("Location: /elsewhere",))], PubmedUnavailable, 1),
    Fault("307 without address", [status(307)], PubmedUnavailable, 1),
    Fault("404 no E-utilities there", [status(404)], PubmedError, 1, says="MONITOR_EUTILS_URL"),
    Fault("408", [status(408), GOOD_FETCH], "ok", 2),
    Fault("chunked and whole", [chunked(ANSWERED)], "ok", 1),
    Fault("gzip and whole", [gzipped(ANSWERED)], "ok", 1),
    Fault("neither length nor chunks", [http(ANSWERED, length=-1)], "ok", 1),
    Fault("called text/plain", [http(ANSWERED, kind="text/plain")], "ok", 1),
    Fault("error with key and contact echoed", [search_error(f"no luck for {EMAIL} api_key={KEY}")], PubmedUnavailable, 6, ask="search"),
]  # fmt: skip


def test_the_matrix_is_as_large_as_promised() -> None:
    assert len({fault.form for fault in MATRIX}) == len(MATRIX) >= 40
    assert {f"E{n}" for n in range(1, 21)} <= {fault.form.split()[0] for fault in MATRIX}


@pytest.mark.parametrize("fault", MATRIX, ids=lambda fault: fault.form)
def test_each_form_has_its_outcome(fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    slept: list[float] = []
    pace = NoPace()
    with ScriptedServer(fault.replies) as server:
        client = PubmedClient(server.url, EMAIL, pace, api_key=KEY, sleep=slept.append, **fault.options)
        wanted = [90000001] if fault.one else [90000001, 90000002]
        error: MonitorError | None = None
        answer: Any = None
        try:
            answer = client.search("invented") if fault.ask == "search" else client.fetch(wanted)
        except MonitorError as caught:
            error = caught
    if isinstance(fault.outcome, str):
        assert error is None, error
        check_answer(fault.outcome, answer)
    else:
        assert type(error) is fault.outcome, error
        assert fault.says in str(error)
    assert len(server.asked) == fault.tries == pace.taken, "every try, and nothing else, takes a place"
    assert len(slept) == (fault.tries - 1)
    if fault.waits is not None:
        assert slept[0] == fault.waits
    elif slept:
        assert all(0.375 <= wait <= 30 * 1.25 for wait in slept)
        assert 0.375 <= slept[0] <= 1.25
    for asked in server.asked:
        assert asked.method == "POST"
        assert "?" not in asked.target
        assert KEY not in asked.target
        assert asked.form["tool"] == ["evidence-monitor"]
        assert asked.form["email"] == [EMAIL]
        assert asked.form["api_key"] == [KEY]
        assert asked.form["db"] == ["pubmed"]
    said = caplog.text + str(error) + repr(error)
    for secret in (KEY, EMAIL, ECHO, "canary"):
        assert secret not in said


def check_answer(outcome: str, answer: Any) -> None:
    if not isinstance(answer, bytes):
        assert answer.pmids == (() if outcome == "none" else (90000001, 90000002))
        assert answer.count == len(answer.pmids)
        assert answer.translation == "invented[All Fields]"
        if outcome == "warned":
            assert answer.unknown_phrases == ("abcXYZ", '"CAR-iNK"')
            assert answer.warnings == ("ignored: the", "Quoted phrase not found.")
        else:
            assert not answer.unknown_phrases
            assert not answer.warnings
        return
    found = list(read_records([answer]))
    pmids = [each.pmid for each in found]
    if outcome == "one refused":
        assert [type(each) for each in found][0] is RecordError
        assert pmids == [90000001, 90000002]
    else:
        assert pmids == {"ok": [90000001, 90000002], "none": [], "partial": [90000002]}[outcome]


@pytest.mark.parametrize("ask", ["search", "fetch"])
def test_nobody_answers(ask: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    slept: list[float] = []
    client = PubmedClient(f"http://127.0.0.1:{port}", EMAIL, NoPace(), sleep=slept.append)
    question: Callable[[], object] = (lambda: client.search("x")) if ask == "search" else (lambda: client.fetch([1, 2]))
    with pytest.raises(PubmedUnavailable, match="refused") as caught:
        question()
    assert not isinstance(caught.value, BatchTooLarge), "a smaller batch would not help"
    assert len(slept) == 5


def test_an_unknown_host_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    client = PubmedClient("http://pubmed.invalid/entrez", EMAIL, NoPace(), sleep=lambda _: None, tries=2)
    with pytest.raises(PubmedUnavailable, match="Name or service not known"):
        client.search("x")
