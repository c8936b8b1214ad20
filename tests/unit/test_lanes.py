"""In what order a lane stands, and where its reader is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.lanes import (
    ALL,
    LATER,
    ORDERS,
    Lane,
    Listing,
    Waiting,
    key,
    read_cursor,
    read_lane,
    read_order,
    write_cursor,
)
from monitor.core.screening import LEVELS
from monitor.errors import UsageError

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
papers = st.builds(
    Waiting,
    pmid=st.integers(90_000_001, 90_000_050),
    since=st.integers(0, 90).map(lambda days: NOW - timedelta(days=days)),
    alarm=st.booleans(),
    level=st.sampled_from([None, *LEVELS]),
    turn=st.integers(0, LATER),
)
listings = st.builds(Listing, order=st.sampled_from(ORDERS), seed=st.integers(0, 9))


def in_order(*waiting: Waiting, listing: Listing = ALL) -> list[int]:
    return [each.pmid for each in sorted(waiting, key=lambda each: key(each, listing))]


def test_alarms_first_then_the_best_level_then_the_longest_waiting() -> None:
    day = timedelta(days=1)
    assert in_order(
        Waiting(5, NOW, level=None),
        Waiting(6, NOW, level="X"),
        Waiting(4, NOW, level="E"),
        Waiting(2, NOW - day, level="B1"),
        Waiting(3, NOW, level="B1"),
        Waiting(1, NOW, level="none", alarm=True),
    ) == [1, 2, 3, 4, 5, 6]


def test_the_newest_first_whatever_it_is() -> None:
    day = timedelta(days=1)
    waiting = (Waiting(1, NOW - day, level="A", alarm=True), Waiting(2, NOW), Waiting(3, NOW))
    assert in_order(*waiting, listing=Listing("newest")) == [3, 2, 1]


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    waiting = [Waiting(pmid, NOW) for pmid in range(1, 30)]
    one, same, other = (in_order(*waiting, listing=Listing("sample", seed)) for seed in (1, 1, 2))
    assert one == same != other
    assert sorted(one) == sorted(other) == list(range(1, 30))


def test_what_is_due_comes_before_what_is_not_in_every_order() -> None:
    for order in ORDERS:
        late, due = Waiting(1, NOW, level="A", turn=LATER), Waiting(2, NOW - timedelta(9), turn=0)
        assert in_order(late, due, listing=Listing(order)) == [2, 1]


@given(papers, listings)
def test_a_place_is_read_as_it_was_written(paper: Waiting, listing: Listing) -> None:
    place = key(paper, listing)
    assert read_cursor(write_cursor(place)) == place


@given(st.lists(papers, unique_by=lambda each: each.pmid), listings)
def test_no_two_papers_share_a_place(waiting: list[Waiting], listing: Listing) -> None:
    assert len({key(each, listing) for each in waiting}) == len(waiting)


def test_a_listing_shows_what_fits_all_of_it() -> None:
    paper = Waiting(1, NOW, ("car-nk", "cik"), level="B1", design="rct")
    for shows in (ALL, Listing(topic="cik"), Listing(level="B1", design="rct")):
        assert shows.shows(paper)
    for hides in (Listing(topic="x"), Listing(level="A"), Listing(design="review")):
        assert not hides.shows(paper)
    late = Waiting(1, NOW, turn=LATER)
    assert (ALL.shows(late), Listing(later=True).shows(late)) == (False, True)


@pytest.mark.parametrize("text", ["", "x", "1..2", "1.2.x", "٣.a"])
def test_what_is_no_place_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="no place in a lane"):
        read_cursor(text)


def test_lanes_and_orders_go_by_name() -> None:
    assert [read_lane(each.value) for each in Lane] == list(Lane)
    assert [read_order(each) for each in ORDERS] == list(ORDERS)
    with pytest.raises(UsageError, match="lanes are new, wide"):
        read_lane("old")
    with pytest.raises(UsageError, match="choose from level"):
        read_order("oldest")
