"""The HTTP surface, the rate limit, the line and the log."""

from __future__ import annotations

import gzip
import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from monitor.errors import UsageError
from monitor.pubmed.sandbox import Corpus, Fault, RateLimit, Sandbox, SetClock
from monitor.pubmed.sandbox.limits import Line
from tests.unit.sandbox.records import ask, record, until

A = 90000001


def sandbox(**behaviour: object) -> Sandbox:
    corpus = Corpus.of(*(record(A + n, f"Invented title {n}.") for n in range(20)))
    return Sandbox(corpus, **{"rate_limit": None, **behaviour})


# Paths, methods, framing


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/entrez/eutils/",
        "/entrez/eutils/efetch",
        "/entrez/eutils/efetch.cgi",
        "/entrez/eutils/ecitmatch.fcgi",
        "/entrez/eutils/x.fcgi",
    ],
)
def test_other_paths_are_not_found(path: str) -> None:
    with sandbox() as box:
        connection = http.client.HTTPConnection("127.0.0.1", box.port, timeout=5)
        connection.request("GET", path)
        reply = connection.getresponse()
        assert (reply.status, reply.headers["Content-Type"]) == (404, "text/html; charset=UTF-8")
        assert b"<html>" in reply.read()
        connection.close()


def test_egquery_is_retired() -> None:
    with sandbox() as box:
        reply = ask(box, "egquery", term="x")
        assert (reply.status, reply.texts("ERROR")) == (400, ["EGQuery has been retired"])


def test_parameters_come_from_url_and_body_together() -> None:
    with sandbox() as box:
        connection = http.client.HTTPConnection("127.0.0.1", box.port, timeout=5)
        connection.request("POST", f"/entrez/eutils/efetch.fcgi?id={A}", urlencode({"id": A + 1}))
        assert connection.getresponse().read().count(b"<PubmedArticle>") == 2
        connection.close()


def test_one_connection_serves_many_requests() -> None:
    with sandbox() as box:
        connection = http.client.HTTPConnection("127.0.0.1", box.port, timeout=5)
        for _ in range(3):
            connection.request("POST", "/entrez/eutils/efetch.fcgi", f"id={A}")
            assert b"<PubmedArticle>" in connection.getresponse().read()
        connection.close()
        ask(box, "einfo")
        assert [each.connection for each in box.log] == [1, 1, 1, 2]


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_bodies_come_in_three_framings(framing: str) -> None:
    with sandbox(framing=framing) as box:
        reply = ask(box, "efetch", id=A)
        assert reply.fetched == [A]
        headers = {name for name in reply.headers if name in ("Content-Length", "Transfer-Encoding")}
        assert headers == {"length": {"Content-Length"}, "chunked": {"Transfer-Encoding"}, "close": set()}[framing]


def test_gzip_only_when_asked_for_and_switched_on() -> None:
    ids = ",".join(str(A + n) for n in range(20))
    with sandbox() as box:
        assert "Content-Encoding" not in ask(box, "efetch", id=ids, headers={"Accept-Encoding": "gzip"}).headers
        box.gzip = True
        assert "Content-Encoding" not in ask(box, "efetch", id=ids, headers={"Accept-Encoding": "identity"}).headers
        packed = ask(box, "efetch", id=ids, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.body) == ask(box, "efetch", id=ids).body


def test_a_long_url_is_refused_and_a_long_body_is_not() -> None:
    ids = ",".join(str(A + n) for n in range(1000))
    with sandbox(url_limit=4000) as box:
        reply = ask(box, "efetch", get=True, id=ids)
        assert (reply.status, reply.headers["Content-Type"]) == (414, "text/html; charset=UTF-8")
        assert len(ask(box, "efetch", id=ids).fetched) == 20


