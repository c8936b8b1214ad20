"""Windows, slices, what is news and what is due, decided without a clock or a network."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.citation import HistoryDate, PartialDate
from monitor.core.polling import (
    DaySlice,
    PmidSlice,
    Window,
    adds_up,
    comparable,
    is_news,
    last_poll_moment,
    next_window,
    phrases_in_words,
    reconciliation_is_due,
    route,
    whole_route,
    windowed,
)
from monitor.core.query import parse
from monitor.core.recheck import created_on
from tests.factories import citation

TODAY = date(2026, 11, 22)


def test_a_window_asks_for_created_entered_indexed_and_revised() -> None:
    assert windowed("a[ti] OR b[ti]", Window(date(2026, 11, 1))) == (
        "(a[ti] OR b[ti]) AND (2026/11/01:3000[crdt] OR 2026/11/01:3000[edat] OR "
        "2026/11/01:3000[mhda] OR 2026/11/01:3000[lr])"
    )
    closed = windowed("a[ti]", Window(date(2020, 1, 2), date(2020, 2, 3)))
    assert "2020/01/02:2020/02/03[crdt]" in closed
    parse(closed)


def test_the_first_window_looks_back_and_later_ones_overlap() -> None:
    assert next_window(None, TODAY, 30) == Window(date(2026, 10, 23))
    assert next_window(date(2026, 11, 20), TODAY, 30) == Window(date(2026, 11, 6))
    assert next_window(date(2026, 6, 1), TODAY, 30) == Window(date(2026, 5, 18)), "an outage is covered"
    assert next_window(date(2027, 1, 1), TODAY, 30) == Window(date(2026, 11, 8)), "a clock that was wrong does no harm"


def days(part: DaySlice) -> tuple[date, date]:
    return part.since, part.until or date(3000, 1, 1)


def parts_of(whole: DaySlice, today: date) -> list[DaySlice]:
    """Divide down to single days."""
    found, waiting = [], [whole]
    while waiting:
        part = waiting.pop()
        halves = part.halves(today)
        if halves is None:
            found.append(part)
        else:
            waiting += halves
    return sorted(found, key=lambda each: each.since)


@given(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 400), st.booleans())
def test_day_slices_are_disjoint_and_total(since: date, length: int, open_end: bool) -> None:
    whole = DaySlice("crdt", since, None if open_end else since + timedelta(days=length))
    found = parts_of(whole, TODAY)
    assert found[0].since == whole.since
    assert found[-1].until == whole.until
    for before, after in zip(found, found[1:], strict=False):
        assert before.until is not None
        assert after.since == before.until + timedelta(days=1)
    assert all(each.until is None or each.until == each.since for each in found)


def test_the_slices_of_all_times_leave_out_no_day() -> None:
    found = DaySlice.of_all_times("crdt")[::-1]
    assert found[0].since == date(1800, 1, 1)
    assert found[-1].until is None
    for before, after in zip(found, found[1:], strict=False):
        assert before.until is not None
        assert after.since == before.until + timedelta(days=1)


@given(st.integers(1, 60), st.integers(0, 60))
def test_pmid_slices_are_disjoint_and_total(first: int, more: int) -> None:
    waiting, found = [PmidSlice(first, first + more)], []
    while waiting:
        part = waiting.pop()
        halves = part.halves()
        if halves is None:
            found.append(part.first)
        else:
            waiting += halves
    assert sorted(found) == list(range(first, first + more + 1))


def test_slices_say_what_they_ask() -> None:
    assert DaySlice("crdt", date(2026, 1, 1)).applied("a OR b") == "(a OR b) AND 2026/01/01:3000[crdt]"
    assert PmidSlice(1, 2).applied("a OR b") == "(a OR b) AND 1:2[uid]"
    parse(DaySlice("dp").applied("a[ti]"))
    parse(PmidSlice().applied("a[ti]"))


def test_slices_add_up_but_for_a_little_drift() -> None:
    assert adds_up(60_000, 60_000)
    assert adds_up(59_950, 60_000)
    assert adds_up(60_060, 60_000)
    assert not adds_up(59_900, 60_000)
    assert adds_up(10, 12)
    assert not adds_up(10, 13)


def created(day: PartialDate | None, status: str = "entrez") -> object:
    return citation(history=(HistoryDate(status, day),) if day else (), journal={"pub_date": None}, article_dates=())


@pytest.mark.parametrize(
    ("day", "news"),
    [
        (PartialDate(2026, 10, 23), True),
        (PartialDate(2026, 10, 22), False),
        (PartialDate(2026, 11, 30), True),
        (PartialDate(1998, 5, 1), False),
    ],
)
def test_news_is_what_pubmed_created_since_the_topic_is_watched(day: PartialDate, news: bool) -> None:
    for way in ("created", "entered", "indexed", "revised", "reconciled"):
        assert is_news(created(day), date(2026, 10, 23), way) is news  # type: ignore[arg-type]
        assert is_news(created(day, "pubmed"), date(2026, 10, 23), way) is news  # type: ignore[arg-type]
    assert not is_news(created(day), date(2026, 10, 23), "backfilled")


def test_a_record_without_any_date_is_news_when_a_window_brought_it() -> None:
    undated = created(None)
    assert created_on(undated) is None
    assert is_news(undated, TODAY, "revised")
    assert not is_news(undated, TODAY, "reconciled")
    assert not is_news(undated, TODAY, "backfilled")


@pytest.mark.parametrize(
    ("day", "compared", "way"),
    [
        (PartialDate(2026, 10, 23), False, "created"),
        (PartialDate(2026, 10, 22), False, "backfilled"),
        (None, False, "backfilled"),
        (PartialDate(2026, 10, 23), True, "reconciled"),
        (PartialDate(1998, 5, 1), True, "reconciled"),
    ],
)
def test_the_first_whole_set_backfills_what_a_first_poll_would_not_bring(
    day: PartialDate | None, compared: bool, way: str
) -> None:
    assert whole_route(created(day), date(2026, 10, 23), compared=compared) == way


@pytest.mark.parametrize(
    ("dates", "way"),
    [
        ({"entrez": 20, "pubmed": 20, "medline": 20}, "created"),
        ({"entrez": 1, "pubmed": 20, "medline": 20}, "entered"),
        ({"entrez": 1, "pubmed": 1, "medline": 20}, "indexed"),
        ({"entrez": 1, "pubmed": 1, "medline": 1}, "revised"),
        ({"entrez": 30}, "revised"),
        ({}, "revised"),
    ],
)
def test_the_route_is_the_first_date_of_the_window_that_a_record_meets(dates: dict[str, int], way: str) -> None:
    found = citation(
        history=tuple(HistoryDate(status, PartialDate(2026, 6, day)) for status, day in dates.items()),
        revised_on=PartialDate(2026, 6, 21),
    )
    assert route(found, Window(date(2026, 6, 10), date(2026, 6, 25))) == way
    assert route(found, Window(date(2026, 6, 10))) == ("created" if dates.get("entrez") == 30 else way)


def test_the_daily_poll_falls_on_a_local_hour() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert last_poll_moment(datetime(2026, 11, 22, 4, 59, tzinfo=UTC), 6, berlin) == datetime(
        2026, 11, 21, 5, tzinfo=UTC
    )
    assert last_poll_moment(datetime(2026, 11, 22, 5, 0, tzinfo=UTC), 6, berlin) == datetime(
        2026, 11, 22, 5, tzinfo=UTC
    )
    gap = last_poll_moment(datetime(2026, 3, 29, 12, 0, tzinfo=UTC), 2, berlin)
    assert gap <= datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


def test_the_whole_set_is_compared_a_while_after_the_first_poll() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    ago = [now - timedelta(days=n) for n in range(61)]
    assert not reconciliation_is_due(None, None, now, 30)
    assert not reconciliation_is_due(None, ago[29], now, 30)
    assert reconciliation_is_due(None, ago[30], now, 30)
    assert not reconciliation_is_due(ago[5], ago[60], now, 30)
    assert reconciliation_is_due(ago[30], ago[60], now, 30)


def test_translations_are_compared_without_their_days() -> None:
    one = '"x"[Title] AND 2026/11/01:3000/12/31[Date - Create]'
    other = '"x"[Title]  AND 2026/11/02:3000/12/31[Date - Create]'
    assert comparable(one) == comparable(other)
    assert comparable(one) != comparable(other.replace("Title", "Title/Abstract"))


def test_an_unknown_phrase_is_told_as_its_words_and_once() -> None:
    told = ('"CAR-iNK"[Title/Abstract]', "CAR-iNK[Title/Abstract]", "[tiab]", "iNK cells")
    assert phrases_in_words(told) == ("CAR-iNK", "[tiab]", "iNK cells")
