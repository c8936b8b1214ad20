"""A collection for the tests of members' pages: papers as a field has them, odd records among them, and what was said of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from monitor.core.citation import (
    AbstractSection,
    Author,
    AuthorList,
    Book,
    BookTitle,
    Citation,
    Correction,
    DataBank,
    InlineXml,
    OtherAbstract,
    PartialDate,
    PublicationType,
)
from monitor.core.people import Actor
from monitor.storage import citations
from monitor.storage.tables import CheckRow, HitRow, PollRow, StrategyRow
from tests.factories import FIRST_PMID, citation
from tests.web.desk import NOW, Desk, desk

TRIAL = "NCT99000007"
ODD: dict[str, Citation] = {
    "no abstract": citation(FIRST_PMID + 1, abstract=None, title=InlineXml("A record without an abstract.")),
    "no authors": citation(FIRST_PMID + 2, authors=(), title=InlineXml("Written by nobody.")),
    "collective author": citation(
        FIRST_PMID + 3,
        title=InlineXml("Written by a group."),
        author_lists=(AuthorList((Author(collective_name=InlineXml("Invented Group, North")),), kind="authors"),),
    ),
    "book": citation(
        FIRST_PMID + 4,
        title=None,
        journal=None,
        article_dates=(),
        abstract=None,
        book=Book(
            BookTitle(InlineXml("The invented book of killer cells")),
            publisher=InlineXml("Invented Press"),
            pub_date=PartialDate(2025),
        ),
    ),
    "Chinese": citation(
        FIRST_PMID + 5,
        title=InlineXml("[Invented killer cells against hepatocellular carcinoma]."),
        vernacular_title=InlineXml("发明的杀伤细胞治疗肝细胞癌"),
        languages=("chi",),
        other_abstracts=(
            OtherAbstract((AbstractSection(InlineXml("发明的细胞杀伤肝癌细胞。"), "结论"),), "Publisher", "chi"),
        ),
    ),
    "Chinese alone": citation(
        FIRST_PMID + 6,
        title=None,
        vernacular_title=InlineXml("发明的细胞因子诱导的杀伤细胞"),
        languages=("chi",),
        abstract=None,
    ),
    "markup": citation(
        FIRST_PMID + 7,
        title=InlineXml("CD3<sup>+</sup>CD56<sup>+</sup> cells, <i>in vitro</i> &amp; after 10<sup>3</sup> &lt; n."),
        data_banks=(DataBank("ClinicalTrials.gov", (TRIAL,)),),
    ),
    "400 authors": citation(
        FIRST_PMID + 8, title=InlineXml("Many hands."), authors=[f"Invented{number} AB" for number in range(400)]
    ),
    "retracted": citation(
        FIRST_PMID + 9,
        title=InlineXml("Retracted cells."),
        corrections=(Correction("RetractionIn", "Invented J. 2026;1:9", FIRST_PMID + 90),),
        publication_types=(PublicationType("D016441", "Retracted Publication"),),
    ),
    "withdrawn": citation(FIRST_PMID + 10, title=InlineXml("A record that PubMed took back.")),
    "sibling": citation(
        FIRST_PMID + 11, title=InlineXml("A second report of one trial."), abstract=f"The trial {TRIAL} went on."
    ),
    "concern": citation(
        FIRST_PMID + 12,
        title=InlineXml("Doubted cells."),
        corrections=(Correction("ExpressionOfConcernIn", "Invented J. 2026;1:12"),),
    ),
    "half a date": citation(
        FIRST_PMID + 13,
        title=InlineXml("In the winter."),
        article_dates=(),
        journal={"pub_date": PartialDate(2025, season="Winter")},
    ),
    "sections": citation(
        FIRST_PMID + 14,
        title=InlineXml("In sections."),
        abstract={"BACKGROUND": "Why.", "RESULTS": "What 12 patients had."},
    ),
}
"""One record of each kind that has broken a page somewhere."""
PROVISIONAL = citation(FIRST_PMID + 15, title=InlineXml("Only named so far."), abstract=None)


@dataclass
class Collection:
    """The place with its papers; `plain` are forty ordinary ones."""

    place: Desk
    plain: tuple[int, ...]

    def pmid(self, name: str) -> int:
        return ODD[name].pmid

    @property
    def curator(self) -> Actor:
        return Actor("curator@lab.example", "curator", self.place.ids["curator"])


@contextmanager
def collection(folder: Path, database_url: str | None = None) -> Iterator[Collection]:
    """Open a place whose papers were found yesterday, some of them judged, one corrected and one withdrawn since."""
    with desk(folder, database_url) as place:
        papers = [
            citation(FIRST_PMID + 100 + number, title=InlineXml(f"Invented CAR-NK cells, part {number}."))
            for number in range(40)
        ]
        house = place.house
        place.clock.set(NOW - timedelta(days=8))
        house.subscribing.subscribe("member@lab.example", ["car-nk"], day=0, hour=7)
        found(place, [*ODD.values(), *papers], NOW - timedelta(days=7, hours=1))
        with house.database.write() as session:
            citations.keep(session, [PROVISIONAL], NOW - timedelta(days=1), provisional=True)
        place.clock.set(NOW - timedelta(days=6, hours=23))
        house.publishing.publish()
        held = Collection(place, tuple(each.pmid for each in papers))
        house.screening.decide([held.plain[0]], "keep", topics=["car-nk"], note="Read table 2.", actor=held.curator)
        house.screening.label([held.plain[0]], tags=["car-nk", "crs/absent"], level="B1", actor=held.curator)
        house.screening.decide([held.plain[1]], "dismiss", reason="wrong-intervention", actor=held.curator)
        place.clock.set(NOW - timedelta(days=1))
        with house.database.write() as session:
            later = dataclasses.replace(
                papers[2], corrections=(Correction("RetractionIn", "Invented J. 2026;2:1", FIRST_PMID + 91),)
            )
            citations.keep(session, [later], NOW - timedelta(days=1))
            session.execute(update(PollRow).values(finished_at=NOW - timedelta(hours=2)))
            session.execute(
                update(CheckRow)
                .where(CheckRow.pmid == ODD["withdrawn"].pmid)
                .values(withdrawn_at=NOW - timedelta(days=2))
            )
        place.clock.set(NOW)
        yield held


def found(place: Desk, papers: list[Citation], at: datetime, topic: str = "car-nk") -> None:
    """Let a topic's core search find papers at a moment, and all the others' run as well."""
    with place.house.database.write() as session:
        citations.keep(session, papers, at)
        strategies = dict(session.execute(select(StrategyRow.topic_id, StrategyRow.id)).all())
        poll_id = 0
        for name, strategy in strategies.items():
            poll = PollRow(
                topic_id=name, strategy_id=strategy, lane="core", kind="window", state="done", started_at=at, finished_at=at,
                query="x", covers=True, warnings=[], unknown_phrases=[], refused=[],
            )  # fmt: skip
            session.add(poll)
            session.flush()
            poll_id = poll.id if name == topic else poll_id
        for each in papers:
            session.add(
                HitRow(
                    topic_id=topic,
                    pmid=each.pmid,
                    lane="core",
                    strategy_id=strategies[topic],
                    poll_id=poll_id,
                    found_at=at,
                    news=True,
                    lines=[1],
                    first_strategy_id=strategies[topic],
                    first_lines=[1],
                    route="created",
                )  # fmt: skip
            )