@pytest.mark.parametrize(
    ("header", "status"),
    [("Content-Length: x", b"400"), ("Content-Length: -1", b"400"), ("Transfer-Encoding: chunked", b"411")],
)
def test_bodies_without_a_usable_length_are_refused(header: str, status: bytes) -> None:
    with sandbox() as box, socket.create_connection(("127.0.0.1", box.port), timeout=5) as connection:
        connection.sendall(f"POST /entrez/eutils/einfo.fcgi HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode())
        assert connection.recv(1000).split()[1] == status


def test_head_has_no_body() -> None:
    with sandbox() as box:
        connection = http.client.HTTPConnection("127.0.0.1", box.port, timeout=5)
        connection.request("HEAD", "/entrez/eutils/einfo.fcgi")
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (200, b"")
        connection.close()


# The log


def test_the_log_says_who_asked_what_and_never_the_key() -> None:
    now = datetime(2026, 9, 14, tzinfo=UTC)
    with sandbox(clock=SetClock(now)) as box:
        ask(
            box,
            "efetch",
            id=A,
            tool="monitor",
            email="admin@example.org",
            api_key="k-secret",
            headers={"User-Agent": "t/1"},
        )
        ask(box, "efetch", get=True, id="x", api_key="k-secret")
        first, second = box.requests("efetch")
    assert (first.at, first.method, first.path) == (now, "POST", "/entrez/eutils/efetch.fcgi")
    assert first.parameters == {"id": [str(A)], "tool": ["monitor"], "email": ["admin@example.org"]}
    assert (first.has_api_key, first.key_in_url, second.key_in_url) == (True, False, True)
    assert (first.tool, first.email, first.user_agent, second.tool) == ("monitor", "admin@example.org", "t/1", None)
    assert (first.status, second.status) == (200, 400)
    assert first.body_size == len(
        urlencode({"id": A, "tool": "monitor", "email": "admin@example.org", "api_key": "k-secret"})
    )
    assert first.answered > 500
    assert "k-secret" not in repr(box.log)


# The rate limit


def test_three_a_second_for_an_address_and_then_429() -> None:
    with sandbox(rate_limit=RateLimit(window=600)) as box:
        replies = [ask(box, "einfo") for _ in range(4)]
        assert [each.status for each in replies] == [200, 200, 200, 429]
        assert [each.headers["X-RateLimit-Remaining"] for each in replies] == ["2", "1", "0", "0"]
        assert {each.headers["X-RateLimit-Limit"] for each in replies} == {"3"}
        assert replies[3].headers["Retry-After"] == "2"
        assert replies[3].json == {
            "error": "API rate limit exceeded",
            "api-key": "127.0.0.1",
            "count": "4",
            "limit": "3",
        }
        assert [(each.who, each.count, each.limit) for each in box.violations] == [("127.0.0.1", 4, 3)]


def test_ten_a_second_for_a_key_over_all_connections() -> None:
    with sandbox(rate_limit=RateLimit(window=600)) as box, ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: ask(box, "einfo", api_key="k-secret").status, range(12)))
        assert sorted(statuses) == [200] * 10 + [429] * 2
        assert ask(box, "einfo", api_key="another").status == 200
        assert ask(box, "einfo").status == 200
        assert {each.who for each in box.violations} == {"key"}


def test_the_window_slides_and_refused_requests_count() -> None:
    limit = RateLimit()
    times = [0.0, 0.3, 0.6, 0.9, 1.0, 1.3, 1.65]
    assert [limit.count("a", False, at)[0] for at in times] == [1, 2, 3, 4, 4, 4, 4]
    assert [each.at for each in limit.violations] == [0.9, 1.0, 1.3, 1.65]
    assert limit.count("b", False, 1.7)[0] == 1
    assert limit.count("a", False, 5.0)[0] == 1


