"""People, subscriptions and the log of both, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.exc import IntegrityError

from monitor.core.address import address_key, read_address
from monitor.errors import NotFound, UsageError
from monitor.services.subscribing import UNSUBSCRIBED, Subscribing
from monitor.storage import people
from monitor.storage.engine import Database
from monitor.storage.tables import EventRow, PersonRow, SubscriptionRow, SuppressionRow, TopicRow

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


class SetClock:
    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def subscribing(database: Database, clock: SetClock) -> Subscribing:
    with database.write() as session:
        for position, (name, title) in enumerate({"car-nk": "CAR-NK cells", "cik": "CIK cells"}.items()):
            session.add(TopicRow(id=name, title=title, position=position, created_at=NOW))
        session.add(TopicRow(id="old", title="Retired", position=9, created_at=NOW, retired_at=NOW))
    return Subscribing(database, clock, "Europe/Berlin")


def actions(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(EventRow.action).order_by(EventRow.id)))


def test_a_subscription_starts_with_defaults_and_is_logged(database: Database, subscribing: Subscribing) -> None:
    subscribing.add("Ada@Lab.Example", "Ada Invented", "curator")
    held = subscribing.subscribe("ada@lab.example", ["cik", "car-nk"])
    assert [each.topic for each in held.topics] == ["car-nk", "cik"]
    assert (held.day, held.hour, held.zone, held.language, held.card_limit) == (0, 7, "Europe/Berlin", "en", 12)
    assert len(held.token) == 32
    assert actions(database) == ["person.add", "subscription.start"]
    (person,) = subscribing.everyone()
    assert (person.address, person.role, person.subscription) == ("Ada@lab.example", "curator", held)


def test_further_calls_extend_the_one_living_subscription(subscribing: Subscribing, clock: SetClock) -> None:
    subscribing.add("ada@lab.example")
    first = subscribing.subscribe("ada@lab.example", ["car-nk"])
    clock.moment += timedelta(days=1)
    second = subscribing.subscribe("ada@lab.example", ["car-nk", "cik"], limit=5)
    assert (second.id, second.token, second.card_limit) == (first.id, first.token, 5)
    assert [(each.topic, each.since) for each in second.topics] == [("car-nk", NOW), ("cik", clock.moment)]
    assert second.scheduled_at == NOW
    clock.moment += timedelta(days=1)
    assert subscribing.subscribe("ada@lab.example", [], day=2).scheduled_at == clock.moment
    with pytest.raises(UsageError, match="nothing to change"):
        subscribing.subscribe("ada@lab.example", [])


def test_the_database_refuses_a_second_living_subscription(database: Database, subscribing: Subscribing) -> None:
    subscribing.add("ada@lab.example")
    held = subscribing.subscribe("ada@lab.example", ["car-nk"])
    values = {
        "person_id": held.person_id, "day": 0, "hour": 7, "zone": "UTC", "language": "en", "card_limit": 12,
        "token": "another", "created_at": NOW, "scheduled_at": NOW,
    }  # fmt: skip
    with pytest.raises(IntegrityError), database.write() as session:
        session.execute(insert(SubscriptionRow).values(**values))


def test_unsubscribing_by_link_works_any_number_of_times(database: Database, subscribing: Subscribing) -> None:
    subscribing.add("ada@lab.example")
    token = subscribing.subscribe("ada@lab.example", ["car-nk"]).token
    assert subscribing.by_token(token).already is False
    assert actions(database)[-1] == "subscription.start"  # looking changes nothing
    left = subscribing.unsubscribe_by_token(token)
    assert (left.address, left.already) == ("ada@lab.example", False)
    again = subscribing.unsubscribe_by_token(token)
    assert (again.address, again.already) == ("ada@lab.example", True)
    assert subscribing.unsubscribe_by_token("nobody-has-this-token").already
    assert actions(database).count("subscription.end") == 1
    with database.read() as session:
        event_row = session.scalars(select(EventRow).where(EventRow.action == "subscription.end")).one()
        assert (event_row.actor, event_row.role) == ("link in a mail", "member")
        assert session.scalars(select(SuppressionRow.reason)).one() == UNSUBSCRIBED


def test_unsubscribing_by_address_is_repeatable_and_forgives_the_unknown(subscribing: Subscribing) -> None:
    subscribing.add("ada@lab.example")
    subscribing.subscribe("ada@lab.example", ["car-nk"])
    assert not subscribing.unsubscribe("ADA@lab.example").already
    assert subscribing.unsubscribe("ada@lab.example").already
    assert subscribing.unsubscribe("nobody@lab.example").address is None


def test_single_topics_can_be_left(subscribing: Subscribing) -> None:
    subscribing.add("ada@lab.example")
    subscribing.subscribe("ada@lab.example", ["car-nk", "cik"])
    subscribing.unsubscribe("ada@lab.example", ["cik"])
    (person,) = subscribing.everyone()
    assert person.subscription is not None
    assert [each.topic for each in person.subscription.topics] == ["car-nk"]
    with pytest.raises(UsageError, match="does not follow cik"):
        subscribing.unsubscribe("ada@lab.example", ["cik"])
    subscribing.unsubscribe("ada@lab.example", ["car-nk"])
    assert subscribing.everyone()[0].subscription is None


def test_only_an_opt_in_brings_mail_back(database: Database, subscribing: Subscribing, clock: SetClock) -> None:
    subscribing.add("ada@lab.example")
    old = subscribing.subscribe("ada@lab.example", ["car-nk"])
    subscribing.unsubscribe_by_token(old.token)
    with pytest.raises(UsageError, match="--opt-in"):
        subscribing.subscribe("ada@lab.example", ["car-nk"])
    assert subscribing.everyone()[0].suppressed == UNSUBSCRIBED
    clock.moment += timedelta(days=30)
    new = subscribing.subscribe("ada@lab.example", ["car-nk"], opt_in=True)
    assert (new.id != old.id, new.token != old.token) == (True, True)
    assert new.topics[0].since == clock.moment
    assert subscribing.everyone()[0].suppressed is None
    assert "suppression.lift" in actions(database)
    # The link of an old mail belongs to the subscription that ended, and ends no other.
    assert subscribing.unsubscribe_by_token(old.token).already
    assert subscribing.everyone()[0].subscription == new


def test_a_disabled_person_keeps_the_log_and_loses_the_subscription(
    database: Database, subscribing: Subscribing
) -> None:
    subscribing.add("ada@lab.example")
    subscribing.subscribe("ada@lab.example", ["car-nk"])
    assert subscribing.disable("ada@lab.example").disabled_at == NOW
    subscribing.disable("ada@lab.example")
    assert actions(database).count("person.disable") == 1
    with database.read() as session:
        assert people.living(session) == []
    with pytest.raises(UsageError, match="disabled"):
        subscribing.subscribe("ada@lab.example", ["car-nk"])
    assert subscribing.add("ada@lab.example").disabled_at is None
    assert actions(database)[-1] == "person.enable"


def test_a_changed_address_is_logged_with_both(database: Database, subscribing: Subscribing) -> None:
    subscribing.add("ada@lab.example")
    subscribing.add("bob@lab.example")
    with pytest.raises(UsageError, match="already belongs"):
        subscribing.change_address("ada@lab.example", "BOB@lab.example")
    subscribing.change_address("ada@lab.example", "ada@new.example")
    with database.read() as session:
        row = session.scalars(select(EventRow).where(EventRow.action == "person.address")).one()
        assert (row.before, row.after) == ({"address": "ada@lab.example"}, {"address": "ada@new.example"})
        assert people.find(session, "ada@new.example") is not None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"topics": ["car-nkk"]}, "did you mean car-nk"),
        ({"topics": ["old"]}, "old is retired"),
        ({"topics": []}, "at least one topic"),
        ({"topics": ["cik"], "day": 7}, "day"),
        ({"topics": ["cik"], "hour": 24}, "hour"),
        ({"topics": ["cik"], "zone": "Europe/Berlim"}, "did you mean Europe/Berlin"),
        ({"topics": ["cik"], "language": "xx"}, "not available"),
        ({"topics": ["cik"], "limit": 13}, "limit"),
    ],
)
def test_wrong_subscriptions_are_refused_whole(
    sqlite_database: Database, clock: SetClock, wrong: dict[str, object], said: str
) -> None:
    with sqlite_database.write() as session:
        for name in ("car-nk", "cik", "old"):
            session.add(
                TopicRow(id=name, title=name, position=0, created_at=NOW, retired_at=NOW if name == "old" else None)
            )
    subscribing = Subscribing(sqlite_database, clock)
    subscribing.add("ada@lab.example")
    with pytest.raises(UsageError, match=said):
        subscribing.subscribe("ada@lab.example", **wrong)  # type: ignore[arg-type]
    with sqlite_database.read() as session:
        assert session.scalars(select(SubscriptionRow.id)).all() == []


def test_nobody_unknown_is_subscribed_and_nobody_added_twice(subscribing: Subscribing) -> None:
    with pytest.raises(NotFound, match="add the person first"):
        subscribing.subscribe("ada@lab.example", ["cik"])
    subscribing.add("ada@lab.example")
    with pytest.raises(UsageError, match="already here"):
        subscribing.add("ADA@LAB.example")
    with pytest.raises(UsageError, match="no role"):
        subscribing.add("bob@lab.example", role="king")


def test_listing_takes_as_many_statements_for_fifty_as_for_one(database: Database, subscribing: Subscribing) -> None:
    counts = []
    for size in (1, 50):
        for number in range(size):
            subscribing.add(f"reader{number}of{size}@lab.example")
            subscribing.subscribe(f"reader{number}of{size}@lab.example", ["cik"])
        seen: list[str] = []
        listener = lambda *arguments: seen.append(arguments[2])  # noqa: E731
        event.listen(database.engine, "before_cursor_execute", listener)
        assert len(subscribing.everyone()) >= size
        event.remove(database.engine, "before_cursor_execute", listener)
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_reading_one_person_costs_the_same_among_three_hundred(sqlite_database: Database) -> None:
    """Counted in steps of SQLite's virtual machine: adding people must not take longer with each one who is there."""
    subscribing, topics = Subscribing(sqlite_database, SetClock()), ["car-nk", "cik"]
    with sqlite_database.write() as session:
        session.add_all(
            TopicRow(id=name, title=name, position=number, created_at=NOW) for number, name in enumerate(topics)
        )
    steps = []
    for size in (3, 297):
        for number in range(size):
            subscribing.add(f"reader{number}of{size}@lab.example")
            subscribing.subscribe(f"reader{number}of{size}@lab.example", topics)
        count = 0

        def step() -> None:
            nonlocal count
            count += 1

        with sqlite_database.read() as session:
            driver: Any = session.connection().connection.driver_connection
            driver.set_progress_handler(step, 1)
            found = people.find(session, f"reader1of{size}@lab.example")
            driver.set_progress_handler(None, 1)
        assert found is not None
        assert found.subscription is not None
        assert [each.topic for each in found.subscription.topics] == topics
        steps.append(count)
    assert 0 < steps[1] < steps[0] * 2, steps


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (" Ada.Example@Lab.Example ", "Ada.Example@lab.example"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("o'hara+lab@sub.lab.example", "o'hara+lab@sub.lab.example"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_addresses_that_are(given: str, text: str) -> None:
    assert read_address(given).text == text
    assert read_address(given).key == text.casefold()


def test_letters_outside_ascii_before_the_at_need_a_relay_that_takes_them() -> None:
    address = read_address("jürgen@lab.example")
    assert address.needs_smtputf8
    assert not read_address("ada@bücher.example").needs_smtputf8
    assert read_address("ju\u0308rgen@lab.example").key == address.key


@pytest.mark.parametrize(
    "wrong",
    [
        "", "ada", "@lab.example", "ada@", "ada@@", "ada lab@x.example", "Ada <ada@lab.example>", "a@b.example,c@d.example",
        "ada@lab", "ada@lab..example", ".ada@lab.example", "ada.@lab.example", "a..b@lab.example", "ada@-lab.example",
        "ada@127.0.0.1", "ada@[127.0.0.1]", "ada@lab.example\r\nBcc: x@y.example", "a\u200bda@lab.example",
        "x" * 65 + "@lab.example", "ada@" + "a" * 64 + ".example", '"ada lab"@lab.example', "ada@lab_x.example",
    ],
)  # fmt: skip
def test_addresses_that_are_not(wrong: str) -> None:
    with pytest.raises(UsageError):
        read_address(wrong)


@pytest.mark.parametrize(
    "domain",
    [
        "straße.example",
        "STRAẞE.example",
        "σας.example",
        "www.fußball.example",
        "a\ufe0fé.example",
        "\u13a0\u13a1.example",
        "Ⱥ.example",
    ],
)
def test_a_domain_that_would_be_read_as_another_is_refused(domain: str) -> None:
    with pytest.raises(UsageError, match="begin with xn--"):
        read_address(f"ada@{domain}")


@pytest.mark.parametrize(
    ("domain", "text"),
    [
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("ΣΑΣ.example", "xn--mxa9ab.example"),
        ("bücher。example", "xn--bcher-kva.example"),
        ("ｂücher.ｅxample", "xn--bcher-kva.example"),
        ("日本語.example", "xn--wgv71a119e.example"),
        ("XN--strae-oqa.example", "xn--strae-oqa.example"),
        ("xn--strae-oqa.bücher.example", "xn--strae-oqa.xn--bcher-kva.example"),
    ],
)
def test_a_domain_in_any_script_or_already_in_ascii_is_the_same_domain(domain: str, text: str) -> None:
    assert read_address(f"ada@{domain}").text == f"ada@{text}"


def test_keys_of_what_is_no_address_are_only_folded() -> None:
    assert address_key(" MAILER-DAEMON ") == "mailer-daemon"


def test_person_rows_keep_what_was_given(database: Database, subscribing: Subscribing) -> None:
    subscribing.add("ada@lab.example", "  Ada \n Invented ")
    with database.read() as session:
        assert session.scalars(select(PersonRow.name)).one() == "Ada Invented"
