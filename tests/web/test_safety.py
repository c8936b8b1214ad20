"""No request brings a fault, a trace, another site's page or a changed row, whatever it holds."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message, Scope

from monitor.web.safety import BODY_LIMIT, LETTER_POLICY, PAGE_POLICY, host_name
from tests.web.conftest import browser
from tests.web.site import World

_ASKER = ThreadPoolExecutor(1)
REQUIRED = ("content-security-policy", "x-content-type-options", "referrer-policy", "cache-control", "x-robots-tag")


def ask(world: World, scope: dict[str, Any], body: list[bytes] = [b""]) -> tuple[int, dict[str, str], bytes]:  # noqa: B006
    """Speak ASGI straight to the application, as a server would for bytes that no client library lets pass."""
    parts = iter(body)
    sent: list[Message] = []
    left = len(body)

    async def receive() -> Message:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": next(parts, b""), "more_body": left > 0}

    async def send(message: Message) -> None:
        sent.append(message)

    full: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8000")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    } | scope
    # In a thread of its own: where a browser test ran before in this process, its driver holds a loop in this one.
    _ASKER.submit(asyncio.run, world.app(full, receive, send)).result()  # type: ignore[arg-type]
    start = next(each for each in sent if each["type"] == "http.response.start")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    return start["status"], headers, b"".join(each.get("body", b"") for each in sent)


paths = st.one_of(
    st.sampled_from(["/", "/sign-in", "/health", "/healthz", "/robots.txt", "/static/x/site.css"]),
    st.text(max_size=80).map(lambda text: "/" + text),
    st.text(max_size=80).map(lambda text: "/u/" + text),
    st.text(max_size=80).map(lambda text: "/issues/" + text),
    st.text(max_size=80).map(lambda text: "/feeds/" + text),
    st.text("abcXYZ019-_", min_size=16, max_size=30).map(lambda key: f"/feeds/{key}.atom"),
    st.text(max_size=40).map(lambda text: f"/static/{text}/{text}"),
)
methods = st.sampled_from(
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X"]
)
names = st.sampled_from(
    [b"host", b"content-length", b"content-type", b"transfer-encoding", b"x-forwarded-for", b"range", b"if-none-match",
     b"if-modified-since", b"accept", b"accept-language", b"cookie", b"origin", b"expect", b"upgrade", b"x-odd"]
)  # fmt: skip
headers = st.lists(st.tuples(names, st.binary(max_size=60)), max_size=6)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(method=methods, path=paths, more=headers, query=st.binary(max_size=40), body=st.binary(max_size=200))
def test_no_request_brings_a_fault(
    site: World, method: str, path: str, more: list[tuple[bytes, bytes]], query: bytes, body: bytes
) -> None:
    scope = {
        "method": method,
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "query_string": query,
        "headers": [(b"host", b"127.0.0.1:8000"), *more],
    }
    status, answered, content = ask(site, scope, [body])
    assert status < 500 or path == "/healthz", (status, content)
    assert b"Traceback" not in content
    for name in REQUIRED:
        assert name in answered, (name, status)
    assert "set-cookie" not in answered
    assert answered["content-security-policy"] in (PAGE_POLICY, LETTER_POLICY)


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_a_host_header_is_read_or_refused_never_a_fault(text: str) -> None:
    found = host_name(text)
    assert found == found.lower()
    assert not set(found) & set("/@\\ ")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost@evil.example", 421),
        ("evil.example#localhost", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_only_our_own_hosts_are_served(site: World, host: str, status: int) -> None:
    """A page of another site whose name points at this machine (DNS rebinding) gets nothing."""
    answered, headers, content = ask(site, {"path": "/sign-in", "headers": [(b"host", host.encode())]})
    assert answered == status
    assert "content-security-policy" in headers
    assert (b"<h1>" in content) == (status == 200)


@pytest.mark.parametrize(
    "origin", ["http://[", "http://]", "//", "", "null", "http://127.0.0.1:8000@evil.example", "\xff"]
)
def test_an_origin_that_cannot_be_read_is_a_foreign_one(site: World, origin: str) -> None:
    headers = [(b"host", b"127.0.0.1:8000"), (b"origin", origin.encode("latin-1"))]
    assert ask(site, {"method": "POST", "path": "/sign-in", "headers": headers})[0] == 403


def test_without_a_host_nothing_is_served(site: World) -> None:
    assert ask(site, {"headers": []})[0] == 421


@pytest.mark.parametrize("length", [str(BODY_LIMIT + 1), "9" * 5000, "-1", "1e3", "٣", "0x10"])
def test_a_body_announced_too_large_is_refused_before_it_is_read(site: World, length: str) -> None:
    headers = [(b"host", b"localhost"), (b"content-length", length.encode())]
    status, answered, _ = ask(site, {"method": "POST", "path": f"/u/{site.token}", "headers": headers})
    assert (status, answered["connection"]) == (413, "close")
    assert site.receives


def test_a_chunked_one_click_is_accepted(fresh: World) -> None:
    """Some proxies pass bodies on in chunks, without a length."""
    headers = [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")]
    scope = {"method": "POST", "path": f"/u/{fresh.token}", "headers": headers}
    assert ask(fresh, scope, [b"List-Unsubscribe", b"=One-Click"])[0] == 200
    assert not fresh.receives


def test_nothing_on_a_page_is_markup_from_outside(site: World) -> None:
    answer = browser(site).get("/u/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert "<script" not in answer.text