def test_keys_that_are_not_known_are_refused_and_count_for_the_address() -> None:
    with sandbox(rate_limit=True, api_keys={"good"}) as box:
        assert ask(box, "einfo", api_key="good").headers["X-RateLimit-Limit"] == "10"
        bad = ask(box, "einfo", api_key="bad")
        assert (bad.status, bad.json["error"], bad.headers["X-RateLimit-Limit"]) == (400, "API key invalid", "3")


def test_the_limit_can_be_switched_off_and_be_other() -> None:
    with sandbox() as box:
        replies = [ask(box, "einfo") for _ in range(12)]
        assert {each.status for each in replies} == {200}
        assert "X-RateLimit-Limit" not in replies[0].headers
        assert box.violations == []
    with sandbox(rate_limit=RateLimit(without_key=1, window=600, retry_after=None)) as box:
        replies = [ask(box, "einfo") for _ in range(2)]
        assert [each.status for each in replies] == [200, 429]
        assert "Retry-After" not in replies[1].headers


# The line


def test_latency_is_of_the_request_and_of_each_id(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    with sandbox(latency=1.5, latency_per_id=0.25) as box:
        monkeypatch.setattr(box.stopping, "wait", waited.append)
        ask(box, "efetch", id=f"{A},{A + 1}")
        ask(box, "einfo")
    assert waited == [2.0, 1.5]


def test_the_line_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    line = Line(1000)
    for size in (500, 500, 1000):
        line.wait(size)
    assert waited == [0.5, 1.0, 2.0]
    Line(None).wait(1 << 40)
    assert len(waited) == 3


def test_a_slow_line_still_carries_everything() -> None:
    with sandbox(bytes_per_second=1_000_000) as box:
        assert len(ask(box, "efetch", id=[A + n for n in range(20)]).fetched) == 20
        assert box.bytes_sent == sum(each.answered for each in box.log)


def test_a_callback_at_the_kth_byte() -> None:
    sent: list[int] = []
    with sandbox() as box:
        box.after_bytes = (100, lambda: sent.append(box.bytes_sent))
        body = ask(box, "efetch", id=A).body
        until(lambda: len(sent) == 1)
        assert ask(box, "efetch", id=A).body == body
        assert len(sent) == 1
        # At the very last byte too.
        box.after_bytes = (box.bytes_sent + len(body), lambda: sent.append(0))
        assert ask(box, "efetch", id=A).body == body
        until(lambda: len(sent) == 2)


# Starting and stopping


def test_a_port_in_use_is_a_sentence() -> None:
    with sandbox() as box, pytest.raises(UsageError, match=f"port {box.port} of 127.0.0.1 cannot be used"):
        sandbox(port=box.port).start()


def test_it_listens_on_loopback_only() -> None:
    with sandbox() as box:
        assert box.url == f"http://127.0.0.1:{box.port}/entrez/eutils/"
        assert box._server is not None
        assert box._server.socket.getsockname()[0] == "127.0.0.1"


def test_refusing_and_accepting_again_on_the_same_port() -> None:
    with sandbox() as box:
        port = box.port
        box.refuse()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        box.accept()
        assert box.port == port
        assert ask(box, "einfo").status == 200
        box.refuse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_it_may_stop_while_it_refuses() -> None:
    box = sandbox()
    box.start()
    port = box.port
    box.refuse()
    box.refuse()
    box.refuse_for(600)
    box.stop()
    box.accept()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_many_clients_at_once_get_what_each_asked_for() -> None:
    with sandbox() as box, ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda n: ask(box, "efetch", id=A + n % 20).fetched, range(80)))
        assert replies == [[A + n % 20] for n in range(80)]
        found = set(pool.map(lambda n: ask(box, "esearch", term=f"{n % 20}[ti]").count, range(80)))
        assert found == {1}


def test_faults_and_limits_are_apart() -> None:
    with sandbox(rate_limit=True) as box:
        box.fault(Fault.RATE_LIMITED, calls=[1])
        assert ask(box, "einfo").status == 429
        assert box.violations == [], "a scripted refusal is no violation"
