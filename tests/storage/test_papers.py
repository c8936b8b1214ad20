"""A page of papers, each with all that is known of it, in as many statements for one paper as for many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Author,
    AuthorList,
    Book,
    BookTitle,
    Correction,
    InlineXml,
    PartialDate,
)
from monitor.core.people import Actor
from monitor.services.screening import Screening
from monitor.storage import citations, papers
from monitor.storage.engine import Database
from monitor.storage.papers import PaperLine
from monitor.storage.tables import ProposalRow
from tests.acceptance.publishing_world import World
from tests.factories import FIRST_PMID, citation


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def lines(world: World, *pmids: int) -> list[PaperLine]:
    with world.database.read() as session:
        return papers.lines(session, pmids)


def propose(session: Session, world: World, pmid: int, hash: bytes, **found: Any) -> None:
    values = {"pmid": pmid, "hash": hash, "vocabulary": 1, "levels": 1, "level": "B3", "design": "single-arm"}
    session.execute(insert(ProposalRow).values(**values, participants=11, found=found, made_at=world.moment))


def test_a_line_tells_where_a_paper_appeared_who_found_it_and_what_was_said(world: World) -> None:
    pmid = world.found(1, "car-nk", "cik", lines=(1, 2), title=InlineXml("CD19<sup>+</sup> cells &lt;b>"))
    curator = world.subscribing.add("curator@lab.example", role="curator")
    desk = Screening(world.database, world)
    actor = Actor(curator.address, "curator", curator.id)
    desk.decide([pmid], "keep", topics=["cik"], note="Read table 2.", actor=actor)
    desk.label([pmid], tags=["cik", "CD19"], level="B3", actor=actor)
    (line,) = lines(world, pmid)
    assert line.title_html == "CD19<sup>+</sup> cells &lt;b&gt;"
    assert line.title == "CD19⁺ cells <b>"
    assert line.authors_short == "Example AB, Placeholder C"
    assert (line.journal, line.published) == ("Invented J Cell Ther", PartialDate(2024, 1, 15))
    assert (line.verdict, line.note, line.level, line.tags) == ("keep", "Read table 2.", "B3", ("cd19", "cik"))
    assert line.topics == ("cik", "car-nk")
    assert [(each.topic, each.lines) for each in line.found] == [("car-nk", (1, 2)), ("cik", (1, 2))]
    assert line.found_at == world.moment
    assert (line.proposed_level, line.design, line.participants) == (None, None, None)


def test_what_the_rules_propose_counts_only_for_the_record_they_read(world: World) -> None:
    one, two = world.found(1), world.found(2)
    with world.database.write() as session:
        held = citations.held(session, [one, two])
        propose(session, world, one, held[one].hash, provisional=True)
        propose(session, world, two, b"another text")
    first, second = lines(world, one, two)
    assert (first.proposed_level, first.provisional, first.design, first.participants) == ("B3", True, "single-arm", 11)
    assert (second.proposed_level, second.provisional, second.design) == (None, False, None)


def test_flags_follow_what_became_of_a_paper(world: World) -> None:
    pmid = world.found(1)
    retracted = (Correction("RetractionIn", "Invented J. 2026;1:2", FIRST_PMID + 50),)
    world.moment += timedelta(days=1)
    world.revised(1, corrections=retracted)
    assert lines(world, pmid)[0].flags == ("retracted",)
    world.moment += timedelta(days=1)
    world.revised(1, corrections=())
    assert lines(world, pmid)[0].flags == ("reinstated",)
    Screening(world.database, world).decide([pmid], "maybe")
    world.moment += timedelta(days=1)
    world.revised(
        1,
        abstract=Abstract((AbstractSection(InlineXml("Other words.")),)),
        corrections=(Correction("ErratumIn", "Invented J. 2026;1:3"),),
    )
    assert lines(world, pmid)[0].flags == ("reinstated", "erratum", "revised")


def test_an_expression_of_concern_stands_until_it_is_withdrawn(world: World) -> None:
    pmid = world.found(1, corrections=(Correction("ExpressionOfConcernIn", "Invented J. 2026;1:2"),))
    assert lines(world, pmid)[0].flags == ("concern",)
    world.moment += timedelta(days=1)
    world.revised(1, corrections=())
    assert lines(world, pmid)[0].flags == ("reinstated",)


def test_odd_records_have_a_line_as_well(world: World) -> None:
    nothing = world.found(
        1, title=None, authors=(), journal={"medline_ta": None, "iso_abbreviation": None, "title": None}
    )
    foreign = world.found(2, title=None, vernacular_title=InlineXml("发明的细胞"), languages=("chi",))
    many = world.found(3, authors=[f"Invented{n} A" for n in range(400)])
    group = (AuthorList((Author(collective_name=InlineXml("Invented <i>Group</i>")),), kind="authors"),)
    grouped = world.found(4, author_lists=group)
    book = Book(BookTitle(InlineXml("A book of invented cells")), pub_date=PartialDate(2025))
    chapter = world.found(5, journal=None, book=book, article_dates=())
    told = lines(world, nothing, foreign, many, grouped, chapter)
    assert (told[0].title, told[0].authors_short, told[0].journal) == ("", "", None)
    assert (told[1].title, told[1].title_language) == ("发明的细胞", "zh")
    assert told[2].authors_short == "Invented0 A, Invented1 A, Invented2 A, et al."
    assert told[3].authors_short == "Invented Group"
    assert (told[4].journal, told[4].published) == ("A book of invented cells", PartialDate(2025))


def test_order_is_kept_strangers_are_left_out_and_statements_do_not_grow(world: World) -> None:
    pmids = [world.found(number) for number in range(1, 30)]
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    with world.database.read() as session:
        bind = session.get_bind()
        event.listen(bind, "before_cursor_execute", count)
        assert [each.pmid for each in papers.lines(session, [pmids[3], 1, pmids[0], pmids[3]])] == [pmids[3], pmids[0]]
        few = len(statements)
        papers.lines(session, pmids)
        event.remove(bind, "before_cursor_execute", count)
    assert few == len(statements) - few == 5
    assert lines(world) == []


def test_an_imported_paper_that_no_topic_finds_has_no_reason_of_a_topic(world: World) -> None:
    paper = citation(FIRST_PMID + 70)
    with world.database.write() as session:
        citations.keep(session, [paper], world.moment)
    (line,) = lines(world, paper.pmid)
    assert (line.found, line.topics, line.found_at, line.unfetched) == ((), (), None, False)
