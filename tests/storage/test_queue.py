"""The curators' queue on both databases: what waits in which lane, in what order, for whom, and who reads it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import event, insert, select, update

from monitor.core.citation import Correction, InlineXml
from monitor.core.lanes import ALL, Lane, Listing
from monitor.core.people import Actor
from monitor.core.revision import Change
from monitor.errors import NotFound, UsageError
from monitor.services.bulk import Bulk, Choice
from monitor.services.notes import NoteChanged, Notes
from monitor.services.queue import OPEN_FOR, Queue
from monitor.services.screening import Overtaken, Screening
from monitor.services.steps import Steps
from monitor.storage import checks, citations
from monitor.storage.engine import Database
from monitor.storage.tables import EventRow, HitRow, ProposalRow, TopicRow
from tests.acceptance.publishing_world import World
from tests.factories import FIRST_PMID
from tests.storage.test_steps import curator

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Desk:
    """Papers that came in day by day, and two curators."""

    def __init__(self, database: Database) -> None:
        self.world = World(database)
        self.ada, self.bob = curator(self.world, "ada"), curator(self.world, "bob")
        self.queue = Queue(database, self.world)
        self.screening = Screening(database, self.world)
        self.steps = Steps(database, self.world)
        self.notes = Notes(database, self.world)
        self.bulk = Bulk(database, self.screening)

    def lanes(self, actor: Actor | None = None) -> dict[str, int]:
        return {each.lane: each.count for each in self.queue.lanes(actor or self.ada) if each.count}

    def rows(self, lane: Lane, listing: Listing = ALL, actor: Actor | None = None) -> list[int]:
        page = self.queue.rows(actor or self.ada, lane, listing)
        assert page.total == len(page.rows)
        return [row.line.pmid - FIRST_PMID for row in page.rows]

    def proposed(self, number: int, level: str, design: str = "cohort") -> None:
        with self.world.database.write() as session:
            session.execute(
                insert(ProposalRow).values(
                    pmid=FIRST_PMID + number, hash=b"-", vocabulary=1, levels=1, level=level, design=design,
                    participants=None, found={}, made_at=self.world.moment,
                )
            )  # fmt: skip

    def hits(self, number: int, **values: object) -> None:
        with self.world.database.write() as session:
            session.execute(update(HitRow).where(HitRow.pmid == FIRST_PMID + number).values(**values))


@pytest.fixture
def desk(database: Database) -> Desk:
    desk = Desk(database)
    for number in range(1, 5):
        desk.world.found(number, "car-nk" if number % 2 else "cik")
        desk.world.moment += HOUR
    return desk


def pmids(*numbers: int) -> list[int]:
    return [FIRST_PMID + number for number in numbers]


# ---- lanes


def test_a_paper_waits_in_the_first_lane_that_fits_until_somebody_judges_it(desk: Desk) -> None:
    desk.hits(2, lane="wide")
    desk.hits(3, news=False)
    desk.hits(4, ended_at=desk.world.moment)
    assert desk.lanes() == {"new": 1, "wide": 1, "backlog": 1}
    assert (desk.rows(Lane.NEW), desk.rows(Lane.WIDE), desk.rows(Lane.BACKLOG)) == ([1], [2], [3])
    desk.screening.decide(pmids(1), "dismiss", reason="language")
    desk.screening.decide(pmids(2), "keep", topics=["cik"])
    desk.screening.decide(pmids(3), "maybe")
    assert desk.lanes() == {"maybe": 1}
    desk.screening.undo(pmids(1))
    assert desk.lanes() == {"new": 1, "maybe": 1}


def test_topics_that_were_retired_bring_nothing(desk: Desk) -> None:
    with desk.world.database.write() as session:
        session.execute(update(TopicRow).where(TopicRow.id == "cik").values(retired_at=desk.world.moment))
    assert desk.rows(Lane.NEW) == [1, 3]


def test_a_core_hit_of_one_topic_counts_before_a_wide_hit_of_another(desk: Desk) -> None:
    desk.world.found(9, "car-nk", "cik")
    with desk.world.database.write() as session:
        session.execute(
            update(HitRow).where(HitRow.pmid == FIRST_PMID + 9, HitRow.topic_id == "cik").values(lane="wide")
        )
    (row,) = (each for each in desk.queue.rows(desk.ada, Lane.NEW).rows if each.line.pmid == FIRST_PMID + 9)
    assert row.topics == ("car-nk",)
    assert desk.rows(Lane.WIDE) == []


def test_alarms_come_first_then_predicted_levels_then_the_longest_waiting(desk: Desk) -> None:
    desk.world.retracted(4)
    desk.proposed(3, "B1", "rct")
    desk.proposed(2, "D", "in-vitro")
    assert desk.rows(Lane.NEW) == [4, 3, 2, 1]
    assert desk.rows(Lane.NEW, Listing("newest")) == [4, 3, 2, 1]
    desk.proposed(1, "A", "meta-analysis")
    assert desk.rows(Lane.NEW) == [4, 1, 3, 2]
    sample = desk.rows(Lane.NEW, Listing("sample", seed=7))
    assert sample == desk.rows(Lane.NEW, Listing("sample", seed=7))
    assert sorted(sample) == [1, 2, 3, 4]


def test_a_list_is_narrowed_down(desk: Desk) -> None:
    desk.world.found(5, "cik", title=InlineXml("Natural killer cells of <i>invented</i> donors"))
    desk.proposed(1, "B1", "rct")
    assert desk.rows(Lane.NEW, Listing(topic="cik")) == [2, 4, 5]
    assert desk.rows(Lane.NEW, Listing(level="B1")) == [1]
    assert desk.rows(Lane.NEW, Listing(design="rct")) == [1]
    assert desk.rows(Lane.NEW, Listing(words="KILLER invented")) == [5]
    assert desk.rows(Lane.NEW, Listing(words="or AND not")) == []
    assert desk.rows(Lane.NEW, Listing(words="  ")) == [1, 2, 3, 4, 5]
    with pytest.raises(UsageError, match="holds no word"):
        desk.rows(Lane.NEW, Listing(words="?!"))
    assert desk.rows(Lane.NEW, Listing(tag="aml")) == []
    page = desk.queue.rows(desk.ada, Lane.NEW)
    assert (page.topics, page.levels, page.designs) == (("car-nk", "cik"), ("B1",), ("rct",))


def test_pages_hold_every_paper_once_however_it_is_ordered(desk: Desk) -> None:
    for number in range(5, 12):
        desk.world.found(number)
    for listing in (ALL, Listing("newest"), Listing("sample", seed=3)):
        whole, after, found = desk.rows(Lane.NEW, listing), None, []
        while True:
            page = desk.queue.rows(desk.ada, Lane.NEW, listing, after=after, limit=4)
            found += [row.line.pmid - FIRST_PMID for row in page.rows]
            if page.next is None:
                break
            after = page.next
        assert (found, page.total) == (whole, 11)
    with pytest.raises(UsageError, match="at least one paper"):
        desk.queue.rows(desk.ada, Lane.NEW, limit=0)
    with pytest.raises(UsageError, match="no place in a lane"):
        desk.queue.rows(desk.ada, Lane.NEW, after="here")


def test_neighbours_are_found_even_of_a_paper_that_was_just_decided(desk: Desk) -> None:
    places = {row.line.pmid - FIRST_PMID: row.place for row in desk.queue.rows(desk.ada, Lane.NEW).rows}
    around = desk.queue.around(desk.ada, Lane.NEW, places[2])
    assert [row.line.pmid - FIRST_PMID for row in (*around.before, *around.after)] == [1, 3, 4]
    assert (around.position, around.total) == (2, 4)
    desk.screening.decide(pmids(2), "maybe", actor=desk.ada)
    around = desk.queue.around(desk.ada, Lane.NEW, places[2], count=1)
    assert [row.line.pmid - FIRST_PMID for row in around.before] == [1]
    assert [row.line.pmid - FIRST_PMID for row in around.after] == [3]
    assert (around.position, around.total) == (2, 3)
    last = desk.queue.around(desk.ada, Lane.NEW, places[4])
    assert (last.after, len(last.before), last.position) == ((), 2, 3)


def test_rows_say_why_and_how_long(desk: Desk) -> None:
    desk.world.moment += 16 * DAY
    row = desk.queue.rows(desk.ada, Lane.NEW).rows[0]
    assert (row.why, row.age_days, row.expected, row.held_by) == ("CAR-NK cells: core line 1", 16, None, None)


def test_lanes_and_page_take_as_many_statements_for_many_papers_as_for_few(desk: Desk) -> None:
    said: list[str] = []
    event.listen(desk.world.database.engine, "before_cursor_execute", lambda *args: said.append(args[2]))

    def statements() -> int:
        said.clear()
        desk.queue.view(desk.ada, Lane.NEW)
        return len([each for each in said if each.lstrip().startswith("SELECT")])

    few = statements()
    for number in range(5, 60):
        desk.world.found(number)
    assert statements() == few <= 16, said


def test_what_to_say_of_an_empty_lane(desk: Desk) -> None:
    desk.screening.decide(pmids(1), "maybe", actor=desk.ada)
    desk.screening.decide(pmids(2), "dismiss", reason="language", actor=desk.ada)
    desk.steps.undo(desk.ada)
    clear = desk.queue.clear(desk.ada, Lane.WIDE, desk.queue.lanes(desk.ada))
    assert clear.decided_today == 1
    assert clear.elsewhere is not None
    assert (clear.elsewhere.lane, clear.elsewhere.count) == (Lane.NEW, 3)
    desk.world.moment += DAY
    assert desk.queue.clear(desk.ada, Lane.WIDE, desk.queue.lanes(desk.ada)).decided_today == 0
    assert desk.queue.clear(desk.bob, Lane.NEW, desk.queue.lanes(desk.bob)).elsewhere is not None


# ---- maybe


def test_a_snoozed_paper_comes_back_on_its_day(desk: Desk) -> None:
    day = desk.world.moment.date() + timedelta(days=3)
    desk.screening.decide(pmids(1), "maybe", until=day, actor=desk.ada)
    desk.screening.decide(pmids(2), "maybe", actor=desk.ada)
    assert (desk.lanes()["maybe"], desk.rows(Lane.MAYBE)) == (1, [2])
    assert desk.rows(Lane.MAYBE, Listing(later=True)) == [2, 1]
    desk.world.moment += 3 * DAY
    assert (desk.lanes()["maybe"], desk.rows(Lane.MAYBE)) == (2, [1, 2])
    row = desk.queue.rows(desk.bob, Lane.MAYBE).rows[0]
    assert row.why == f"put aside by Ada until {day.isoformat()}"
    desk.screening.decide(pmids(1), "keep", topics=["car-nk"], actor=desk.bob)
    assert desk.rows(Lane.MAYBE) == [2]
    desk.steps.undo(desk.bob)
    assert desk.rows(Lane.MAYBE) == [1, 2]


def test_who_was_asked_finds_it_and_nobody_else(desk: Desk) -> None:
    desk.screening.decide(pmids(1), "maybe", asked=desk.bob.person_id, note="Two arms?", actor=desk.ada)
    assert (desk.rows(Lane.MAYBE), desk.rows(Lane.MAYBE, actor=desk.bob)) == ([], [1])
    paper = desk.queue.paper(FIRST_PMID + 1, desk.bob)
    assert (paper.by, paper.asked) == ("Ada", "Bob")
    assert desk.queue.rows(desk.bob, Lane.MAYBE).rows[0].why == "put aside by Ada for Bob"


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"until": date(2026, 11, 9)}, "is not a day to come"),
        ({"asked": 999}, "must be a curator or admin"),
    ],
)
def test_nobody_waits_for_yesterday_or_for_a_stranger(desk: Desk, how: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        desk.screening.decide(pmids(1), "maybe", actor=desk.ada, **how)  # type: ignore[arg-type]
    member = desk.world.subscribing.add("member@lab.example")
    with pytest.raises(UsageError, match="must be a curator or admin"):
        desk.screening.decide(pmids(1), "maybe", actor=desk.ada, asked=member.id)
    with pytest.raises(UsageError, match="goes with maybe"):
        desk.screening.decide(pmids(1), "keep", topics=["cik"], until=date(2030, 1, 1), actor=desk.ada)


# ---- revised


def test_a_revised_abstract_waits_with_the_words_that_changed(desk: Desk) -> None:
    desk.world.found(5, abstract="Cells reduced mortality.")
    desk.screening.decide(pmids(5), "dismiss", reason="language", actor=desk.ada)
    desk.world.moment += HOUR
    desk.world.revised(5, pagination=None)
    assert "revised" not in desk.lanes()
    from monitor.core.citation import Abstract, AbstractSection

    desk.world.revised(5, abstract=Abstract((AbstractSection(InlineXml("Cells did not reduce mortality.")),)))
    assert (desk.lanes()["revised"], desk.rows(Lane.REVISED)) == (1, [5])
    paper = desk.queue.paper(FIRST_PMID + 5, desk.ada)
    assert paper.reopened
    assert paper.rewording is not None
    (section,) = paper.rewording.abstract
    assert [(each.kind, each.words) for each in section.text] == [
        ("kept", "Cells "),
        ("removed", "reduced "),
        ("added", "did not reduce "),
        ("kept", "mortality."),
    ]
    desk.screening.decide(
        pmids(5), "dismiss", reason="language", expected={pmids(5)[0]: paper.expected}, actor=desk.ada
    )
    assert "revised" not in desk.lanes()
    desk.steps.undo(desk.ada)
    assert desk.rows(Lane.REVISED) == [5]


def test_lane_and_report_of_reopened_verdicts_are_the_same(desk: Desk) -> None:
    for number in (1, 2):
        desk.screening.decide(pmids(number), "maybe")
        desk.world.revised(number, title=InlineXml(f"Another title {number}"))
    desk.world.revised(2, title=InlineXml("Invented CAR-NK cells, part 2"))
    assert desk.rows(Lane.REVISED) == [1]
    assert [each.pmid for each in desk.screening.reopened()] == pmids(1)


def test_a_provisional_paper_that_was_judged_is_read_again_once_it_is_fetched(desk: Desk) -> None:
    from tests.factories import citation

    with desk.world.database.write() as session:
        citations.keep(
            session,
            [citation(FIRST_PMID + 7, title=InlineXml("As the file had it"))],
            desk.world.moment,
            provisional=True,
        )
    desk.screening.decide(pmids(7), "keep", topics=["cik"], actor=desk.ada)
    with desk.world.database.write() as session:
        citations.keep(session, [citation(FIRST_PMID + 7, title=InlineXml("As PubMed has it"))], desk.world.moment)
    assert desk.rows(Lane.REVISED) == [7]
    assert desk.queue.paper(FIRST_PMID + 7, desk.ada).rewording is None


# ---- integrity


def test_what_befalls_a_kept_paper_waits_until_it_is_acknowledged(desk: Desk) -> None:
    desk.screening.decide(pmids(1), "keep", topics=["car-nk"], actor=desk.ada)
    desk.screening.decide(pmids(2), "dismiss", reason="language", actor=desk.ada)
    desk.world.moment += HOUR
    for number in (1, 2, 3):
        desk.world.retracted(number)
    assert (desk.lanes()["integrity"], desk.rows(Lane.INTEGRITY)) == (1, [1])
    row = desk.queue.rows(desk.bob, Lane.INTEGRITY).rows[0]
    assert (row.why, row.line.flags) == ("retracted", ("retracted",))
    paper = desk.queue.paper(FIRST_PMID + 1, desk.bob)
    assert [each.changes for each in paper.notices] == [(Change.RETRACTED,)]
    desk.world.moment += HOUR
    desk.world.revised(1, corrections=(Correction("ErratumIn", "Invented J. 2026;1:2", FIRST_PMID + 9001),))
    desk.screening.acknowledge(pmids(1), upto=paper.upto, actor=desk.bob)
    assert desk.queue.rows(desk.bob, Lane.INTEGRITY).rows[0].why == "erratum published"
    desk.screening.acknowledge(pmids(1), actor=desk.bob)
    assert "integrity" not in desk.lanes()
    desk.steps.undo(desk.bob)
    assert desk.rows(Lane.INTEGRITY) == [1]
    desk.steps.redo(desk.bob)
    assert "integrity" not in desk.lanes()
    with pytest.raises(UsageError, match="without anything that waits"):
        desk.screening.acknowledge(pmids(1), actor=desk.ada)


def test_who_kept_it_knowing_need_not_read_it_again_even_after_undo(desk: Desk) -> None:
    desk.world.retracted(1)
    desk.world.moment += HOUR
    desk.screening.decide(pmids(1), "keep", topics=["car-nk"], actor=desk.ada)
    assert "integrity" not in desk.lanes()
    desk.world.moment += HOUR
    desk.world.revised(1, corrections=(), publication_types=())
    desk.screening.decide(pmids(1), "dismiss", reason="language", actor=desk.ada)
    assert "integrity" not in desk.lanes()
    desk.steps.undo(desk.ada)
    assert desk.queue.rows(desk.ada, Lane.INTEGRITY).rows[0].why == "reinstated (no longer marked as retracted)"


def test_what_was_sent_is_followed_even_if_nobody_kept_it(desk: Desk) -> None:
    desk.world.reader("member@lab.example", "car-nk")
    desk.world.moment += HOUR
    for number in (5, 6, 7):
        desk.world.found(number)
    desk.world.moment += 14 * DAY
    desk.world.publishing.publish()
    desk.world.moment += HOUR
    for number in (1, 5):
        desk.world.retracted(number)
    with desk.world.database.write() as session:
        checks.withdraw(session, pmids(3, 6), desk.world.moment)
    told = {row.line.pmid - FIRST_PMID: row.why for row in desk.queue.rows(desk.ada, Lane.INTEGRITY).rows}
    assert told == {5: "retracted", 6: "withdrawn from PubMed"}


def test_only_people_acknowledge_and_write_notes_and_do_so_much_at_once(desk: Desk) -> None:
    nobody = Actor("command line", "admin")
    with pytest.raises(UsageError, match="acknowledged by a person"):
        desk.screening.acknowledge(pmids(1), actor=nobody)
    with pytest.raises(UsageError, match="signed in"):
        desk.notes.of(FIRST_PMID + 1, nobody)
    with pytest.raises(UsageError, match="501 papers at once are too many"):
        desk.screening.label(pmids(*range(501)), tags=["a"], actor=desk.ada)


# ---- two at once


def test_whoever_decides_later_sees_both_choices_and_keeps_theirs_knowingly(desk: Desk) -> None:
    pmid = FIRST_PMID + 1
    seen = desk.queue.paper(pmid, desk.bob).expected
    desk.screening.decide([pmid], "dismiss", reason="language", actor=desk.ada)
    with pytest.raises(Overtaken, match=f"PMID {pmid}: dismiss by Ada") as found:
        desk.screening.decide([pmid], "keep", topics=["car-nk"], note="Good.", expected={pmid: seen}, actor=desk.bob)
    (paper,) = found.value.papers
    assert (paper.by, paper.yours.verdict, paper.yours.note) == ("Ada", "keep", "Good.")
    assert paper.theirs is not None
    assert paper.theirs.judgement.reason == "language"
    assert desk.screening.of([pmid])[0].judgement.verdict == "dismiss"
    desk.screening.decide([pmid], "keep", topics=["car-nk"], expected={pmid: paper.expected}, actor=desk.bob)
    assert desk.screening.of([pmid])[0].judgement.verdict == "keep"


def test_a_verdict_taken_back_meanwhile_is_told_too(desk: Desk) -> None:
    pmid = FIRST_PMID + 1
    desk.screening.decide([pmid], "maybe", actor=desk.ada)
    seen = desk.queue.paper(pmid, desk.bob).expected
    desk.steps.undo(desk.ada)
    with pytest.raises(Overtaken, match="the verdict was taken back") as found:
        desk.screening.decide([pmid], "keep", topics=["car-nk"], expected={pmid: seen}, actor=desk.bob)
    assert found.value.papers[0].expected is None


def test_two_who_decide_at_the_same_moment_never_lose_one(desk: Desk) -> None:
    import threading

    pmid = FIRST_PMID + 1
    at_once, overtaken = threading.Barrier(2), []

    def decide(actor: Actor) -> None:
        at_once.wait()
        try:
            desk.screening.decide([pmid], "maybe", expected={pmid: None}, actor=actor)
        except Overtaken as error:
            overtaken.append(error.papers[0].by)

    together = [threading.Thread(target=decide, args=(each,)) for each in (desk.ada, desk.bob)]
    for each in together:
        each.start()
    for each in together:
        each.join()
    paper = desk.queue.paper(pmid, desk.ada)
    assert overtaken == [paper.by]


# ---- reading


def test_a_paper_that_is_open_says_who_reads_it_until_they_leave(desk: Desk) -> None:
    pmid = FIRST_PMID + 1
    held = desk.queue.open(pmid, desk.ada)
    assert (held.name, held.until - held.since) == ("Ada", OPEN_FOR)
    assert desk.queue.open(pmid, desk.bob).name == "Ada"
    assert desk.queue.paper(pmid, desk.bob).held_by == held
    assert [row.held_by for row in desk.queue.rows(desk.bob, Lane.NEW).rows] == ["Ada", None, None, None]
    assert desk.queue.rows(desk.ada, Lane.NEW).rows[0].held_by is None
    desk.world.moment += timedelta(minutes=9)
    renewed = desk.queue.open(pmid, desk.ada)
    assert (renewed.since, renewed.until) == (held.since, desk.world.moment + OPEN_FOR)
    desk.queue.open(FIRST_PMID + 2, desk.ada)
    assert desk.queue.paper(pmid, desk.bob).held_by is None
    desk.queue.release(desk.ada)
    assert desk.queue.paper(FIRST_PMID + 2, desk.bob).held_by is None


def test_reading_ends_by_itself_by_deciding_and_by_taking_over(desk: Desk) -> None:
    pmid = FIRST_PMID + 1
    desk.queue.open(pmid, desk.ada)
    desk.world.moment += OPEN_FOR
    assert desk.queue.open(pmid, desk.bob).name == "Bob"
    assert desk.queue.open(pmid, desk.ada, take_over=True).name == "Ada"
    desk.screening.decide([pmid], "maybe", actor=desk.ada)
    assert desk.queue.paper(pmid, desk.bob).held_by is None
    with desk.world.database.read() as session:
        told = session.execute(
            select(EventRow.before, EventRow.after).where(EventRow.action == "reading.take-over")
        ).all()
    assert [tuple(each) for each in told] == [({"by": "Bob"}, {"by": desk.ada.name})]
    for nothing in (lambda: desk.queue.open(1, desk.ada), lambda: desk.queue.paper(1, desk.ada)):
        with pytest.raises(NotFound, match="PMID 1 is not in the library"):
            nothing()
    with pytest.raises(UsageError, match="signed in"):
        desk.queue.open(pmid, Actor("command line", "admin"))


# ---- notes


def test_a_note_is_saved_as_it_grows_and_two_windows_lose_nothing(desk: Desk) -> None:
    pmid = FIRST_PMID + 1
    assert desk.notes.of(pmid, desk.ada).version == 0
    first = desk.notes.write(pmid, "Two ar", 0, desk.ada)
    second = desk.notes.write(pmid, "Two arms", first.version, desk.ada)
    assert (second.text, second.version) == ("Two arms", 2)
    with pytest.raises(NoteChanged) as found:
        desk.notes.write(pmid, "Other window", first.version, desk.ada)
    assert (found.value.yours, found.value.theirs.text) == ("Other window", "Two arms")
    assert desk.notes.write(pmid, "Two arms", 0, desk.ada) == second
    desk.notes.write(pmid, "Other window", found.value.theirs.version, desk.ada)
    assert (desk.notes.of(pmid, desk.ada).text, desk.notes.of(pmid, desk.bob).text) == ("Other window", "")
    desk.notes.write(pmid, "", 3, desk.ada)
    assert desk.notes.of(pmid, desk.ada).text == ""


@pytest.mark.parametrize(("text", "says"), [("x" * 2001, "at most 2,000"), ("a\x00b", "control characters")])
def test_what_is_no_note_is_refused_and_the_one_before_stands(desk: Desk, text: str, says: str) -> None:
    desk.notes.write(FIRST_PMID + 1, "before", 0, desk.ada)
    with pytest.raises(UsageError, match=says):
        desk.notes.write(FIRST_PMID + 1, text, 1, desk.ada)
    assert desk.notes.of(FIRST_PMID + 1, desk.ada).text == "before"
    with pytest.raises(NotFound):
        desk.notes.write(1, "x", 0, desk.ada)


def test_two_windows_that_write_the_first_note_at_once_keep_both(desk: Desk) -> None:
    from monitor.storage import notes

    pmid, ada = FIRST_PMID + 1, desk.ada.person_id
    assert ada is not None
    with desk.world.database.write() as session:
        assert notes.write(session, ada, pmid, "one", 0, desk.world.moment)
        assert not notes.write(session, ada, pmid, "two", 0, desk.world.moment)
        assert notes.of(session, ada, [pmid])[pmid].text == "one"


def test_the_note_as_written_goes_with_the_verdict(desk: Desk) -> None:
    desk.notes.write(FIRST_PMID + 1, "Two arms.", 0, desk.ada)
    desk.screening.decide(pmids(1), "keep", topics=["car-nk"], drafted=True, actor=desk.ada)
    assert desk.screening.of(pmids(1))[0].judgement.note == "Two arms."
    desk.screening.decide(pmids(1), "keep", topics=["car-nk"], note="Other.", drafted=True, actor=desk.ada)
    assert desk.screening.of(pmids(1))[0].judgement.note == "Other."
    desk.screening.decide(pmids(1), "keep", topics=["car-nk"], drafted=True, actor=desk.bob)
    assert desk.screening.of(pmids(1))[0].judgement.note is None


# ---- bulk


def test_bulk_shows_what_would_change_and_then_changes_just_that(desk: Desk) -> None:
    desk.screening.decide(pmids(1), "dismiss", reason="language", actor=desk.ada)
    desk.screening.decide(pmids(2), "keep", topics=["cik"], actor=desk.bob)
    choice = Choice("dismiss", reason="language")
    preview = desk.bulk.preview([*pmids(1, 2, 3, 4), 1], choice, desk.ada)
    assert [(each.line.pmid - FIRST_PMID, each.stands) for each in preview.would] == [
        (2, "keep in cik by Bob"),
        (3, "no verdict yet"),
        (4, "no verdict yet"),
    ]
    assert [(each.pmid, each.why) for each in preview.left] == [
        (pmids(1)[0], "stands like this already"),
        (1, "not in the library"),
    ]
    desk.screening.decide(pmids(3), "maybe", actor=desk.bob)
    applied = desk.bulk.apply(choice, preview.expected, desk.ada)
    assert applied.pmids == tuple(pmids(2, 4))
    assert [(each.pmid, each.why) for each in applied.left] == [(pmids(3)[0], "Bob decided on it meanwhile")]
    assert [each.judgement.verdict for each in desk.screening.of(pmids(2, 3, 4))] == ["dismiss", "maybe", "dismiss"]
    done = desk.steps.undo(desk.ada)
    assert done is not None
    assert done.step.id == applied.step_id
    assert [each.judgement.verdict for each in desk.screening.of(pmids(2, 3, 4))] == ["keep", "maybe", None]


def test_bulk_labels_without_a_verdict(desk: Desk) -> None:
    desk.screening.label(pmids(1), tags=["aml"])
    choice = Choice(tags=("aml",), level="D", why="in vitro")
    preview = desk.bulk.preview(pmids(1, 2), choice, desk.ada)
    assert len(preview.would) == 2
    applied = desk.bulk.apply(choice, preview.expected, desk.ada)
    assert [(each.tags, each.level) for each in desk.screening.of(applied.pmids)] == [(("aml",), "D")] * 2
    assert desk.bulk.preview(pmids(1, 2), choice, desk.ada).would == ()
    again = desk.bulk.apply(choice, preview.expected, desk.ada)
    assert (again.pmids, again.step_id, len(again.left)) == ((), None, 2)


@pytest.mark.parametrize(
    ("numbers", "choice", "says"),
    [
        ([], Choice("maybe"), "no paper is selected"),
        (range(1, 502), Choice("maybe"), "501 papers at once are too many; select at most 500"),
        ([1], Choice(), "choose a verdict"),
        ([1], Choice("keep"), "at least one topic"),
        ([1], Choice("dismiss"), "needs a reason"),
        ([1], Choice("maybe", tags=("*",)), "cannot stand in a tag"),
    ],
)
def test_a_choice_that_is_wrong_is_said_before_anything_is_shown(
    desk: Desk, numbers: list[int], choice: Choice, says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        desk.bulk.preview(pmids(*numbers), choice, desk.ada)


def test_all_overtaken_changes_nothing_and_makes_no_step(desk: Desk) -> None:
    preview = desk.bulk.preview(pmids(1, 2), Choice("maybe"), desk.ada)
    desk.screening.decide(pmids(1, 2), "dismiss", reason="language", actor=desk.bob)
    applied = desk.bulk.apply(Choice("maybe"), preview.expected, desk.ada)
    assert (applied.pmids, applied.step_id, len(applied.left)) == ((), None, 2)
    assert desk.steps.undo(desk.ada) is None
