"""How long things last, how failed tries slow down, what a token may do, what an event changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.accounts import (
    ACCOUNT,
    IDLE,
    LETTERS,
    LONGEST,
    NETWORK,
    SCOPES,
    LinkState,
    Purpose,
    agent_kept,
    agent_names,
    grantable,
    is_alive,
    link_state,
    network_of,
    token_may,
)
from monitor.core.deeds import differences
from monitor.core.people import ROLES

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_session_ends_unused_and_at_all() -> None:
    assert is_alive(NOW - LONGEST, NOW - IDLE, NOW)
    assert not is_alive(NOW - LONGEST, NOW - IDLE - SECOND, NOW)
    assert not is_alive(NOW - LONGEST - SECOND, NOW, NOW)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_works_until_its_time_is_over_or_it_is_used(purpose: Purpose) -> None:
    end = NOW + purpose.life
    assert link_state(end, None, end - SECOND) is LinkState.GOOD
    assert link_state(end, None, end) is LinkState.LATE
    assert link_state(end, NOW, NOW) is LinkState.USED


@pytest.mark.parametrize("throttle", [ACCOUNT, NETWORK, LETTERS])
@given(tries=st.integers(0, 200), since=st.timedeltas(timedelta(), timedelta(days=1)))
def test_waits_grow_to_a_bound_and_pass(throttle: object, tries: int, since: timedelta) -> None:
    wait = throttle.wait(tries, NOW - since, NOW)  # type: ignore[attr-defined]
    assert timedelta() <= wait <= throttle.longest  # type: ignore[attr-defined]
    assert wait <= throttle.wait(tries + 1, NOW - since, NOW)  # type: ignore[attr-defined]
    assert throttle.wait(tries, NOW - since, NOW + wait) == timedelta()  # type: ignore[attr-defined]
    if tries < throttle.free:  # type: ignore[attr-defined]
        assert not wait


def test_an_account_allows_about_a_hundred_guesses_a_day() -> None:
    now, last, tries = NOW, None, 0
    while now < NOW + timedelta(days=1):
        wait = ACCOUNT.wait(tries, last, now)
        if wait:
            now += wait
        else:
            tries, last = tries + 1, now
    assert 90 <= tries <= 120


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("testclient", None),
        ("", None),
    ],
)
def test_what_tries_are_counted_by(address: str, network: str | None) -> None:
    assert network_of(address) == network


@given(
    st.frozensets(st.sampled_from([*SCOPES, "made up"])),
    st.sampled_from([*ROLES, "nobody"]),
    st.sampled_from([*SCOPES]),
)
def test_a_token_does_what_both_its_scopes_and_the_role_allow(scopes: frozenset[str], role: str, needed: str) -> None:
    order = list(SCOPES)
    reached = max((order.index(each) for each in scopes if each in SCOPES), default=-1)
    by_role = max((order.index(scope) for scope in grantable(role)), default=-1)
    assert token_may(scopes, role, needed) == (order.index(needed) <= min(reached, by_role))


def test_who_may_grant_what() -> None:
    assert [grantable(role) for role in ROLES] == [("read",), ("read", "screen"), ("read", "screen", "admin")]


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", ("Firefox", "Linux")),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", ("Edge", "Windows")),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1",
            ("Safari", "iPhone"),
        ),
        ("curl/8.5.0", ("curl", None)),
        (None, (None, None)),
    ],
)
def test_browsers_are_named_as_people_know_them(agent: str | None, names: tuple[str | None, str | None]) -> None:
    assert agent_names(agent) == names


def test_of_an_agent_only_text_is_kept() -> None:
    assert agent_kept("a\0b\nc\u0080d" + "x" * 500) == "a b c d" + "x" * 293
    assert agent_kept(" \0 ") is None


def test_differences_leave_out_what_stayed() -> None:
    before = {"name": "Ada", "role": "member", "topics": ["a", "b"], "gone": 1}
    after = {"name": "Ada", "role": "admin", "topics": ["a"], "new": True, "empty": None}
    assert [tuple(each) for each in differences(before, after)] == [
        ("role", "member", "admin"),
        ("topics", "a, b", "a"),
        ("gone", "1", None),
        ("new", None, "yes"),
    ]
    assert differences(None, None) == ()


json = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda of: st.lists(of, max_size=3) | st.dictionaries(st.text(max_size=3), of, max_size=3))  # fmt: skip


@given(st.none() | st.dictionaries(st.text(max_size=3), json, max_size=4), st.none() | st.dictionaries(st.text(max_size=3), json, max_size=4))  # fmt: skip
def test_differences_of_any_two_events_can_be_told(
    before: dict[str, object] | None, after: dict[str, object] | None
) -> None:
    for each in differences(before, after):
        assert each.before is None or isinstance(each.before, str)
        assert (before or {}).get(each.field) != (after or {}).get(each.field)
