"""Every page: what it shows, to whom, and that reading changes nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from monitor.core.health import Finding, State
from monitor.errors import DatabaseUnavailable
from monitor.web.app import create_app
from monitor.web.pages import FOREVER
from monitor.web.site import Site
from tests.web.conftest import browser
from tests.web.site import ADA, World, world

STRANGER = ("203.0.113.7", 50000)


@pytest.mark.parametrize(
    "asking",
    [
        {"client": STRANGER},
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"Via": "1.1 proxy"},
    ],
    ids=str,
)
def test_without_signing_in_health_is_for_this_machine_alone(site: World, asking: dict[str, str]) -> None:
    client = browser(site, **asking)  # type: ignore[arg-type]
    health, healthz = client.get("/health"), client.get("/healthz")
    assert (health.status_code, health.headers["location"]) == (303, "/sign-in?next=%2Fhealth")
    assert "Searched" not in health.text
    assert healthz.json() == {"status": "problem"}


def test_behind_a_public_address_nobody_counts_as_this_machine(tmp_path: Path) -> None:
    """A proxy on the same machine that forwards nothing about its visitors looks just like a local browser."""
    with world(tmp_path, "https://monitor.lab.example") as public:
        client = browser(public)
        client.base_url = "https://monitor.lab.example"
        assert client.get("/health").status_code == 303
        assert client.get(f"/issues/{public.key}").status_code == 200
        assert "max-age" in client.get("/sign-in").headers["strict-transport-security"]


def test_an_issue_opens_by_its_key_from_anywhere(site: World) -> None:
    answer = browser(site, STRANGER).get(f"/issues/{site.key}")
    assert answer.status_code == 200
    assert "2026-W48" in answer.text or "W48" in answer.text
    assert site.token not in answer.text
    assert "/u/" not in answer.text, "a page for everybody must not unsubscribe anybody"
    assert ADA not in answer.text
    assert "unsafe-inline" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("tail", [".", ">", "),", "%E3%80%82", "%3E"])
def test_what_mail_programs_glue_to_a_link_does_no_harm(site: World, tail: str) -> None:
    assert browser(site).get(f"/issues/{site.key}{tail}").status_code == 200
    assert ADA in browser(site).get(f"/u/{site.token}{tail}").text


@pytest.mark.parametrize("key", ["x", "x" * 22, "x" * 5000, "%00" * 22, "%ff" * 22, "..%2f..%2fetc", "a%0d%0ab"])
def test_a_wrong_key_is_a_page_not_a_fault(site: World, key: str) -> None:
    answer = browser(site).get(f"/issues/{key}")
    assert answer.status_code == 404
    assert "No such" in answer.text


def test_the_link_asks_first_and_reading_it_changes_nothing(fresh: World) -> None:
    client = browser(fresh, STRANGER)
    for method in ("GET", "HEAD", "GET"):
        assert client.request(method, f"/u/{fresh.token}").status_code == 200
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert client.request(method, f"/u/{fresh.token}").status_code == 405
    assert fresh.receives
    assert re.search(rf'<form method="post" action="/u/{fresh.token}"><button', client.get(f"/u/{fresh.token}").text)


def test_one_click_stops_the_digest_any_number_of_times(fresh: World) -> None:
    """RFC 8058: the mail provider posts the body, without cookies, and from another site."""
    client = browser(fresh, STRANGER, **{"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"})
    for _ in range(3):
        answer = client.post(f"/u/{fresh.token}", data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
        assert "stopped" in answer.text
    assert not fresh.receives
    assert "already stopped" in client.get(f"/u/{fresh.token}").text


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"List-Unsubscribe=One-Click", b"{" * 1000])
def test_whatever_is_posted_the_link_decides(fresh: World, content: bytes) -> None:
    assert browser(fresh).post(f"/u/{fresh.token}", content=content).status_code == 200
    assert not fresh.receives


def test_a_vanished_person_and_a_wrong_token_succeed(fresh: World) -> None:
    fresh.house.subscribing.disable(ADA)
    for token in (fresh.token, "nobody-ever-had-this-token", "x", "%00%00%00%00%00%00%00%00"):
        assert browser(fresh).post(f"/u/{token}").status_code == 200
        assert browser(fresh).get(f"/u/{token}").status_code == 200


def test_health_shows_what_doctor_finds(site: World) -> None:
    client = browser(site)
    page, answer = client.get("/health"), client.get("/healthz")
    assert (page.status_code, answer.status_code) == (200, 503)
    body = answer.json()
    assert body["status"] == "problem"
    assert {"what", "state", "text", "advice"} == set(body["findings"][0])
    assert "contact address" in page.text


def test_healthz_is_200_while_all_promises_hold(site: World) -> None:
    fine = [Finding("worker", State.FINE, "Alive."), Finding("mail", State.WARNED, "Look.")]
    app = create_app(_like(site, findings=lambda: fine))
    for client in (("127.0.0.1", 1), STRANGER):
        assert TestClient(app, base_url="http://127.0.0.1", client=client).get("/healthz").status_code == 200


def test_a_database_out_of_reach_is_503_and_says_that_nothing_changed(site: World) -> None:
    def fail() -> list[Finding]:
        raise DatabaseUnavailable("postgresql://monitor:canary-password@host/db: out of reach")

    client = TestClient(create_app(_like(site, findings=fail)), base_url="http://127.0.0.1", client=("127.0.0.1", 1))
    page, answer = client.get("/health"), client.get("/healthz")
    assert (page.status_code, answer.status_code, answer.json()) == (503, 503, {"status": "problem"})
    assert "Nothing was changed" in page.text
    assert "canary" not in page.text + answer.text


def test_a_fault_of_ours_shows_no_trace_and_keeps_the_headers(site: World, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> list[Finding]:
        raise RuntimeError("canary-in-a-message")

    client = TestClient(create_app(_like(site, findings=fail)), base_url="http://127.0.0.1", client=("127.0.0.1", 1))
    answer = client.get("/health")
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    said = capsys.readouterr()
    assert "request broke" in said.out + said.err


def test_healthz_asked_often_from_outside_asks_the_database_once(site: World) -> None:
    asked: list[int] = []
    app = create_app(_like(site, findings=lambda: asked.append(1) or []))
    client = TestClient(app, base_url="http://127.0.0.1", client=STRANGER)
    for _ in range(20):
        client.get("/healthz")
    assert len(asked) == 1


@pytest.mark.parametrize("path", ["/", "/sign-in", "/health", "/healthz", "/robots.txt", "/u/x", "/nosuch"])
def test_head_answers_as_get_does(site: World, path: str) -> None:
    client = browser(site)
    got, headed = client.get(path), client.head(path)
    assert (got.status_code, got.headers.get("content-type")) == (
        headed.status_code,
        headed.headers.get("content-type"),
    )


def test_static_files_may_be_kept_for_ever_and_pages_not_at_all(site: World) -> None:
    client = browser(site)
    page = client.get("/sign-in")
    assert page.headers["cache-control"] == "no-store"
    for path in re.findall(r'href="(/static/[^"]+)"', page.text):
        found = client.get(path)
        assert (found.status_code, found.headers["cache-control"]) == (200, FOREVER)
    assert client.get("/static/other/site.css").headers["cache-control"] == "no-cache"
    for wrong in ("/static/x/nosuch.css", "/static/x/..%2fapp.py", "/static/x/__init__.py", "/static/x/"):
        assert client.get(wrong).status_code == 404


def test_a_path_in_the_public_url_works_with_and_without_a_proxy_that_strips_it(tmp_path: Path) -> None:
    with world(tmp_path, "http://localhost:8000/monitor") as below:
        client = browser(below)
        for prefix in ("", "/monitor"):
            assert client.get(f"{prefix}/issues/{below.key}").status_code == 200
            page = client.get(f"{prefix}/sign-in")
            for path in re.findall(r'href="(/[^"]+)"', page.text):
                assert client.get(path).status_code in (200, 303), path
        assert client.get("/monitor").status_code == 303
        assert client.get("/monitored").status_code == 404


def _like(site: World, **other: object) -> Site:
    given = site.house.site
    values = {name: getattr(given, name) for name in Site.__dataclass_fields__}
    return Site(**(values | other))  # type: ignore[arg-type]
