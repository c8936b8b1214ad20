"""Settings as forms that work without script: kept, checked, shown again with what was typed, never overwritten."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from monitor.core.people import Person, Preferences
from monitor.errors import UsageError
from monitor.web.keys import KEYS
from monitor.web.views.settings import read_chord
from tests.web.desk import NOW, Desk

DIGEST = {
    "topics": ["car-nk", "cik"], "day": "2", "hour": "9", "zone": "Europe/Berlin", "language": "en", "card_limit": "5",
    "level_floor": "B3", "paused_until": "",
}  # fmt: skip
LOOK = {"language": "", "content": "en", "theme": "auto", "size": "", "density": ""}


def person(place: Desk, role: str = "member") -> Person:
    return next(each for each in place.house.subscribing.everyone() if each.role == role)


def last_event(place: Desk) -> tuple[str, str]:
    from sqlalchemy import select

    from monitor.storage.tables import EventRow

    with place.house.database.read() as session:
        row = session.execute(select(EventRow.action, EventRow.actor).order_by(EventRow.id.desc()).limit(1)).one()
    return row.action, row.actor


def test_how_pages_look_is_kept_and_seen_at_once(place: Desk) -> None:
    client = place.client("member")
    answer = client.post(
        "/settings",
        data={**LOOK, "version": "0", "theme": "dark", "size": "large", "density": "dense", "content": "both",
              "highlights": ["safety", "negation"]},
    )  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings?saved=1")
    assert person(place).preferences == Preferences(
        content="both", theme="dark", large=True, dense=True, highlights=("safety", "negation")
    )
    page = client.get("/settings?saved=1").text
    assert 'data-theme="dark"' in page
    assert 'data-size="large"' in page
    assert "Saved." in page
    assert re.search(r'name="highlights" value="safety" checked', page)
    assert last_event(place) == ("person.prefer", "member@lab.example")


def test_a_form_from_before_a_change_overwrites_nothing_and_shows_both(place: Desk) -> None:
    client = place.client("member")
    assert client.post("/settings", data={**LOOK, "version": "0", "theme": "dark"}).status_code == 303
    second = client.post("/settings", data={**LOOK, "version": "0", "theme": "light", "size": "large"})
    assert second.status_code == 409
    assert "This was changed in another window meanwhile" in second.text
    row = second.text[second.text.index("<tbody>") :]
    assert "Colours" in row
    assert "dark" in row
    assert 'value="light" checked' in second.text, "what was chosen is kept"
    assert person(place).preferences.theme == "dark"
    version = re.search(r'name="version" value="(\d+)"', second.text)
    assert version is not None
    mine = client.post("/settings", data={**LOOK, "version": version[1], "theme": "light"})
    assert mine.status_code == 303
    assert person(place).preferences.theme == "light"


def test_the_language_is_switched_from_any_page_and_nowhere_else(place: Desk) -> None:
    client = place.client("member")
    page = client.get("/digests/mine?before=9").text
    assert 'action="/settings/language"' in page
    assert 'name="next" value="/digests/mine?before=9"' in page
    answer = client.post("/settings/language", data={"language": "zh-Hans", "next": "/digests"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/digests")
    assert client.get("/digests").headers["content-language"] == "zh-Hans"
    away = client.post("/settings/language", data={"language": "en", "next": "https://elsewhere.example/"})
    assert away.headers["location"] == "/"
    assert client.post("/settings/language", data={"language": "tlh"}).status_code == 422


def test_keys_are_chosen_and_clashes_are_named_and_not_saved(place: Desk) -> None:
    client = place.client("curator")
    usual = {f"key-{each.action}": each.usual for each in KEYS}
    form = {**usual, "version": "0", "shortcuts": "alt", "key-keep": "Y", "key-queue": "g x", "key-help": ""}
    assert client.post("/settings/keys", data=form).status_code == 303
    held = person(place, "curator").preferences
    assert (held.shortcuts, held.keys) == ("alt", {"keep": "Shift+y", "queue": "g x"})
    for wrong, other in (("m", "Maybe"), ("g", "Go to the queue"), ("5", "Tag, reason or time")):
        refused = client.post("/settings/keys", data={**form, "version": "1", "key-keep": wrong})
        assert refused.status_code == 422
        assert "one key cannot start two things" in refused.text
        assert other in refused.text
        assert f'name="key-keep" value="{wrong}"' in refused.text, "shown as typed"
    assert person(place, "curator").preferences.keys["keep"] == "Shift+y"
    assert client.post("/settings/keys", data={**form, "version": "1", "usual": "1"}).status_code == 303
    assert person(place, "curator").preferences.keys == {}


def test_keys_changed_in_two_windows_are_compared(place: Desk) -> None:
    client = place.client("curator")
    form = {f"key-{each.action}": each.usual for each in KEYS} | {"shortcuts": "on"}
    client.post("/settings/keys", data={**form, "version": "0", "key-keep": "y"})
    second = client.post("/settings/keys", data={**form, "version": "0", "key-keep": "z"})
    assert second.status_code == 409
    assert 'name="key-keep" value="z"' in second.text
    assert person(place, "curator").preferences.keys == {"keep": "y"}


@pytest.mark.parametrize(
    ("typed", "read"),
    [("x", "x"), ("X", "Shift+x"), ("shift+x", "Shift+x"), ("ctrl+K", "Ctrl+Shift+k"), ("g  w", "g w"), ("space", "Space"),
     ("+", "+"), ("?", "?"), ("arrowdown", "ArrowDown")],
)  # fmt: skip
def test_keys_are_read_as_people_write_them(typed: str, read: str) -> None:
    assert read_chord(" ".join(typed.split())) == read


@pytest.mark.parametrize("typed", ["xx", "Alt+x", "g w q", "Escape", "Tab", "Ctrl+"])
def test_what_is_no_key_is_refused(typed: str) -> None:
    with pytest.raises(UsageError):
        read_chord(typed)


def test_who_reads_the_pages_in_chinese_is_offered_mail_in_chinese(place: Desk) -> None:
    client = place.client("member")
    assert client.post("/settings/language", data={"language": "zh-Hans"}).status_code == 303
    page = client.get("/settings/digest").text
    assert re.search(r'<option value="zh-Hans"[^>]* selected', page)
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    wish = {**DIGEST, "version": version[1], "language": "zh-Hans"}
    assert client.post("/settings/digest", data=wish).status_code == 303
    held = person(place).subscription
    assert held is not None
    assert held.language == "zh-Hans"


def test_a_digest_is_started_changed_paused_and_stopped(place: Desk) -> None:
    client = place.client("member")
    assert "You receive no digest" in client.get("/settings/digest").text
    assert client.post("/settings/digest", data={**DIGEST, "version": "0"}).status_code == 303
    held = person(place).subscription
    assert held is not None
    assert (held.day, held.hour, held.level_floor, held.card_limit) == (2, 9, "B3", 5)
    page = client.get("/settings/digest").text
    assert "on 25 Nov 2026 09:00" in page, "the next Wednesday, in the reader's zone"
    until = (NOW + timedelta(days=30)).date()
    pause = {**DIGEST, "version": "1", "paused_until": until.isoformat(), "level_floor": ""}
    assert client.post("/settings/digest", data=pause).status_code == 303
    page = client.get("/settings/digest").text
    assert "Your digest is paused until 23 Dec 2026" in page
    assert "The next issue comes on 23 Dec 2026 09:00" in page
    assert client.post("/settings/digest/stop").status_code == 303
    assert person(place).subscription is None
    assert "Saving this form asks for it again" in client.get("/settings/digest").text
    version = str(person(place).version)
    assert client.post("/settings/digest", data={**DIGEST, "version": version}).status_code == 303
    assert person(place).suppressed is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"topics": []}, "choose at least one topic"),
        ({"topics": ["nothing"]}, "is no topic"),
        ({"paused_until": "2020-01-01"}, "a day after today"),
        ({"paused_until": "soon"}, "is no day"),
        ({"zone": "Europe/Atlantis"}, "is no time zone"),
        ({"card_limit": "99"}, "from 0 to 12"),
        ({"level_floor": "X"}, "shows no result"),
    ],
)
def test_a_wish_that_cannot_be_is_shown_again_with_the_reason(
    place: Desk, changed: dict[str, object], said: str
) -> None:
    answer = place.client("member").post("/settings/digest", data={**DIGEST, "version": "0", **changed})
    assert answer.status_code == 422
    assert "Nothing was saved." in answer.text
    assert said in answer.text
    assert '<option value="9" selected>09:00</option>' in answer.text, "the rest is kept as it was filled in"
    assert person(place).subscription is None


def test_a_digest_changed_by_an_admin_meanwhile_is_compared(place: Desk) -> None:
    client = place.client("member")
    client.post("/settings/digest", data={**DIGEST, "version": "0"})
    place.house.subscribing.subscribe("member@lab.example", ["nk-engager"], day=4)
    second = client.post("/settings/digest", data={**DIGEST, "version": "1", "hour": "17"})
    assert second.status_code == 409
    assert "As it stands now" in second.text
    assert "nk-engager" in second.text
    held = person(place).subscription
    assert held is not None
    assert (held.day, held.hour) == (4, 9)


def test_feeds_show_addresses_that_work(place: Desk) -> None:
    place.house.saved.save("Safety", '"CAR-NK"[tiab]')
    client = place.client("member")
    page = client.get("/settings/feeds").text
    addresses = re.findall(r'href="http://127.0.0.1:8000(/feeds/[^"]+)"', page)
    assert len(addresses) == 2 * (len(place.house.topics.all()) + 1)
    for address in addresses:
        assert client.get(address).status_code == 200


def test_ones_data_is_one_file_without_secrets(place: Desk) -> None:
    client = place.client("member")
    client.post("/settings/digest", data={**DIGEST, "version": "0"})
    answer = client.get("/settings/data/export")
    assert "attachment" in answer.headers["content-disposition"]
    held = json.loads(answer.text)
    assert held["about"] == "member@lab.example"
    assert held["subscription"][0]["level_floor"] == "B3"
    assert client.cookies.get("session") not in answer.text
    assert "admin@lab.example" not in answer.text


def test_leaving_asks_first_and_then_ends_everything(place: Desk) -> None:
    client = place.client("member")
    assert client.post("/settings/leave").status_code == 422
    assert person(place).disabled_at is None
    gone = client.post("/settings/leave", data={"sure": "yes"})
    assert gone.status_code == 200
    assert "your account is closed" in gone.text
    assert person(place).disabled_at == NOW
    assert client.get("/settings").status_code == 303, "signed out"
    alone = place.client("admin").post("/settings/leave", data={"sure": "yes"})
    assert alone.status_code == 422
    assert "admin@lab.example is the only admin" in alone.text
