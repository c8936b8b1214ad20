"""A person's own affairs on both databases: what they ask for, how pages look, what is held about them, leaving."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from monitor.core.delivery import NoticeKind
from monitor.core.people import Actor, Person, Preferences
from monitor.errors import NotFound, UsageError
from monitor.services.accounts import Accounts
from monitor.services.personal import Personal
from monitor.services.subscribing import Meanwhile
from monitor.services.wishes import Wish
from monitor.storage import bounces, outbox, people, personal
from monitor.storage.engine import Database
from monitor.storage.tables import (
    AttemptRow,
    Base,
    DecisionRow,
    EventRow,
    MarkRow,
    NoteRow,
    PersonRow,
    SessionRow,
    SuppressionRow,
)
from tests.acceptance.publishing_world import MONDAY, World
from tests.factories import FIRST_PMID

ADA = "ada@lab.example"
WISH = Wish(("car-nk",), 2, 9, "Europe/Berlin", "en", 5, "B3", None)


@pytest.fixture
def world(database: Database) -> World:
    found = World(database)
    found.subscribing.add(ADA, "Ada", "curator")
    return found


@pytest.fixture
def own(world: World) -> Personal:
    return Personal(world.database, world)


def ada(world: World) -> Person:
    return next(each for each in world.subscribing.everyone() if each.address == ADA)


def actor(world: World) -> Actor:
    person = ada(world)
    return Actor(person.address, person.role, person.id)


def events(world: World) -> list[tuple[str, dict[str, object] | None, dict[str, object] | None]]:
    with world.database.read() as session:
        rows = session.execute(select(EventRow.action, EventRow.before, EventRow.after).order_by(EventRow.id))
        return [tuple(row) for row in rows]  # type: ignore[misc]


def test_a_digest_is_arranged_whole_and_each_change_is_told(world: World) -> None:
    after = world.subscribing.arrange(ada(world).id, WISH, 0, actor(world))
    held = after.subscription
    assert held is not None
    assert (held.day, held.hour, held.zone, held.card_limit, held.level_floor) == (2, 9, "Europe/Berlin", 5, "B3")
    assert after.version == 1
    until = (world.moment + timedelta(days=20)).date()
    wish = replace(WISH, topics=("cik",), level_floor=None, paused_until=until)
    changed = world.subscribing.arrange(after.id, wish, 1, actor(world)).subscription
    assert changed is not None
    assert (changed.id, changed.level_floor, changed.paused_until) == (held.id, None, until)
    assert [each.topic for each in changed.topics] == ["cik"]
    assert changed.scheduled_at == held.scheduled_at, "the day did not move"
    action, before, now = events(world)[-1]
    assert action == "subscription.change"
    assert before is not None
    assert now is not None
    assert (before["topics"], before["floor"], before["paused_until"]) == (["car-nk"], "B3", None)
    assert (now["topics"], now["floor"], now["paused_until"]) == (["cik"], None, until.isoformat())
    told = len(events(world))
    world.subscribing.arrange(after.id, wish, 2, actor(world))
    assert len(events(world)) == told, "the same wish again is no event"


def test_two_windows_never_overwrite_each_other(world: World) -> None:
    person = world.subscribing.arrange(ada(world).id, WISH, 0, actor(world))
    world.subscribing.subscribe(ADA, ["cik"])  # the command line, meanwhile
    with pytest.raises(Meanwhile) as caught:
        world.subscribing.arrange(person.id, replace(WISH, day=4), person.version, actor(world))
    held = caught.value.person.subscription
    assert held is not None
    assert (held.day, [each.topic for each in held.topics]) == (2, ["car-nk", "cik"])
    assert ada(world).subscription == held


def test_a_form_from_before_leaving_by_a_mail_does_not_bring_the_digest_back(world: World) -> None:
    person = world.subscribing.arrange(ada(world).id, WISH, 0, actor(world))
    assert person.subscription is not None
    world.subscribing.unsubscribe_by_token(person.subscription.token)
    with pytest.raises(Meanwhile):
        world.subscribing.arrange(person.id, WISH, person.version, actor(world))
    assert ada(world).subscription is None


def test_a_pause_that_is_over_stays_as_it_was_and_one_taken_back_ends_today(world: World) -> None:
    today = world.moment.date()
    person = world.subscribing.arrange(
        ada(world).id, replace(WISH, paused_until=today + timedelta(days=9)), 0, actor(world)
    )
    person = world.subscribing.arrange(person.id, WISH, person.version, actor(world))
    assert person.subscription is not None
    assert person.subscription.paused_until == today
    world.moment += timedelta(days=30)
    person = world.subscribing.arrange(person.id, replace(WISH, day=0), person.version, actor(world))
    assert person.subscription is not None
    assert person.subscription.paused_until == today


def test_wishing_for_no_topic_or_one_that_is_not_there_changes_nothing(world: World) -> None:
    for topics in ((), ("nothing",)):
        with pytest.raises(UsageError):
            world.subscribing.arrange(ada(world).id, replace(WISH, topics=topics), 0, actor(world))
    assert ada(world).subscription is None
    assert ada(world).version == 0


def test_an_owner_who_arranges_a_digest_gets_mail_again(world: World) -> None:
    world.subscribing.arrange(ada(world).id, WISH, 0, actor(world))
    world.subscribing.unsubscribe(ADA)
    assert ada(world).suppressed == "unsubscribed"
    again = world.subscribing.arrange(ada(world).id, WISH, ada(world).version, actor(world))
    assert again.suppressed is None
    assert "suppression.lift" in [action for action, *_ in events(world)]


def test_mail_that_was_stopped_is_let_through_once_and_told(world: World) -> None:
    with world.database.write() as session:
        people.suppress(session, ADA, "hard bounce", world.moment)
    assert world.subscribing.lift(ADA, actor(world)) == "hard bounce"
    assert events(world)[-1][0] == "suppression.lift"
    with pytest.raises(NotFound):
        world.subscribing.lift(ADA, actor(world))


def test_preferences_are_kept_with_what_changed_in_the_log(world: World, own: Personal) -> None:
    wanted = Preferences("zh-Hans", "both", "dark", large=True, keys={"keep": "y"}, highlights=("safety",))
    after = own.prefer(ada(world).id, wanted, 0, actor(world))
    assert ada(world).preferences == wanted
    assert ada(world).version == after.version == 1
    action, before, now = events(world)[-1]
    assert action == "person.prefer"
    assert before == {
        "language": None, "content": "en", "theme": "auto", "large": False, "keys": {}, "highlights": []
    }  # fmt: skip
    assert now == {
        "language": "zh-Hans", "content": "both", "theme": "dark", "large": True, "keys": {"keep": "y"},
        "highlights": ["safety"],
    }  # fmt: skip
    with pytest.raises(Meanwhile):
        own.prefer(ada(world).id, Preferences(), 0, actor(world))
    assert own.prefer(ada(world).id, wanted, 0, actor(world)).version == 1, "the same again is no conflict"


@pytest.mark.parametrize(
    "wrong",
    [
        Preferences(language="tlh"),
        Preferences(theme="sepia"),  # type: ignore[arg-type]
        Preferences(content="fr"),  # type: ignore[arg-type]
        Preferences(shortcuts="sometimes"),  # type: ignore[arg-type]
        Preferences(highlights=("everything",)),
        Preferences(keys={"keep": "x" * 21}),
    ],
)
def test_preferences_that_no_page_knows_are_refused(world: World, own: Personal, wrong: Preferences) -> None:
    with pytest.raises(UsageError):
        own.prefer(ada(world).id, wrong, 0, actor(world))
    assert ada(world).preferences == Preferences()


def test_switching_the_language_touches_nothing_else(world: World, own: Personal) -> None:
    own.prefer(ada(world).id, Preferences(theme="dark"), 0, actor(world))
    own.speak(ada(world), "zh-Hans", actor(world))
    assert ada(world).preferences == Preferences("zh-Hans", theme="dark")
    assert ada(world).version == 2
    own.speak(ada(world), "zh-Hans", actor(world))
    assert ada(world).version == 2
    with pytest.raises(UsageError):
        own.speak(ada(world), "tlh", actor(world))


def test_everything_held_is_told_and_no_secret(world: World, own: Personal) -> None:
    person = ada(world)
    accounts = Accounts(world.database, world)
    token = accounts.begin(person.id, "a browser")
    world.subscribing.arrange(person.id, replace(WISH, level_floor=None), 0, actor(world))
    world.moment += timedelta(days=1)
    pmid = world.found(1)
    now = world.moment
    with world.database.write() as session:
        session.execute(update(PersonRow).values(password_hash="argon2-of-a-password"))
        session.execute(
            insert(DecisionRow).values(
                pmid=pmid, verdict="keep", topics=["car-nk"], note="mine", hash=b"x", person_id=person.id,
                role="curator", decided_at=now,
            )
        )  # fmt: skip
        session.execute(
            insert(NoteRow).values(pmid=pmid, person_id=person.id, text="my note", version=1, changed_at=now)
        )
        session.execute(insert(MarkRow).values(pmid=pmid, person_id=person.id, kind="saved", at=now))
        people.suppress(session, ADA, "soft bounces", now)
    world.subscribing.lift(ADA)
    world.moment = MONDAY
    world.polled()
    world.publishing.publish()
    world.delivered()
    (delivery,) = world.deliveries()
    with world.database.write() as session:
        session.execute(
            insert(AttemptRow).values(
                delivery_id=delivery.id, fence=1, at=now, outcome="sent", phase="dot", seconds=0.1
            )
        )
        bounces.keep_notice(session, at=now, kind=NoticeKind.DELAYED, fingerprint="d", delivery_id=delivery.id)
        people.suppress(session, ADA, "soft bounces", now)
    held = own.held(person)
    text = json.dumps(held)
    subscription = ada(world).subscription
    assert subscription is not None
    for secret in (token, "argon2", subscription.token):
        assert secret not in text
    assert held["about"] == ADA
    for table in ("person", "session", "subscription", "subscription_topic", "delivery", "attempt", "bounce", "issue",
                  "issue_entry", "decision", "note", "mark", "suppression", "event"):  # fmt: skip
        assert held[table], table
    assert held["decision"][0]["note"] == "mine"
    assert "1 new paper since" in held["issue"][0]["text"]
    assert {each["action"] for each in held["event"]} >= {"person.add", "subscription.start", "suppression.lift"}


def test_a_table_that_names_people_is_never_forgotten(world: World, own: Personal) -> None:
    held = own.held(ada(world))
    for table in Base.metadata.tables.values():
        if any(personal.names_a_person(column) for column in table.columns):
            assert table.name in held, table.name


def test_nothing_of_others_is_told(world: World, own: Personal) -> None:
    world.reader("bob@lab.example", "cik")
    world.moment = MONDAY
    world.publishing.publish()
    assert "bob@lab.example" not in json.dumps(own.held(ada(world)))


def test_leaving_ends_digest_account_and_sessions_and_keeps_what_was_decided(world: World, own: Personal) -> None:
    accounts = Accounts(world.database, world)
    token = accounts.begin(ada(world).id)
    world.subscribing.arrange(ada(world).id, WISH, 0, actor(world))
    own.leave(ada(world), actor(world))
    person = ada(world)
    assert person.disabled_at == world.moment
    assert person.subscription is None
    assert accounts.whose(token) is None
    with world.database.read() as session:
        assert session.scalars(select(SessionRow.ended_at)).all() == [world.moment]
        assert session.scalars(select(SuppressionRow.reason)).all() == []
    assert events(world)[-1][0] == "person.leave"


def test_the_last_admin_cannot_leave(world: World, own: Personal) -> None:
    for name in ("eve", "bob"):
        world.subscribing.add(f"{name}@lab.example", name, "admin")
    eve, bob = (next(p for p in world.subscribing.everyone() if p.name == name) for name in ("eve", "bob"))
    own.leave(eve, Actor(eve.address, "admin", eve.id))
    with pytest.raises(UsageError, match="only admin"):
        own.leave(bob, Actor(bob.address, "admin", bob.id))
    assert next(p for p in world.subscribing.everyone() if p.name == "bob").disabled_at is None


def test_what_happened_since_is_told_of_each_paper_that_was_sent(world: World) -> None:
    world.subscribing.arrange(ada(world).id, WISH, 0, actor(world))
    world.subscribing.subscribe(ADA, [], floor="all")
    world.moment += timedelta(days=1)
    for number in (1, 2):
        world.found(number)
    world.moment = datetime(2026, 11, 19, tzinfo=UTC)
    world.publishing.publish()
    world.delivered()
    world.moment += timedelta(days=1)
    world.retracted(1)
    with world.database.read() as session:
        (line,) = outbox.of_person(session, ada(world).id)
        told = {each.pmid - FIRST_PMID: each for each in outbox.papers(session, [line.id])[line.id]}
    assert [change.name for change in told[1].changes] == ["RETRACTED"]
    assert told[2].changes == ()
    assert told[1].title == "Invented CAR-NK cells, part 1"
    assert (line.state, line.address, line.name) == ("sent", ADA, "Ada")
