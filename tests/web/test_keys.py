"""The keys of the desk: which are in force, and which get in each other's way."""

from __future__ import annotations

from monitor.web.keys import KEYS, clashes, group_of, in_force, readable
from tests.web.desk import Desk


def test_the_usual_keys_do_not_clash() -> None:
    assert clashes({}) == ()
    assert len({key for keys in in_force({}).values() for key in keys}) == sum(1 + len(each.also) for each in KEYS)
    assert {group_of(each.action) for each in KEYS} == {"desk", "everywhere"}


def test_a_chosen_key_takes_the_place_of_the_usual_one_and_of_one_beside_another() -> None:
    found = in_force({"keep": "o", "nonsense": "x"})
    assert found["keep"] == ("o",)
    assert found["open"] == ("Enter",)
    assert "nonsense" not in found


def test_keys_that_meet_are_named() -> None:
    assert [(each.action, each.other) for each in clashes({"keep": "d"})] == [("keep", "dismiss")]
    assert ("next", "week") in [(each.action, each.other) for each in clashes({"next": "g"})]
    assert clashes({"keep": "3"})[0].other == "digits"


def test_keys_read_as_on_a_keyboard() -> None:
    assert readable("Shift+u") == ["Shift", "u"]
    assert readable("g q") == ["g", "q"]
    assert readable("ArrowDown") == ["↓"]
    assert readable("+") == ["+"]


def test_every_page_lists_the_keys_in_force(place: Desk) -> None:
    page = place.client("curator").get("/").text
    assert "<kbd>j</kbd>" in page
    assert "In the queue" in page
    assert "In the queue" not in place.client("member").get("/").text
