"""A small world for tests of publishing: invented topics, papers that appear and change, readers, and a set clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monitor.core.citation import Citation, Correction, HistoryDate, InlineXml, PartialDate
from monitor.core.query import MeshTree
from monitor.core.strategy import Line, Strategy, Topic
from monitor.mail.links import Links
from monitor.mail.message import Sender
from monitor.services.publishing import Publishing
from monitor.services.subscribing import Subscribing
from monitor.storage import citations, strategies
from monitor.storage.engine import Database
from monitor.storage.tables import DeliveryRow, HitRow, IssueEntryRow, IssueRow, PollRow, StrategyRow
from tests.factories import FIRST_PMID, citation

MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)
SENDER = Sender("monitor@lab.example", "NK evidence", "weekly.lab.example", "NK evidence", "desk@lab.example")
LINKS = Links("https://monitor.lab.example", b"a secret of the tests, 32 bytes!")
TOPICS = {
    "car-nk": ("CAR-NK cells", ('"CAR-NK"[tiab]', '"chimeric antigen receptor"[tiab] AND "natural killer"[tiab]')),
    "cik": ("Cytokine-induced killer cells", ('"cytokine-induced killer"[tiab]',)),
    "nk-engager": ("NK-cell engagers", ('"killer cell engager"[tiab]',)),
}


class World:
    """Everything at `now`; advance the clock by setting it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.moment = MONDAY - timedelta(days=14)
        with database.write() as session:
            strategies.load_starter(
                session,
                [
                    Topic(name, title, Strategy(tuple(Line(query, "invented") for query in lines)))
                    for name, (title, lines) in TOPICS.items()
                ],
                self.moment,
            )
        self.subscribing = Subscribing(database, self)
        self.publishing = Publishing(database, self, LINKS, SENDER, MeshTree())

    def now(self) -> datetime:
        return self.moment

    def reader(self, address: str, *topics: str, **settings: Any) -> None:
        self.subscribing.add(address)
        self.subscribing.subscribe(address, topics or tuple(TOPICS), **settings)

    def polled(
        self,
        *topics: str,
        state: str = "done",
        error: str | None = None,
        phrases: Sequence[str] = (),
        missing: int = 0,
        refused: Sequence[str] = (),
        covers: bool = True,
    ) -> None:
        """Let the core searches of these topics, or of all, have run just now."""
        with self.database.write() as session:
            for topic in topics or TOPICS:
                number = self._poll(session, topic, state, error, phrases)
                session.execute(
                    update(PollRow)
                    .where(PollRow.id == number)
                    .values(missing=missing, refused=list(refused), covers=covers)
                )

    def found(
        self, number: int, *topics: str, at: datetime | None = None, lines: Sequence[int] = (1,), **facts: Any
    ) -> int:
        """Let the searches of these topics find a new paper."""
        at = at or self.moment
        facts.setdefault("title", InlineXml(f"Invented CAR-NK cells, part {number}"))
        facts.setdefault("history", (HistoryDate("entrez", PartialDate(at.year, at.month, at.day)),))
        paper = citation(FIRST_PMID + number, **facts)
        with self.database.write() as session:
            citations.keep(session, [paper], at)
            for topic in topics or ("car-nk",):
                strategy = session.scalars(select(StrategyRow.id).where(StrategyRow.topic_id == topic)).one()
                session.add(
                    HitRow(
                        topic_id=topic,
                        pmid=paper.pmid,
                        lane="core",
                        strategy_id=strategy,
                        found_at=at,
                        news=True,
                        poll_id=self._poll(session, topic, "done", None, ()),
                        lines=list(lines),
                        first_strategy_id=strategy,
                        first_lines=list(lines),
                        route="created",
                        ended_at=None,
                    )  # fmt: skip
                )
        return paper.pmid

    def revised(self, number: int, **facts: Any) -> Citation:
        """Let PubMed change a paper that was found before."""
        import dataclasses

        pmid = FIRST_PMID + number
        with self.database.write() as session:
            held = citations.load(session, [pmid])[pmid]
            changed = dataclasses.replace(held, **facts)
            citations.keep(session, [changed], self.moment)
        return changed

    def retracted(self, number: int) -> Citation:
        from monitor.core.citation import PublicationType

        notice = Correction("RetractionIn", "Invented J Cell Ther. 2026 Nov;12(11):900", FIRST_PMID + 9000)
        return self.revised(
            number,
            publication_types=(PublicationType("D016441", "Retracted Publication"),),
            corrections=(notice,),
        )

    def delivered(self, state: str = "sent", *, slot: str | None = None) -> None:
        """Let what waits in the outbox come to this end."""
        with self.database.write() as session:
            rows = update(DeliveryRow).where(DeliveryRow.state == "queued")
            if slot is not None:
                rows = rows.where(DeliveryRow.slot == slot)
            session.execute(rows.values(state=state, sent_at=self.moment if state == "sent" else None))

    def issues(self) -> list[IssueRow]:
        with self.database.read() as session:
            return list(session.scalars(select(IssueRow).order_by(IssueRow.id)))

    def deliveries(self) -> list[DeliveryRow]:
        with self.database.read() as session:
            return list(session.scalars(select(DeliveryRow).order_by(DeliveryRow.id)))

    def entries(self, issue: IssueRow) -> list[tuple[str, int, list[str]]]:
        """Section, number of the paper and changes of each entry."""
        with self.database.read() as session:
            rows = session.scalars(
                select(IssueEntryRow).where(IssueEntryRow.issue_id == issue.id).order_by(IssueEntryRow.position)
            )
            return [(row.section, row.pmid - FIRST_PMID, row.changes) for row in rows]

    def _poll(self, session: Session, topic: str, state: str, error: str | None, phrases: Sequence[str]) -> int:
        row = PollRow(
            topic_id=topic, strategy_id=None, lane="core", kind="window", state=state,
            started_at=self.moment - timedelta(minutes=1), finished_at=self.moment, covers=True, query="invented", warnings=[],
            unknown_phrases=list(phrases), refused=[], error=error,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id
