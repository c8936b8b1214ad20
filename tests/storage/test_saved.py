"""Saved searches on both databases: names that are taken once, checked before they are kept, forgotten and used again."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from monitor.core.people import Actor
from monitor.core.query import parse
from monitor.errors import NotFound, QuerySyntaxError, UsageError
from monitor.services.saved import SavedSearches
from monitor.storage import saved
from monitor.storage.engine import Database
from monitor.storage.tables import EventRow
from tests.acceptance.publishing_world import World

HOUR = timedelta(hours=1)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def searches(world: World) -> SavedSearches:
    return SavedSearches(world.database, world, lambda text: parse(text, own=True))


def test_a_search_is_kept_under_a_name_and_found_by_it(searches: SavedSearches, world: World) -> None:
    held = searches.save("  CAR-NK   trials ", ' "CAR-NK"[tiab] AND trial[pt] ')
    assert (held.name, held.query) == ("CAR-NK trials", '"CAR-NK"[tiab] AND trial[pt]')
    assert len(held.key) == 24
    assert searches.one("car-nk TRIALS") == searches.one("@CAR-NK trials") == held
    assert searches.query("@car-nk trials") == held.query
    assert searches.query("car nk") == "car nk"
    with world.database.read() as session:
        assert saved.by_key(session, held.key) == held
        assert saved.by_key(session, "x" * 24) is None


def test_searches_are_listed_by_name(searches: SavedSearches) -> None:
    for name in ("b", "C", "a"):
        searches.save(name, "cells")
    assert [each.name for each in searches.all()] == ["a", "b", "C"]


def test_a_name_stands_for_another_search_only_when_asked(searches: SavedSearches, world: World) -> None:
    first = searches.save("one", "cells")
    assert searches.save("ONE", "cells") == first
    with pytest.raises(UsageError, match="'one' is kept already, for cells"):
        searches.save("One", "killer")
    assert searches.one("one").query == "cells"
    world.moment += HOUR
    after = searches.save("One", "killer", replace=True)
    assert (after.query, after.key, after.name, after.changed_at) == ("killer", first.key, "one", world.moment)


@pytest.mark.parametrize("query", ["(cells", "cells[nosuch]", "", "   ", "AND"])
def test_a_search_that_cannot_be_read_is_not_kept(searches: SavedSearches, query: str) -> None:
    with pytest.raises(QuerySyntaxError):
        searches.save("one", query)
    assert searches.all() == []


@pytest.mark.parametrize("name", ["", " ", "@", "@ ", "x" * 81, "a\x00b", "a\u202eb"])
def test_a_name_is_printable_and_short(searches: SavedSearches, name: str) -> None:
    with pytest.raises(UsageError, match="1 to 80 printable"):
        searches.save(name, "cells")


def test_the_mark_is_no_part_of_a_name(searches: SavedSearches) -> None:
    searches.save("@@ mine", "CAR-NK[ti]")
    assert [each.name for each in searches.all()] == ["mine"]
    assert searches.query("@mine") == searches.query("@@mine") == "CAR-NK[ti]"
    with pytest.raises(UsageError):
        searches.save("@@", "CAR-NK[ti]")


def test_renaming_keeps_the_feed_and_takes_no_name_of_another(searches: SavedSearches) -> None:
    first = searches.save("one", "cells")
    searches.save("two", "killer")
    with pytest.raises(UsageError, match="'two' is already the name of another search"):
        searches.rename("one", "TWO")
    renamed = searches.rename("one", "One")
    assert (renamed.name, renamed.key) == ("One", first.key)
    assert searches.rename("one", "three").key == first.key
    with pytest.raises(NotFound, match="no saved search is called 'one'"):
        searches.one("one")
    searches.forget("two")
    with pytest.raises(UsageError, match="'two' is already the name of a forgotten search"):
        searches.rename("three", "two")


def test_a_forgotten_search_leaves_the_list_and_its_name_comes_back_with_another_feed(searches: SavedSearches) -> None:
    first = searches.save("one", "cells")
    assert searches.forget("One").retired_at is not None
    assert searches.all() == []
    with pytest.raises(NotFound, match="none is saved yet"):
        searches.forget("one")
    again = searches.save("one", "killer")
    assert (again.id, again.query, again.retired_at) == (first.id, "killer", None)
    assert again.key != first.key


def test_an_unknown_name_names_the_nearest(searches: SavedSearches) -> None:
    searches.save("CAR-NK trials", "cells")
    searches.save("reviews", "cells")
    with pytest.raises(NotFound, match="'car-nk trial'; there is CAR-NK trials$"):
        searches.one("car-nk trial")
    with pytest.raises(NotFound, match="there is CAR-NK trials, reviews"):
        searches.query("@zebra")


def test_every_change_is_an_event(searches: SavedSearches, world: World) -> None:
    held = searches.save("one", "cells")
    searches.save("one", "cells")
    searches.save("one", "killer", replace=True)
    searches.rename("one", "two")
    searches.rename("two", "two")
    searches.forget("two")
    with world.database.read() as session:
        told = session.execute(select(EventRow.action, EventRow.before, EventRow.after).order_by(EventRow.id)).all()
        assert session.scalars(select(EventRow.subject).distinct()).all() == [f"search:{held.id}"]
    assert [tuple(each) for each in told] == [
        ("search.save", None, {"name": "one", "query": "cells"}),
        ("search.replace", {"name": "one", "query": "cells"}, {"name": "one", "query": "killer"}),
        ("search.rename", {"name": "one"}, {"name": "two"}),
        ("search.forget", {"name": "two", "query": "killer"}, None),
    ]


def test_two_who_take_a_name_at_once_never_both_have_it(searches: SavedSearches) -> None:
    at_once = threading.Barrier(2)
    refused: list[UsageError] = []

    def save(query: str) -> None:
        at_once.wait()
        try:
            searches.save("one", query)
        except UsageError as error:
            refused.append(error)

    both = [threading.Thread(target=save, args=(query,)) for query in ("cells", "killer")]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(refused) == 1
    assert len(searches.all()) == 1


def test_whoever_keeps_a_search_may_change_it_and_so_may_curators(searches: SavedSearches, world: World) -> None:
    people = {
        name: world.subscribing.add(f"{name}@lab.example", role=role)
        for name, role in (("one", "member"), ("two", "member"), ("three", "curator"))
    }
    one, two, three = (Actor(each.address, each.role, each.id) for each in people.values())
    held = searches.save("Mine", "cells", actor=one)
    assert held.owner == people["one"].name
    for change in (
        lambda: searches.rename("Mine", "Yours", actor=two),
        lambda: searches.forget("Mine", actor=two),
        lambda: searches.save("Mine", "other cells", replace=True, actor=two),
    ):
        with pytest.raises(UsageError, match="Nothing was changed"):
            change()
    assert searches.save("Mine", "other cells", replace=True, actor=one).query == "other cells"
    assert searches.rename("Mine", "Ours", actor=three).owner == people["one"].name
    searches.forget("Ours")
    again = searches.save("Ours", "cells", actor=two)
    assert (again.id, again.owner) == (held.id, people["two"].name)
    nobodys = searches.save("House", "cells")
    assert nobodys.owner is None
    with pytest.raises(UsageError, match="the command line"):
        searches.forget("House", actor=two)
