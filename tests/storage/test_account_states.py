"""Sessions and links against a model: whatever people do in whatever order, nobody is in who should be out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from monitor.core.accounts import IDLE, LONGEST, Purpose
from monitor.core.passwords import Refusal
from monitor.core.people import Actor, Person
from monitor.errors import NotFound, UsageError
from monitor.services.people import Seen
from monitor.services.signing_in import Entered, TurnedAway
from monitor.storage.engine import Database
from tests.storage.accounts_world import BOSS, GOOD, NOW, OTHER, House, token

PASSWORDS = (GOOD, OTHER, "willow paper canoe")


class Accounts(RuleBasedStateMachine):
    """One person, an admin who sees to them, and a model that is a handful of variables."""

    house: House
    number = 0
    sessions = Bundle("sessions")
    links = Bundle("links")

    def __init__(self) -> None:
        super().__init__()
        type(self).number += 1
        self.house.clock.set(NOW)
        self.person: Person = self.house.add(f"ada{self.number}")
        self.password: str | None = None
        self.disabled = False
        self.open: dict[str, tuple[datetime, datetime]] = {}
        self.living: dict[str, tuple[Purpose, datetime]] = {}

    @property
    def now(self) -> datetime:
        return self.house.clock.now()

    @property
    def actor(self) -> Actor:
        return Actor(self.person.address, self.person.role, self.person.id)

    def everybody_out(self, but: str | None = None) -> None:
        self.open = {key: each for key, each in self.open.items() if key == but}

    @rule(span=st.sampled_from([timedelta(minutes=1), timedelta(minutes=16), IDLE, timedelta(days=7), LONGEST]))
    def time_passes(self, span: timedelta) -> None:
        self.house.clock.set(self.now + span)

    @rule(target=sessions, password=st.sampled_from(PASSWORDS))
    def sign_in(self, password: str) -> str:
        found = self.house.signing_in.sign_in(self.person.address, password)
        if isinstance(found, TurnedAway):
            right = password == self.password and not self.disabled
            assert not right or found.wait
            return ""
        assert password == self.password
        assert not self.disabled
        self.open[found.token] = (self.now, self.now)
        return found.token

    @rule(key=sessions)
    def read_a_page(self, key: str) -> None:
        self.check(key)

    @rule(key=consumes(sessions))
    def sign_out(self, key: str) -> None:
        self.house.accounts.end(key)
        self.open.pop(key, None)
        self.check(key)

    @rule(key=sessions)
    def sign_out_everywhere_else(self, key: str) -> None:
        whose = self.house.accounts.whose(key)
        if whose is not None:
            self.house.accounts.end_others(self.person.id, whose.session_id, self.actor)
            self.everybody_out(but=key)

    @rule(key=sessions, old=st.sampled_from(PASSWORDS), new=st.sampled_from(PASSWORDS))
    def change_password(self, key: str, old: str, new: str) -> None:
        whose = self.house.accounts.whose(key)
        if whose is None:
            return
        try:
            found = self.house.signing_in.change_password(
                self.person, old, new, new, session_id=whose.session_id, actor=self.actor
            )
        except UsageError:  # wrong, or too often wrong
            return
        assert found is None
        assert old == self.password
        self.password = new
        self.everybody_out(but=key)
        self.living.clear()

    @rule(target=links)
    def make_a_link(self) -> str:
        if self.disabled:
            return ""
        made = self.house.one_time.make(self.person.id, BOSS)
        assert made.purpose is (Purpose.INVITATION if self.password is None else Purpose.RESET)
        self.living = {key: each for key, each in self.living.items() if each[0] is not made.purpose}
        self.living[token(made)] = (made.purpose, made.expires_at)
        return token(made)

    @rule(target=sessions, link=links, password=st.sampled_from([*PASSWORDS, "password"]))
    def use_a_link(self, link: str, password: str) -> str:
        held = self.living.get(link)
        good = held is not None and self.now < held[1] and not self.disabled
        try:
            found = self.house.one_time.use(link, password, password)
        except NotFound:
            assert not good
            return ""
        assert good
        if password == "password":
            assert found is Refusal.COMMON
            return ""
        assert isinstance(found, Entered)
        self.password = password
        self.everybody_out()
        self.living.clear()
        self.open[found.token] = (self.now, self.now)
        return found.token

    @rule(role=st.sampled_from(["member", "curator"]))
    def another_role(self, role: str) -> None:
        before = self.house.people.find(self.person.id)
        self.house.people.change(self.person.id, before.name, role, Seen(before.name, before.role), BOSS)
        if role != before.role:
            self.everybody_out()

    @rule()
    def disable(self) -> None:
        self.house.people.disable(self.person.id, BOSS)
        self.disabled = True
        self.everybody_out()
        self.living.clear()

    @rule()
    def enable(self) -> None:
        self.house.people.enable(self.person.id, BOSS)
        self.disabled = False

    @invariant()
    def what_is_listed_is_what_is_open(self) -> None:
        alive = sum(self.alive(key) for key in self.open)
        assert len(self.house.accounts.sessions(self.person.id)) == alive

    def alive(self, key: str) -> bool:
        began, seen = self.open[key]
        return self.now - seen <= IDLE and self.now - began <= LONGEST

    def check(self, key: str) -> None:
        whose = self.house.accounts.whose(key)
        expected = key in self.open and self.alive(key)
        assert (whose is not None) == expected
        if whose is not None:
            began, seen = self.open[key]
            self.open[key] = (began, self.now if self.now - seen > timedelta(minutes=1) else seen)


def campaign(database: Database, examples: int) -> None:
    machine: Any = type("Accounts", (Accounts,), {"house": House(database)})
    machine.house.add("boss", "admin")
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine, settings=settings(max_examples=examples, stateful_step_count=25, deadline=None)
    )


def test_nobody_is_in_who_should_be_out(sqlite_database: Database) -> None:
    campaign(sqlite_database, 25)


@pytest.mark.torture
def test_nobody_is_in_who_should_be_out_for_long(database: Database) -> None:
    campaign(database, 500)
