"""How the PubMed client asks: words of the request, pace, patience, and Biopython's state left alone."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from Bio import Entrez
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import MonitorError, PubmedUnavailable
from monitor.pubmed.client import PubmedClient
from monitor.pubmed.opener import LATE
from monitor.pubmed.responses import AskAgain, check_records, read_search, retry_after
from tests.scripted_http import Asked, ScriptedServer, http

SEARCH = (
    "<?xml version='1.0'?><eSearchResult><Count>3</Count><RetMax>1</RetMax><RetStart>2</RetStart>"
    "<IdList><Id>90000003</Id></IdList><QueryTranslation>x</QueryTranslation></eSearchResult>"
)
EMPTY = "<?xml version='1.0'?><PubmedArticleSet></PubmedArticleSet>"


class Pace:
    def __init__(self, *waits: float) -> None:
        self.waits = list(waits)
        self.taken = 0

    def reserve(self) -> float:
        self.taken += 1
        return self.waits.pop(0) if self.waits else 0.0


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(lambda asked: http(SEARCH if asked.utility == "esearch.fcgi" else EMPTY)) as running:
        yield running


def test_a_search_says_what_it_wants(server: ScriptedServer) -> None:
    result = PubmedClient(server.url, "lab@example.org", Pace()).search('"CAR-NK"[tiab] AND ü', start=2, limit=1)
    assert (result.pmids, result.count, result.translation) == ((90000003,), 3, "x")
    (asked,) = server.asked
    assert asked.form == {
        "db": ["pubmed"],
        "term": ['"CAR-NK"[tiab] AND ü'],
        "retstart": ["2"],
        "retmax": ["1"],
        "retmode": ["xml"],
        "tool": ["evidence-monitor"],
        "email": ["lab@example.org"],
    }
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.headers["accept-encoding"] == "gzip"
    assert asked.headers["user-agent"].startswith("evidence-monitor/")


def test_pmids_are_asked_for_once_each_as_plain_numbers(server: ScriptedServer) -> None:
    client = PubmedClient(server.url, "lab@example.org", Pace())
    client.fetch([3, 1, 3, 2])
    assert server.asked[0].form["id"] == ["3,1,2"]
    with pytest.raises(ValueError, match="no PMIDs"):
        client.fetch([])


@pytest.mark.parametrize("number", [1, 199, 200, 500, 9999])
def test_every_size_is_a_post_to_a_bare_address(server: ScriptedServer, number: int) -> None:
    """Biopython words requests below 200 ids and 1,000 characters as GET, key in the address."""
    PubmedClient(server.url, "lab@example.org", Pace(), api_key="k").fetch(range(90_000_001, 90_000_001 + number))
    (asked,) = server.asked
    assert (asked.method, asked.target) == ("POST", "/entrez/eutils/efetch.fcgi")
    assert len(asked.form["id"][0].split(",")) == number


def test_biopython_itself_is_left_alone(server: ScriptedServer) -> None:
    before = {name: getattr(Entrez, name) for name in ("email", "tool", "api_key", "max_tries", "urlopen", "time")}
    default = socket.getdefaulttimeout()
    PubmedClient(server.url, "lab@example.org", Pace(), api_key="secret").search("x")
    assert {name: getattr(Entrez, name) for name in before} == before
    assert socket.getdefaulttimeout() == default


def test_two_clients_keep_apart(server: ScriptedServer) -> None:
    with ScriptedServer([http(SEARCH)]) as other:
        first = PubmedClient(server.url, "one@example.org", Pace(), api_key="first")
        second = PubmedClient(other.url, "two@example.org", Pace())
        threads = [threading.Thread(target=client.search, args=("x",)) for client in (first, second) * 5]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [asked.form["email"] for asked in server.asked] == [["one@example.org"]] * 5
        assert [asked.form["email"] for asked in other.asked] == [["two@example.org"]] * 5
        assert all("api_key" not in asked.form for asked in other.asked)


def test_biopython_adds_no_spacing_of_its_own() -> None:
    """Its 0.37 s stand in a global without a lock, and a clock set back by ten minutes would hold it that long."""
    barrier = threading.Barrier(6, timeout=20)

    def together(asked: Asked) -> bytes:
        return http(SEARCH)

    with ScriptedServer(together) as server:
        client = PubmedClient(server.url, "lab@example.org", Pace())

        def ask() -> None:
            barrier.wait()
            client.search("x")

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        barrier.wait()
        for thread in threads:
            thread.join(20)
        assert len(server.asked) == 5
        assert client._entrez.time.sleep(600) is None


def test_a_place_is_waited_for_before_asking(server: ScriptedServer) -> None:
    slept: list[float] = []
    PubmedClient(server.url, "lab@example.org", Pace(0.25), sleep=slept.append).search("x")
    assert slept == [0.25]


def test_a_place_that_was_overslept_is_given_up(server: ScriptedServer) -> None:
    """Sent late, the request would come right before the next one and three in a second would be four."""
    pace = Pace(0.01, 0.0)

    def oversleep(seconds: float) -> None:
        time.sleep(seconds + 2 * LATE)

    PubmedClient(server.url, "lab@example.org", pace, sleep=oversleep).search("x")
    assert pace.taken == 2
    assert len(server.asked) == 1


def test_patience_ends_before_the_tries_do() -> None:
    slept: list[float] = []
    with ScriptedServer([http("", status=429, headers=["Retry-After: 50"])]) as server:
        client = PubmedClient(server.url, "lab@example.org", Pace(), patience=49, sleep=slept.append)
        with pytest.raises(PubmedUnavailable, match="1 tries"):
            client.search("x")
    assert slept == []


def test_waits_double_up_to_half_a_minute() -> None:
    slept: list[float] = []
    with ScriptedServer([http("", status=503)]) as server, pytest.raises(PubmedUnavailable):
        PubmedClient(server.url, "lab@example.org", Pace(), tries=8, sleep=slept.append).search("x")
    for wait, plain in zip(slept, [1, 2, 4, 8, 16, 30, 30], strict=True):
        assert 0.75 * plain <= wait <= 1.25 * plain


@pytest.mark.parametrize("home", ["/dev/null", "/nonexistent/home", "readonly", ""])
def test_an_odd_home_does_not_matter(home: str, tmp_path: Path, server: ScriptedServer) -> None:
    """Biopython's parser makes folders in HOME when it is imported, and dies where it cannot; we do not import it."""
    if home == "readonly":
        (tmp_path / "home").mkdir(mode=0o500)
        home = str(tmp_path / "home")
    code = (
        "import sys\n"
        "from monitor.pubmed.client import PubmedClient\n"
        "class P:\n"
        "    def reserve(self): return 0.0\n"
        "c = PubmedClient(sys.argv[1], 'lab@example.org', P(), tries=1)\n"
        "assert c.search('x').count == 3\n"
        "assert b'PubmedArticleSet' in c.fetch([1])\n"
        "assert 'Bio.Entrez.Parser' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", code, server.url],
        check=True,
        env={"HOME": home, "PATH": "/usr/bin:/bin"},
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.parametrize(
    "doctype",
    [
        "",
        '<!DOCTYPE eSearchResult PUBLIC "-//NLM//DTD esearch 20990101//EN" "https://dtd.invalid/esearch.dtd">',
        '<!DOCTYPE eSearchResult SYSTEM "file:///etc/passwd">',
    ],
)
def test_no_dtd_is_ever_looked_at(doctype: str) -> None:
    result = read_search(SEARCH.replace("<eSearchResult>", f"{doctype}<eSearchResult>", 1).encode())
    assert result.count == 3


