"""Stores citations with what a lab knows of them, and the rows that no longer stand beside those that do."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time

from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.query import Own
from monitor.storage.bulk import insert
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from monitor.storage.tables import DecisionRow, HitRow, PollRow, StrategyRow, TaggingRow, TopicRow

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)

_HIT = (
    "topic_id", "pmid", "lane", "strategy_id", "poll_id", "found_at", "news", "lines", "first_strategy_id", "first_lines", "route",
    "ended_at",
)  # fmt: skip
_TAGGING = ("pmid", "facet", "term", "added", "origin", "role", "tagged_at")
_DECISION = ("pmid", "verdict", "topics", "hash", "role", "decided_at")

Row = tuple[object, ...]


def store(database: Database, citations: Sequence[Citation], known: Mapping[int, Own], topics: Iterable[str]) -> None:
    """Store it all; a topic of a citation that was kept may rest on the verdict alone."""
    days: dict[date, list[Citation]] = {}
    for each in citations:
        days.setdefault(known[each.pmid].added_on or NOW.date(), []).append(each)
    with database.write() as session:
        for day, several in days.items():
            keep(session, several, datetime.combine(day, time(23, 59), UTC))
        names = sorted(topics)
        strategies = {topic: _topic(session, topic, position) for position, topic in enumerate(names)}
        dice = random.Random(1)
        hits: list[Row] = []
        decisions: list[Row] = []
        taggings: list[Row] = []
        for pmid, own in known.items():
            kept = sorted(own.topics)[:1] if own.decision == "keep" and dice.random() < 0.5 else []
            hits += _hits(pmid, own, frozenset(kept), strategies, dice)
            decisions += _decisions(pmid, own, kept, names, dice)
            taggings += _taggings(pmid, own, dice)
        insert(session, HitRow, _HIT, hits)
        insert(session, DecisionRow, _DECISION, decisions)
        insert(session, TaggingRow, _TAGGING, taggings)


def _topic(session: Session, topic: str, position: int) -> tuple[int, int]:
    session.add(TopicRow(id=topic, title=topic, position=position, created_at=NOW))
    session.flush()
    strategy = StrategyRow(
        topic_id=topic, version=1, core="x[ti]", origin="lab", reason="invented", accepted=[], created_at=NOW
    )
    session.add(strategy)
    session.flush()
    poll = PollRow(
        topic_id=topic, strategy_id=strategy.id, lane="core", kind="full", state="done", started_at=NOW, query="x[ti]",
        covers=True, warnings=[], unknown_phrases=[], refused=[],
    )  # fmt: skip
    session.add(poll)
    session.flush()
    return strategy.id, poll.id


def _hits(
    pmid: int, own: Own, kept: frozenset[str], strategies: dict[str, tuple[int, int]], dice: random.Random
) -> Iterator[Row]:
    for topic, (strategy, poll) in strategies.items():
        for lane, stands in (("core", topic in own.topics - kept), ("wide", topic in own.wide)):
            if stands or dice.random() < 0.2:
                ended = None if stands else NOW
                yield topic, pmid, lane, strategy, poll, NOW, False, [1], strategy, [1], "created", ended


def _decisions(pmid: int, own: Own, kept: list[str], names: list[str], dice: random.Random) -> Iterator[Row]:
    if dice.random() < 0.3:
        yield pmid, dice.choice(("keep", "maybe", "dismiss")), names, b"read", "curator", NOW
        if own.decision == "open":
            yield pmid, "open", names, b"read", "curator", NOW
    if own.decision != "open":
        yield pmid, own.decision, kept, b"read", "curator", NOW


def _taggings(pmid: int, own: Own, dice: random.Random) -> Iterator[Row]:
    for facet, terms in (("tag", own.tags), ("level", own.levels), ("claim", own.claims)):
        if dice.random() < 0.3:  # put on and taken off again
            yield pmid, facet, "no such", True, "rule", "rule", NOW
            yield pmid, facet, "no such", False, "person", "curator", NOW
        for term in sorted(terms):
            if dice.random() < 0.3:
                yield pmid, facet, term, True, "rule", "rule", NOW
                yield pmid, facet, term, False, "person", "curator", NOW
            yield pmid, facet, term, True, "person", "curator", NOW
