"""Every fault as a client meets it, seen over a raw socket."""

from __future__ import annotations

import gzip
import json
import re
import socket
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from threading import Thread
from typing import NamedTuple
from urllib.parse import urlencode
from xml.parsers import expat

import pytest

from monitor.errors import UsageError
from monitor.pubmed.sandbox import Corpus, Fault, Sandbox
from monitor.pubmed.sandbox.faults import CUTS, Rule
from tests.unit.sandbox.records import ask, record, until

BASE = 90000000
ASKED = [BASE + n for n in range(1, 5)]


def corpus() -> Corpus:
    return Corpus.of(
        *(record(BASE + n, f"Invented title {n}.", abstract="Caf\u00e9 \u65e5\u672c.") for n in range(1, 8))
    )


class Raw(NamedTuple):
    """All a client gets: bytes until the end, and how it ended (`end`, `reset`, `waiting`, `refused`)."""

    data: bytes
    ending: str

    @property
    def head(self) -> str:
        return self.data.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    def header(self, name: str) -> str | None:
        found = re.search(rf"(?im)^{name}: (.*?)\r?$", self.head)
        return found[1] if found else None

    @property
    def pmids(self) -> list[int]:
        assert well_formed(self.body)
        return [int(each) for each in re.findall(rb"<PMID[^>]*>(\d+)<", self.body)]


def raw(
    box: Sandbox, utility: str = "efetch", wait: float = 10.0, most: int = 1 << 20, more: str = "", **parameters: object
) -> Raw:
    """Send one POST over a bare socket and take what comes, up to `most` bytes and `wait` seconds of silence."""
    values = parameters or {"id": ",".join(map(str, ASKED)), "api_key": "k-invented"}
    form = urlencode(values)
    text = f"POST /entrez/eutils/{utility}.fcgi HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}"
    text += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n{form}"
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", box.port), timeout=wait) as connection:
            connection.sendall(text.encode())
            while len(got) < most:
                piece = connection.recv(65536)
                if not piece:
                    return Raw(got, "end")
                got += piece
    except ConnectionRefusedError:
        return Raw(got, "refused")
    except ConnectionResetError:
        return Raw(got, "reset")
    except TimeoutError:
        return Raw(got, "waiting")
    return Raw(got, "more")


def well_formed(body: bytes) -> bool:
    try:
        expat.ParserCreate().Parse(body, True)
    except expat.ExpatError:
        return False
    return True


def right(box: Sandbox) -> bytes:
    return ask(box, "efetch", id=",".join(map(str, ASKED))).body


def strike(
    box: Sandbox, fault: Fault, utility: str = "efetch", wait: float = 10.0, most: int = 1 << 20, **conditions: object
) -> Raw:
    box.faults.clear()
    box.fault(fault, utility=utility, calls=[1], **conditions)
    if utility == "efetch":
        return raw(box, wait=wait, most=most)
    return raw(box, utility, wait, most, term="invented[tiab]", id=str(BASE + 1))


def limited(retry: Callable[[str | None], bool], status: int = 429) -> Callable[[Sandbox, Fault], None]:
    def check(box: Sandbox, fault: Fault) -> None:
        got = strike(box, fault)
        assert (got.status, got.header("Content-Type")) == (status, "application/json; charset=UTF-8")
        body = json.loads(got.body)
        assert body == {"error": "API rate limit exceeded", "api-key": "k-invented", "count": "4", "limit": "3"}
        assert retry(got.header("Retry-After"))

    return check


def page(status: int) -> Callable[[Sandbox, Fault], None]:
    def check(box: Sandbox, fault: Fault) -> None:
        got = strike(box, fault)
        assert (got.status, got.header("Content-Type")) == (status, "text/html; charset=UTF-8")
        assert b"<html>" in got.body

    return check


def error(text: str, utility: str = "esearch", number: int = 1) -> Callable[[Sandbox, Fault], None]:
    def check(box: Sandbox, fault: Fault) -> None:
        got = strike(box, fault, utility)
        assert got.status == 200
        errors = re.findall(rb"<ERROR>(.*?)</ERROR>", got.body, re.DOTALL)
        assert len(errors) == number
        assert text.encode() in errors[0]
        assert well_formed(got.body)
        elsewhere = strike(box, fault, "efetch")
        assert b"<eFetchResult>" in elsewhere.body

    return check


