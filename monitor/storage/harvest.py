"""What became of what topics find: new lately, kept, dismissed and why, in all and by line; and their sentinels."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Text, cast, func, select
from sqlalchemy.orm import Session, aliased

from monitor.core.query.own import OPEN
from monitor.core.screening import Verdict
from monitor.storage.tables import DecisionRow, HitRow, SentinelRow


@dataclass(slots=True)
class Harvest:
    """Papers that a topic finds now: how many, how many of them were news since a moment, and the verdicts on them.

    Kept is what was kept in this topic; a paper that was kept in others alone is `elsewhere`.
    """

    found: int = 0
    lately: int = 0
    kept: int = 0
    elsewhere: int = 0
    maybe: int = 0
    dismissed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def decided(self) -> int:
        return self.kept + self.elsewhere + self.maybe + self.dismissed


@dataclass(slots=True)
class LineHarvest:
    """The same of one line, as the polls noted which lines found a paper."""

    found: int = 0
    kept: int = 0
    dismissed: int = 0


def harvests(session: Session, since: datetime, topic_id: str | None = None) -> dict[str, Harvest]:
    """Return what became of the papers of each topic, or of one."""
    standing = (
        HitRow.ended_at.is_(None) if topic_id is None else HitRow.ended_at.is_(None) & (HitRow.topic_id == topic_id)
    )
    found: dict[str, Harvest] = {}
    for topic, number in session.execute(
        select(HitRow.topic_id, func.count(HitRow.pmid.distinct())).where(standing).group_by(HitRow.topic_id)
    ):
        found[topic] = Harvest(found=number)
    for topic, number in session.execute(
        select(HitRow.topic_id, func.count(HitRow.pmid.distinct()))
        .where(standing, HitRow.news.is_(True), HitRow.found_at >= since)
        .group_by(HitRow.topic_id)
    ):
        found[topic].lately = number
    papers = select(HitRow.topic_id, HitRow.pmid).where(standing).distinct().subquery()
    for topic, verdict, reason, kept_in in session.execute(
        select(papers.c.topic_id, DecisionRow.verdict, DecisionRow.reason, DecisionRow.topics)
        .join(DecisionRow, DecisionRow.pmid == papers.c.pmid)
        .where(_stands(), DecisionRow.verdict != OPEN)
    ):
        of = found[topic]
        if verdict == Verdict.KEEP:
            of.kept += topic in kept_in
            of.elsewhere += topic not in kept_in
        elif verdict == Verdict.MAYBE:
            of.maybe += 1
        else:
            of.dismissed += 1
            of.reasons[reason] += 1
    return found


def by_line(session: Session, topic_id: str) -> dict[tuple[int, str, int], LineHarvest]:
    """Return the same for each line that a poll noted with a paper, by the id of its version, its lane and number."""
    # As text: PostgreSQL groups by no json.
    lists = (cast(HitRow.lines, Text), cast(DecisionRow.topics, Text))
    alike = (HitRow.strategy_id, HitRow.lane, DecisionRow.verdict, *lists)
    # Thousands of papers were found by the same few lines and judged alike: counted where they are kept.
    rows = session.execute(
        select(*alike, func.count())
        .outerjoin(DecisionRow, (DecisionRow.pmid == HitRow.pmid) & _stands())
        .where(HitRow.topic_id == topic_id, HitRow.ended_at.is_(None))
        .group_by(*alike)
    )
    found: dict[tuple[int, str, int], LineHarvest] = {}
    for strategy_id, lane, verdict, lines, kept_in, number in rows:
        for position in json.loads(lines):
            of = found.setdefault((strategy_id, lane, position), LineHarvest())
            of.found += number
            of.kept += number if verdict == Verdict.KEEP and topic_id in json.loads(kept_in) else 0
            of.dismissed += number if verdict == Verdict.DISMISS else 0
    return found


def sentinels_found(session: Session) -> Mapping[str, dict[int, bool]]:
    """Return the sentinels of each topic, and whether the polls of its core lane find them."""
    rows = session.execute(
        select(SentinelRow.topic_id, SentinelRow.pmid, HitRow.pmid)
        .outerjoin(
            HitRow,
            (HitRow.topic_id == SentinelRow.topic_id)
            & (HitRow.pmid == SentinelRow.pmid)
            & (HitRow.lane == "core")
            & HitRow.ended_at.is_(None),
        )
        .order_by(SentinelRow.topic_id, SentinelRow.pmid)
    )
    found: dict[str, dict[int, bool]] = {}
    for topic, pmid, hit in rows:
        found.setdefault(topic, {})[pmid] = hit is not None
    return found


def _stands() -> ColumnElement[bool]:
    """Select what nothing newer was said after: one step into the index for each paper of the topic, of no others."""
    newer = aliased(DecisionRow)
    return ~select(newer.id).where(newer.pmid == DecisionRow.pmid, newer.id > DecisionRow.id).exists()
