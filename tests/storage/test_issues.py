"""Issues as rows: frozen once, found by their key, and what a selection asks of the store."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from monitor.core.citation import InlineXml
from monitor.core.revision import Change
from monitor.storage import citations, issues, serving
from monitor.storage.engine import Database
from monitor.storage.issues import FrozenEntry, FrozenIssue, Recipient
from monitor.storage.tables import DeliveryRow, IssueEntryRow, IssueRow
from tests.acceptance.publishing_world import MONDAY, World
from tests.factories import FIRST_PMID, citation

HOUR = timedelta(hours=1)


@pytest.fixture
def world(database: Database) -> World:
    world = World(database)
    for name in ("ada", "bob"):
        world.reader(f"{name}@lab.example", "car-nk")
    world.found(1)
    return world


def frozen(world: World, **overrides: object) -> FrozenIssue:
    with world.database.read() as session:
        version = issues.latest_versions(session, [FIRST_PMID + 1])[FIRST_PMID + 1]
    issue = FrozenIssue(
        key="k" * 22, slot="2026-11-16", fingerprint="f1", label="2026-W47", kind="news", language="en",
        covers_from=MONDAY - 14 * 24 * HOUR, covers_until=MONDAY, subject="Invented", content={"a": ["ü", 1, None], "topics": []},
        html="<p>", text="text", message=b"\x00bytes\r\n",
        entries=(FrozenEntry("news", "car-nk", FIRST_PMID + 1, version, (), ("title:CAR-NK",)),),
    )  # fmt: skip
    return dataclasses.replace(issue, **overrides)  # type: ignore[arg-type]


def recipients(world: World) -> list[Recipient]:
    return [
        Recipient(person.subscription.id, person.id, person.address, f"<{person.id}@lab.example>", 0)
        for person in world.subscribing.everyone()
        if person.subscription is not None
    ]


def freeze(world: World, issue: FrozenIssue, to: list[Recipient] | None = None, now: datetime = MONDAY) -> int:
    with world.database.write() as session:
        issues.lock(session)
        return issues.freeze(session, issue, recipients(world) if to is None else to, now)


def test_freezing_twice_changes_nothing(world: World) -> None:
    assert freeze(world, frozen(world)) == 2
    assert freeze(world, frozen(world, html="other", subject="other"), now=MONDAY + HOUR) == 0
    (row,) = world.issues()
    assert (row.html, row.subject, row.content, row.message) == (
        "<p>",
        "Invented",
        {"a": ["ü", 1, None], "topics": []},
        b"\x00bytes\r\n",
    )
    with world.database.read() as session:
        assert len(session.scalars(select(IssueEntryRow)).all()) == 1
    assert {row.state for row in world.deliveries()} == {"queued"}


def test_a_late_reader_joins_the_issue_that_is_there(world: World) -> None:
    ada, bob = recipients(world)
    assert freeze(world, frozen(world), [ada]) == 1
    assert freeze(world, frozen(world), [ada, bob], MONDAY + HOUR) == 1
    assert len(world.issues()) == 1
    assert [row.subscription_id for row in world.deliveries()] == [ada.subscription_id, bob.subscription_id]


def test_one_delivery_a_slot_even_of_another_issue(world: World) -> None:
    freeze(world, frozen(world))
    assert freeze(world, frozen(world, fingerprint="f2", key="o" * 22)) == 0
    row = world.deliveries()[0]
    second = DeliveryRow(
        issue_id=row.issue_id, subscription_id=row.subscription_id, person_id=row.person_id, slot=row.slot,
        address="x@y.example", message_id="<another@lab.example>", dated_at=MONDAY, state="queued",
        next_at=MONDAY, created_at=MONDAY,
    )  # fmt: skip
    with pytest.raises(IntegrityError), world.database.write() as session:
        session.add(second)


def test_a_failing_freeze_leaves_nothing(world: World) -> None:
    wrong = frozen(world, entries=(FrozenEntry("news", "no-such-topic", FIRST_PMID + 1, 999_999, (), ()),))
    with pytest.raises(IntegrityError):
        freeze(world, wrong)
    assert world.issues() == []
    assert world.deliveries() == []


def test_only_those_whose_standing_is_as_it_was_are_served(world: World) -> None:
    ada, bob = recipients(world)
    with world.database.read() as session:
        assert issues.unchanged(session, [ada, bob]) == [ada, bob]
    freeze(world, frozen(world), [ada])
    world.subscribing.unsubscribe("bob@lab.example")
    with world.database.read() as session:
        assert issues.unchanged(session, [ada, bob]) == []


def test_the_archive_is_paged_newest_first(world: World) -> None:
    for number in range(5):
        freeze(world, frozen(world, slot=f"2026-11-{16 + number}", key=f"key{number}"), [])
    with world.database.read() as session:
        first = issues.archive(session, 2)
        assert [line.key for line in first] == ["key4", "key3"]
        third = session.scalars(select(IssueRow.id).where(IssueRow.key == "key3")).one()
        assert [line.key for line in issues.archive(session, 9, third)] == ["key2", "key1", "key0"]
        page = issues.by_key(session, "key2")
        assert page is not None
        assert (page.slot, page.content["a"]) == ("2026-11-18", ["ü", 1, None])


def test_standing_knows_the_last_slot_and_until_when_one_is_served(world: World) -> None:
    ada, _ = recipients(world)
    freeze(world, frozen(world), [ada])
    week = {"covers_from": MONDAY, "covers_until": MONDAY + 168 * HOUR}
    later = frozen(world, slot="2026-11-23", fingerprint="f2", key="o" * 22, **week)
    freeze(world, later, [dataclasses.replace(ada, message_id="<2@lab.example>")])
    with world.database.write() as session:
        session.execute(update(DeliveryRow).where(DeliveryRow.slot == "2026-11-23").values(state="failed"))
    with world.database.read() as session:
        standing = serving.standings(session, MONDAY + 1000 * HOUR)[ada.subscription_id]
    assert standing.last_slot == "2026-11-23"  # that slot is over, whatever became of it
    assert standing.served_until == MONDAY  # but what it brought did not arrive


@pytest.mark.parametrize(
    ("states", "begins", "until", "arrived"),
    [
        ("sss", (0, 1, 2), 3, 0),
        ("fss", (0, 1, 2), 0, 2),  # the loss was learnt after two more had been made
        ("sfs", (0, 1, 2), 1, 1),
        ("fsf", (0, 1, 2), 0, 1),
        ("fsq", (0, 1, 0), 3, 0),  # made up for
        ("fsf", (0, 1, 0), 0, 1),  # and lost again
        ("ssc", (0, 1, 2), 2, 0),
        ("fff", (0, 0, 0), 0, 0),
    ],
)
def test_standing_reaches_back_to_what_was_lost_until_it_is_made_up_for(
    world: World, states: str, begins: tuple[int, ...], until: int, arrived: int
) -> None:
    ada, bob = recipients(world)
    names = {"s": "sent", "f": "failed", "c": "cancelled", "q": "queued"}
    for number, (state, begin) in enumerate(zip(states, begins, strict=True)):
        made = frozen(
            world,
            slot=f"2026-11-{9 + 7 * number:02}",
            key=f"key{number}",
            covers_from=MONDAY + begin * 168 * HOUR,
            covers_until=MONDAY + (number + 1) * 168 * HOUR,
        )
        freeze(
            world, made, [dataclasses.replace(each, message_id=f"<{number}-{each.person_id}>") for each in (ada, bob)]
        )
        with world.database.write() as session:
            newest = select(func.max(DeliveryRow.id)).where(DeliveryRow.person_id == ada.person_id).scalar_subquery()
            session.execute(update(DeliveryRow).where(DeliveryRow.id == newest).values(state=names[state]))
            session.execute(update(DeliveryRow).where(DeliveryRow.person_id == bob.person_id).values(state="sent"))
    with world.database.read() as session:
        standings = serving.standings(session, MONDAY + 1000 * HOUR)
    assert standings[ada.subscription_id].served_until == MONDAY + until * 168 * HOUR
    assert standings[ada.subscription_id].arrived == arrived
    # Another reader's losses are no one else's.
    assert standings[bob.subscription_id].served_until == MONDAY + 3 * 168 * HOUR


def test_changes_count_from_the_version_that_was_told(world: World) -> None:
    freeze(world, frozen(world))
    with world.database.write() as session:
        citations.keep(session, [citation(FIRST_PMID + 77)], MONDAY)  # in no issue
    world.moment = MONDAY + HOUR
    world.retracted(1)
    with world.database.read() as session:
        (seen,) = issues.changed_after_sending(session, MONDAY)
        assert seen.pmid == FIRST_PMID + 1
        assert seen.changes[0] is Change.RETRACTED
        (told,) = issues.told(session, [FIRST_PMID + 1, FIRST_PMID + 77])
        assert told.version_id < seen.id == issues.latest_versions(session, [FIRST_PMID + 1])[FIRST_PMID + 1]
        assert issues.changed_after_sending(session, MONDAY + HOUR) == []


def test_what_a_moment_knew_ends_before_the_first_version_seen_later(world: World) -> None:
    freeze(world, frozen(world))
    ids = []
    for hours in (1, 3, 2, 4):  # the clock was ahead for the second
        world.moment = MONDAY + hours * HOUR
        world.revised(1, title=InlineXml(f"An invented title, version {hours}"))
        with world.database.read() as session:
            ids.append(issues.latest_versions(session, [FIRST_PMID + 1])[FIRST_PMID + 1])
    with world.database.read() as session:
        for by, known in ((2, 1), (3, 3), (4, 4)):
            seen = issues.changed_after_sending(session, MONDAY, MONDAY + by * HOUR)
            assert [each.id for each in seen] == ids[:known]
            assert issues.latest_versions(session, [FIRST_PMID + 1], MONDAY + by * HOUR) == {
                FIRST_PMID + 1: seen[-1].id
            }
        assert [each.id for each in issues.changed_after_sending(session, MONDAY + 2 * HOUR)] == ids[1:]


def test_runs_hold_the_period_and_the_last_good_one_before_it(world: World) -> None:
    start = world.moment
    for hours, state in ((-100, "done"), (-90, "failed"), (-80, "done"), (1, "failed"), (2, "interrupted")):
        world.moment = start + hours * HOUR
        world.polled("cik", state=state)
    with world.database.read() as session:
        found = issues.runs(session, ["cik"], start, start + 3 * HOUR)["cik"]
    assert [(run.state, (run.finished_at - start) / HOUR) for run in found] == [
        ("interrupted", 2),
        ("failed", 1),
        ("done", -80),
    ]


def test_weeks_are_counted_back_from_the_moment(world: World) -> None:
    for number, days in enumerate((0, 6, 8, 20, 60), 10):
        world.found(number, "cik", at=MONDAY - timedelta(days=days))
    with world.database.read() as session:
        assert issues.weekly_counts(session, ["cik", "nk-engager"], MONDAY) == {"cik": (0, 0, 0, 0, 0, 1, 1, 2)}


def test_a_paper_of_two_topics_is_one_new_paper(world: World) -> None:
    for topic in ("cik", "nk-engager"):
        world.found(10, topic, at=MONDAY - timedelta(days=1))
    world.found(11, "cik", at=MONDAY - timedelta(days=8))
    with world.database.read() as session:
        counted = [
            issues.new_papers(session, topics, MONDAY - timedelta(days=days), MONDAY)
            for topics, days in ((["cik", "nk-engager"], 7), (["cik"], 14), ([], 14))
        ]
    assert counted == [1, 2, 0]