def test_new_elements_in_a_search_result_do_no_harm() -> None:
    result = read_search(SEARCH.replace("<IdList>", "<New><Id>7</Id></New><IdList>").encode())
    assert result.pmids == (90000003,)


@pytest.mark.parametrize("root", ["PubmedArticleSet", "PubmedBookArticleSet"])
@pytest.mark.parametrize(
    "head", ["", "\ufeff", "<?xml version='1.0'?>\n<!-- note --><!DOCTYPE x [ <!ELEMENT a ANY> ]>\n"]
)
def test_whole_sets_pass(root: str, head: str) -> None:
    body = f"{head}<{root} a='1'><x/></{root}>\n".encode()
    assert check_records(body) == body


@given(st.integers(0, len(SEARCH) - 2))
def test_a_search_cut_anywhere_does_not_count(at: int) -> None:
    with pytest.raises(AskAgain):
        read_search(SEARCH[:at].encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_told_apart_without_a_crash(body: bytes) -> None:
    for read in (read_search, check_records):
        try:
            read(body)
        except (AskAgain, MonitorError):
            continue


@given(st.text(max_size=40))
def test_any_retry_after_is_read_or_ignored(value: str) -> None:
    wait = retry_after(value, datetime(2026, 11, 22, tzinfo=UTC))
    assert wait is None or 0 <= wait <= 60


def test_retry_after_as_a_date() -> None:
    now = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
    assert retry_after("Sun, 22 Nov 2026 12:00:09 GMT", now) == 9
    assert retry_after("Sun, 22 Nov 2026 13:00:00 GMT", now) == 60
    assert retry_after("Sun, 22 Nov 2026 11:00:00 GMT", now) == 0
    assert retry_after(None, now) is None


def test_pubmed_works_on_three_requests_at_once_and_the_line_on_more() -> None:
    """Answers that are on their way do not count: PubMed has done its work on them."""
    lock = threading.Lock()
    working = most = answering = 0
    slow = threading.Event()

    def reply(connection: socket.socket) -> None:
        nonlocal working, most, answering
        with lock:
            working += 1
            most = max(most, working)
        time.sleep(0.1)
        body = http(EMPTY)
        with lock:
            working -= 1
            answering += 1
        connection.sendall(body[:-10])
        slow.wait(10)
        connection.sendall(body[-10:])

    with ScriptedServer([reply]) as server:
        client = PubmedClient(server.url, "lab@example.org", Pace())
        threads = [threading.Thread(target=client.fetch, args=([number],)) for number in range(1, 8)]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + 20
        while answering < 7 and time.monotonic() < ends:
            time.sleep(0.01)
        assert answering == 7, "none waits for an answer that is still on the line"
        slow.set()
        for thread in threads:
            thread.join(20)
    assert most == 3
