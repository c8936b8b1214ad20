"""Blind double screening on both databases: what two verdicts come to, and that neither is seen before both are in."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from monitor.core.citation import InlineXml
from monitor.core.lanes import Lane
from monitor.core.people import Actor
from monitor.core.screening import NOTHING, Verdict
from monitor.errors import NotFound, UsageError
from monitor.services.bulk import Bulk, Choice
from monitor.services.notes import Notes
from monitor.services.queue import Queue
from monitor.services.screening import Screening
from monitor.services.steps import Steps
from monitor.services.votes import Votes
from monitor.storage import screening
from monitor.storage.engine import Database
from monitor.storage.tables import EventRow
from tests.acceptance.publishing_world import World
from tests.factories import FIRST_PMID
from tests.storage.test_steps import curator

ONE, TWO, THREE = (FIRST_PMID + number for number in range(1, 4))
CANARY = "canary-of-the-first-vote"


class Panel:
    """A topic screened doubly, three curators and an admin."""

    def __init__(self, database: Database) -> None:
        self.world = World(database)
        self.una, self.bob, self.cyd = (curator(self.world, each) for each in ("una", "bob", "cyd"))
        self.admin = curator(self.world, "admin", "admin")
        self.votes = Votes(database, self.world)
        self.desk = Screening(database, self.world)
        self.steps = Steps(database, self.world)
        self.queue = Queue(database, self.world)
        for number, topics in enumerate((("car-nk",), ("car-nk", "cik"), ("cik",)), 1):
            self.world.found(number, *topics)
        self.votes.switch("car-nk", True, self.admin)

    def state(self, pmid: int, actor: Actor) -> str | None:
        return self.votes.of(pmid, actor).state

    def lanes(self, actor: Actor) -> dict[str, int]:
        return {each.lane: each.count for each in self.queue.lanes(actor) if each.count}


@pytest.fixture
def panel(database: Database) -> Panel:
    return Panel(database)


def test_two_who_agree_decide_with_the_tags_of_both(panel: Panel) -> None:
    first = panel.votes.vote(ONE, "keep", topics=["car-nk"], tags=["aml"], level="B1", note="Few.", actor=panel.una)
    assert (first.state, first.votes, first.judgement) == ("waits", (), None)
    assert panel.desk.of([ONE])[0].judgement == NOTHING
    second = panel.votes.vote(ONE, "keep", topics=["car-nk"], tags=["cd19"], note="Early.", actor=panel.bob)
    assert (second.state, len(second.votes)) == ("agreed", 2)
    (found,) = panel.desk.of([ONE])
    assert (found.judgement.verdict, found.judgement.topics) == (Verdict.KEEP, ("car-nk",))
    assert (found.judgement.note, found.tags, found.level) == ("Few.\n\nEarly.", ("aml", "cd19"), "B1")
    with panel.world.database.read() as session:
        event = session.scalars(
            select(EventRow).where(EventRow.subject == f"citation:{ONE}", EventRow.action == "screen.keep")
        ).one()
    assert event.before is not None
    assert [(each["by"], each["role"], each["verdict"]) for each in event.before["votes"]] == [
        ("Una", "curator", "keep"),
        ("Bob", "curator", "keep"),
    ]


def test_two_who_differ_leave_it_to_a_third(panel: Panel) -> None:
    panel.votes.vote(ONE, "keep", topics=["car-nk"], actor=panel.una)
    assert panel.votes.vote(ONE, "dismiss", reason="not-primary", actor=panel.bob).state == "conflict"
    (conflict,) = panel.votes.conflicts(panel.cyd)
    assert [each.name for each in conflict.votes] == ["Una", "Bob"]
    assert [panel.votes.of(ONE, each).may_decide for each in (panel.una, panel.bob, panel.cyd)] == [False, False, True]
    for voted in (panel.una, panel.bob):
        with pytest.raises(UsageError, match="for a third person to decide"):
            panel.desk.decide([ONE], "maybe", actor=voted)
    with pytest.raises(UsageError, match="decide between them"):
        panel.votes.vote(ONE, "maybe", actor=panel.cyd)
    panel.desk.decide([ONE], "keep", topics=["car-nk"], actor=panel.cyd)
    assert (panel.votes.conflicts(panel.cyd), panel.state(ONE, panel.una)) == ((), "decided")
    panel.steps.undo(panel.cyd)
    assert [each.pmid for each in panel.votes.conflicts(panel.una)] == [ONE]


def test_keeping_in_other_topics_is_another_verdict_where_they_are_doubly_screened(panel: Panel) -> None:
    panel.votes.vote(TWO, "keep", topics=["car-nk"], actor=panel.una)
    assert panel.votes.vote(TWO, "keep", topics=["cik"], actor=panel.bob).state == "conflict"
    panel.votes.vote(ONE, "keep", topics=["car-nk"], actor=panel.una)
    assert panel.votes.vote(ONE, "keep", topics=["car-nk", "nk-engager"], actor=panel.bob).state == "agreed"
    assert panel.desk.of([ONE])[0].judgement.topics == ("car-nk", "nk-engager")


def test_each_person_finds_in_the_lane_what_waits_for_their_verdict(panel: Panel) -> None:
    assert panel.lanes(panel.una) == {"new": 1, "second": 2}
    panel.votes.vote(ONE, "keep", topics=["car-nk"], actor=panel.una)
    panel.votes.vote(TWO, "maybe", actor=panel.una)
    assert panel.lanes(panel.una) == {"new": 1}
    panel.votes.vote(TWO, "dismiss", reason="language", actor=panel.bob)
    assert panel.lanes(panel.bob) == {"new": 1, "second": 1}
    page = panel.queue.rows(panel.cyd, Lane.SECOND)
    assert [(row.line.pmid, row.why) for row in page.rows] == [
        (TWO, "two verdicts differ; yours decides"),
        (ONE, "waits for your verdict; nobody sees it yet"),
    ]


def test_a_vote_is_taken_back_until_the_other_is_in(panel: Panel) -> None:
    panel.votes.vote(ONE, "maybe", actor=panel.una)
    with pytest.raises(UsageError, match="you have voted"):
        panel.votes.vote(ONE, "maybe", actor=panel.una)
    done = panel.steps.undo(panel.una)
    assert done is not None
    assert (done.pmids, panel.state(ONE, panel.una)) == ((ONE,), "open")
    again = panel.steps.redo(panel.una)
    assert again is not None
    assert (again.pmids, panel.state(ONE, panel.una)) == ((ONE,), "voted")
    panel.votes.vote(ONE, "maybe", actor=panel.bob)
    for person in (panel.una, panel.bob):
        late = panel.steps.undo(person)
        assert late is not None
        assert (late.pmids, late.left[0].why) == ((), "both verdicts are in, and a vote that met the other one stands")
    assert panel.desk.of([ONE])[0].judgement.verdict == "maybe"


def test_redo_of_a_vote_may_complete_a_pair_and_never_makes_a_third(panel: Panel) -> None:
    panel.votes.vote(ONE, "maybe", actor=panel.una)
    panel.votes.vote(TWO, "maybe", actor=panel.una)
    panel.steps.undo(panel.una)
    panel.steps.undo(panel.una)
    panel.votes.vote(ONE, "maybe", actor=panel.bob)
    for person in (panel.bob, panel.cyd):
        panel.votes.vote(TWO, "maybe", actor=person)
    first, second = panel.steps.redo(panel.una), panel.steps.redo(panel.una)
    assert first is not None
    assert second is not None
    assert (first.pmids, panel.desk.of([ONE])[0].judgement.verdict) == ((ONE,), "maybe")
    assert second.pmids == ()
    assert "has a verdict already" in second.left[0].why


def test_a_revision_outdates_votes_that_were_given(panel: Panel) -> None:
    panel.votes.vote(ONE, "maybe", actor=panel.una)
    panel.world.revised(1, title=InlineXml("Another title altogether"))
    assert (panel.state(ONE, panel.una), panel.lanes(panel.una)["second"]) == ("open", 2)
    panel.votes.vote(ONE, "dismiss", reason="language", actor=panel.bob)
    assert panel.state(ONE, panel.bob) == "voted"
    assert panel.votes.vote(ONE, "dismiss", reason="language", actor=panel.una).state == "agreed"


def test_redo_of_a_vote_asks_to_read_a_text_that_changed(panel: Panel) -> None:
    panel.votes.vote(ONE, "maybe", actor=panel.una)
    panel.steps.undo(panel.una)
    panel.world.revised(1, title=InlineXml("Another title altogether"))
    done = panel.steps.redo(panel.una)
    assert done is not None
    assert (done.pmids, panel.state(ONE, panel.una)) == ((), "open")
    assert "changed since" in done.left[0].why


def test_who_is_alone_cannot_decide_label_or_sweep_what_two_screen(panel: Panel) -> None:
    for alone in (
        lambda: panel.desk.decide([ONE], "maybe", actor=panel.una),
        lambda: panel.desk.label([ONE], tags=["aml"], actor=panel.una),
        lambda: panel.votes.vote(THREE, "maybe", actor=panel.una),
    ):
        with pytest.raises(UsageError, match="screened by two people|in no topic that two people screen"):
            alone()
    preview = Bulk(panel.world.database, panel.desk).preview([ONE, THREE], Choice("maybe"), panel.una)
    assert [each.line.pmid for each in preview.would] == [THREE]
    assert preview.left[0].pmid == ONE
    panel.desk.decide([ONE], "maybe")
    assert panel.desk.of([ONE])[0].judgement.verdict == "maybe"
    with pytest.raises(UsageError, match="has a verdict already"):
        panel.votes.vote(ONE, "maybe", actor=panel.una)


def test_only_an_admin_has_a_topic_screened_by_two_and_it_is_an_event(panel: Panel) -> None:
    with pytest.raises(UsageError, match="decided by an admin"):
        panel.votes.switch("cik", True, panel.una)
    with pytest.raises(NotFound, match="no topic is called nosuch"):
        panel.votes.switch("nosuch", True, panel.admin)
    assert not panel.votes.switch("car-nk", True, panel.admin)
    panel.votes.vote(ONE, "maybe", actor=panel.una)
    assert panel.votes.switch("car-nk", False, panel.admin)
    assert (panel.votes.topics(), panel.lanes(panel.una)) == ({}, {"new": 3})
    panel.votes.switch("car-nk", True, panel.admin)
    assert panel.state(ONE, panel.una) == "voted"
    with panel.world.database.read() as session:
        told = session.execute(
            select(EventRow.actor, EventRow.before, EventRow.after).where(EventRow.action == "topic.screening")
        ).all()
    assert [tuple(each) for each in told] == [
        (panel.admin.name, {"doubly": before}, {"doubly": after})
        for before, after in ((False, True), (True, False), (False, True))
    ]


def test_nothing_of_a_vote_is_seen_by_anybody_else_before_both_are_in(panel: Panel) -> None:
    Notes(panel.world.database, panel.world).write(ONE, CANARY, 0, panel.una)
    panel.votes.vote(ONE, "dismiss", reason="other", note=CANARY, tags=[CANARY], level="B2", actor=panel.una)
    notes = Notes(panel.world.database, panel.world)
    for other in (panel.bob, panel.admin):
        seen: list[Any] = [
            panel.votes.of(ONE, other),
            panel.votes.conflicts(other),
            panel.votes.agreement("car-nk"),
            panel.queue.paper(ONE, other),
            panel.queue.view(other, Lane.SECOND),
            panel.steps.history(other, everybody=True),
            panel.desk.of([ONE]),
            notes.of(ONE, other),
        ]
        told = repr([_whole(each) for each in seen])
        assert CANARY not in told
        assert "B2" not in told
        assert "dismiss" not in told
        assert "Una" not in told
    with panel.world.database.read() as session:
        about = session.scalars(select(EventRow.action).where(EventRow.subject == f"citation:{ONE}")).all()
        log = session.execute(select(EventRow.before, EventRow.after).where(EventRow.action == "vote.give")).all()
    assert (list(about), [tuple(each) for each in log]) == ([], [(None, None)])
    # Whoever gave it sees it, and nobody else's.
    mine = panel.votes.of(ONE, panel.una).mine
    assert mine is not None
    assert mine.judgement.note == CANARY


def test_the_note_as_written_goes_with_the_vote(panel: Panel) -> None:
    Notes(panel.world.database, panel.world).write(ONE, "Two arms.", 0, panel.una)
    panel.votes.vote(ONE, "maybe", drafted=True, actor=panel.una)
    panel.votes.vote(ONE, "maybe", drafted=True, actor=panel.bob)
    assert panel.desk.of([ONE])[0].judgement.note == "Two arms."


def test_what_two_keep_is_told_to_the_vocabulary_once(panel: Panel) -> None:
    told: list[tuple[list[int], int | None]] = []
    voting = Votes(panel.world.database, panel.world, lambda _, pmids, step: told.append((list(pmids), step)))
    for pmid, verdict, topics in ((ONE, "keep", ["car-nk"]), (TWO, "maybe", [])):
        for person in (panel.una, panel.bob):
            last = voting.vote(pmid, verdict, topics=topics, actor=person)
            if pmid == ONE and person is panel.bob:
                assert told == [([ONE], last.step_id)]
    assert len(told) == 1


def test_votes_are_given_by_people(panel: Panel) -> None:
    with pytest.raises(UsageError, match="signed in"):
        panel.votes.vote(ONE, "maybe", actor=Actor("command line", "admin"))


def test_agreement_is_told_of_all_and_of_each_two(panel: Panel) -> None:
    for number in range(4, 10):
        panel.world.found(number, "car-nk")
    people = (panel.una, panel.bob)
    for number in range(4, 8):
        for person in people:
            panel.votes.vote(FIRST_PMID + number, "dismiss", reason="language", actor=person)
    for person, verdict in ((panel.una, "maybe"), (panel.bob, "dismiss")):
        reason = "language" if verdict == "dismiss" else None
        panel.votes.vote(FIRST_PMID + 8, verdict, reason=reason, actor=person)
    for person in (panel.bob, panel.cyd):
        panel.votes.vote(FIRST_PMID + 9, "keep", topics=["car-nk"], actor=person)
    report = panel.votes.agreement("car-nk")
    assert (report.whole.papers, report.whole.agreed) == (6, 5)
    assert [(one, other, each.papers, each.percent) for one, other, each in report.people] == [
        ("Una", "Bob", 5, 80.0),
        ("Bob", "Cyd", 1, 100.0),
    ]
    assert report.table == {("dismiss", "dismiss"): 4, ("maybe", "dismiss"): 1, ("keep", "keep"): 1}
    assert panel.votes.agreement("cik").whole.percent is None
    with pytest.raises(NotFound):
        panel.votes.agreement("nosuch")


def test_two_who_vote_at_the_same_moment_decide_once(panel: Panel) -> None:
    at_once = threading.Barrier(3)
    said: list[str] = []

    def vote(actor: Actor) -> None:
        at_once.wait()
        try:
            said.append(panel.votes.vote(ONE, "maybe", actor=actor).state)
        except UsageError:
            said.append("too late")

    together = [threading.Thread(target=vote, args=(each,)) for each in (panel.una, panel.bob, panel.cyd)]
    for each in together:
        each.start()
    for each in together:
        each.join()
    assert sorted(said) == ["agreed", "too late", "waits"]
    with panel.world.database.read() as session:
        assert len(screening.decisions(session, [ONE])[ONE]) == 1


def _whole(value: Any) -> Any:
    """Return everything that a value holds, generators and nested values included."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _whole(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, (list, tuple, Iterator)):
        return [_whole(each) for each in value]
    return value
