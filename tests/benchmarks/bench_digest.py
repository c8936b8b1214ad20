"""Digest of 200 citations, half of them kept by curators: select, render, inline, build (CPU); delivery has rows of its own."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, select

from monitor.core.citation import HistoryDate, InlineXml, PartialDate
from monitor.mail.message import build_template
from monitor.mail.render import HTML_MAX, encoded_size
from monitor.resources import load_mesh_tree
from monitor.services.publishing import Publishing
from monitor.storage import citations
from monitor.storage.engine import connect, sqlite_url
from monitor.storage.migrations import upgrade
from monitor.storage.tables import (
    CitationRow,
    DecisionRow,
    HitRow,
    PollRow,
    ProposalRow,
    StrategyRow,
    TaggingRow,
)
from tests.acceptance.publishing_world import LINKS, MONDAY, SENDER, TOPICS, World
from tests.benchmarks.harness import Row, cpu_seconds
from tests.factories import FIRST_PMID, citation

PAPERS = 200
ROUNDS = 7
WORDS = ("CAR-NK cells", "cytokine-induced killer cells", "engagers")
"""Two thirds match in the title, one third, of the third topic, in the abstract."""


def _abstract(number: int) -> dict[str, str]:
    filler = "Invented natural killer cells were given to invented patients and watched for an invented year. " * 4
    return {
        "BACKGROUND": filler,
        "METHODS": f"{filler} An invented killer cell engager was added.",
        "RESULTS": filler,
        "CONCLUSIONS": f"Invented chimeric antigen receptor natural killer cells of lot {number} were well tolerated.",
    }


def _world(folder: Path) -> World:
    database = connect(sqlite_url(folder / "monitor.db"))
    upgrade(database)
    world = World(database)
    world.publishing = Publishing(database, world, LINKS, SENDER, load_mesh_tree())
    world.reader("reader@lab.example")
    world.moment += timedelta(days=1)
    names = tuple(TOPICS)
    kinds = ("Journal Article", "Review", "Randomized Controlled Trial", "Case Reports", "Meta-Analysis")
    papers = [
        citation(
            FIRST_PMID + number,
            title=InlineXml(
                f"Invented {WORDS[number % 3]} against CD19<sup>+</sup> lymphoma in an invented cohort, part {number}"
            ),
            abstract=_abstract(number),
            publication_types={"D016428": kinds[number % 5]},
            history=(HistoryDate("entrez", PartialDate(2026, 11, 1 + number % 20)),),
        )
        for number in range(PAPERS)
    ]
    with database.write() as session:
        citations.keep(session, papers, world.moment)
        strategies = {row.topic_id: row.id for row in session.execute(select(StrategyRow.topic_id, StrategyRow.id))}
    world.polled()
    with database.write() as session:
        poll = session.scalars(select(PollRow.id)).first()
        session.execute(
            insert(HitRow),
            [
                {
                    "topic_id": names[number % 3],
                    "pmid": paper.pmid,
                    "lane": "core",
                    "strategy_id": strategies[names[number % 3]],
                    "poll_id": poll,
                    "found_at": world.moment,
                    "news": True,
                    "lines": [1],
                    "first_strategy_id": strategies[names[number % 3]],
                    "first_lines": [1],
                    "route": "created",
                    "ended_at": None,
                }
                for number, paper in enumerate(papers)
            ],
        )
    _curate(world, [paper.pmid for paper in papers], names)
    world.moment = MONDAY - timedelta(days=7)
    world.polled()
    return world


def _curate(world: World, pmids: list[int], names: tuple[str, ...]) -> None:
    """Let curators keep every other paper with level, tags and a note, and rules have proposed a level for each."""
    levels = ("B1", "B3", "C", "D")
    now = world.moment
    with world.database.write() as session:
        hashes = dict(session.execute(select(CitationRow.pmid, CitationRow.hash)).all())
        found = {"grade": ["D", "other", "rule-1", "an invented reason of an invented rule"], "provisional": False}
        session.execute(
            insert(ProposalRow),
            [
                {
                    "pmid": pmid, "hash": hashes[pmid], "vocabulary": 1, "levels": 1, "level": levels[pmid % 4],
                    "design": "other", "participants": 37, "found": found, "made_at": now,
                }
                for pmid in pmids
            ],
        )  # fmt: skip
        kept = [(number, pmid) for number, pmid in enumerate(pmids) if number % 2]
        session.execute(
            insert(DecisionRow),
            [
                {
                    "pmid": pmid, "verdict": "keep", "topics": [names[number % 3]], "hash": b"read", "role": "curator",
                    "note": "An invented note of some length, as curators leave them. " * 3, "decided_at": now,
                }
                for number, pmid in kept
            ],
        )  # fmt: skip
        tags = [("level", "B3"), ("tag", "car-nk"), ("tag", "cd19"), ("tag", "crs/absent")]
        session.execute(
            insert(TaggingRow),
            [
                {
                    "pmid": pmid, "facet": facet, "term": term, "added": True, "origin": "person", "role": "curator",
                    "tagged_at": now,
                }
                for _, pmid in kept
                for facet, term in tags
            ],
        )  # fmt: skip


def rows(large: bool = False) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        world = _world(Path(folder))
        (planned,) = world.publishing.plan()
        build = lambda: build_template(planned.letter, SENDER, LINKS.unsubscribe())  # noqa: E731
        whole = statistics.median(cpu_seconds(lambda: (world.publishing.plan(), build())) for _ in range(ROUNDS))
        yield Row(
            f"digest of {PAPERS} citations: select, render, inline, build",
            f"{whole * 1000:.0f} ms CPU",
            "at most 80 ms",
            whole <= 0.080,
        )
        size = encoded_size(planned.letter.html)
        yield Row("its HTML part, encoded", f"{size / 1024:.1f} KB", "at most 80 KB", size <= HTML_MAX)
        listed = sum(LINKS.pubmed(FIRST_PMID + number) in planned.letter.text for number in range(PAPERS))
        yield Row("papers listed in its text part", f"{listed}", f"all {PAPERS}", listed == PAPERS)
        world.database.dispose()
