"""What is stored of a topic's polls and hits, as the proof of recall reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.core.polling import FINISHED
from monitor.core.strategy import Lane
from monitor.storage.polls import Poll, selected
from monitor.storage.tables import HitRow, PollRow

MEASURED = 20
"""Polls whose pace is looked at, the newest."""
_LEAST = (50, 10)
"""Records a poll must have brought for its pace to tell anything; the second where no poll brought as many."""


@dataclass(frozen=True, slots=True)
class HitFacts:
    pmid: int
    found_at: datetime
    ended_at: datetime | None
    route: str
    news: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a record took in past polls, from the search to the store; `records` were measured."""

    seconds: float
    records: int


def polls_of(session: Session, topic_id: str) -> list[Poll]:
    """Return every poll of a topic that has ended, in the order begun."""
    return selected(session, PollRow.topic_id == topic_id, PollRow.state != "running")


def all_hits(session: Session, topic_id: str, lane: Lane) -> list[HitFacts]:
    """Return every hit of a topic's lane, ended ones too, by PMID."""
    columns = (HitRow.pmid, HitRow.found_at, HitRow.ended_at, HitRow.route, HitRow.news)
    rows = session.execute(
        select(*columns).where(HitRow.topic_id == topic_id, HitRow.lane == lane).order_by(HitRow.pmid)
    )
    return [HitFacts(pmid, found_at, ended_at, route, news) for pmid, found_at, ended_at, route, news in rows]


def pace(session: Session) -> Pace | None:
    """Return the seconds a record took in the newest polls of any topic; None before there were any."""
    brought = PollRow.new + PollRow.revised + PollRow.unchanged
    for least in _LEAST:
        rows = session.execute(
            select(PollRow.seconds, brought)
            .where(PollRow.state.in_(FINISHED), PollRow.kind != "check", brought >= least, PollRow.seconds > 0)
            .order_by(PollRow.id.desc())
            .limit(MEASURED)
        )
        measured = [(seconds, records) for seconds, records in rows if seconds]
        if measured:
            # The median, for a poll that was cut short and went on later counts the hours between.
            each = median(seconds / records for seconds, records in measured)
            return Pace(each, sum(records for _, records in measured))
    return None
