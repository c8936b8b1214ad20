"""Slots: one for each local date, whatever the zone does with its clocks."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.slots import Slot, day_number, instant, latest_slot, slots_between

ZONES = sorted(available_timezones())
BERLIN = ZoneInfo("Europe/Berlin")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_monday_seven_in_winter_and_summer() -> None:
    assert instant(date(2026, 11, 23), 7, BERLIN) == utc(2026, 11, 23, 6)
    assert instant(date(2026, 7, 6), 7, BERLIN) == utc(2026, 7, 6, 5)


def test_label_is_the_iso_week_also_over_new_year() -> None:
    assert Slot(date(2026, 11, 23), utc(2026, 11, 23, 6)).label == "2026-W48"
    assert Slot(date(2027, 1, 1), utc(2027, 1, 1, 6)).label == "2026-W53"


def test_an_hour_in_the_gap_becomes_the_first_instant_after_it() -> None:
    assert instant(date(2026, 3, 29), 2, BERLIN) == utc(2026, 3, 29, 1)  # 02:00 does not exist; 03:00 CEST


def test_half_hour_gap_of_lord_howe() -> None:
    assert instant(date(2026, 10, 4), 2, ZoneInfo("Australia/Lord_Howe")) == utc(2026, 10, 3, 15, 30)


def test_midnight_gap_of_havana_keeps_its_date() -> None:
    zone = ZoneInfo("America/Havana")
    at = instant(date(2026, 3, 8), 0, zone)
    assert at.astimezone(zone).replace(tzinfo=None) == datetime(2026, 3, 8, 1)


def test_a_skipped_whole_day_falls_on_the_first_instant_after_it() -> None:
    zone = ZoneInfo("Pacific/Apia")  # Friday 30 December 2011 never was
    at = instant(date(2011, 12, 30), 7, zone)
    assert at.astimezone(zone).replace(tzinfo=None) == datetime(2011, 12, 31, 0)
    days = [slot.day for slot in slots_between(4, 7, zone, utc(2011, 12, 20), utc(2012, 1, 7))]
    assert days == [date(2011, 12, 23), date(2011, 12, 30), date(2012, 1, 6)]


def test_an_hour_in_the_fold_is_its_first_occurrence() -> None:
    assert instant(date(2026, 10, 25), 2, BERLIN) == utc(2026, 10, 25, 0)
    (slot,) = slots_between(6, 2, BERLIN, utc(2026, 10, 24), utc(2026, 10, 26))
    assert slot == Slot(date(2026, 10, 25), utc(2026, 10, 25, 0))


def test_the_lower_end_is_out_and_the_upper_end_is_in() -> None:
    at = utc(2026, 11, 23, 6)
    assert slots_between(0, 7, BERLIN, at, at + timedelta(hours=1)) == ()
    assert [s.at for s in slots_between(0, 7, BERLIN, at - timedelta(seconds=1), at)] == [at]


def test_a_clock_set_backwards_gives_nothing() -> None:
    assert slots_between(0, 7, BERLIN, utc(2026, 11, 23, 7), utc(2026, 11, 23, 5)) == ()


def test_an_outage_of_three_weeks_shows_three_slots() -> None:
    found = slots_between(0, 7, BERLIN, utc(2026, 11, 2, 6), utc(2026, 11, 24))
    assert [slot.label for slot in found] == ["2026-W46", "2026-W47", "2026-W48"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("monday", 0), ("Mon", 0), (" WED ", 2), ("su", 6), ("t", None), ("s", None), ("tu", 1), ("someday", None)],
)
def test_weekday_names(text: str, number: int | None) -> None:
    assert day_number(text) == number


def check_zone(name: str, years: range, hours: range) -> None:
    """Every local date has one slot; the instant is right by an independent reading; steps never repeat one."""
    zone = ZoneInfo(name)
    for hour in hours:
        for year in years:
            day = year % 7
            start, end = utc(year, 1, 1), utc(year + 1, 1, 1)
            whole = slots_between(day, hour, zone, start, end)
            assert [b.day - a.day for a, b in zip(whole, whole[1:], strict=False)] == [timedelta(7)] * (len(whole) - 1)
            assert len(whole) in (52, 53)
            for slot in whole:
                assert slot.day.weekday() == day
                local = slot.at.astimezone(zone).replace(tzinfo=None)
                wanted = datetime.combine(slot.day, datetime.min.time()).replace(hour=hour)
                just_before = (slot.at - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
                if local == wanted:  # first occurrence: an hour earlier was not the same wall clock
                    earlier = [(slot.at - timedelta(minutes=m)).astimezone(zone) for m in (30, 60, 120)]
                    assert all(each.replace(tzinfo=None) != wanted for each in earlier)
                else:  # a gap over it: one second earlier the wall clock stood before it
                    assert just_before < wanted < local
            # Walking in uneven steps, some of them backwards, meets each slot once and in order.
            walk, at, steps = [], start, random.Random(f"{name}{year}{hour}")
            while at < end:
                step = timedelta(hours=steps.choice((-30, 5, 60, 200, 500)))
                walk += slots_between(day, hour, zone, at, min(at + step, end))
                at = max(at, at + step)
            assert walk == list(whole)


def test_every_zone_in_a_year_of_its_own() -> None:
    for number, name in enumerate(ZONES):
        year = 2007 + number % 20
        check_zone(name, range(year, year + 1), range(number % 5, number % 5 + 1))


@pytest.mark.torture
@pytest.mark.parametrize("name", ZONES)
def test_every_zone_over_twenty_years(name: str) -> None:
    check_zone(name, range(2007, 2027), range(24))


@given(
    st.sampled_from(ZONES),
    st.integers(0, 6),
    st.integers(0, 23),
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
)
def test_the_latest_slot_is_the_last_one_at_or_before_now(name: str, day: int, hour: int, now: datetime) -> None:
    zone = ZoneInfo(name)
    slot = latest_slot(day, hour, zone, now)
    assert now - timedelta(days=9) < slot.at <= now
    assert slots_between(day, hour, zone, slot.at, now) == ()
