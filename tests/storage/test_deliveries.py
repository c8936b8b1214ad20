"""Claims, fences and leases mean the same on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta

from monitor.core.delivery import Fate, Outcome, Verdict
from monitor.storage import bounces, deliveries
from monitor.storage.engine import Database
from monitor.storage.tables import PersonRow, SubscriptionRow
from tests.outbox import START, attempts, fill, rows

LEASE = START + timedelta(minutes=15)
LATER = START + timedelta(hours=1)
SENT = Outcome(Fate.SENT, "dot", 250, "2.0.0", "2.0.0 taken")


def claim(database: Database, owner: str = "one", now=START, until=LEASE, limit: int = 10):
    with database.write() as session:
        return deliveries.claim(session, owner, now, until, limit)


def people(count: int) -> list[str]:
    return [f"reader{number}@lab.example" for number in range(count)]


def test_a_claim_takes_what_is_due_oldest_first_and_only_once(database: Database) -> None:
    ids = fill(database, people(5))
    first, second, third = claim(database, limit=3), claim(database, "two"), claim(database, "three")
    assert [each.id for each in first] == ids[:3]
    assert [each.id for each in second] == ids[3:]
    assert third == []
    assert {each.fence for each in first} == {1}
    assert first[0].token == "token-of-invented-person-" + f"{first[0].person_id:07}"


def test_what_is_not_yet_due_is_left(database: Database) -> None:
    fill(database, people(1), at=LATER)
    assert claim(database) == []


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_can_write_nothing(database: Database) -> None:
    fill(database, people(1))
    (old,) = claim(database)
    (new,) = claim(database, "two", now=LEASE, until=LEASE + timedelta(minutes=15))
    assert new.fence == old.fence + 1
    assert new.doubts == 0
    with database.write() as session:
        assert not deliveries.mark_in_doubt(session, old, LATER, 1)
        assert not deliveries.settle(session, old, "sent", LATER)
        assert deliveries.mark_in_doubt(session, new, LATER, 1)
        assert deliveries.settle(session, new, "sent", LATER)
    (row,) = rows(database).values()
    assert (row.state, row.sent_at, row.checksum, row.tries) == ("sent", LATER, 1, 1)


def test_doubt_cools_down_then_is_claimed_once_and_never_again(database: Database) -> None:
    (id,) = fill(database, people(1))
    (first,) = claim(database)
    cool = START + timedelta(minutes=30)
    with database.write() as session:
        assert deliveries.mark_in_doubt(session, first, cool, 7)
    assert claim(database, now=cool - timedelta(seconds=1)) == []
    (second,) = claim(database, now=cool, until=cool + timedelta(minutes=15))
    assert (second.doubts, second.checksum) == (1, 7)
    (left,) = attempts(database)
    assert (left.outcome, left.fence, left.text) == ("in_doubt", first.fence, deliveries.DOUBT_LEFT)
    with database.write() as session:
        assert deliveries.mark_in_doubt(session, second, cool + timedelta(minutes=15), 7)
    much_later = cool + timedelta(days=1)
    assert claim(database, now=much_later) == []
    with database.write() as session:
        assert deliveries.give_up_doubts(session, much_later) == [id]
    assert rows(database)[id].state == "failed"
    assert len(attempts(database)) == 2


def test_a_released_claim_can_be_taken_at_once(database: Database) -> None:
    fill(database, people(2))
    taken = claim(database)
    with database.write() as session:
        deliveries.release(session, taken)
    assert [each.fence for each in claim(database, "two")] == [2, 2]


def test_standing_names_what_forbids_sending(database: Database) -> None:
    fill(database, people(4))
    left, disabled, closed, fine = claim(database)
    with database.write() as session:
        session.get_one(SubscriptionRow, left.subscription_id).ended_at = START
        session.get_one(PersonRow, disabled.person_id).disabled_at = START
        bounces.suppress(session, closed.address, "hard bounce", None, START)
    with database.read() as session:
        found = [deliveries.standing(session, each, each.address) for each in (left, disabled, closed, fine)]
    assert [each.obstacle for each in found] == [
        "unsubscribed",
        "the person is disabled",
        "the address is suppressed: hard bounce",
        None,
    ]
    assert all(each.ours for each in found)


def test_attempts_are_kept_and_read_newest_first(database: Database) -> None:
    fill(database, people(1))
    (claimed,) = claim(database)
    with database.write() as session:
        deliveries.add_attempt(session, claimed, Verdict.RETRY, Outcome(Fate.NOT_SENT, "rcpt", 450), START, 0.5)
        deliveries.add_attempt(session, claimed, Verdict.SENT, SENT, LATER, 0.1)
    with database.read() as session:
        latest = deliveries.latest_attempts(session, 5)
        assert deliveries.first_attempt_at(session, claimed.id) == START
    assert [(each.verdict, each.at) for each in latest] == [(Verdict.SENT, LATER), (Verdict.RETRY, START)]
    assert (latest[0].phase, latest[0].address) == ("dot", "reader0@lab.example")


def test_the_outbox_is_counted(database: Database) -> None:
    fill(database, people(3))
    (claimed,) = claim(database, limit=1)
    with database.write() as session:
        deliveries.settle(session, claimed, "sent", START)
    with database.read() as session:
        counted = deliveries.outbox(session, LATER)
    assert (counted.queued, counted.sent, counted.failed, counted.oldest_due) == (2, 1, 0, START)


def test_eight_workers_at_once_share_the_outbox_without_overlap(database: Database) -> None:
    ids = fill(database, people(120))
    taken: list[int] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        while claims := claim(database, name, limit=4):
            with lock:
                taken.extend(each.id for each in claims)

    threads = [threading.Thread(target=work, args=[f"worker {number}"]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # SKIP LOCKED may show a worker an empty outbox while others hold rows; nobody may show one row twice.
    taken += [each.id for each in claim(database, "last", limit=200)]
    assert sorted(taken) == ids
