"""Corrections, the week and readers' marks on both databases: what happened to papers, whom it reached, what to read first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, select, update

from monitor.core.citation import ArticleId, Correction, DataBank, InlineXml, Reference, ReferenceList
from monitor.core.people import Actor, Person
from monitor.core.query import MeshTree
from monitor.core.revision import Change
from monitor.errors import NotFound, UsageError
from monitor.services.corrections import Corrections
from monitor.services.importing import Importing, ImportReport
from monitor.services.papers import Papers
from monitor.services.screening import Screening
from monitor.services.week import Weeks
from monitor.storage import citations, corrections, marks
from monitor.storage.engine import Database
from monitor.storage.tables import AcknowledgementRow, DeliveryRow, EventRow, VersionRow
from tests.acceptance.publishing_world import MONDAY, World
from tests.factories import FIRST_PMID, citation

DAY = timedelta(days=1)
RETRACTED = (Correction("RetractionIn", "Invented J. 2026;1:2", FIRST_PMID + 50),)
DOUBTED = (Correction("ExpressionOfConcernIn", "Invented J. 2026;1:3"),)


class Lab:
    """A world with a reader and a curator, and the services under test."""

    def __init__(self, database: Database) -> None:
        self.world = World(database)
        self.database = database
        self.importing = Importing(database, None, self.world)
        self.corrections = Corrections(database, self.world, MeshTree)
        self.weeks = Weeks(database, self.world, self.corrections)
        self.papers = Papers(database, self.world, MeshTree, lambda: self.importing)
        self.screening = Screening(database, self.world)
        self.world.reader("member@lab.example")
        self.member = self.person("member@lab.example")
        held = self.world.subscribing.add("curator@lab.example", role="curator")
        self.curator = Actor(held.address, "curator", held.id)
        self.reader = Actor(self.member.address, "member", self.member.id)

    def person(self, address: str) -> Person:
        return next(each for each in self.world.subscribing.everyone() if each.address == address)

    def sent(self, at: datetime) -> None:
        """Let every digest that is made have gone out."""
        with self.database.write() as session:
            session.execute(update(DeliveryRow).where(DeliveryRow.state == "queued").values(state="sent", sent_at=at))

    def kinds(self, **asked: object) -> list[tuple[int, tuple[str, ...], bool]]:
        page = self.corrections.page(self.member.id, **asked)  # type: ignore[arg-type]
        return [(each.pmid, each.kinds, each.known) for each in page.corrections]


@pytest.fixture
def lab(database: Database) -> Lab:
    return Lab(database)


def test_a_correction_tells_what_happened_and_whom_the_paper_and_its_notice_reached(lab: Lab) -> None:
    world = lab.world
    world.moment += timedelta(hours=1)
    one = world.found(1, "car-nk")
    world.moment = MONDAY
    world.publishing.publish()
    lab.sent(MONDAY)
    world.moment = MONDAY + DAY
    world.revised(1, corrections=RETRACTED)
    (page,) = [lab.corrections.page(lab.member.id)]
    (told,) = page.corrections
    assert (told.pmid, told.kinds, told.known) == (one, ("retracted",), False)
    assert told.changes[0] is Change.RETRACTED
    assert [(each.words, each.link.pmid) for each in told.notices] == [("Retraction in", FIRST_PMID + 50)]
    assert (told.reach.people, told.reach.since, told.reach.mine) == (1, MONDAY, MONDAY)
    assert told.told.people == 0
    world.moment = MONDAY + 7 * DAY
    world.publishing.publish()
    lab.sent(world.moment)
    (told,) = lab.corrections.page(lab.member.id).corrections
    assert (told.told.people, told.told.since, told.told.mine) == (1, world.moment, world.moment)
    (other,) = lab.corrections.page(None).corrections
    assert (other.reach.mine, other.told.mine, other.saved) == (None, None, False)
    assert lab.papers.one(one, lab.member.id).told.mine == world.moment


def test_what_stood_already_when_it_was_first_seen_is_told_as_such_and_once(lab: Lab) -> None:
    world = lab.world
    one = world.found(1, corrections=RETRACTED)
    two = world.found(2, corrections=DOUBTED)
    world.found(3)
    world.moment += DAY
    world.revised(2, corrections=(*DOUBTED, *RETRACTED))
    world.moment += DAY
    world.revised(1, corrections=())
    assert lab.kinds() == [(one, ("reinstated",), False), (two, ("retracted",), False), (two, ("concern",), True)]
    assert lab.kinds(kind="concern") == [(two, ("concern",), True)]
    assert lab.corrections.page(None).counts == {
        "retracted": 1, "concern": 1, "withdrawn": 0, "erratum": 0, "reinstated": 1,
    }  # fmt: skip


def test_pages_of_corrections_follow_each_other(lab: Lab) -> None:
    world = lab.world
    for number in range(7):
        world.found(number)
        world.moment += timedelta(hours=1)
        world.revised(number, corrections=RETRACTED)
    seen: list[int] = []
    before: int | None = None
    while True:
        page = lab.corrections.page(None, before=before, limit=3)
        seen += [each.pmid for each in page.corrections]
        assert page.total == 7
        before = page.next_before
        if before is None:
            break
    assert seen == [FIRST_PMID + number for number in reversed(range(7))]
    assert lab.corrections.page(None, before=999_999).corrections == ()


def test_corrections_are_narrowed_to_what_was_kept_sent_or_saved(lab: Lab) -> None:
    world = lab.world
    kept, saved, other = world.found(1), world.found(2), world.found(3)
    lab.screening.decide([kept], "keep", topics=["car-nk"], actor=lab.curator)
    lab.papers.mark(saved, "saved", lab.reader)
    world.moment += DAY
    for number in (1, 2, 3):
        world.revised(number, corrections=RETRACTED)
    assert {pmid for pmid, _, _ in lab.kinds()} == {kept, saved, other}
    assert {pmid for pmid, _, _ in lab.kinds(matters="kept")} == {kept}
    assert {pmid for pmid, _, _ in lab.kinds(matters="mine")} == {saved}
    assert lab.kinds(matters="sent") == []
    assert lab.corrections.page(None, matters="mine").corrections == ()
    with pytest.raises(UsageError, match="no kind"):
        lab.kinds(kind="odd")
    with pytest.raises(UsageError, match="no choice"):
        lab.kinds(matters="odd")


def test_who_has_read_of_a_correction_is_named_until_they_take_it_back(lab: Lab) -> None:
    world = lab.world
    world.found(1)
    world.moment += DAY
    world.revised(1, corrections=RETRACTED)
    with lab.database.write() as session:
        version = session.scalars(select(VersionRow.id).order_by(VersionRow.id.desc()).limit(1)).one()
        given = {"version_id": version, "person_id": lab.curator.person_id, "role": "curator", "at": world.moment}
        session.execute(insert(AcknowledgementRow).values(**given))
    (told,) = lab.corrections.page(None).corrections
    assert [(each.name, each.at) for each in told.acknowledged] == [
        (lab.person("curator@lab.example").name, world.moment)
    ]
    with lab.database.write() as session:
        session.execute(update(AcknowledgementRow).values(withdrawn_at=world.moment))
    (told,) = lab.corrections.page(None).corrections
    assert told.acknowledged == ()


def test_lately_counts_only_what_concerns_us_and_shows_the_gravest(lab: Lab) -> None:
    world = lab.world
    erratum, retracted = world.found(1), world.found(2)
    with lab.database.write() as session:
        citations.keep(session, [citation(FIRST_PMID + 60)], world.moment)
    world.moment += DAY
    world.revised(2, corrections=RETRACTED)
    world.moment += DAY
    world.revised(1, corrections=(Correction("ErratumIn", "Invented J. 2026;1:4"),))
    with lab.database.write() as session:
        citations.keep(session, [citation(FIRST_PMID + 60, corrections=RETRACTED)], world.moment)
    found = lab.corrections.since(world.moment - 7 * DAY, lab.member.id, 1)
    assert found.counts == {"retracted": 1, "erratum": 1}
    assert [each.pmid for each in found.corrections] == [retracted]
    assert [each.pmid for each in lab.corrections.since(world.moment, None, 5).corrections] == [erratum]


# ---- the week


def week_of(lab: Lab) -> Sequence[tuple[int, str | None, int]]:
    return [(each.line.pmid, each.worth.level, each.worth.stars) for each in lab.weeks.of(lab.member).key_papers]


def test_key_papers_are_the_highest_the_kept_and_the_saved(lab: Lab) -> None:
    world = lab.world
    low, high, kept, saved, dismissed, retracted, aside, _plain = (world.found(number) for number in range(1, 9))
    lab.screening.label([low, high, dismissed, retracted, aside], level="B1", actor=lab.curator)
    lab.screening.label([low], level="C", actor=lab.curator)
    lab.screening.label([high], level="A", actor=lab.curator)
    lab.screening.decide([kept], "keep", topics=["car-nk"], actor=lab.curator)
    lab.screening.decide([dismissed], "dismiss", reason="duplicate", actor=lab.curator)
    lab.papers.mark(saved, "saved", lab.curator)
    lab.papers.mark(aside, "not-for-me", lab.reader)
    world.revised(6, corrections=RETRACTED)
    assert week_of(lab) == [(high, "A", 0), (saved, None, 1), (kept, None, 0)]
    world.moment += 8 * DAY
    assert week_of(lab) == []
    lab.screening.decide([low], "keep", topics=["car-nk"], actor=lab.curator)
    assert week_of(lab) == [(low, "C", 0)]


def test_a_week_says_how_the_searches_went_and_what_was_sent_last(lab: Lab) -> None:
    world = lab.world
    assert lab.weeks.of(lab.member).ran_at is None
    assert len(lab.weeks.of(lab.member).blind) == 3
    world.moment = MONDAY
    world.polled()
    world.found(1, "cik")
    world.publishing.publish()
    lab.sent(MONDAY)
    world.moment = MONDAY + timedelta(hours=5)
    found = lab.weeks.of(lab.member)
    assert (found.new, found.fine, found.blind) == (1, 3, ())
    assert found.ran_at == MONDAY
    assert found.last_issue is not None
    assert found.last_issue.sent_at == MONDAY
    assert {each.id: each.new for each in found.topics} == {"car-nk": 0, "cik": 1, "nk-engager": 0}
    assert all(each.followed for each in found.topics)
    stranger = lab.weeks.of(lab.person("curator@lab.example"))
    assert stranger.last_issue is None
    assert not any(each.followed for each in stranger.topics)


# ---- marks


def test_a_mark_is_put_once_and_taken_once_with_its_events(lab: Lab) -> None:
    one, two = lab.world.found(1), lab.world.found(2)
    for on in (True, True, False, False):
        lab.papers.mark(one, "saved", lab.reader, on=on)
    lab.papers.mark(one, "saved", lab.reader)
    lab.world.moment += DAY
    lab.papers.mark(two, "saved", lab.reader)
    assert lab.papers.marked("saved", lab.member.id) == [two, one]
    assert lab.papers.marked("saved", lab.curator.person_id or 0) == []
    assert lab.papers.marks([one, two, 5], lab.member.id) == {one: frozenset({"saved"}), two: frozenset({"saved"})}
    with lab.database.read() as session:
        assert marks.stars(session, [one, two]) == {one: 1, two: 1}
        told = session.scalars(
            select(EventRow.action).where(EventRow.action.like("mark.%")).order_by(EventRow.id)
        ).all()
    assert told == ["mark.put", "mark.take", "mark.put", "mark.put"]
    with pytest.raises(UsageError):
        lab.papers.marked("odd", 1)
    with pytest.raises(NotFound):
        lab.papers.mark(5, "saved", lab.reader)
    with pytest.raises(UsageError):
        lab.papers.mark(one, "saved", Actor("command line", "admin"))


# ---- one paper


def test_a_paper_gathers_what_stands_around_it(lab: Lab) -> None:
    world = lab.world
    bank = (DataBank("ClinicalTrials.gov", ("NCT99000001",)),)
    one = world.found(
        1, data_banks=bank, corrections=(Correction("CommentIn", "Invented J", FIRST_PMID + 2), *RETRACTED)
    )
    two = world.found(2, data_banks=bank, corrections=(Correction("CommentOn", "Other J", FIRST_PMID + 1),))
    deep = (Reference(None, (ArticleId(str(two)), ArticleId("10.1/x", "doi"))), Reference(None, (ArticleId("none"),)))
    links = (
        Correction("Cites", "Cited J", one),
        Correction("UpdateOf", "Old J"),
        Correction("AssociatedDataset", "D", one),
    )
    three = world.found(3, corrections=links, reference_lists=(ReferenceList((), lists=(ReferenceList(deep),)),))
    for verdict, more in (("maybe", {}), ("keep", {"topics": ["cik"], "note": "Look at table 2."})):
        lab.screening.decide([one], verdict, actor=lab.curator, **more)  # type: ignore[arg-type]
    lab.screening.label([one], level="B1", note="Randomised.", actor=lab.curator)
    found = lab.papers.one(one, lab.member.id)
    assert [(each.decision.judgement.verdict, each.undone) for each in found.said] == [
        ("keep", False),
        ("maybe", False),
    ]
    assert found.said[0].name == lab.person("curator@lab.example").name
    assert found.level_given is not None
    assert (found.level_given.level, found.level_given.reason) == ("B1", "Randomised.")
    assert [each.line.title if each.line else None for each in found.linked("comments")] == [
        "Invented CAR-NK cells, part 2"
    ]
    assert [each.words for each in found.linked("integrity")] == ["Retraction in"]
    assert [each.pmid for each in lab.papers.one(three, 1).cited] == [one, two]
    assert [each.words for each in lab.papers.one(three, 1).linked("other")] == ["Dataset described in"]
    assert found.linked("other") == ()
    assert [each.pmid for each in found.family] == [two]
    assert [(each.topic, [line.number for line in each.lines]) for each in found.found] == [("car-nk", [1])]
    assert found.found[0].lines[0].reason == "invented"
    assert [each.words for each in lab.papers.one(three, 1).linked("versions")] == ["Update of"]
    assert lab.papers.one(three, 1).level_given is None
    assert found.citation.pmid == one
    assert [each.pmid for each in lab.papers.lines([two, 5, one])] == [two, one]
    with pytest.raises(NotFound):
        lab.papers.one(5, 1)


def test_a_link_that_ended_says_so_unless_another_states_it_still(lab: Lab) -> None:
    world = lab.world
    one = world.found(1, corrections=(Correction("CommentIn", "Invented J", FIRST_PMID + 2),))
    world.moment += DAY
    world.revised(1, corrections=())
    (gone,) = lab.papers.one(one, 1).links
    assert gone.ended_at == world.moment
    world.found(2, corrections=(Correction("CommentOn", "Other J", FIRST_PMID + 1),))
    (stands,) = lab.papers.one(one, 1).links
    assert stands.ended_at is None


def test_a_paper_fetched_by_name_is_logged_and_one_that_is_not_had_is_not(lab: Lab) -> None:
    report = lab.papers.fetch(FIRST_PMID + 80, lab.curator)
    assert report.exit_code == 3
    assert "contact address" in report.refusals()[0]
    lab.papers = Papers(
        lab.database,
        lab.world,
        MeshTree,
        lambda: SimpleNamespace(fetch=lambda pmids: ImportReport(new=len(pmids))),  # type: ignore[arg-type,return-value]
    )
    assert lab.papers.fetch(FIRST_PMID + 80, lab.curator).new == 1
    with lab.database.read() as session:
        told = session.execute(
            select(EventRow.action, EventRow.subject).where(EventRow.action == "citation.fetch")
        ).all()
    assert told == [("citation.fetch", f"citation:{FIRST_PMID + 80}")]


def test_a_decision_that_was_taken_back_stands_as_such(lab: Lab) -> None:
    one = lab.world.found(1, title=InlineXml("A paper"))
    lab.screening.decide([one], "maybe", actor=lab.curator)
    lab.screening.decide([one], "keep", topics=["car-nk"])
    lab.screening.undo([one])
    said = lab.papers.one(one, 1).said
    assert [(each.decision.judgement.verdict, each.name is None, each.undone) for each in said] == [
        ("keep", True, True),
        ("maybe", False, False),
    ]


def test_nothing_that_is_asked_of_no_papers_is_asked_at_all(lab: Lab) -> None:
    with lab.database.read() as session:
        assert corrections.happened(session, pmids=[]) == []
        assert corrections.ours(session, []) == set()
        assert corrections.reach(session, [], None) == {}
