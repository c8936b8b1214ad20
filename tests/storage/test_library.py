"""The library as people ask it, on both databases: pages, reasons, exports; each one snapshot."""

from __future__ import annotations

import json

import pytest

from monitor.core.citation import InlineXml
from monitor.errors import NotFound, QuerySyntaxError, UsageError
from monitor.resources import load_mesh_tree
from monitor.services.library import Library
from monitor.services.screening import Screening
from monitor.storage import citations
from monitor.storage.engine import Database
from tests.acceptance.publishing_world import World
from tests.factories import FIRST_PMID, citation


@pytest.fixture
def world(database: Database) -> World:
    world = World(database)
    for number in range(1, 8):
        world.found(number, "car-nk" if number % 2 else "cik")
    world.retracted(3)
    return world


@pytest.fixture
def library(world: World) -> Library:
    return Library(world.database, world, load_mesh_tree)


def numbers(library: Library, text: str, **how: object) -> list[int]:
    return [each.pmid - FIRST_PMID for each in library.search(text, **how).hits]  # type: ignore[arg-type]


def test_pages_hold_every_hit_once_and_count_them_all(library: Library) -> None:
    found: list[int] = []
    before: int | None = None
    for _ in range(3):
        page = library.search("CAR-NK[ti]", limit=3, before=before)
        assert page.total == library.count("CAR-NK[ti]") == 7
        found += [each.pmid - FIRST_PMID for each in page.hits]
        before = page.next_before
    assert before is None
    assert found == [7, 6, 5, 4, 3, 2, 1]


def test_a_hit_knows_how_far_it_stands_and_what_is_known_of_it_here(world: World, library: Library) -> None:
    Screening(world.database, world).decide([FIRST_PMID + 3], "keep", topics=["nk-engager"])
    (hit,) = library.search("isretracted").hits
    assert (hit.pmid, hit.retracted, hit.concern) == (FIRST_PMID + 3, True, False)
    assert (hit.own.topics, hit.own.decision, hit.own.added_on) == (
        {"car-nk", "nk-engager"},
        "keep",
        world.moment.date(),
    )


def test_relative_dates_count_from_the_clock(world: World, library: Library) -> None:
    assert numbers(library, '"last 3 days"[added]') == [7, 6, 5, 4, 3, 2, 1]
    world.moment = world.moment.replace(month=12)
    assert numbers(library, '"last 3 days"[added]') == []


def test_a_search_without_hits_knows_what_its_parts_find(library: Library) -> None:
    page = library.search("CAR-NK[ti] AND cik[topic] AND zebrafish NOT isretracted")
    assert (page.total, page.notes) == (0, ())
    assert page.alone == (
        ("CAR-NK[ti]", 7),
        ("cik[topic]", 3),
        ("zebrafish", 0),
        ("CAR-NK[ti] AND cik[topic] AND zebrafish", 0),
    )
    assert library.search("CAR-NK[ti] NOT zebrafish").alone == ()
    assert library.search("(or OR not) AND the").alone == ()


def test_the_most_relevant_come_first(world: World, library: Library) -> None:
    world.found(20, title=InlineXml("Invented CAR-NK cells of CAR-NK donors, CAR-NK throughout"))
    world.found(21, title=InlineXml("A long invented title that says CAR-NK once among a great many other words"))
    assert numbers(library, "CAR-NK[tiab]", order="relevance", limit=1) == [20]
    assert library.search("CAR-NK[tiab]", order="relevance", limit=1).next_before is None


def test_reasons_know_our_own_fields(world: World, library: Library) -> None:
    Screening(world.database, world).label([FIRST_PMID + 1], tags=["hcc"])
    why = library.explain("hcc[tag] AND CAR-NK[ti] NOT cik[topic]", FIRST_PMID + 1)
    assert why.found
    assert [(part.text, part.fits, part.excluded) for part in why.parts] == [
        ("hcc[tag]", True, False),
        ("CAR-NK[ti]", True, False),
        ("cik[topic]", False, True),
    ]
    assert [(each.place, each.words) for each in why.parts[0].matches] == [("library", "hcc")]
    other = library.explain("hcc[tag] AND CAR-NK[ti] NOT cik[topic]", FIRST_PMID + 2)
    assert (other.found, [part.fits for part in other.parts]) == (False, [False, True, True])
    with pytest.raises(NotFound, match="PMID 1 is not in the library"):
        library.explain("cells", 1)


def test_what_is_found_is_why_it_is_found(library: Library) -> None:
    for text in ("CAR-NK[ti] AND part", "3[ti] OR 5[ti]", "CAR-NK[ti] NOT 4[ti]", "isretracted", "nothing[ti] OR the"):
        found = {each.pmid for each in library.search(text).hits}
        for number in range(1, 8):
            assert library.explain(text, FIRST_PMID + number).found == (FIRST_PMID + number in found), (text, number)


def test_an_export_writes_what_the_search_finds_while_it_finds_it(world: World, library: Library) -> None:
    with world.database.write() as session:
        citations.keep(
            session,
            [citation(FIRST_PMID + number, title=InlineXml("CAR-NK")) for number in range(100, 720)],
            world.moment,
        )
    lines = "".join(library.export("jsonl", query="CAR-NK[ti]")).splitlines()
    found = [json.loads(line)["pmid"] for line in lines]
    assert found == sorted(found, reverse=True)
    assert len(found) == len(set(found)) == 627
    assert "".join(library.export("jsonl", [FIRST_PMID + 2, FIRST_PMID + 1])).count("\n") == 2


def test_what_is_wrong_is_said_before_anything_is_read(library: Library) -> None:
    with pytest.raises(QuerySyntaxError):
        library.export("jsonl", query="(cells")
    with pytest.raises(UsageError, match="'docx' is no format"):
        library.export("docx", query="cells")
    for ask in (library.search, library.count, library.facets):
        with pytest.raises(UsageError, match="#3"):
            ask("#3")
    for limit in (0, -1, 1001):
        with pytest.raises(UsageError, match="a page lists 1 to 1,000"):
            library.search("cells", limit=limit)
