"""The desk in the digest: kept papers first with reason and note, levels, floors, pauses; nothing lost, nothing told twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select

from monitor.core.citation import InlineXml
from monitor.core.screening import Verdict
from monitor.errors import UsageError
from monitor.mail.words import Words
from monitor.services.publishing import Planned
from monitor.storage.engine import Database
from monitor.storage.tables import CitationRow, DecisionRow, HitRow, ProposalRow, StrategyRow, TaggingRow
from tests.acceptance.publishing_world import MONDAY, World
from tests.factories import FIRST_PMID

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


@pytest.fixture
def small(sqlite_database: Database) -> World:
    return World(sqlite_database)


def week_later(world: World, number: int = 1) -> None:
    world.moment = MONDAY - 2 * WEEK + number * WEEK
    world.polled()


def judged(
    world: World, number: int, verdict: str, *topics: str, note: str | None = None, by: str | None = None, **more: Any
) -> None:
    """Let somebody decide on a paper now."""
    people = {person.address: person.id for person in world.subscribing.everyone()}
    values = {"pmid": FIRST_PMID + number, "verdict": verdict, "topics": list(topics), "note": note, "hash": b"read"}
    with world.database.write() as session:
        session.execute(
            insert(DecisionRow).values(
                **values, **more, person_id=people.get(by or ""), role="curator", decided_at=world.moment
            )
        )


def labelled(world: World, number: int, facet: str, term: str, *, added: bool = True) -> None:
    with world.database.write() as session:
        session.execute(
            insert(TaggingRow).values(
                pmid=FIRST_PMID + number, facet=facet, term=term, added=added, origin="person", role="curator",
                tagged_at=world.moment,
            )
        )  # fmt: skip


def proposed(world: World, number: int, level: str, participants: int | None = None) -> None:
    """Let the rules propose a level for a paper as it stands."""
    with world.database.write() as session:
        text = session.scalar(select(CitationRow.hash).where(CitationRow.pmid == FIRST_PMID + number))
        grade = [level, "rct", "rule-7", "a trial by its publication type"]
        session.execute(
            insert(ProposalRow).values(
                pmid=FIRST_PMID + number, hash=text, vocabulary=1, levels=1, level=level, design="rct",
                participants=participants, found={"grade": grade, "provisional": False}, made_at=world.moment,
            )
        )  # fmt: skip


def found_wide(world: World, number: int, topic: str, *, news: bool = True) -> None:
    """Let a wide search find a paper that no core search finds."""
    world.found(number, topic)
    with world.database.write() as session:
        hit = session.scalars(select(HitRow).where(HitRow.pmid == FIRST_PMID + number)).one()
        hit.lane, hit.news = "wide", news


def papers(planned: Planned) -> list[int]:
    return [entry.candidate.citation.pmid - FIRST_PMID for entry in planned.issue.entries]


def only(plans: Sequence[Planned]) -> Planned:
    (planned,) = plans
    return planned


def test_kept_first_undecided_after_dismissed_never_and_each_says_why(world: World) -> None:
    world.subscribing.add("curator@lab.example", "Curator", "curator")
    world.reader("member@lab.example", "car-nk", "cik")
    world.moment += DAY
    for number in range(1, 5):
        world.found(number)
    judged(world, 2, "keep", "car-nk", note="The first of its kind.\nRead table 2.", by="curator@lab.example")
    judged(world, 3, "dismiss", reason="fish-cik")
    judged(world, 4, "maybe", note="ask somebody")
    labelled(world, 2, "level", "B1")
    labelled(world, 2, "tag", "crs/absent")
    labelled(world, 2, "tag", "mistaken")
    labelled(world, 2, "tag", "mistaken", added=False)
    proposed(world, 1, "D")
    proposed(world, 2, "C", participants=37)
    week_later(world)
    planned = only(world.publishing.plan())
    assert papers(planned) == [2, 1, 4]
    text, html = planned.letter.text, planned.letter.html
    assert "kept in CAR-NK cells by Curator; level B1 confirmed; title matches" in " ".join(text.split())
    assert "Note by Curator: The first of its kind. / Read table 2." in " ".join(text.split())
    assert "ask somebody" not in text + html
    assert "mistaken" not in text + html
    assert "[Kept] [B1 randomised]" in text
    assert "[D preclinical (proposed)]" in text
    assert "n = 37" in text
    assert "Found and left out: 1 paper that curators dismissed." in " ".join(text.split())
    first, *others = planned.contents["sections"][0]["entries"]
    assert (first["kept"], first["level"]) == (True, {"code": "B1", "proposed": False})
    assert all(entry["why"] for entry in (first, *others)), "every card says why"
    assert "CAR-NK (1" not in planned.letter.subject
    assert planned.letter.subject.startswith("NK evidence: 3 papers")


def test_what_is_kept_from_a_wide_search_or_another_topic_reaches_the_readers_of_its_topic(world: World) -> None:
    world.reader("member@lab.example", "cik")
    world.moment += DAY
    found_wide(world, 1, "cik")
    found_wide(world, 2, "cik", news=False)
    world.found(3, "car-nk")
    found_wide(world, 4, "cik")
    week_later(world)
    assert papers(only(world.publishing.plan())) == [], "nobody has kept them yet"
    for number in (1, 2, 3):
        judged(world, number, "keep", "cik")
    judged(world, 4, "maybe")
    planned = only(world.publishing.plan())
    assert papers(planned) == [3, 1], "what was backfilled is no news, however it is judged"
    assert {entry.why[0].kind for entry in planned.issue.entries} == {"kept"}
    world.publishing.publish()
    world.delivered()
    judged(world, 3, "keep", "cik", "car-nk")
    week_later(world, 2)
    assert papers(only(world.publishing.plan())) == [], "kept once more, told once"


def test_a_dismissal_taken_back_lets_the_paper_into_the_next_issue(world: World) -> None:
    world.reader("member@lab.example", "car-nk")
    world.moment += DAY
    world.found(1)
    judged(world, 1, "dismiss", reason="fish-cik")
    week_later(world)
    quiet = only(world.publishing.plan())
    assert quiet.issue.kind == "quiet"
    lead = " ".join(quiet.letter.text.split())
    assert "Nothing that you asked for is new since" in lead
    assert "1 paper that curators dismissed" in lead
    assert "silence is real" not in lead
    world.publishing.publish()
    world.delivered()
    judged(world, 1, "open", undoes=1)
    week_later(world, 2)
    assert papers(only(world.publishing.plan())) == [1]


def test_a_retraction_reaches_who_got_a_paper_that_was_dismissed_later(world: World) -> None:
    world.reader("member@lab.example", "car-nk")
    world.moment += DAY
    world.found(1)
    week_later(world)
    world.publishing.publish()
    world.delivered()
    judged(world, 1, "dismiss", reason="duplicate")
    world.moment += DAY
    world.retracted(1)
    week_later(world, 2)
    planned = only(world.publishing.plan())
    assert [each.changes for each in planned.issue.corrections] == [("retracted",)]


def test_a_floor_leaves_out_and_counts_once_and_a_confirmed_level_decides(world: World) -> None:
    world.reader("strict@lab.example", "car-nk", floor="B3")
    world.reader("open@lab.example", "car-nk")
    world.moment += DAY
    for number, level in ((1, "B1"), (2, "D"), (3, None), (4, "D")):
        world.found(number)
        if level is not None:
            proposed(world, number, level)
    labelled(world, 4, "level", "B3")
    week_later(world)
    plans = {planned.addresses: planned for planned in world.publishing.plan()}
    strict, everything = plans[("strict@lab.example",)], plans[("open@lab.example",)]
    assert papers(strict) == [1, 4]
    assert sorted(papers(everything)) == [1, 2, 3, 4]
    told = " ".join(strict.letter.text.split())
    assert "Found and left out: 1 paper below level B3 and 1 paper without a level." in told
    assert "You asked for level B3 or better." in told
    assert "left out" not in everything.letter.text
    world.publishing.publish()
    world.delivered()
    labelled(world, 2, "level", "B2")
    week_later(world, 2)
    later = {planned.addresses: planned for planned in world.publishing.plan()}[("strict@lab.example",)]
    assert papers(later) == [2], "what rose above the floor comes later"
    assert "left out" not in later.letter.text, "what was counted is not counted again"


def test_readers_of_one_kind_share_an_issue_and_those_of_another_floor_do_not(small: World) -> None:
    for name, floor in (("ada", None), ("bob", None), ("eve", "E")):
        small.reader(f"{name}@lab.example", "car-nk", floor=floor)
    small.moment += DAY
    small.found(1)
    proposed(small, 1, "A")
    week_later(small)
    assert sorted(len(planned.due) for planned in small.publishing.plan()) == [1, 2]


def test_a_pause_holds_issues_back_and_the_next_one_says_so(world: World) -> None:
    world.reader("member@lab.example", "car-nk", pause_until=(MONDAY + 2 * DAY).date())
    world.moment += DAY
    world.found(1)
    for number in (1, 2):
        week_later(world, number)
        assert world.publishing.due() == []
        assert world.publishing.overdue() == 0
    assert world.publishing.due(on=(MONDAY - DAY).date()) == [], "nor by hand"
    world.moment = MONDAY + 3 * DAY
    world.found(2)
    assert world.publishing.due() == [], "the digest day after the pause, not the day it ends"
    week_later(world, 3)
    planned = only(world.publishing.plan())
    assert sorted(papers(planned)) == [1, 2]
    assert planned.contents["missed"] == 2
    assert "You had paused your digest until 25 November" in " ".join(planned.letter.text.split())
    assert "was not made or did not reach you" not in planned.letter.text
    assert "catch-up of 3 weeks" in planned.letter.subject


def test_a_pause_ends_when_its_reader_says_so(small: World) -> None:
    small.reader("member@lab.example", "car-nk", pause_until=(MONDAY + 30 * DAY).date())
    week_later(small, 2)
    assert small.publishing.due() == []
    held = small.subscribing.subscribe("member@lab.example", [], resume=True)
    assert held.paused_until == MONDAY.date()
    assert len(small.publishing.due()) == 1


@pytest.mark.parametrize("until", [date(2026, 11, 9), date(2026, 11, 1), date(2028, 1, 1)])
def test_a_pause_ends_after_today_and_within_a_year(small: World, until: date) -> None:
    with pytest.raises(UsageError, match="after today, 2026-11-09"):
        small.reader("member@lab.example", "car-nk", pause_until=until)


@pytest.mark.parametrize("floor", ["X", "none", "B9"])
def test_a_floor_is_a_level_of_evidence(small: World, floor: str) -> None:
    with pytest.raises(UsageError):
        small.reader("member@lab.example", "car-nk", floor=floor)


def test_an_issue_of_a_past_day_knows_no_later_verdict(small: World) -> None:
    small.reader("member@lab.example", "car-nk")
    small.moment += DAY
    small.found(1)
    past: datetime = small.moment
    small.moment += 3 * DAY
    judged(small, 1, "keep", "car-nk")
    labelled(small, 1, "level", "A")
    small.polled()
    then = small.publishing.preview("member@lab.example", past.date())
    assert [entry.kept for entry in then.issue.entries] == [False]
    assert [entry.candidate.curation.level for entry in then.issue.entries] == [None]
    now = small.publishing.preview("member@lab.example")
    assert [entry.kept for entry in now.issue.entries] == [True]


def test_statements_do_not_grow_with_curated_papers(small: World) -> None:
    small.reader("member@lab.example")
    counted: list[int] = []
    with small.database.read() as session:
        engine = session.get_bind()
    small.moment += DAY
    number = 0
    for more in (3, 12):
        for _ in range(more):
            number += 1
            small.found(number)
            judged(small, number, "keep", "car-nk")
            labelled(small, number, "tag", "cd19")
        statements: list[str] = []
        keep = lambda *args, seen=statements: seen.append(args[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", keep)
        small.publishing.preview()
        event.remove(engine, "before_cursor_execute", keep)
        counted.append(len(statements))
    assert counted[0] == counted[1]


def test_a_kept_issue_from_before_curators_had_a_say_still_has_its_page(small: World) -> None:
    from monitor.mail.render import render_page
    from tests.acceptance.publishing_world import LINKS

    small.reader("member@lab.example", "car-nk")
    small.moment += DAY
    small.found(1)
    week_later(small)
    told = dict(only(small.publishing.plan()).contents)
    for name in ("paused_until", "floor", "left_out"):
        del told[name]
    for section in told["sections"]:
        for entry in section["entries"]:
            for name in ("kept", "level", "participants", "tags", "note"):
                del entry[name]
    assert "part 1" in render_page(told, LINKS, "k" * 22)


def test_every_level_and_qualifier_has_words() -> None:
    from gettext import NullTranslations

    from monitor.core.screening import LEVELS

    words = Words("en", NullTranslations())
    for code in LEVELS:
        assert words.level({"code": code, "proposed": False})
        assert words.level({"code": code, "proposed": True}).endswith("(proposed)")
    assert words.tags([{"label": "CRS", "qualifier": "absent"}, {"label": "CAR-T", "qualifier": "comparator"}]) == (
        "CRS (reported absent), CAR-T (for comparison)"
    )
    assert words.tags([{"label": "CD19", "qualifier": None}]) == "CD19"


def test_strategies_of_a_kept_paper_need_not_be_known(small: World) -> None:
    """A reader of one topic gets what was kept there although only another topic's search, of any version, found it."""
    small.reader("member@lab.example", "nk-engager")
    small.moment += DAY
    small.found(1, "car-nk")
    judged(small, 1, Verdict.KEEP.value, "nk-engager")
    week_later(small)
    planned = only(small.publishing.plan())
    assert [tuple(why) for entry in planned.issue.entries for why in entry.why] == [("kept", "\nNK-cell engagers")]
    with small.database.read() as session:
        assert session.scalar(select(StrategyRow.id).where(StrategyRow.topic_id == "car-nk")) is not None


def test_words_of_an_abstract_are_named_unless_a_curator_has_said_more(small: World) -> None:
    small.reader("member@lab.example", "car-nk")
    small.moment += DAY
    for number in (1, 2):
        small.found(number, title=InlineXml("An invented therapy"), abstract="Invented CAR-NK cells were given.")
    judged(small, 1, "keep", "car-nk")
    labelled(small, 1, "level", "B1")
    week_later(small)
    kept, other = (entry.why for entry in only(small.publishing.plan()).issue.entries)
    assert [why.kind for why in kept] == ["kept", "level", "line"]
    assert [why.kind for why in other] == ["abstract", "follow", "line"]
