"""What the tests of polls share: an invented corpus with dates, a sandbox, a clock, and a client without waits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.core.strategy import Line, Strategy, Topic
from monitor.pubmed.client import PubmedClient
from monitor.pubmed.sandbox import Corpus, Sandbox, SetClock
from monitor.services.polling import Polling
from monitor.storage import citations, hits
from monitor.storage.engine import Database
from monitor.storage.strategies import load_starter

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
FIRST = 90_000_001


_ROOT = Path(__file__).resolve().parents[2]
_PROCESS = """
import sys
from datetime import datetime
from monitor.pubmed.client import PubmedClient
from monitor.services.polling import Polling
from monitor.storage.engine import connect
from monitor.storage.pace import DatabasePacer

url, database_url, moment = sys.argv[1:]

class Clock:
    def now(self):
        return datetime.fromisoformat(moment)

database = connect(database_url)
client = PubmedClient(url, "lab@example.org", DatabasePacer(database, 500))
polling = Polling(database, client, Clock())
"""


def polling_process(server: Sandbox, database: Database, moment: datetime, code: str) -> subprocess.Popen[bytes]:
    """Run code in a process of its own that has a `polling`, and ends with the exit code of the `report` it makes."""
    words = [sys.executable, "-c", f"{_PROCESS}\n{code}\nsys.exit(report.exit_code)\n"]
    return subprocess.Popen([*words, server.url, database.url, moment.isoformat()], cwd=_ROOT)


class NoPace:
    def reserve(self) -> float:
        return 0.0


def record(
    pmid: int,
    *,
    title: str = "Invented CAR-NK cells",
    created: date = date(2026, 11, 10),
    revised: date | None = None,
    abstract: str = "Invented abstract.",
) -> str:
    """One invented record that PubMed created on a day."""

    def day(tag: str, value: date, attributes: str = "") -> str:
        return (
            f"<{tag}{attributes}><Year>{value.year}</Year><Month>{value.month:02}</Month>"
            f"<Day>{value.day:02}</Day></{tag}>"
        )

    history = "".join(
        day("PubMedPubDate", created, f' PubStatus="{status}"') for status in ("pubmed", "entrez", "medline")
    )
    return (
        f'<PubmedArticle><MedlineCitation Status="PubMed-not-MEDLINE" Owner="NLM"><PMID Version="1">{pmid}</PMID>'
        f"{day('DateRevised', revised or created)}"
        f'<Article PubModel="Print"><Journal><JournalIssue CitedMedium="Internet"><PubDate><Year>{created.year}</Year>'
        f"</PubDate></JournalIssue><Title>Invented journal</Title></Journal><ArticleTitle>{title}</ArticleTitle>"
        f"<Abstract><AbstractText>{abstract}</AbstractText></Abstract><Language>eng</Language>"
        f'<PublicationTypeList><PublicationType UI="D016428">Journal Article</PublicationType></PublicationTypeList>'
        f"</Article><MedlineJournalInfo><MedlineTA>Invented J</MedlineTA></MedlineJournalInfo></MedlineCitation>"
        f"<PubmedData><History>{history}</History><PublicationStatus>ppublish</PublicationStatus>"
        f'<ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId></ArticleIdList></PubmedData></PubmedArticle>'
    )


def records(number: int, first: int = FIRST, **more: Any) -> list[str]:
    return [record(pmid, **more) for pmid in range(first, first + number)]


def corpus(*given: str) -> Corpus:
    return Corpus.of(f"<PubmedArticleSet>{''.join(given)}</PubmedArticleSet>".encode())


def sandbox(*given: str, **more: Any) -> Sandbox:
    clock = SetClock()
    clock.set(NOW)
    return Sandbox(corpus(*given), clock=clock, **{"rate_limit": None, **more})


def client(server: Sandbox, **more: Any) -> PubmedClient:
    return PubmedClient(server.url, "lab@example.org", NoPace(), **{"sleep": lambda _: None, **more})


def line(query: str, **more: Any) -> Line:
    return Line(query, "invented", **more)


def topic(name: str = "car-nk", core: Iterable[str] = ('"CAR-NK"[tiab]',), wide: Iterable[str] = ()) -> Topic:
    return Topic(name, name.upper(), Strategy(tuple(map(line, core)), tuple(map(line, wide))))


class Lab:
    """A database with topics, a clock that stands where it is put, and polls against a sandbox."""

    def __init__(self, database: Database, server: Sandbox, *topics: Topic, **more: Any) -> None:
        self.database = database
        self.server = server
        self.at = NOW
        with database.write() as session:
            load_starter(session, topics or (topic(),), NOW)
        given = {"source": client(server), **more}
        self.polling = Polling(database, clock=self, **given)

    def now(self) -> datetime:
        return self.at

    def later(self, **more: float) -> None:
        self.at += timedelta(**more)
        self.server.clock.set(self.at)  # type: ignore[attr-defined]

    def pmids(self) -> list[int]:
        with self.database.read() as session:
            return sorted(each.pmid for each in citations.everything(session))

    def hits(self, name: str = "car-nk", lane: str = "core") -> list[int]:
        with self.database.read() as session:
            return sorted(hits.standing(session, name, lane))

    def fetched(self) -> list[list[int]]:
        """PMIDs of each efetch the sandbox answered, in order."""
        return [[int(each) for each in asked.get("id").split(",")] for asked in self.server.requests("efetch")]
