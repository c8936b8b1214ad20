"""What the tests of trials, backfills and recall reports share: a topic with blocks and two lanes, and its services."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from monitor.core.draft import Draft
from monitor.core.strategy import Block, Line, Strategy, Topic, with_blocks
from monitor.pubmed.sandbox import Sandbox
from monitor.resources import load_mesh_tree
from monitor.services.backfilling import Backfilling
from monitor.services.recall import Recall
from monitor.services.trials import Trials
from monitor.storage import strategies
from monitor.storage.engine import Database
from tests.acceptance.polling import FIRST, Lab, client, record

NK = Block("NK", (Line('"NK cell*"[tiab]', "invented"), Line('"natural killer"[tiab]', "invented")))
CAR = Block("CAR", (Line('"chimeric antigen receptor*"[tiab]', "invented"), Line('"CAR-engineered"[tiab]', "invented")))
CORE = ('"CAR-NK"[tiab]', '"chimeric NK cells"[tiab]')
WIDE = ("{CAR} AND {NK}",)


def strategy(core: Iterable[str] = CORE, wide: Iterable[str] = WIDE) -> Strategy:
    def lines(given: Iterable[str]) -> list[Line]:
        return [Line(each.removeprefix("off "), "invented", enabled=not each.startswith("off ")) for each in given]

    return with_blocks(lines(core), lines(wide), {"NK": NK, "CAR": CAR})


def topic(*sentinels: int, core: Iterable[str] = CORE, wide: Iterable[str] = WIDE) -> Topic:
    return Topic("car-nk", "Invented CAR-NK cells", strategy(core, wide), sentinels)


def draft(*sentinels: int, core: Iterable[str] = CORE, wide: Iterable[str] = WIDE) -> Draft:
    return Draft("car-nk", "Invented CAR-NK cells", strategy(core, wide), sentinels, 1)


PAPERS = {
    FIRST: ("CAR-NK cells of invented donors", date(2026, 11, 10)),
    FIRST + 1: ("Chimeric NK cells without a hyphen", date(2026, 10, 20)),
    FIRST + 2: ("CAR-engineered effectors and NK cells", date(2025, 3, 1)),
    FIRST + 3: ("A chimeric antigen receptor review that names natural killer cells", date(2019, 5, 5)),
    FIRST + 4: ("CAR-NK before the name was known", date(2009, 1, 2)),
    FIRST + 5: ("Zebrafish of nowhere", date(2026, 11, 1)),
}


def papers() -> list[str]:
    return [record(pmid, title=title, created=created) for pmid, (title, created) in PAPERS.items()]


class Bench(Lab):
    """A lab with everything that tries and proves searches."""

    def __init__(self, database: Database, server: Sandbox, *topics: Topic, **more: object) -> None:
        super().__init__(database, server, *(topics or (topic(),)), **more)
        source, tree = client(server, tries=1), load_mesh_tree()
        self.trials = Trials(database, source, self, tree)
        self.recall = Recall(database, source, self, tree)
        self.backfilling = Backfilling(database, source, self, lambda: self.polling, 3.0)
        self.alone = Trials(database, None, self, tree)
        self.recall_alone = Recall(database, None, self, tree)

    def change(self, new: Strategy, reason: str = "invented change") -> None:
        """Make this the next version of the topic."""
        with self.database.write() as session:
            strategies.save_version(session, "car-nk", new, origin="lab", reason=reason, person_id=None, now=self.now())
