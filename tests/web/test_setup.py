"""The first run in the browser: one link makes the first admin, and every step after it says what it did."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.core.people import COMMAND_LINE, Actor
from monitor.services.firstrun import Closed, FirstRun
from monitor.services.passwords import Passwords
from monitor.services.signing_in import Entered
from monitor.storage import events
from monitor.storage.engine import Database
from tests.smtp_server import Relay, Script
from tests.web.desk import Desk
from tests.web.setup_world import ADMIN, CHOSEN, GOOD, Fresh, fresh, words

PASSWORD = "canary0relay0password"


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Fresh]:
    with fresh(tmp_path / "home") as found:
        yield found


def log(new: Fresh, subject: str = "installation") -> list[events.Event]:
    with new.house.database.read() as session:
        return events.about(session, subject)


def test_the_whole_first_run(new: Fresh) -> None:
    browser = new.browser
    assert browser.get("/").headers["location"] == "/sign-in?next=%2F"
    assert "This monitor is not set up yet" in words(browser.get("/sign-in"))
    assert "Set up this monitor" in words(browser.get(new.link))

    answer = new.claim()
    assert answer.status_code == 303
    assert answer.headers["location"] == "/setup/mail"
    assert "Mail goes" in new.read("mail")
    assert "not set up" not in words(new.client().get("/sign-in"))

    answer = new.post("mail", way="folder", sender="Lab <monitor@lab.example>")
    assert answer.headers["location"] == "/setup/pubmed"
    assert new.house.settings.mail_from == "Lab <monitor@lab.example>"
    assert f"A test was written as a file into {new.home}/mail" in words(new.post("mail/test", to=ADMIN))
    (file,) = (new.home / "mail").glob("*.eml")
    assert b"monitor@lab.example" in file.read_bytes()

    answer = new.post("pubmed", address="contact@lab.example", key="")
    assert answer.headers["location"] == "/setup/topics"
    assert new.house.settings.ncbi_email == "contact@lab.example"

    new.work()
    assert "0 of" not in new.read("counts")
    assert not new.server.requests("esearch"), "the worker waits for the choice"
    assert new.post("topics", topic=list(CHOSEN), digest="yes").headers["location"] == "/setup/counts"
    assert [each.stored.id for each in new.house.topics.all()] == [*CHOSEN]

    counted = words(new.post("counts"))
    assert len(new.server.requests("esearch")) == len(CHOSEN)
    assert "within the last 30 days" in counted
    assert "CAR-NK cells 4" in counted
    new.work()
    assert len(new.server.requests("esearch")) == len(CHOSEN), "and goes on waiting until it is told to start"

    assert new.post("start").headers["location"] == "/setup/digest"
    assert "0 of 2 topics are searched so far" in new.read("digest")
    new.clock.set(new.clock.now() + timedelta(minutes=1))
    new.work()
    shown = new.read("digest")
    assert "Yours comes on 23 Nov 2026 07:00" in shown
    assert "What you would get now" in shown
    assert "4 papers" in shown
    letter = browser.get("/admin/digests/letter", params={"for": f"person:{ADMIN}"})
    assert "Invented CAR-NK cells" in letter.text
    assert "All is done" in new.read(), "a folder was decided on"
    assert "2 of 2 topics were searched" in new.read()

    (kept,) = new.home.glob("settings.toml")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert tomllib.loads(kept.read_text()) == {
        "mail_from": "Lab <monitor@lab.example>",
        "ncbi_email": "contact@lab.example",
    }
    assert [each.action for each in log(new)] == [
        "setup.begin", "settings.mail", "settings.pubmed", "setup.topics", "setup.start",
    ]  # fmt: skip


def test_the_link_works_once(new: Fresh) -> None:
    assert new.claim().status_code == 303
    other = new.client()
    again = other.get(new.link)
    assert again.status_code == 410
    assert "This link was used" in words(again)
    refused = new.claim(other, address="second@lab.example")
    assert refused.status_code == 410
    assert "set-cookie" not in refused.headers
    assert [each.address for each in new.house.people.everyone()] == [ADMIN]
    assert new.browser.get(new.link).headers["location"] == "/setup", "the admin goes on where it was left"
    assert other.get("/setup").headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("key", ["wrong", "%F0%9F", "0" * 22])
def test_no_other_link_leads_there(new: Fresh, key: str) -> None:
    for answer in (new.browser.get(f"/setup/{key}"), new.browser.post(f"/setup/{key}", data={"address": ADMIN})):
        assert answer.status_code == 404
        assert "Copy the whole address" in words(answer)
    assert new.house.people.everyone() == []


def test_what_is_typed_wrong_is_told_and_the_rest_kept(new: Fresh) -> None:
    for typed, told in (
        ({"address": ""}, "address"),
        ({"address": "nobody"}, "nobody"),
        ({"password": "short", "again": "short"}, "shorter than 8"),
        ({"password": "password1", "again": "password1"}, "Many people use this one"),
        ({"password": "first-lab-1", "again": "first-lab-1"}, "little more than your name"),
        ({"again": "something else"}, "not the same"),
        ({"name": "x" * 300}, "a name is at most"),
    ):
        answer = new.claim(None, **typed)
        assert answer.status_code == 422, typed
        assert told in words(answer), typed
        assert f'value="{typed.get("address", ADMIN)}"' in answer.text
        assert GOOD not in answer.text
        assert new.house.people.everyone() == []


def test_of_two_at_once_one_is_the_first_admin(database: Database, tmp_path: Path) -> None:
    from monitor.build import SystemClock

    def service() -> FirstRun:
        return FirstRun(database, SystemClock(), Passwords(), lambda: None, lambda: None, key="k")  # type: ignore[arg-type, return-value]

    def claim(number: int) -> object:
        try:
            return service().claim(f"admin{number}@lab.example", "", GOOD, GOOD)
        except Closed as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        found = sorted(pool.map(claim, range(2)), key=lambda each: isinstance(each, Closed))
    assert isinstance(found[0], Entered)
    assert isinstance(found[1], Closed)
    assert not service().is_open()


def test_who_was_added_before_becomes_the_admin(new: Fresh) -> None:
    held = new.house.subscribing.add(ADMIN, "Before", "member")
    assert new.house.first_run.is_open()
    new.claim(name="")
    (person,) = new.house.people.everyone()
    assert (person.id, person.role) == (held.id, "admin")
    assert new.browser.get("/admin/people").status_code == 200


def test_an_admin_without_password_leaves_it_open_unless_a_proxy_vouches(new: Fresh, tmp_path: Path) -> None:
    new.house.subscribing.add("other@lab.example", "Other", "admin")
    assert new.browser.get(new.link).status_code == 200
    environ = {"MONITOR_PROXY_HEADER": "X-Remote-User", "MONITOR_PROXY_ADDRESSES": "203.0.113.7"}
    with fresh(tmp_path / "proxied", environ=environ) as proxied:
        assert proxied.browser.get(proxied.link).status_code == 200
        proxied.house.subscribing.add("other@lab.example", "Other", "admin")
        assert proxied.browser.get(proxied.link).status_code == 410


def test_what_the_environment_says_stands_and_is_shown(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("canary0api0key")
    environ = {
        "MONITOR_MAIL_URL": f"smtps://robot:{PASSWORD}@smtp.lab.example",
        "MONITOR_NCBI_EMAIL": "fixed@lab.example",
        "MONITOR_NCBI_API_KEY_FILE": str(key),
    }
    with fresh(tmp_path / "home", environ=environ) as new:
        new.enter()
        mail, pubmed = new.read("mail"), new.read("pubmed")
        assert "by smtp.lab.example, port 465" in mail
        assert "Set by MONITOR_MAIL_URL; change it there." in mail
        assert "Set by MONITOR_NCBI_API_KEY_FILE" in pubmed
        for page in ("mail", "pubmed", ""):
            source = new.browser.get(f"/setup/{page}".rstrip("/")).text
            assert PASSWORD not in source
            assert "canary0api0key" not in source
        new.post("mail", way="relay", host="evil.example", sender="Lab <monitor@lab.example>")
        new.post("pubmed", address="evil@example.org", key="another")
        assert new.house.settings.mail_url.get_secret_value() == environ["MONITOR_MAIL_URL"]
        assert new.house.settings.ncbi_email == "fixed@lab.example"
        assert (new.home / "settings.toml").read_text().count("=") == 1, "only the sender was free"


def test_mail_by_a_relay_and_what_it_answers(new: Fresh) -> None:
    new.enter()
    with Relay() as relay:
        typed = {
            "way": "relay",
            "host": "127.0.0.1",
            "port": str(relay.port),
            "security": "none",
            "user": "",
            "password": "",
        }
        assert new.post("mail", sender="Lab <monitor@lab.example>", **typed).status_code == 303
        answer = new.post("mail/test", to=ADMIN)
        assert f"127.0.0.1 took a test for {ADMIN}" in words(answer)
        assert [each.recipient for each in relay.accepted] == [ADMIN]
        relay.script = Script("rcpt", "550 5.7.1 invented refusal")
        answer = new.post("mail/test", to=ADMIN)
        assert answer.status_code == 422
        assert "invented refusal" in words(answer)
    answer = new.post("mail/test", to=ADMIN)
    assert answer.status_code == 422
    assert "No test was sent." in words(answer)
    assert "mail" in (log(new)[-1].after or {})


def test_mail_that_cannot_work_is_refused_whole(new: Fresh) -> None:
    new.enter()
    for typed, told in (
        ({"host": ""}, "type the name of the mail server"),
        ({"host": "smtp lab"}, "type the name of the mail server"),
        ({"port": "many"}, "is no port"),
        ({"port": "70000"}, "is no port"),
        ({"security": "none"}, "for loopback and relays listed by name"),
        ({"security": "rot13"}, "choose how the connection"),
        ({"user": ""}, "user and password come together"),
        ({"sender": "nobody"}, "nobody"),
    ):
        given = {"way": "relay", "host": "smtp.lab.example", "port": "", "security": "tls", "user": "robot"}
        given |= {"password": PASSWORD, "sender": "Lab <monitor@lab.example>"} | typed
        answer = new.post("mail", **given)
        assert answer.status_code == 422, typed
        assert told in words(answer), typed
        assert "Nothing was changed" in words(answer)
        assert PASSWORD not in answer.text
        assert not (new.home / "settings.toml").exists()


def test_a_password_stays_for_its_server_and_goes_to_no_other(new: Fresh) -> None:
    new.enter()
    given = {"way": "relay", "host": "smtp.lab.example", "security": "tls", "user": "robot", "sender": "a@lab.example"}
    odd = "p@ss/wörd:?#" + PASSWORD
    assert new.post("mail", password=odd, **given).status_code == 303
    assert new.house.installing.mail().route.password == odd  # type: ignore[union-attr]
    assert new.post("mail", password="", **(given | {"port": "2465"})).status_code == 303
    assert new.house.installing.mail().route.password == odd  # type: ignore[union-attr]
    assert new.post("mail", password="", **(given | {"host": "other.example"})).status_code == 422
    assert all(PASSWORD not in str(each) for each in log(new))
    assert PASSWORD not in new.browser.get("/admin/log").text
    assert new.post("mail", way="folder", sender="a@lab.example").status_code == 303
    assert PASSWORD not in (new.home / "settings.toml").read_text()


def test_pubmed_needs_an_address_and_may_be_out_of_reach(tmp_path: Path) -> None:
    with fresh(tmp_path / "home", eutils_url="http://127.0.0.2:9") as new:
        new.house.patience = 0.2
        new.enter()
        assert "Until there is one, PubMed is not asked." in new.read("pubmed")
        for wrong, told in (("", "type an address"), ("nobody", "nobody"), ("N <a@lab.example>", "bare address")):
            answer = new.post("pubmed", address=wrong)
            assert answer.status_code == 422
            assert told in words(answer)
        assert "not asked without a contact address" in new.read("counts")
        answer = new.post("pubmed", address="contact@lab.example", key="with space inside")
        assert answer.status_code == 422
        answer = new.post("pubmed", address="contact@lab.example", key="a0key")
        assert "an API key is only sent over https" in words(answer)
        assert new.post("pubmed", address="contact@lab.example").status_code == 303
        assert new.house.may_ask_pubmed
        new.post("topics", topic=list(CHOSEN), digest="")
        answer = new.post("counts")
        assert answer.status_code == 200
        assert "PubMed did not answer" in words(answer)
        assert "Nothing was changed. You can go on" in words(answer)
        assert "not known" in words(answer)
        assert new.post("start").headers["location"] == "/setup/digest"
        assert "You receive no digest yet" in new.read("digest")
        assert new.post("digest").status_code == 303
        assert "Yours comes on" in new.read("digest")


def test_topics_left_out_are_retired_and_come_back(new: Fresh) -> None:
    new.enter()
    for typed, told in (({}, "choose at least one"), ({"topic": ["car-nk", "nothing"]}, "no topic")):
        answer = new.post("topics", **typed)
        assert answer.status_code == 422
        assert told in words(answer)
    assert len(new.house.topics.all()) > 2
    new.post("topics", topic=["car-nk"], digest="")
    assert [each.stored.id for each in new.house.topics.all()] == ["car-nk"]
    assert new.house.people.everyone()[0].subscription is None
    new.post("topics", topic=["car-nk", "cik"], digest="")
    assert [each.stored.id for each in new.house.topics.all()] == ["car-nk", "cik"]


def test_a_set_up_left_half_done_holds_searches_up_for_an_hour_only(new: Fresh) -> None:
    new.enter()
    new.house.first_run.choose(CHOSEN, COMMAND_LINE)
    new.work()
    assert not new.server.requests("esearch")
    new.clock.set(new.clock.now() + timedelta(minutes=61))
    new.work()
    assert new.server.requests("esearch")


def test_without_a_wizard_nothing_waits(new: Fresh) -> None:
    new.house.first_run.choose(CHOSEN, COMMAND_LINE)
    new.work()
    assert new.server.requests("esearch")


def test_only_admins_go_on_with_it(new: Fresh) -> None:
    new.enter()
    other = new.client()
    curator = new.house.subscribing.add("curator@lab.example", "Curator", "curator")
    other.cookies.set("session", new.house.accounts.begin(curator.id), domain="127.0.0.1")
    for page in ("", "/mail", "/pubmed", "/topics", "/counts", "/digest"):
        assert other.get(f"/setup{page}").status_code == 403
        assert new.client().get(f"/setup{page}").headers["location"].startswith("/sign-in")
    assert other.post("/setup/start").status_code == 403


def test_settings_that_another_process_wrote_count_here_too(new: Fresh) -> None:
    before = new.house
    (new.home / "settings.toml").write_text('ncbi_email = "elsewhere@lab.example"\n')
    new.running.renew()
    assert new.house is not before
    assert new.house.database is before.database
    assert new.house.settings.ncbi_email == "elsewhere@lab.example"


def test_a_place_that_a_program_put_together_shows_what_is_set_and_changes_nothing(place: Desk) -> None:
    admin = place.client("admin")
    assert "it cannot be changed here" in words(admin.get("/setup/mail"))
    assert admin.post("/setup/mail", data={"way": "folder", "sender": "x@lab.example"}).status_code == 303
    assert place.house.settings.mail_from.endswith("<monitor@localhost>")
    actor = Actor("admin@lab.example", "admin", place.ids["admin"])
    place.house.installing.set_contact("x@lab.example", "key", actor)
    assert place.house.settings.ncbi_email is None
