"""Votes of blind double screening as kept: a session in, values out. What is shown of them, services decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session, aliased

from monitor.core.query.own import OPEN
from monitor.core.screening import Judgement, Verdict
from monitor.core.voting import Vote
from monitor.storage import screening
from monitor.storage.bulk import batches
from monitor.storage.tables import DecisionRow, HitRow, PersonRow, TopicRow, VoteRow


def doubly_screened(session: Session) -> dict[str, datetime]:
    """Return the living topics of which every paper is judged by two, and since when."""
    rows = session.execute(
        select(TopicRow.id, TopicRow.doubly_screened_at)
        .where(TopicRow.doubly_screened_at.is_not(None), TopicRow.retired_at.is_(None))
        .order_by(TopicRow.position, TopicRow.id)
    )
    return {topic: since for topic, since in rows if since is not None}


def switch(session: Session, topic_id: str, since: datetime | None) -> None:
    """Let a topic be doubly screened since this moment, or no longer."""
    session.execute(update(TopicRow).where(TopicRow.id == topic_id).values(doubly_screened_at=since))


def screened_topics(session: Session, pmids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """Return the doubly screened topics whose core search finds each of these papers, where it is news."""
    found: dict[int, tuple[str, ...]] = {}
    for batch in batches(iter(pmids)):
        rows = session.execute(
            select(HitRow.pmid, HitRow.topic_id)
            .join(TopicRow, TopicRow.id == HitRow.topic_id)
            .where(
                HitRow.pmid.in_(batch),
                HitRow.lane == "core",
                HitRow.news.is_(True),
                HitRow.ended_at.is_(None),
                TopicRow.doubly_screened_at.is_not(None),
                TopicRow.retired_at.is_(None),
            )
            .order_by(TopicRow.position, TopicRow.id)
        )
        for pmid, topic in rows:
            found[pmid] = (*found.get(pmid, ()), topic)
    return found


def standing(session: Session, pmids: Iterable[int]) -> dict[int, list[Vote]]:
    """Return the votes on these papers that were not taken back and rest on the words there are now, in order."""
    words = screening.reworded().subquery()
    found: dict[int, list[Vote]] = {}
    for batch in batches(iter(pmids)):
        rows = session.execute(
            select(VoteRow, PersonRow.name)
            .join(PersonRow, PersonRow.id == VoteRow.person_id)
            .outerjoin(words, words.c.pmid == VoteRow.pmid)
            .where(
                VoteRow.pmid.in_(batch),
                VoteRow.withdrawn_at.is_(None),
                or_(words.c.text_hash.is_(None), words.c.text_hash == VoteRow.hash),
            )
            .order_by(VoteRow.id)
        )
        for row, name in rows:
            found.setdefault(row.pmid, []).append(_vote(row, name))
    return found


def twice(session: Session) -> list[int]:
    """Return the papers without a standing verdict that more than one person voted on, the oldest vote first."""
    newest = aliased(DecisionRow)
    verdict = select(newest.verdict).where(newest.pmid == VoteRow.pmid).order_by(newest.id.desc()).limit(1)
    rows = session.execute(
        select(VoteRow.pmid, func.min(VoteRow.id))
        .where(VoteRow.withdrawn_at.is_(None), func.coalesce(verdict.scalar_subquery(), OPEN) == OPEN)
        .group_by(VoteRow.pmid)
        .having(func.count() > 1)
        .order_by(func.min(VoteRow.id))
    )
    return [row.pmid for row in rows]


def all_on(session: Session, topic_id: str) -> list[Vote]:
    """Return every vote in a topic that was not taken back, outdated ones too, in order."""
    rows = session.execute(
        select(VoteRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == VoteRow.person_id)
        .where(VoteRow.withdrawn_at.is_(None))
        .order_by(VoteRow.id)
    )
    return [_vote(row, name) for row, name in rows if topic_id in row.screened]


def of_step(session: Session, step_id: int) -> list[Vote]:
    """Return the votes that a step gave, withdrawn ones too, in order."""
    rows = session.execute(
        select(VoteRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == VoteRow.person_id)
        .where(VoteRow.step_id == step_id)
        .order_by(VoteRow.id)
    )
    return [_vote(row, name) for row, name in rows]


def add(
    session: Session,
    pmid: int,
    judgement: Judgement,
    *,
    screened: Sequence[str],
    tags: Sequence[str],
    level: str | None,
    fingerprint: bytes,
    person_id: int,
    role: str,
    now: datetime,
    step_id: int,
) -> None:
    """Store a vote."""
    values: Mapping[str, Any] = {
        "pmid": pmid,
        "person_id": person_id,
        "role": role,
        "verdict": judgement.verdict,
        "topics": list(judgement.topics),
        "screened": list(screened),
        "reason": judgement.reason,
        "note": judgement.note,
        "tags": list(tags),
        "level": level,
        "hash": fingerprint,
        "voted_at": now,
        "step_id": step_id,
    }
    session.execute(insert(VoteRow).values(**values))


def withdraw(session: Session, ids: Sequence[int], now: datetime) -> None:
    """Take votes back; they stay as rows."""
    session.execute(
        update(VoteRow).where(VoteRow.id.in_(ids)).values(withdrawn_at=now).execution_options(synchronize_session=False)
    )


def _vote(row: VoteRow, name: str) -> Vote:
    return Vote(
        row.id,
        row.pmid,
        row.person_id,
        name,
        row.role,
        Judgement(Verdict(row.verdict), tuple(row.topics), row.reason, row.note),
        tuple(row.screened),
        tuple(row.tags),
        row.level,
        row.hash,
        row.voted_at,
        row.withdrawn_at,
        row.step_id,
    )
