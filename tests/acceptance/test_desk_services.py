"""The services of the desk as `build` puts them together."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from monitor.core.citation import InlineXml
from monitor.core.lanes import Lane, Listing
from monitor.core.people import Actor
from monitor.storage import citations, vocabulary
from monitor.storage.engine import Database
from tests.acceptance.publishing_world import World
from tests.factories import FIRST_PMID, citation
from tests.web.desk import desk


class Finding(World):
    """Papers that the searches of an installation find."""

    def __init__(self, database: Database, moment: datetime) -> None:
        self.database = database
        self.moment = moment


def test_keeping_a_paper_tells_the_vocabulary_what_became_of_its_suggestions(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        house = here.house
        me = Actor("curator@lab.example", "curator", here.ids["curator"])
        pmids = [FIRST_PMID + number for number in range(2)]
        with house.database.write() as session:
            papers = [citation(pmid, title=InlineXml("CAR-NK cells in lymphoma")) for pmid in pmids]
            citations.keep(session, papers, here.clock.now())
        offered = [each.tag for each in house.vocabularies.of(None, pmids)[pmids[0]].tags]
        assert offered

        def uses() -> int:
            with house.database.read() as session:
                return sum(each.shown for each in vocabulary.receptions(session))

        house.screening.decide(pmids[1:], "dismiss", reason="language", actor=me)
        assert uses() == 0
        house.screening.decide(pmids[:1], "keep", topics=["car-nk"], tags=offered[:1], actor=me)
        assert uses() > 0
        house.steps.undo(me)
        assert uses() == 0
        house.steps.redo(me)
        assert uses() > 0


def test_a_list_is_narrowed_to_what_a_tag_is_suggested_for(tmp_path: Path) -> None:
    with desk(tmp_path) as here:
        house = here.house
        me = Actor("curator@lab.example", "curator", here.ids["curator"])
        world = Finding(house.database, here.clock.now())
        one = world.found(1, "car-nk", title=InlineXml("CAR-NK cells in lymphoma"))
        two = world.found(2, "car-nk", title=InlineXml("An invented thing of no field"))
        proposed = house.vocabularies.of(None, [one, two])
        tag = next(each.tag for each in proposed[one].tags if proposed[two].suggestion(each.tag) is None)
        page = house.queue.rows(me, Lane.NEW, Listing(tag=tag))
        assert [row.line.pmid for row in page.rows] == [one]
        assert house.queue.rows(me, Lane.NEW).total == 2
