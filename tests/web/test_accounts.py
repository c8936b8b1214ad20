"""Signing in and out, links, one's own account, people and the log, as a browser without script meets them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import structlog
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from starlette.testclient import TestClient

from monitor.build import build
from monitor.core.people import Actor
from monitor.pubmed.sandbox import SetClock
from monitor.settings import load
from monitor.web.app import create_app
from monitor.web.entering import local_path
from tests.factories import FIRST_PMID
from tests.smtp_server import Relay, Script
from tests.web.desk import NOW, SECRET, URL, Desk
from tests.web.waiting import found, plain_papers

GOOD, OTHER = "gravel otter lantern", "copper meadow violin"
BOSS = Actor("admin@lab.example", "admin")


@pytest.fixture(autouse=True)
def cheap(place: Desk) -> None:
    """Real argon2id, a thousandth of the work."""
    place.house.passwords._hashing = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


@pytest.fixture
def member(place: Desk) -> Desk:
    """The desk with a member who has chosen a password."""
    set_password(place, "member")
    return place


def set_password(place: Desk, role: str, password: str = GOOD) -> None:
    made = place.house.one_time.make(place.ids[role], BOSS)
    place.house.one_time.use(made.url.rpartition("/")[2], password, password)


def pair(password: str = GOOD, **more: str) -> dict[str, str]:
    return {"address": "member@lab.example", "password": password} | more


def test_signing_in_leads_where_one_wanted_to_go(member: Desk) -> None:
    client = member.client()
    asked = client.get("/settings/account?done=x")
    assert asked.headers["location"] == "/sign-in?next=%2Fsettings%2Faccount%3Fdone%3Dx"
    page = client.get(asked.headers["location"])
    wanted = unescape(re.findall(r'name="next" value="([^"]*)"', page.text)[0])
    answer = client.post("/sign-in", data=pair(next=wanted))
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/account?done=x")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert client.get("/settings/account").status_code == 200
    assert client.get("/sign-in?next=/settings").headers["location"] == "/settings"
    out = client.post("/sign-out")
    assert out.headers["location"] == "/sign-in"
    assert client.get("/settings/account").status_code == 303


def test_a_copied_cookie_is_worth_nothing_after_signing_out(member: Desk) -> None:
    client = member.client()
    client.post("/sign-in", data=pair())
    copied = dict(client.cookies)
    client.post("/sign-out")
    thief = member.client()
    thief.cookies.update(copied)
    assert thief.get("/settings/account").status_code == 303


def test_signing_in_again_gives_a_new_session_and_ends_the_old_one(member: Desk) -> None:
    client = member.client()
    client.cookies.set("session", "chosen-by-somebody-else", domain="127.0.0.1")
    client.post("/sign-in", data=pair())
    first = client.cookies["session"]
    assert first != "chosen-by-somebody-else"
    client.post("/sign-in", data=pair())
    assert client.cookies["session"] != first
    assert member.house.accounts.whose(first) is None


def test_nobody_is_led_to_another_site(member: Desk) -> None:
    odd = (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "",
        "evil",
    )
    for next in odd:
        assert local_path(next) == "/"
        assert member.client().post("/sign-in", data=pair(next=next)).headers["location"] == "/"


def test_what_does_not_belong_together_is_told_and_the_address_kept(member: Desk) -> None:
    for given in (
        {},
        {"address": "member@lab.example"},
        pair("wrong"),
        pair(address="nobody@lab.example"),
        pair(address="\0"),
        pair("\0" * 9),
        pair("x" * 5000),
    ):
        answer = member.client().post("/sign-in", data=given)
        assert answer.status_code == 422
        assert "set-cookie" not in answer.headers
        assert 'role="alert"' in answer.text
        assert "@" not in given.get("address", "") or given["address"] in answer.text


def test_known_and_unknown_people_are_answered_alike(member: Desk) -> None:
    def answers(address: str) -> list[tuple[int, str, str | None]]:
        client = member.client()
        found = [client.post("/sign-in", data=pair("wrong", address=address)) for _ in range(7)]
        return [(each.status_code, each.text.replace(address, "X"), each.headers.get("retry-after")) for each in found]

    known, unknown = answers("member@lab.example"), answers("nobody@lab.example")
    assert known == unknown
    assert [status for status, _, _ in known] == [422] * 5 + [429] * 2
    assert known[-1][2] == "10"


def test_a_forgotten_password_is_answered_alike_where_mail_leaves(tmp_path: Path) -> None:
    with Relay(Script()) as relay, mailing(tmp_path, relay.port) as place:
        client = place.client()
        answers = [client.post("/forgotten", data={"address": f"{name}@lab.example"}) for name in ("member", "nobody")]
        assert [each.status_code for each in answers] == [200, 200]
        assert answers[0].text.replace("member@", "X@") == answers[1].text.replace("nobody@", "X@")
        (mail,) = relay.accepted
        assert mail.recipient == "member@lab.example"
        link = re.findall(rb"http://127.0.0.1:8000(/link/[\w-]+)", mail.octets.replace(b"=\r\n", b""))[0].decode()
        assert b"List-Unsubscribe" not in mail.octets
        page = client.get(link)
        assert page.status_code == 200
        assert "member@lab.example" in page.text
        client.get(link)
        client.head(link)
        assert client.post(link, data={"password": GOOD, "again": GOOD}).status_code == 303
        assert client.get(link).status_code == 410
        statuses = [client.post("/forgotten", data={"address": "nobody@lab.example"}).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert client.post("/forgotten", data={"address": "not an address"}).status_code == 422


def test_a_relay_that_does_not_answer_is_told_to_the_admin_and_not_to_strangers(tmp_path: Path) -> None:
    with Relay(Script("rcpt", "550 5.1.1 no such user")) as relay, mailing(tmp_path, relay.port) as place:
        shown = place.client("admin").post(f"/admin/people/{place.ids['member']}/link")
        assert "This link was not mailed" in shown.text
        assert "no such user" in shown.text
        assert "no such user" not in place.client().post("/forgotten", data={"address": "member@lab.example"}).text
        assert "account.link_not_mailed" in place.client("admin").get("/admin/log").text


def test_where_mail_goes_into_a_folder_no_link_is_written_there(place: Desk) -> None:
    client = place.client()
    assert "sends no mail" in client.get("/forgotten").text
    assert client.post("/forgotten", data={"address": "member@lab.example"}).status_code == 422
    shown = place.client("admin").post(f"/admin/people/{place.ids['member']}/link")
    assert "not mailed" in shown.text
    assert not list(place.house.settings.home.rglob("*.eml"))


def test_an_invitation_from_the_page_lets_somebody_in(place: Desk) -> None:
    admin = place.client("admin")
    shown = admin.post(
        "/admin/people", data={"address": "new@lab.example", "name": "New", "role": "curator", "invite": "yes"}
    )
    link = re.findall(r'value="http://127.0.0.1:8000(/link/[\w-]+)"', shown.text)[0]
    assert link not in admin.get("/admin/people").text
    assert link not in admin.get("/admin/log").text
    guest = place.client()
    assert "Welcome, New" in guest.get(link).text
    for password, why in (("tiny", "shorter than 8"), ("password1", "Many people"), ("New 12345", "little more")):
        refused = guest.post(link, data={"password": password, "again": password})
        assert refused.status_code == 422
        assert why in refused.text
        assert password not in refused.text
    assert "not the same" in guest.post(link, data={"password": GOOD, "again": OTHER}).text
    assert guest.post(link, data={"password": GOOD, "again": GOOD}).headers["location"] == "/"
    assert guest.get("/settings/account").status_code == 200
    assert guest.get("/admin/people").status_code == 403
    assert "used or replaced" in guest.get(link).text
    assert guest.get("/link/made-up").status_code == 404
    assert guest.post("/link/made-up", data={"password": GOOD, "again": GOOD}).status_code == 404


CALLERS = [
    ({"Sec-Fetch-Site": "same-origin"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "cross-site"}, False),
    ({"Sec-Fetch-Site": "same-site"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "null"}, False),
    ({"Origin": URL}, True),
    ({}, True),
]


def test_no_other_site_posts_in_somebodys_name(member: Desk) -> None:
    """The trial of the reference: same origin and curl pass; cross-site, a sibling subdomain and a foreign Origin do not."""
    change = {"old": GOOD, "password": OTHER, "again": OTHER}
    for headers, let in CALLERS:
        set_password(member, "member", GOOD)
        changed = member.client("member", **headers).post("/settings/account/password", data=change)
        assert changed.status_code == (303 if let else 403), headers
        signed_in = member.client(**headers).post("/sign-in", data=pair(OTHER if let else GOOD))
        assert signed_in.status_code == (303 if let else 403), "signing in is no exception"
        held = member.client().post("/sign-in", data=pair(OTHER if let else GOOD))
        assert held.status_code == 303, "and what was refused changed nothing"


def test_over_plain_http_nobody_signs_in_but_on_the_machine_itself(tmp_path: Path) -> None:
    with at(tmp_path, "http://monitor.lab.example") as place:
        set_password(place, "member")
        client = TestClient(place.app, base_url="http://monitor.lab.example", follow_redirects=False)
        assert "travel in the open" in client.get("/sign-in").text
        answer = client.post("/sign-in", data=pair())
        assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)
        link = place.house.one_time.make(place.ids["curator"], BOSS).url.removeprefix("http://monitor.lab.example")
        assert "travel in the open" in client.get(link).text
        assert client.post(link, data={"password": GOOD, "again": GOOD}).status_code == 422
        assert not place.house.people.find(place.ids["curator"]).has_password


def test_behind_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    with at(tmp_path, "https://monitor.lab.example") as place:
        set_password(place, "member")
        client = TestClient(place.app, base_url="https://monitor.lab.example", follow_redirects=False)
        cookie = client.post("/sign-in", data=pair()).headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert client.get("/settings/account").status_code == 200


PROXY = "203.0.113.7"


VOUCHED = [
    (PROXY, [("X-Remote-User", "curator@lab.example")], 200, "curator@lab.example"),
    (PROXY, [("x-remote-user", " CURATOR@lab.example ")], 200, "curator@lab.example"),
    ("203.0.113.8", [("X-Remote-User", "admin@lab.example")], 303, ""),
    (PROXY, [], 303, ""),
    (PROXY, [("X-Remote-User", "")], 303, ""),
    (PROXY, [("X-Remote-User", "stranger@lab.example")], 403, "Ask an admin"),
    (PROXY, [("X-Remote-User", "admin@lab.example"), ("X-Remote-User", "curator@lab.example")], 403, "Not known here"),
    (PROXY, [("X-Remote-User", "\x00\xff<script>")], 403, "Not known here"),
    (PROXY, [("X-Remote-User", "gone@lab.example")], 403, "Ask an admin"),
]


def test_a_proxy_is_believed_from_its_own_addresses_alone(tmp_path: Path) -> None:
    with at(tmp_path, URL, proxy_header="X-Remote-User", proxy_addresses=f"{PROXY}, 10.0.0.0/8") as place:
        gone = place.house.subscribing.add("gone@lab.example")
        place.house.people.disable(gone.id, BOSS)
        for peer, headers, status, said in VOUCHED:
            client = TestClient(place.app, base_url=URL, client=(peer, 1), follow_redirects=False)
            answer = client.get(
                "/settings/account", headers=[(name, value.encode("latin-1")) for name, value in headers]
            )
            assert answer.status_code == status, (peer, headers)
            assert said in answer.text
            assert "<script>" not in answer.text
            assert client.get("/sign-in", headers=[("X-Remote-User", b"stranger@lab.example")]).status_code == 200


def test_who_a_proxy_vouches_for_has_the_role_held_here_and_nothing_to_end(tmp_path: Path) -> None:
    with at(tmp_path, URL, proxy_header="X-Remote-User", proxy_addresses=PROXY) as place:
        client = place.client(**{"X-Remote-User": "curator@lab.example"})
        assert client.get("/admin/people").status_code == 403
        place.house.people.set_role("curator@lab.example", "admin")
        assert client.get("/admin/people").status_code == 200
        assert "Signed in elsewhere" in client.post("/sign-out").text
        assert client.post("/settings/account/sessions", data={"session": "others"}).status_code == 303
        place.house.people.disable(place.ids["curator"], BOSS)
        assert client.get("/settings/account").status_code == 403


def test_tries_are_counted_past_listed_proxies_only(tmp_path: Path) -> None:
    with at(tmp_path, URL, proxy_addresses=PROXY) as place:
        proxied = [f"198.51.100.{number}" for number in (1, 2)]
        client = place.client()
        for number in range(30):
            headers = {"X-Forwarded-For": f"9.9.9.9, {proxied[0]}, {PROXY}"}
            client.post("/sign-in", data=pair("x", address=f"a{number}@lab.example"), headers=headers)

        def status(hops: str) -> int:
            answer = client.post("/sign-in", data=pair("x", address="z@lab.example"), headers={"X-Forwarded-For": hops})
            return int(answer.status_code)

        assert status(f"{proxied[1]}, {proxied[0]}") == 429
        assert status(proxied[1]) == 422


def test_a_port_behind_an_address_makes_it_no_other_one(tmp_path: Path) -> None:
    """Some proxies name the port too, which differs with every connection."""
    with at(tmp_path, URL, proxy_addresses=PROXY) as place:
        client = place.client()
        for hop in ("198.51.100.1:{}", "[2001:db8::1]:{}"):
            for number in range(30):
                headers = {"X-Forwarded-For": f"{hop.format(50000 + number)}, {PROXY}:443"}
                client.post("/sign-in", data=pair("x", address=f"a{number}@lab.example"), headers=headers)
            last = {"X-Forwarded-For": hop.format(1)}
            answer = client.post("/sign-in", data=pair("x", address="z@lab.example"), headers=last)
            assert answer.status_code == 429, hop


def test_ones_own_account(member: Desk) -> None:
    here, there = member.client("member"), member.client("member")
    page = here.get("/settings/account")
    assert "this one" in page.text
    wrong = here.post("/settings/account/password", data={"old": "no", "password": OTHER, "again": OTHER})
    assert (wrong.status_code, "old password is not right" in wrong.text) == (422, True)
    assert here.post("/settings/account/password", data={"old": GOOD, "password": "x", "again": "x"}).status_code == 422
    assert (
        here.post("/settings/account/password", data={"old": GOOD, "password": OTHER, "again": OTHER}).status_code
        == 303
    )
    assert here.get("/settings/account?done=password").status_code == 200
    assert there.get("/settings/account").status_code == 303
    third = member.client("member")
    number = re.findall(r'name="session" value="(\d+)"', here.get("/settings/account").text)[0]
    stranger = member.client("curator")
    assert stranger.post("/settings/account/sessions", data={"session": number}).status_code == 404
    assert third.get("/settings/account").status_code == 200
    assert here.post("/settings/account/sessions", data={"session": number}).status_code == 303
    assert third.get("/settings/account").status_code == 303
    fourth = member.client("member")
    here.post("/settings/account/sessions", data={"session": "others"})
    assert fourth.get("/settings/account").status_code == 303
    for odd in ("", "x", "-1", "9" * 30, "٣"):
        assert here.post("/settings/account/sessions", data={"session": odd}).status_code == 422


def test_a_token_is_shown_once_and_revoked(member: Desk) -> None:
    client = member.client("member")
    made = client.post("/settings/account/tokens", data={"name": "=cmd", "scope": ["read"], "days": "30"})
    token = re.findall(r'value="(em_[\w-]+)"', made.text)[0]
    page = client.get("/settings/account").text
    assert token not in page
    assert "=cmd" in page
    caller = member.house.accounts.by_token(token)
    assert caller is not None
    assert caller.scopes == {"read"}
    beyond = client.post("/settings/account/tokens", data={"name": "kept name", "scope": ["admin"], "days": "30"})
    assert beyond.status_code == 422
    assert "kept name" in beyond.text
    assert client.post("/settings/account/tokens", data={"name": "x", "scope": "read", "days": "7"}).status_code == 422
    number = re.findall(r'name="token" value="(\d+)"', page)[0]
    assert member.client("admin").post("/settings/account/tokens/revoke", data={"token": number}).status_code == 404
    assert client.post("/settings/account/tokens/revoke", data={"token": number}).status_code == 303
    assert member.house.accounts.by_token(token) is None


def test_people_are_changed_with_both_versions_shown_where_two_were_at_it(place: Desk) -> None:
    admin, where = place.client("admin"), f"/admin/people/{place.ids['member']}"
    form = {"seen_name": "Member", "seen_role": "member"}
    assert (
        admin.post(where, data=form | {"name": "Theirs", "role": "curator"}).headers["location"]
        == f"{where}?done=saved"
    )
    late = admin.post(where, data=form | {"name": "Mine", "role": "member"})
    assert late.status_code == 409
    assert "admin@lab.example changed this" in late.text
    assert "Theirs" in late.text
    assert "Mine" in late.text
    block = late.text[late.text.index("compare") :]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', block[: block.index("Keep mine")]))
    assert fields == {"name": "Mine", "role": "member", "seen_name": "Theirs", "seen_role": "curator"}
    assert admin.post(where, data=fields).status_code == 303
    assert place.house.people.find(place.ids["member"]).name == "Mine"
    empty = admin.post(where, data={"seen_name": "Mine", "seen_role": "member", "name": "", "role": "member"})
    assert empty.status_code == 422


def test_the_only_admin_stays_one(place: Desk) -> None:
    admin, where = place.client("admin"), f"/admin/people/{place.ids['admin']}"
    for answer in (
        admin.post(where, data={"name": "Admin", "role": "member", "seen_name": "Admin", "seen_role": "admin"}),
        admin.post(f"{where}/disable"),
    ):
        assert answer.status_code == 422
        assert "only admin" in answer.text
    other = f"/admin/people/{place.ids['curator']}"
    curator = place.client("curator")
    admin.post(other, data={"name": "Curator", "role": "admin", "seen_name": "Curator", "seen_role": "curator"})
    assert curator.get("/settings/account").status_code == 303, "another role signs out"
    assert admin.post(f"{where}/disable").status_code == 303
    assert admin.get("/admin/people").status_code == 303
    second = place.client("curator")
    assert "is disabled" in second.get("/admin/people").text
    assert second.post(f"{where}/enable").status_code == 303
    assert place.client("admin").get("/admin/people").status_code == 200


def test_nobody_by_that_number_is_a_page(place: Desk) -> None:
    admin = place.client("admin")
    for person in ("0", "999999", "x", "-1", "9" * 40, "1.5"):
        assert admin.get(f"/admin/people/{person}").status_code in (404, 422)
        for path in ("", "/link", "/disable", "/enable"):
            answer = admin.post(f"/admin/people/{person}{path}", data={"name": "x", "role": "member"})
            assert answer.status_code in (404, 422)
            assert "<h1>" in answer.text


def test_a_version_that_no_row_ever_had_changes_nothing(place: Desk) -> None:
    """A form that was tampered with, or sent by a program: numbers past 64 bits."""
    member = place.client("member")
    digest = {"topics": "car-nk", "day": "0", "hour": "7", "zone": "UTC", "language": "en", "card_limit": "3"}
    for path, form in (("", {"theme": "dark"}), ("/keys", {"shortcuts": "off"}), ("/digest", digest)):
        answer = member.post(f"/settings{path}", data=form | {"version": "9" * 20})
        assert answer.status_code in (409, 422), path
        assert "<h1>" in answer.text
    held = place.house.people.find(place.ids["member"])
    assert (held.version, held.subscription, held.preferences.theme) == (0, None, "auto")


def test_wrong_addresses_are_told_and_kept(place: Desk) -> None:
    admin = place.client("admin")
    for address, why in (("member@lab.example", "already here"), ("no address", "is not an address"), ("", "empty")):
        answer = admin.post("/admin/people", data={"address": address, "name": "Kept Name", "role": "curator"})
        assert answer.status_code == 422
        assert why in answer.text
        assert "Kept Name" in answer.text


def test_the_log_is_filtered_paged_and_exported(place: Desk) -> None:
    person = place.house.subscribing.add("formula@lab.example", "=HYPERLINK(1)", actor=Actor("=evil()", "admin"))
    with place.house.database.write() as session:
        from monitor.storage import events

        for number in range(120):
            events.record(
                session, BOSS, "test.many", f"x:{number}", NOW, {"was": number}, {"was": number + 1, "new": "<b>"}
            )
    admin = place.client("admin")
    seen: list[str] = []
    path = "/admin/log?action=test"
    while path:
        page = admin.get(path)
        seen += re.findall(r"<td>x:(\d+)", page.text)
        found = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = unescape(found[1]) if found else ""
    assert seen == [str(number) for number in reversed(range(120))]
    assert "&lt;b&gt;" in page.text
    assert "<b>&lt;" not in page.text
    assert admin.get("/admin/log?action=test&since=2026-11-24").text.count("<td>x:") == 0
    assert admin.get("/admin/log?action=test&since=2026-11-23&until=2026-11-23").text.count("<td>x:") == 50
    page = admin.get(f"/admin/log?subject=person:{person.id}")
    assert re.findall(r"<code>(person\.\w+)</code>", page.text) == ["person.add"]
    for odd in (
        "since=x",
        "since=0001-01-01",
        "since=2026-11-24&until=2026-11-01",
        "person=x",
        "before=x",
        "since=9999-12-31",
    ):
        answer = admin.get(f"/admin/log?{odd}")
        assert answer.status_code == 422, odd
        assert 'role="alert"' in answer.text
    for fine in ("subject=%00", "action=%25", "person=0", "person=999", "before=1", "until=2999-12-31"):
        assert admin.get(f"/admin/log?{fine}").status_code == 200, fine
    table = admin.get("/admin/log/export?form=csv")
    assert table.headers["content-disposition"] == 'attachment; filename="log-2026-11-23.csv"'
    rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff"))))
    assert len(rows) == 1 + 124
    assert "'=evil()" in {row[2] for row in rows}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    lines = [json.loads(line) for line in admin.get("/admin/log/export?form=jsonl&action=test").text.splitlines()]
    assert [each["subject"] for each in lines] == [f"x:{number}" for number in reversed(range(120))]
    assert lines[0]["after"] == {"was": 120, "new": "<b>"}
    assert admin.get("/admin/log/export?form=xlsx").status_code == 422
    assert place.client("curator").get("/admin/log/export?form=csv").status_code == 403


def test_no_secret_stands_in_a_log_an_event_or_a_page_that_does_not_show_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with Relay(Script()) as relay, mailing(tmp_path, relay.port) as place, structlog.testing.capture_logs() as logged:
        secrets: list[str] = []
        admin, guest = place.client("admin"), place.client()
        made = admin.post(f"/admin/people/{place.ids['member']}/link").text
        secrets += [link := re.findall(r"/link/([\w-]{30,})", made)[0], GOOD, OTHER, "wrong canary guess"]
        guest.post(f"/link/{link}", data={"password": GOOD, "again": OTHER})
        guest.post(f"/link/{link}", data={"password": GOOD, "again": GOOD})
        secrets.append(guest.cookies["session"])
        pages = [guest.post("/sign-in", data=pair("wrong canary guess")).text for _ in range(7)]
        pages.append(
            guest.post(
                "/settings/account/password", data={"old": "wrong canary guess", "password": OTHER, "again": OTHER}
            ).text
        )
        token_page = guest.post("/settings/account/tokens", data={"name": "x", "scope": "read", "days": "30"}).text
        secrets += re.findall(r"em_[\w-]{30,}", token_page)
        guest.post("/forgotten", data={"address": "member@lab.example"})
        secrets += re.findall(r"/link/([\w-]{30,})", relay.accepted[-1].octets.replace(b"=\r\n", b"").decode())
        pages += [
            admin.get(path).text for path in ("/admin/log", "/admin/people", f"/admin/people/{place.ids['member']}")
        ]
        pages += [admin.get(f"/admin/log/export?form={form}").text for form in ("csv", "jsonl")]
        pages += [guest.get("/settings/account").text, place.client().get(f"/link/{link}").text]
        assert len(set(secrets)) == 7
        with place.house.database.read() as session:
            from sqlalchemy import text

            for table in ("event", "session", "one_time_link", "access_token", "sign_in_attempt", "person"):
                pages.append(str(session.execute(text(f"SELECT * FROM {table}")).all()))
    told = capfd.readouterr()
    ours = [
        record.getMessage() for record in caplog.records if not record.name.startswith("httpx")
    ]  # the test's own client
    everything = "\n".join([*pages, str(logged), *ours, told.out, told.err])
    assert [secret for secret in secrets if secret in everything] == []
    assert "sign-in failed" in str(logged)


def at(tmp_path: Path, public_url: str, **more: str) -> Any:
    """A desk with settings of its own."""
    from contextlib import contextmanager

    @contextmanager
    def opened() -> Iterator[Desk]:
        clock = SetClock(NOW)
        settings = load(
            environ={}, home=tmp_path / "at", public_url=public_url, secret_key=SECRET, timezone="UTC", **more
        )
        with build(settings, clock=clock, create=True) as house:
            house.passwords._hashing = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
            ids = {
                role: house.subscribing.add(f"{role}@lab.example", role.title(), role).id
                for role in ("member", "curator", "admin")
            }
            yield Desk(house, create_app(house.site), clock, ids)

    return opened()


def mailing(tmp_path: Path, port: int) -> Any:
    return at(tmp_path, URL, mail_url=f"smtp://127.0.0.1:{port}?tls=none")


def test_the_people_page_tells_who_agrees_with_whom(place: Desk) -> None:
    admin = place.client("admin")
    assert "Who agrees" not in admin.get("/admin/people").text
    place.house.site.votes.switch("car-nk", True, BOSS)
    assert "Nothing was judged by two people yet" in admin.get("/admin/people").text
    found(place.house.database, plain_papers(1), NOW)
    for role in ("curator", "admin"):
        who = Actor(f"{role}@lab.example", role, place.ids[role])
        place.house.site.votes.vote(FIRST_PMID + 100, "keep", topics=["car-nk"], actor=who)
    row = re.findall(r"<tr><td>car-nk</td>(.*?)</tr>", admin.get("/admin/people").text)[0]
    assert re.sub(r"<[^>]+>", " ", row).split() == ["Curator", "and", "Admin", "1", "100%", "–"]