def key_invalid(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert got.status == 400
    assert json.loads(got.body) == {
        "error": "API key invalid",
        "api-key": "k-invented",
        "type": "invalid",
        "status": "unknown",
    }


def no_ids(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert (got.status, b"ID list is empty!" in got.body) == (400, True)


def trace(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert (got.status, b"TXCLIENT::readAll" in got.body, well_formed(got.body)) == (200, True, False)


def prolog(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert got.body.endswith(b'pubmed_250101.dtd">\n')
    assert (got.status, got.header("Content-Length")) == (200, str(len(got.body)))


def as_json(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert (got.status, got.header("Content-Type")) == (200, "application/json; charset=UTF-8")
    assert json.loads(got.body)["header"]["type"] == "efetch"


def empty_body(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert (got.status, got.body, got.header("Content-Length")) == (200, b"", "0")


def wrong_type(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert (got.header("Content-Type"), got.pmids) == ("text/html; charset=UTF-8", ASKED)


def empty_result(box: Sandbox, fault: Fault) -> None:
    assert b"<Count>0</Count>" in strike(box, fault, "esearch").body
    assert strike(box, fault).pmids == []


def cut_short(ends: Callable[[bytes, bytes], bool]) -> Callable[[Sandbox, Fault], None]:
    def check(box: Sandbox, fault: Fault) -> None:
        whole = right(box)
        got = strike(box, fault, size=777 if fault is Fault.CUT_AT else None)
        assert got.ending == "end"
        assert whole.startswith(got.body)
        assert 0 < len(got.body) < len(whole)
        assert got.header("Content-Length") == str(len(got.body)), "the length matches what is sent"
        assert not well_formed(got.body)
        assert ends(got.body, whole[len(got.body) :])
        promised = strike(box, fault, framing="promised", size=777 if fault is Fault.CUT_AT else None)
        assert promised.header("Content-Length") == str(len(whole)), "the length promises the whole"
        assert promised.body == got.body
        chunked = strike(box, fault, framing="chunked", size=777 if fault is Fault.CUT_AT else None)
        assert chunked.header("Transfer-Encoding") == "chunked"
        assert not chunked.body.endswith(b"0\r\n\r\n"), "no last chunk"
        closed = strike(box, fault, framing="close", size=777 if fault is Fault.CUT_AT else None)
        assert (closed.header("Content-Length"), closed.header("Transfer-Encoding")) == (None, None)
        assert closed.body == got.body

    return check


def in_tag(got: bytes, rest: bytes) -> bool:
    return got.rindex(b"<") > got.rfind(b">") and b">" in rest


def in_character(got: bytes, rest: bytes) -> bool:
    return got[-1] >= 0x80 and 0x80 <= rest[0] < 0xC0


def between_records(got: bytes, rest: bytes) -> bool:
    return got.endswith(b"</PubmedArticle>") and rest.lstrip().startswith(b"<PubmedArticle>")


def poisoned(sign: bytes) -> Callable[[Sandbox, Fault], None]:
    def check(box: Sandbox, fault: Fault) -> None:
        got = strike(box, fault, pmid=ASKED[2])
        records = re.findall(rb"<PubmedArticle>.*?</PubmedArticle>", got.body, re.DOTALL)
        assert [sign in each for each in records] == [False, False, True, False]
        first = re.findall(rb"<PubmedArticle>.*?</PubmedArticle>", strike(box, fault).body, re.DOTALL)
        assert [sign in each for each in first] == [True, False, False, False]
        assert sign in strike(box, fault, "esearch").body

    return check


def undefined(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert b"<ArticleTitle>&nbsp;Invented" in got.body


def partial(box: Sandbox, fault: Fault) -> None:
    assert strike(box, fault).pmids == [ASKED[0], ASKED[2]]


def wrong_records(box: Sandbox, fault: Fault) -> None:
    pmids = strike(box, fault).pmids
    assert pmids
    assert not set(pmids) & set(ASKED)


def extra(box: Sandbox, fault: Fault) -> None:
    pmids = strike(box, fault).pmids
    assert pmids[:4] == ASKED
    assert len(set(pmids)) == 5


def duplicated(box: Sandbox, fault: Fault) -> None:
    assert strike(box, fault).pmids == [pmid for pmid in ASKED for _ in (1, 2)]


def shuffled(box: Sandbox, fault: Fault) -> None:
    pmids = strike(box, fault).pmids
    assert pmids != ASKED
    assert sorted(pmids) == ASKED


def bomb(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert got.body.count(b"<!ENTITY l") == 10
    assert b"<ArticleTitle>&l9;" in got.body
    assert b"&l9;" in strike(box, fault, "esearch").body


def external(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert f'<!ENTITY trap SYSTEM "{box.trap}entity">'.encode() in got.body
    assert b"<ArticleTitle>&trap;" in got.body


def external_dtd(box: Sandbox, fault: Fault) -> None:
    assert f'<!DOCTYPE PubmedArticleSet SYSTEM "{box.trap}dtd">'.encode() in strike(box, fault).body


def linkset_error(box: Sandbox, fault: Fault) -> None:
    assert b"</IdList>\n\t<ERROR>" in strike(box, fault, "elink").body


def scores_missing(box: Sandbox, fault: Fault) -> None:
    box.faults.clear()
    box.fault(fault)
    got = raw(box, "elink", id=BASE + 1, cmd="neighbor_score")
    assert b"<Link><Id>" in got.body
    assert b"<Score>" not in got.body


def refused(box: Sandbox, fault: Fault) -> None:
    assert strike(box, fault, seconds=0.5).data == b""
    until(lambda: raw(box).ending == "refused")
    until(lambda: raw(box).ending == "end")
    assert raw(box).pmids == ASKED


def reset(box: Sandbox, fault: Fault) -> None:
    assert strike(box, fault) == Raw(b"", "reset")


def reset_in_body(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault, size=1000)
    assert got.ending == "reset"
    assert got.body == right(box)[:1000]


def silent(box: Sandbox, fault: Fault) -> None:
    assert strike(box, fault) == Raw(b"", "end")


def garbage(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault)
    assert got.data
    assert not got.data.startswith(b"HTTP/")


def slow_start(box: Sandbox, fault: Fault) -> None:
    assert strike(box, fault, wait=0.1, seconds=60) == Raw(b"", "waiting")
    assert strike(box, fault, seconds=0.2).pmids == ASKED


def drip(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault, seconds=0.02, most=300)
    assert got.ending == "more"
    assert len(got.data) == 300, "byte by byte"


def stall(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault, wait=1, size=500)
    assert (got.ending, got.body) == ("waiting", right(box)[:500])


def endless(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault, most=3_000_000)
    assert got.ending == "more"
    assert got.header("Transfer-Encoding") == "chunked"
    assert strike(box, fault, framing="close", most=3_000_000).ending == "more"


def gzip_bomb(box: Sandbox, fault: Fault) -> None:
    got = strike(box, fault, size=50_000_000)
    assert got.header("Content-Encoding") == "gzip"
    assert len(got.body) < 100_000
    assert len(gzip.decompress(got.body)) == 50_000_000


def redirect(status: int) -> Callable[[Sandbox, Fault], None]:
    def check(box: Sandbox, fault: Fault) -> None:
        got = strike(box, fault)
        assert got.status == status
        assert got.header("Location") == f"http://localhost:{box.port}/trap/entrez/eutils/efetch.fcgi"
        assert strike(box, fault, text="https://example.invalid/").header("Location") == "https://example.invalid/"

    return check


def soon(value: str | None) -> bool:
    return value is not None and parsedate_to_datetime(value).tzinfo is not None


CHECKS: dict[Fault, Callable[[Sandbox, Fault], None]] = {
    Fault.RATE_LIMITED: limited(lambda value: value == "2"),
    Fault.RATE_LIMITED_SILENT: limited(lambda value: value is None),
    Fault.RATE_LIMITED_DATE: limited(soon),
    Fault.RATE_LIMITED_HUGE: limited(lambda value: value == "31536000"),
    Fault.RATE_LIMITED_IN_200: limited(lambda value: value is None, 200),
    Fault.KEY_INVALID: key_invalid,
    Fault.BAD_REQUEST: page(400),
    Fault.NO_IDS: no_ids,
    Fault.FORBIDDEN: page(403),
    Fault.URI_TOO_LONG: page(414),
    Fault.HTTP_500: page(500),
    Fault.HTTP_502: page(502),
    Fault.HTTP_503: page(503),
    Fault.HTTP_504: page(504),
    Fault.ERROR_ELEMENT: error("Search Backend failed"),
    Fault.SEVERAL_ERRORS: error("Search Backend failed", number=2),
    Fault.DATABASE_OUTAGE: error("Database is not supported: pubmed"),
    Fault.NO_CONNECTION: error("Unable to open connection to #PMQuerySrv"),
    Fault.RETSTART_REFUSED: error("'retstart' cannot be larger than 9998"),
    Fault.UNRESOLVED: error("Couldn't resolve #exLinkSrv2, the address table is empty.", "elink"),
    Fault.HISTORY_EXPIRED: error("Unable to obtain query #1"),
    Fault.CPP_TRACE: trace,
    Fault.PROLOG_ONLY: prolog,
    Fault.HTML_PAGE: page(200),
    Fault.JSON_FOR_XML: as_json,
    Fault.EMPTY_BODY: empty_body,
    Fault.WRONG_TYPE: wrong_type,
    Fault.EMPTY_RESULT: empty_result,
    Fault.CUT_IN_TAG: cut_short(in_tag),
    Fault.CUT_IN_CHARACTER: cut_short(in_character),
    Fault.CUT_BETWEEN_RECORDS: cut_short(between_records),
    Fault.CUT_AT: cut_short(lambda got, rest: len(got) == 777),
    Fault.ILLEGAL_CHARACTER: poisoned(b"\x02"),
    Fault.NUL: poisoned(b"\x00"),
    Fault.BAD_UTF8: poisoned(b"\xe9 "),
    Fault.UNBOUND_PREFIX: poisoned(b"<odd:x>"),
    Fault.UNDEFINED_ENTITY: undefined,
    Fault.PARTIAL_SET: partial,
    Fault.WRONG_RECORDS: wrong_records,
    Fault.EXTRA_RECORD: extra,
    Fault.DUPLICATED_RECORDS: duplicated,
    Fault.SHUFFLED: shuffled,
    Fault.ENTITY_BOMB: bomb,
    Fault.EXTERNAL_ENTITY: external,
    Fault.EXTERNAL_DTD: external_dtd,
    Fault.LINKSET_ERROR: linkset_error,
    Fault.SCORES_MISSING: scores_missing,
    Fault.REFUSED: refused,
    Fault.RESET: reset,
    Fault.RESET_IN_BODY: reset_in_body,
    Fault.SILENT_CLOSE: silent,
    Fault.GARBAGE: garbage,
    Fault.SLOW_START: slow_start,
    Fault.DRIP: drip,
    Fault.STALL: stall,
    Fault.ENDLESS: endless,
    Fault.GZIP_BOMB: gzip_bomb,
    Fault.REDIRECT_301: redirect(301),
    Fault.REDIRECT_302: redirect(302),
    Fault.REDIRECT_307: redirect(307),
}


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.value)
def test_the_fault_is_met_and_the_next_request_succeeds(fault: Fault) -> None:
    with Sandbox(corpus(), rate_limit=None) as box:
        CHECKS[fault](box, fault)
        struck = [each for each in box.log if each.fault == fault.value]
        assert struck
        assert box.trap_hits == []
        box.faults.clear()
        assert raw(box).pmids == ASKED


def test_every_fault_has_a_sentence() -> None:
    assert all(fault.__doc__ and fault.__doc__.endswith(".") for fault in Fault)


@pytest.mark.parametrize("utility", ["esearch", "epost", "esummary", "elink", "einfo", "espell", "ecitmatch"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault.CUT_IN_TAG,
        Fault.CUT_IN_CHARACTER,
        Fault.CUT_BETWEEN_RECORDS,
        Fault.NUL,
        Fault.EXTERNAL_ENTITY,
        Fault.WRONG_TYPE,
    ],
)
def test_faults_of_bodies_strike_every_utility(utility: str, fault: Fault) -> None:
    parameters = {"id": BASE + 1, "term": "invented[tiab]", "db": "pubmed", "bdata": "Invented J Cell Ther|2024||||k|"}
    with Sandbox(corpus(), rate_limit=None) as box:
        good = ask(box, utility, **parameters)
        box.fault(fault)
        bad = ask(box, utility, **parameters)
        unchanged = utility == "ecitmatch" and fault is Fault.EXTERNAL_ENTITY
        assert ((bad.body, bad.headers["Content-Type"]) == (good.body, good.headers["Content-Type"])) == unchanged


def test_a_redirect_that_is_followed_is_noticed() -> None:
    with Sandbox(corpus(), rate_limit=None) as box:
        box.fault(Fault.REDIRECT_302)
        ask(box, "efetch", id=BASE + 1)
        assert box.trap_hits == ["/trap/entrez/eutils/efetch.fcgi"]


# When they strike


def statuses(box: Sandbox, number: int, utility: str = "efetch", **parameters: object) -> list[int]:
    return [ask(box, utility, **(parameters or {"id": BASE + 1, "term": "x"})).status for _ in range(number)]


def test_calls_and_every_count_the_requests_that_meet_the_conditions() -> None:
    with Sandbox(corpus(), rate_limit=None) as box:
        box.fault(Fault.HTTP_502, utility="efetch", calls=[2, 3])
        box.fault(Fault.HTTP_503, utility="esearch", every=2, times=1)
        assert statuses(box, 4) == [200, 502, 502, 200]
        assert statuses(box, 6, "esearch") == [200, 503, 200, 200, 200, 200]


def test_large_batches_fail_and_smaller_ones_succeed() -> None:
    with Sandbox(corpus(), rate_limit=None) as box:
        box.fault(Fault.HTTP_502, more_than=3)
        assert ask(box, "efetch", id=ASKED).status == 502
        assert ask(box, "efetch", id=ASKED[:3]).status == 200
        posted = ask(box, "epost", id=ASKED[:3])
        box.corpus.add(record(BASE + 50))
        kept = {"WebEnv": posted.texts("WebEnv")[0], "query_key": 1}
        assert ask(box, "efetch", **kept).status == 200
        found = ask(box, "esearch", term="invented[tiab]", usehistory="y", retmax=0)
        assert ask(box, "efetch", WebEnv=found.texts("WebEnv")[0], query_key=1).status == 502, "by history as well"


def test_one_poisoned_record_spoils_whatever_it_is_fetched_with() -> None:
    with Sandbox(corpus(), rate_limit=None) as box:
        box.fault(Fault.NUL, pmid=ASKED[3])
        assert well_formed(ask(box, "efetch", id=ASKED[:3]).body)
        assert not well_formed(ask(box, "efetch", id=ASKED[2:]).body)
        assert not well_formed(ask(box, "efetch", id=ASKED[3]).body)


def test_probability_follows_the_seed() -> None:
    def play(seed: int) -> list[int]:
        with Sandbox(corpus(), rate_limit=None, seed=seed) as box:
            box.fault(Fault.HTTP_500, probability=0.5)
            return statuses(box, 20)

    assert play(1) == play(1)
    assert set(play(1)) == {200, 500}
    assert play(1) != play(2)


def test_the_first_rule_that_strikes_decides() -> None:
    with Sandbox(corpus(), rate_limit=None) as box:
        box.fault(Fault.HTTP_500, calls=[2])
        box.fault(Fault.HTTP_503, calls=[1, 2, 3])
        assert statuses(box, 4) == [503, 500, 503, 200]


@pytest.mark.parametrize(
    "conditions",
    [
        {"utility": "egrep"},
        {"framing": "none"},
        {"probability": 1.5},
        {"every": 0},
        {"times": 0},
        {"calls": [0]},
        {"more_than": -1},
        {"seconds": -1},
    ],
)
def test_conditions_that_make_no_sense_are_refused(conditions: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="http-500"):
        Rule(Fault.HTTP_500, **conditions)


def test_stopping_ends_answers_that_never_would() -> None:
    box = Sandbox(corpus(), rate_limit=None)
    box.start()
    box.fault(Fault.STALL, calls=[1])
    box.fault(Fault.ENDLESS, calls=[2])
    got: list[Raw] = []
    threads = [Thread(target=lambda: got.append(raw(box, wait=20, most=1 << 40))) for _ in (1, 2)]
    for thread in threads:
        thread.start()
    until(lambda: len([each for each in box.log if each.answered]) == 2)
    box.stop()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert len(got) == 2


def test_cuts_are_cuts() -> None:
    assert set(CUTS) == {fault for fault in Fault if fault.name.startswith("CUT_")}
