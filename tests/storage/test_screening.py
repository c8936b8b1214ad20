"""Verdicts, tags, levels and claims on both databases: added, never changed, whole or not at all."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session

from monitor.core.citation import InlineXml
from monitor.core.people import Actor
from monitor.core.query.own import Own
from monitor.core.screening import NOTHING, Judgement, Verdict
from monitor.errors import NotFound, UsageError
from monitor.services.screening import Screening
from monitor.storage import screening
from monitor.storage.engine import Database
from monitor.storage.tables import DecisionRow, EventRow, HitRow, TaggingRow
from tests.acceptance.publishing_world import World
from tests.factories import FIRST_PMID

ONE, TWO, THREE = FIRST_PMID + 1, FIRST_PMID + 2, FIRST_PMID + 3
HOUR = timedelta(hours=1)


@pytest.fixture
def world(database: Database) -> World:
    world = World(database)
    world.found(1, "car-nk", "cik")
    world.found(2, "cik")
    world.found(3, "car-nk")
    return world


@pytest.fixture
def desk(world: World) -> Screening:
    return Screening(world.database, world)


def own(database: Database, *pmids: int) -> dict[int, Own]:
    with database.read() as session:
        return screening.own(session, pmids)


def rows(database: Database, table: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def curator(world: World, name: str = "curator") -> Actor:
    person = world.subscribing.add(f"{name}@lab.example", role="curator")
    return Actor(person.name, person.role, person.id)


def test_what_stands_of_a_citation_is_gathered_from_everywhere(world: World, desk: Screening) -> None:
    with world.database.write() as session:
        session.execute(update(HitRow).where(HitRow.pmid == ONE, HitRow.topic_id == "cik").values(lane="wide"))
        session.execute(update(HitRow).where(HitRow.pmid == TWO).values(ended_at=world.moment))
    desk.decide([ONE], "keep", topics=["nk-engager"])
    desk.label([ONE], tags=["HCC", "car-nk"], level="b1", claims=["c7"])
    day = world.moment.date()
    assert own(world.database, ONE, TWO, THREE, 1) == {
        ONE: Own(
            frozenset({"car-nk", "nk-engager"}),
            frozenset({"cik"}),
            frozenset({"hcc", "car-nk"}),
            frozenset({"B1"}),
            frozenset({"C07"}),
            "keep",
            day,
        ),
        TWO: Own(added_on=day),
        THREE: Own(frozenset({"car-nk"}), added_on=day),
    }


def test_what_stands_of_many_is_read_in_as_many_statements_as_of_one(world: World, desk: Screening) -> None:
    for number in range(4, 40):
        world.found(number)
    desk.label(range(ONE, FIRST_PMID + 40), tags=["many"])
    desk.decide(range(ONE, FIRST_PMID + 40), "maybe")
    said: list[str] = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    found = own(world.database, *range(ONE, FIRST_PMID + 40))
    assert (len(found), {each.decision for each in found.values()}) == (39, {"maybe"})
    assert len([each for each in said if each.startswith("SELECT")]) == 4


def test_judging_and_undoing_reads_and_writes_papers_together(world: World, desk: Screening) -> None:
    for number in range(4, 40):
        world.found(number)
    many = range(ONE, FIRST_PMID + 40)
    said: list[str] = []
    event.listen(world.database.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    for act in (lambda: desk.decide(many, "maybe"), lambda: desk.undo(many), lambda: desk.label(many, tags=["x"])):
        said.clear()
        assert len(act()) == 39
        assert len(said) <= 14, said


def test_undo_goes_back_step_by_step_to_no_verdict(world: World, desk: Screening) -> None:
    desk.decide([ONE], "keep", topics=["car-nk"])
    desk.decide([ONE], "dismiss", reason="duplicate")
    desk.decide([ONE], "maybe", note="read the supplement")
    steps = [desk.undo([ONE])[0].judgement for _ in range(3)]
    assert steps == [Judgement(Verdict.DISMISS, (), "duplicate"), Judgement(Verdict.KEEP, ("car-nk",)), NOTHING]
    assert own(world.database, ONE)[ONE].decision == "open"
    with pytest.raises(UsageError, match=f"PMID {ONE} is without a verdict"):
        desk.undo([ONE])
    desk.decide([ONE], "maybe")
    assert desk.undo([ONE])[0].judgement == NOTHING
    assert rows(world.database, DecisionRow) == 8


def test_a_changed_abstract_reopens_a_verdict_that_stands_all_the_same(world: World, desk: Screening) -> None:
    desk.decide([ONE, TWO], "keep", topics=["car-nk"])
    assert desk.reopened() == ()
    world.moment += HOUR
    world.revised(1, title=InlineXml("Invented CAR-NK cells, with another ending"))
    world.retracted(2)
    (found,) = desk.reopened()
    assert (found.pmid, found.reopened, found.judgement.verdict) == (ONE, True, Verdict.KEEP)
    assert own(world.database, ONE)[ONE].decision == "keep"
    (again,) = desk.decide([ONE], "keep", topics=["car-nk"])
    assert (again.changed, again.reopened, desk.reopened()) == (True, False, ())


def test_a_text_that_came_back_is_the_one_that_was_read(world: World, desk: Screening) -> None:
    before = InlineXml("Invented CAR-NK cells, part 1")
    desk.decide([ONE], "maybe")
    world.moment += HOUR
    world.revised(1, title=InlineXml("A slip of the pen"))
    assert len(desk.reopened()) == 1
    world.moment += HOUR
    world.revised(1, title=before)
    assert desk.reopened() == ()


def test_undoing_a_verdict_on_the_new_text_leaves_the_one_on_the_old_reopened(world: World, desk: Screening) -> None:
    desk.decide([ONE], "keep", topics=["car-nk"])
    world.moment += HOUR
    world.revised(1, title=InlineXml("Another title"))
    world.moment += HOUR
    desk.decide([ONE], "maybe")
    (after,) = desk.undo([ONE])
    assert (after.judgement.verdict, after.reopened) == (Verdict.KEEP, True)


def test_saying_the_same_again_adds_nothing_but_another_person_does(world: World, desk: Screening) -> None:
    ada, bob = curator(world, "ada"), curator(world, "bob")
    assert [each.changed for each in desk.decide([ONE], "maybe", actor=ada)] == [True]
    assert [each.changed for each in desk.decide([ONE, ONE], "maybe", actor=ada)] == [False]
    assert [each.changed for each in desk.decide([ONE, TWO], "maybe", actor=ada)] == [False, True]
    assert [each.changed for each in desk.decide([ONE], "maybe", actor=bob)] == [True]
    with world.database.read() as session:
        said = screening.decisions(session, [ONE, TWO])
    assert [(each.person_id, each.role) for each in said[ONE]] == [
        (ada.person_id, "curator"),
        (bob.person_id, "curator"),
    ]
    assert len(said[TWO]) == 1


def test_a_level_replaces_the_one_before_and_tags_add_up(world: World, desk: Screening) -> None:
    desk.label([ONE], tags=["a", "b"], level="B2", claims=["C01", "C02"])
    (now,) = desk.label([ONE], tags=["c", "A"], untag=["b", "never-there"], level="B1", unlink=["c2"])
    assert (now.tags, now.level, now.claims, now.changed) == (("a", "c"), "B1", ("C01",), True)
    (same,) = desk.label([ONE], tags=["c"], level="b1")
    assert (same.level, same.changed) == ("B1", False)
    (none,) = desk.label([ONE], no_level=True)
    assert (none.level, none.changed, own(world.database, ONE)[ONE].levels) == (None, True, frozenset())
    (back,) = desk.label([ONE], tags=["b"], level="B2")
    assert (back.tags, back.level) == (("a", "b", "c"), "B2")


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda desk: desk.decide([ONE, 1, 2], "maybe"), "PMID 1, 2 are not in the library, so nothing was changed"),
        (lambda desk: desk.decide([ONE], "keep"), "at least one topic"),
        (lambda desk: desk.decide([ONE], "keep", topics=["nosuch"]), "no topic is called nosuch"),
        (lambda desk: desk.decide([ONE], "dismiss"), "needs a reason"),
        (lambda desk: desk.undo([ONE, TWO]), f"PMID {TWO} is without a verdict"),
        (lambda desk: desk.undo([1]), "PMID 1 is not in the library"),
        (lambda desk: desk.label([ONE, 1], tags=["a"]), "PMID 1 is not in the library"),
        (lambda desk: desk.label([ONE], tags=["a"], level="Z"), "no level"),
        (lambda desk: desk.label([ONE], tags=["a", "*"]), "cannot stand in a tag"),
        (lambda desk: desk.label([ONE], tags=["a"], untag=["A"]), "put on and taken off at once"),
        (lambda desk: desk.label([ONE], level="A", no_level=True), "set and taken off at once"),
        (lambda desk: desk.label([ONE], claims=["12"]), "numbered like C12"),
    ],
)
def test_whatever_is_wrong_nothing_is_written(world: World, desk: Screening, act: object, says: str) -> None:
    desk.decide([ONE], "maybe")
    before = [rows(world.database, table) for table in (DecisionRow, TaggingRow, EventRow)]
    with pytest.raises(UsageError, match=says):
        act(desk)  # type: ignore[operator]
    assert [rows(world.database, table) for table in (DecisionRow, TaggingRow, EventRow)] == before


def test_every_change_is_an_event_with_what_was_before(world: World, desk: Screening) -> None:
    ada = curator(world)
    desk.decide([ONE], "keep", topics=["car-nk"], actor=ada)
    desk.decide([ONE], "dismiss", reason="language", actor=ada)
    desk.undo([ONE])
    desk.label([ONE], tags=["a"], level="A", actor=ada)
    desk.label([ONE], tags=["a"], actor=ada)
    with world.database.read() as session:
        told = session.execute(
            select(EventRow.action, EventRow.actor_id, EventRow.before, EventRow.after)
            .where(EventRow.subject == f"citation:{ONE}")
            .order_by(EventRow.id)
        ).all()
    keep = {"verdict": "keep", "topics": ["car-nk"]}
    dismiss = {"verdict": "dismiss", "reason": "language"}
    assert [tuple(each) for each in told] == [
        ("screen.keep", ada.person_id, {}, keep),
        ("screen.dismiss", ada.person_id, keep, dismiss),
        ("screen.undo", None, dismiss, keep),
        ("screen.label", ada.person_id, {}, {"level": ["A"], "tag": ["a"]}),
    ]


def test_two_curators_who_undo_at_once_take_back_one_verdict_each(world: World, desk: Screening) -> None:
    desk.decide([ONE], "keep", topics=["car-nk"])
    desk.decide([ONE], "maybe")
    at_once = threading.Barrier(2)

    def undo() -> None:
        at_once.wait()
        desk.undo([ONE])

    both = [threading.Thread(target=undo) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    with world.database.read() as session:
        taken = [each.undoes for each in screening.decisions(session, [ONE])[ONE]]
    assert len(set(taken[2:])) == 2
    assert own(world.database, ONE)[ONE].decision == "open"


def test_papers_that_were_never_judged_stand_open(world: World, desk: Screening) -> None:
    assert [each.judgement for each in desk.of([ONE, 1, TWO])] == [NOTHING, NOTHING]
    assert own(world.database) == {}
    assert own(world.database, ONE)[ONE].added_on == date(2026, 11, 9)


def test_who_decides_is_found_by_address_and_needs_the_role(world: World, desk: Screening) -> None:
    for role in ("member", "curator", "admin"):
        world.subscribing.add(f"{role}@lab.example", role=role)
    for role in ("curator", "admin"):
        actor = desk.curator(f"{role.upper()}@lab.example")
        assert (actor.name, actor.role) == (f"{role}@lab.example", role)
        desk.decide([ONE], "maybe", actor=actor)
        with world.database.read() as session:
            (decision,) = screening.standing(session, [ONE]).values()
        assert (decision.person_id, decision.role) == (actor.person_id, role)
    for address, error in (("member@lab.example", UsageError), ("nobody@lab.example", NotFound), ("x", UsageError)):
        with pytest.raises(error):
            desk.curator(address)


def test_a_role_is_kept_as_it_was(world: World, desk: Screening) -> None:
    desk.label([ONE], tags=["a"])
    with world.database.read() as session:
        assert _roles(session) == [("admin", None, "person")]


def _roles(session: Session) -> list[tuple[str, int | None, str]]:
    return [tuple(row) for row in session.execute(select(TaggingRow.role, TaggingRow.person_id, TaggingRow.origin))]
