"""Signing in, links that work once, tokens, roles and the log, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from monitor.core.accounts import ACCOUNT, NETWORK, LinkState, Purpose
from monitor.core.passwords import Refusal
from monitor.core.people import Actor
from monitor.errors import Busy, NotFound, UsageError
from monitor.services.passwords import Passwords
from monitor.services.people import Overtaken, Seen
from monitor.services.signing_in import Entered, TurnedAway
from monitor.storage import accounts, events
from monitor.storage.engine import Database
from monitor.storage.tables import OneTimeLinkRow, SessionRow, SignInAttemptRow
from tests.storage.accounts_world import BOSS, GOOD, NOW, OTHER, House, token


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def entered(found: object) -> str:
    assert isinstance(found, Entered)
    return found.token


def test_the_right_password_opens_a_session_and_no_other_does(house: House) -> None:
    ada = house.add("ada", password=GOOD)
    assert house.signing_in.sign_in("ada@lab.example", GOOD + " ") == TurnedAway()
    key = entered(house.signing_in.sign_in(" ADA@lab.example ", GOOD, network="203.0.113.7", agent="Firefox/1"))
    whose = house.accounts.whose(key)
    assert whose is not None
    assert whose.person.id == ada.id
    assert [each.agent for each in house.accounts.sessions(ada.id)] == ["Firefox/1", None]


def test_who_is_unknown_disabled_or_without_password_is_turned_away_alike(house: House) -> None:
    house.add("boss", "admin")
    house.add("new")
    gone = house.add("gone", password=GOOD)
    house.people.disable(gone.id, BOSS)
    for address in ("nobody@lab.example", "new@lab.example", "gone@lab.example", "no address", ""):
        assert house.signing_in.sign_in(address, GOOD) == TurnedAway()


def test_failed_tries_slow_an_account_down_whether_it_exists_or_not(house: House) -> None:
    house.add("ada", password=GOOD)
    for address in ("ada@lab.example", "nobody@lab.example"):
        for _ in range(ACCOUNT.free):
            assert house.signing_in.sign_in(address, "wrong") == TurnedAway()
        # Within the wait the right password is not looked at either, or the throttle would tell.
        assert house.signing_in.sign_in(address, GOOD) == TurnedAway(ACCOUNT.first)
        house.later(seconds=4)
        assert house.signing_in.sign_in(address, GOOD) == TurnedAway(ACCOUNT.first - timedelta(seconds=4))
        house.later(seconds=6)
        assert house.signing_in.sign_in(address, "wrong") == TurnedAway()
        assert house.signing_in.sign_in(address, GOOD) == TurnedAway(2 * ACCOUNT.first)
    house.later(minutes=1)
    entered(house.signing_in.sign_in("ada@lab.example", GOOD))
    assert house.signing_in.sign_in("ada@lab.example", "wrong") == TurnedAway(), "what failed before is forgotten"


def test_failed_tries_slow_a_network_down_over_all_accounts(house: House) -> None:
    house.add("ada", password=GOOD)
    for number in range(NETWORK.free):
        house.signing_in.sign_in(f"guess{number}@lab.example", "wrong", network="2001:db8:1:2::1")
    assert house.signing_in.sign_in("ada@lab.example", GOOD, network="2001:db8:1:2:ffff::9") == TurnedAway(
        NETWORK.first
    )
    entered(house.signing_in.sign_in("ada@lab.example", GOOD, network="2001:db8:1:3::1"))
    house.later(days=1)
    entered(house.signing_in.sign_in("ada@lab.example", GOOD, network="2001:db8:1:2::1"))


def test_signing_in_takes_back_only_its_own_try_from_the_network(house: House) -> None:
    house.add("ada", password=GOOD)
    for number in range(NETWORK.free - 1):
        house.signing_in.sign_in(f"guess{number}@lab.example", "wrong", network="203.0.113.7")
    for _ in range(3):
        entered(house.signing_in.sign_in("ada@lab.example", GOOD, network="203.0.113.7"))
    house.signing_in.sign_in("guess@lab.example", "wrong", network="203.0.113.7")
    assert house.signing_in.sign_in("ada@lab.example", GOOD, network="203.0.113.7") == TurnedAway(NETWORK.first)


def test_many_tries_at_once_gain_nothing(house: House) -> None:
    house.add("ada", password=GOOD)
    start = threading.Barrier(12)

    def guess(number: int) -> object:
        start.wait()
        return house.signing_in.sign_in("ada@lab.example", f"wrong {number}")

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(guess, range(12)))
    assert found.count(TurnedAway()) == ACCOUNT.free
    assert house.signing_in.sign_in("ada@lab.example", GOOD) == TurnedAway(ACCOUNT.first)


def test_housekeeping_forgets_what_no_longer_counts(house: House) -> None:
    ada = house.add("ada", password=GOOD)
    house.signing_in.sign_in("ada@lab.example", "wrong", network="203.0.113.7")
    house.one_time.make(ada.id, BOSS)
    house.later(hours=25)
    keep = house.accounts.begin(ada.id)

    def forget(days: int) -> dict[str, int]:
        now = house.clock.now()
        long = now - timedelta(days=days)
        with house.database.write() as session:
            return accounts.forget(
                session, tries_before=now - timedelta(days=1), ended_before=long, created_before=long
            )

    assert forget(30) == {"sign in tries": 2, "sessions": 0, "one time links": 0}
    assert forget(1) == {"sign in tries": 0, "sessions": 1, "one time links": 1}
    assert house.accounts.whose(keep) is not None
    with house.database.read() as session:
        for table in (SignInAttemptRow, OneTimeLinkRow):
            expected = 1 if table is OneTimeLinkRow else 0  # the invitation has four days still
            assert session.scalar(select(func.count()).select_from(table)) == expected
        assert session.scalar(select(func.count()).select_from(SessionRow)) == 1


def test_hashes_of_older_parameters_are_renewed_when_their_owner_comes(house: House, database: Database) -> None:
    ada = house.add("ada", password=GOOD)
    house.signing_in._passwords = Passwords()  # today's parameters, where the world's are cheap
    entered(house.signing_in.sign_in("ada@lab.example", GOOD))
    with database.read() as session:
        held = accounts.password_of(session, "ada@lab.example")
    assert held is not None
    assert held.person_id == ada.id
    assert held.password_hash is not None
    assert "m=65536,t=3,p=4" in held.password_hash
    entered(house.signing_in.sign_in("ada@lab.example", GOOD))


def test_who_would_wait_too_long_hears_so() -> None:
    passwords = Passwords(at_once=1, patience=0.01)
    with passwords._turn(), pytest.raises(Busy):
        passwords.hash(GOOD)
    assert passwords.check(GOOD, passwords.hash(GOOD)).right


def test_a_password_too_long_to_be_set_is_wrong_whatever_it_begins_with(house: House) -> None:
    long = "ab cd ef" * 128
    house.add("ada", password=long)
    assert house.signing_in.sign_in("ada@lab.example", long + "x") == TurnedAway()
    entered(house.signing_in.sign_in("ada@lab.example", long))


def test_a_changed_password_signs_every_other_browser_out_and_ends_links(house: House) -> None:
    ada = house.add("ada", password=GOOD)
    here, there = house.accounts.begin(ada.id), house.accounts.begin(ada.id)
    mine = house.accounts.whose(here)
    assert mine is not None
    link = token(house.one_time.make(ada.id, BOSS))
    actor = Actor(ada.address, ada.role, ada.id)
    change = house.signing_in.change_password
    assert change(ada, GOOD, "password", "password", session_id=None, actor=actor) is Refusal.COMMON
    with pytest.raises(UsageError, match="not the same"):
        change(ada, GOOD, OTHER, OTHER + "x", session_id=None, actor=actor)
    with pytest.raises(UsageError, match="old password"):
        change(ada, OTHER, OTHER, OTHER, session_id=None, actor=actor)
    assert change(ada, GOOD, OTHER, OTHER, session_id=mine.session_id, actor=actor) is None
    assert house.accounts.whose(here) is not None
    assert house.accounts.whose(there) is None
    opened = house.one_time.open(link)
    assert opened is not None
    assert opened.state is LinkState.USED
    assert house.signing_in.sign_in("ada@lab.example", GOOD) == TurnedAway()
    entered(house.signing_in.sign_in("ada@lab.example", OTHER))


def test_wrong_old_passwords_slow_down_as_at_the_door(house: House) -> None:
    ada = house.add("ada", password=GOOD)
    actor = Actor(ada.address, ada.role, ada.id)
    for _ in range(ACCOUNT.free):
        with pytest.raises(UsageError, match="old password"):
            house.signing_in.change_password(ada, "wrong", OTHER, OTHER, session_id=None, actor=actor)
    with pytest.raises(UsageError, match="too many"):
        house.signing_in.change_password(ada, GOOD, OTHER, OTHER, session_id=None, actor=actor)


def test_an_invitation_is_taken_up_once(house: House) -> None:
    ada = house.add("ada")
    made = house.one_time.make(ada.id, BOSS)
    assert (made.purpose, made.expires_at) == (Purpose.INVITATION, NOW + timedelta(days=7))
    for _ in range(3):
        opened = house.one_time.open(token(made))
        assert opened is not None
        assert opened.state is LinkState.GOOD, "opening changes nothing"
    assert house.one_time.use(token(made), "short", "short") is Refusal.SHORT
    with pytest.raises(UsageError, match="not the same"):
        house.one_time.use(token(made), GOOD, OTHER)
    assert house.accounts.whose(entered(house.one_time.use(token(made), GOOD, GOOD))) is not None
    with pytest.raises(NotFound):
        house.one_time.use(token(made), OTHER, OTHER)
    entered(house.signing_in.sign_in("ada@lab.example", GOOD))
    assert house.one_time.make(ada.id, BOSS).purpose is Purpose.RESET


def test_of_two_who_use_a_link_at_once_one_comes_in(house: House) -> None:
    ada = house.add("ada")
    link = token(house.one_time.make(ada.id, BOSS))
    start = threading.Barrier(4)

    def use(number: int) -> bool:
        start.wait()
        try:
            return isinstance(house.one_time.use(link, GOOD + str(number), GOOD + str(number)), Entered)
        except NotFound:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(4))) == 1
    assert len(house.accounts.sessions(ada.id)) == 1


def test_links_end_by_time_by_newer_ones_and_with_their_owner(house: House) -> None:
    house.add("boss", "admin")
    ada = house.add("ada", password=GOOD)
    first, second = (token(house.one_time.make(ada.id, BOSS)) for _ in range(2))
    with pytest.raises(NotFound):
        house.one_time.use(first, OTHER, OTHER)
    house.later(minutes=15)
    opened = house.one_time.open(second)
    assert opened is not None
    assert opened.state is LinkState.LATE
    with pytest.raises(NotFound):
        house.one_time.use(second, OTHER, OTHER)
    third = token(house.one_time.make(ada.id, BOSS))
    house.people.disable(ada.id, BOSS)
    assert house.one_time.open(third) is None
    house.people.enable(ada.id, BOSS)
    with pytest.raises(NotFound):
        house.one_time.use(third, OTHER, OTHER)
    with pytest.raises(NotFound):
        house.one_time.use("made up", OTHER, OTHER)


def test_a_link_signs_out_whoever_has_the_old_password(house: House) -> None:
    ada = house.add("ada", password=GOOD)
    thief = entered(house.signing_in.sign_in("ada@lab.example", GOOD))
    for _ in range(20):
        house.signing_in.sign_in("ada@lab.example", "wrong")
    entered(house.one_time.use(token(house.one_time.make(ada.id, BOSS)), OTHER, OTHER))
    assert house.accounts.whose(thief) is None
    entered(house.signing_in.sign_in("ada@lab.example", OTHER))


def test_a_forgotten_password_brings_a_mail_to_who_is_here_and_nothing_to_others(house: House) -> None:
    house.add("ada", password=GOOD)
    for address in ("nobody@lab.example", "ada@lab.example", "ADA@LAB.EXAMPLE"):
        house.one_time.forgotten(address)
    assert [to for to, _ in house.postbox.letters] == ["ada@lab.example"] * 2
    letter = house.postbox.letters[-1][1]
    link = next(line for line in letter.text.splitlines() if "/link/" in line)
    assert link in letter.html
    assert "once" in letter.text
    entered(house.one_time.use(link.rpartition("/")[2], OTHER, OTHER))


def test_wishes_for_mails_are_throttled_alike_for_everybody(house: House) -> None:
    house.add("ada")
    for address in ("ada@lab.example", "nobody@lab.example"):
        waits = [house.one_time.may_ask(address, None) for _ in range(5)]
        assert waits == [timedelta()] * 3 + [timedelta(minutes=5)] * 2


def test_a_mail_that_is_not_taken_is_told_and_the_link_is_there_all_the_same(house: House) -> None:
    ada = house.add("ada")
    house.postbox.broken = "the relay did not answer"
    made = house.one_time.make(ada.id, BOSS, mail=True)
    assert (made.mailed, made.why_not) == (False, "the relay did not answer")
    entered(house.one_time.use(token(made), GOOD, GOOD))
    house.one_time.forgotten("ada@lab.example")
    with house.database.read() as session:
        told = [each.after for each in events.page(session, events.Filter(action="account.link_not_mailed"), 9)]
    assert told == [{"reason": "the relay did not answer"}] * 2


def test_tokens_speak_for_their_owner_until_they_end(house: House) -> None:
    house.add("boss", "admin")
    ada = house.add("ada", "curator")
    actor = Actor(ada.address, ada.role, ada.id)
    with pytest.raises(UsageError, match="takes the role admin"):
        house.accounts.make_token(ada, "script", ["read", "admin"], 30, actor)
    for name, scopes, days in (
        ("", ["read"], 30),
        ("x", [], 30),
        ("x", ["write"], 30),
        ("x", ["read"], 31),
        ("a\nb\0", ["read"], 30),
    ):
        with pytest.raises(UsageError):
            house.accounts.make_token(ada, name, scopes, days, actor)
    month, always = (house.accounts.make_token(ada, "script", ["screen", "read"], days, actor) for days in (30, None))
    caller = house.accounts.by_token(month)
    assert caller is not None
    assert (caller.person.id, caller.scopes) == (ada.id, {"read", "screen"})
    assert [each.used_at for each in house.accounts.tokens(ada.id)] == [None, NOW]
    assert house.accounts.by_token(month + "x") is None
    house.later(days=30)
    assert house.accounts.by_token(month) is None
    assert house.accounts.by_token(always) is not None
    (newest, _older) = house.accounts.tokens(ada.id)
    with pytest.raises(NotFound):
        house.accounts.revoke_token(ada.id + 1, newest.id, BOSS)
    house.accounts.revoke_token(ada.id, newest.id, actor)
    assert house.accounts.by_token(always) is None
    with pytest.raises(NotFound):
        house.accounts.revoke_token(ada.id, newest.id, actor)
    left = house.accounts.make_token(ada, "left behind", ["read"], None, actor)
    house.people.disable(ada.id, BOSS)
    assert house.accounts.by_token(left) is None
    house.people.enable(ada.id, BOSS)
    assert house.accounts.by_token(left) is None, "who comes back gets no old token back"


def test_another_role_holds_at_once_and_signs_out(house: House) -> None:
    boss = house.add("boss", "admin")
    ada = house.add("ada", "member")
    key = house.accounts.begin(ada.id)
    found = house.people.change(ada.id, "Ada L.", "member", Seen("Ada", "member"), BOSS)
    assert not isinstance(found, Overtaken)
    assert house.accounts.whose(key) is not None, "another name ends nothing"
    house.people.change(ada.id, "Ada L.", "curator", Seen("Ada L.", "member"), BOSS)
    assert house.accounts.whose(key) is None
    assert house.people.find(ada.id).role == "curator"
    with pytest.raises(UsageError, match="only admin"):
        house.people.change(boss.id, "Boss", "member", Seen("Boss", "admin"), BOSS)
    with pytest.raises(UsageError, match="only admin"):
        house.people.disable(boss.id, BOSS)
    with pytest.raises(UsageError, match="only admin"):
        house.people.set_role("boss@lab.example", "curator")
    with pytest.raises(UsageError, match="only admin"):
        house.subscribing.disable("boss@lab.example")
    house.people.set_role("ada@lab.example", "admin")
    house.people.disable(boss.id, BOSS)
    assert house.people.find(boss.id).disabled_at == NOW


def test_two_admins_cannot_demote_each_other_at_once(house: House) -> None:
    names = ("ada", "bob")
    for name in names:
        house.add(name, "admin")
    start = threading.Barrier(2)

    def demote(name: str) -> bool:
        start.wait()
        try:
            house.people.set_role(f"{name}@lab.example", "member")
        except UsageError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(demote, names)) == [False, True]
    assert [each.role for each in house.people.everyone()].count("admin") == 1


def test_a_change_in_between_is_shown_and_not_overwritten(house: House) -> None:
    ada = house.add("ada")
    other = Actor("other@lab.example", "admin")
    house.people.change(ada.id, "Theirs", "member", Seen("Ada", "member"), other)
    house.later(minutes=2)
    found = house.people.change(ada.id, "Mine", "member", Seen("Ada", "member"), BOSS)
    assert isinstance(found, Overtaken)
    assert (found.person.name, found.last and found.last.actor) == ("Theirs", "other@lab.example")
    assert house.people.find(ada.id).name == "Theirs"
    kept = house.people.change(ada.id, "Mine", "member", Seen("Theirs", "member"), BOSS)
    assert not isinstance(kept, Overtaken)
    assert house.people.find(ada.id).name == "Mine"
    again = house.people.change(ada.id, "Mine", "member", Seen("Ada", "member"), BOSS)
    assert not isinstance(again, Overtaken), "who wants what stands is in nobody's way"


@pytest.mark.parametrize(
    ("name", "role"), [("", "member"), (" \t", "member"), ("a\0b", "member"), ("x" * 201, "member"), ("Ada", "king")]
)
def test_wrong_names_and_roles_are_refused(sqlite_database: Database, name: str, role: str) -> None:
    house = House(sqlite_database)
    ada = house.add("ada")
    with pytest.raises(UsageError):
        house.people.change(ada.id, name, role, Seen("Ada", "member"), BOSS)
    with pytest.raises(NotFound):
        house.people.change(ada.id + 1, "Ada", "member", Seen("Ada", "member"), BOSS)


def test_the_log_is_filtered_and_paged(house: House) -> None:
    ada = house.add("ada", "admin")
    mine = Actor(ada.address, "admin", ada.id)
    for number in range(5):
        house.later(days=1)
        house.people.change(ada.id, f"Ada {number}", "admin", Seen(house.people.find(ada.id).name, "admin"), mine)
    with house.database.write() as session:
        events.record(session, mine, "personality.test", "x%_:1", house.clock.now())

    def found(**chosen: object) -> list[str]:
        with house.database.read() as session:
            page = events.Filter(**chosen)  # type: ignore[arg-type]
            seen: list[events.Entry] = []
            while part := events.page(session, page, 2, seen[-1].id if seen else None):
                seen += part
            assert [each.id for each in seen] == sorted((each.id for each in seen), reverse=True)
            return [each.action for each in seen]

    assert found() == ["personality.test", *["person.change"] * 5, "person.add"]
    assert found(actor_id=ada.id, action="person") == ["person.change"] * 5
    assert found(actor_id=0) == ["person.add"]
    assert found(action="person.add") == ["person.add"]
    assert found(subject="x%_:1") == ["personality.test"]
    assert found(subject="x%") == []
    assert found(since=NOW + timedelta(days=2), until=NOW + timedelta(days=4)) == ["person.change"] * 2
    with house.database.read() as session:
        assert events.actions(session) == ["person.add", "person.change", "personality.test"]


def test_an_empty_log_has_no_actions(house: House) -> None:
    with house.database.read() as session:
        assert events.actions(session) == []
