"""When a citation is fetched again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.citation import Citation, HistoryDate, PartialDate
from monitor.core.recheck import counts_as_confirmation, created_on, next_check
from tests import factories
from tests.factories import FIRST_PMID, citation

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def aged(days: int, pmid: int = FIRST_PMID) -> Citation:
    day = NOW.date() - timedelta(days=days)
    return citation(pmid, history=(HistoryDate("entrez", PartialDate(day.year, day.month, day.day)),))


def interval(each: Citation, *, retracted: bool = False, concern: bool = False, sent: bool = False) -> float:
    return (next_check(each, NOW, retracted=retracted, concern=concern, sent=sent) - NOW) / DAY


@pytest.mark.parametrize(
    ("age", "longest"), [(0, 7), (89, 7), (90, 30), (364, 30), (365, 91), (1824, 91), (1825, 365), (9000, 365)]
)
def test_young_citations_often_old_ones_rarely(age: int, longest: int) -> None:
    assert 0.89 * longest <= interval(aged(age)) <= longest


def test_what_is_doubted_or_in_readers_hands_is_watched() -> None:
    assert interval(aged(9000), concern=True) <= 7
    assert interval(aged(9000), sent=True) <= 7
    assert 26 < interval(aged(9000), retracted=True) <= 30
    assert interval(aged(3), retracted=True) <= 7


def test_what_was_stored_in_one_day_does_not_come_due_at_once() -> None:
    assert len({interval(aged(9000, FIRST_PMID + n)) for n in range(101)}) == 101


def test_age_is_counted_from_creation_else_from_publication() -> None:
    assert created_on(citation()) == date(2024, 1, 16)
    assert created_on(citation(history=(), journal={"pub_date": PartialDate(1978)})) == date(1978, 12, 28)
    assert created_on(citation(history=(), journal={"pub_date": PartialDate(2023, 2, 31)})) == date(2023, 12, 28)
    assert created_on(citation(history=(), journal={"pub_date": None})) is None
    assert interval(citation(history=(), journal={"pub_date": None})) <= 91


@given(factories.citations(), st.booleans(), st.booleans(), st.booleans())
def test_any_citation_is_checked_again_within_a_year(
    each: Citation, retracted: bool, concern: bool, sent: bool
) -> None:
    assert 6 < interval(each, retracted=retracted, concern=concern, sent=sent) <= 365


def test_misses_count_when_a_day_apart() -> None:
    assert counts_as_confirmation(0, None, NOW)
    assert not counts_as_confirmation(1, NOW - timedelta(hours=23), NOW)
    assert counts_as_confirmation(1, NOW - timedelta(hours=24), NOW)
