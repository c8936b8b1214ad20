"""What the desk says of citations, for readers: verdicts, levels and tags that stand, with the names of who spoke."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from monitor.core.curation import Curation
from monitor.core.grading import Grade
from monitor.core.query.own import OPEN
from monitor.core.screening import Verdict
from monitor.storage.bulk import batches
from monitor.storage.tables import CitationRow, DecisionRow, HitRow, PersonRow, ProposalRow, TaggingRow

_REASON = ProposalRow.found["grade"][Grade._fields.index("reason")].as_string()


class Kept(NamedTuple):
    """A citation that is news to some search was kept in these topics, at that moment."""

    pmid: int
    topics: tuple[str, ...]
    at: datetime


def kept_news(session: Session, after: datetime, known_by: datetime | None = None) -> list[Kept]:
    """Return the standing verdicts that have kept news of any lane and topic since then, in the order they were given.

    What a wide search found, or another topic's, reaches a topic's readers once a curator keeps it there; what was
    backfilled or imported is no news to anybody.
    """
    newest = select(func.max(DecisionRow.id)).group_by(DecisionRow.pmid)
    recent = select(DecisionRow.pmid).where(DecisionRow.decided_at > after)
    newest = newest.where(DecisionRow.pmid.in_(recent))
    if known_by is not None:
        newest = newest.where(DecisionRow.decided_at <= known_by)
    news = select(HitRow.pmid).where(HitRow.pmid == DecisionRow.pmid, HitRow.news.is_(True), HitRow.ended_at.is_(None))
    rows = session.execute(
        select(DecisionRow.pmid, DecisionRow.topics, DecisionRow.decided_at)
        .where(DecisionRow.id.in_(newest), DecisionRow.verdict == Verdict.KEEP, news.exists())
        .order_by(DecisionRow.id)
    )
    return [Kept(pmid, tuple(topics), at) for pmid, topics, at in rows]


def curations(session: Session, pmids: Iterable[int], known_by: datetime | None = None) -> dict[int, Curation]:
    """Return what is known of each of these of which anything is, in three statements for every 500.

    With `known_by` what people had said by that moment; what rules propose has no history and is always today's.
    """
    found: dict[int, Curation] = {}
    for batch in batches(iter(dict.fromkeys(pmids))):
        told: dict[int, dict[str, object]] = {}
        for pmid, level, participants, rule in session.execute(
            select(ProposalRow.pmid, ProposalRow.level, ProposalRow.participants, _REASON)
            .join(CitationRow, (CitationRow.pmid == ProposalRow.pmid) & (CitationRow.hash == ProposalRow.hash))
            .where(ProposalRow.pmid.in_(batch))
        ):
            told[pmid] = {"level": level, "proposed": True, "rule": rule, "participants": participants}
        for pmid, facet, term, origin, name in _labels(session, batch, known_by):
            of = told.setdefault(pmid, {})
            if facet == "tag":
                of["tags"] = (*of.get("tags", ()), term)  # type: ignore[misc]
            elif origin == "person":
                of |= {"level": term, "proposed": False, "confirmed_by": name, "rule": None}
        for pmid, verdict, topics, note, name in _verdicts(session, batch, known_by):
            told.setdefault(pmid, {}).update(
                verdict=Verdict(verdict), topics=tuple(topics), note=note if verdict == Verdict.KEEP else None, by=name
            )
        found.update({pmid: Curation(**of) for pmid, of in told.items()})  # type: ignore[arg-type]
    return found


def _labels(
    session: Session, pmids: Collection[int], known_by: datetime | None
) -> list[Row[int, str, str, str, str | None]]:
    newest = (
        select(func.max(TaggingRow.id))
        .where(TaggingRow.pmid.in_(pmids), TaggingRow.facet.in_(("tag", "level")))
        .group_by(TaggingRow.pmid, TaggingRow.facet, TaggingRow.term)
    )
    if known_by is not None:
        newest = newest.where(TaggingRow.tagged_at <= known_by)
    rows = session.execute(
        select(TaggingRow.pmid, TaggingRow.facet, TaggingRow.term, TaggingRow.origin, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == TaggingRow.person_id)
        .where(TaggingRow.id.in_(newest), TaggingRow.added.is_(True))
        .order_by(TaggingRow.facet, TaggingRow.term)
    )
    return list(rows)


def _verdicts(
    session: Session, pmids: Collection[int], known_by: datetime | None
) -> list[Row[int, str, list[str], str | None, str | None]]:
    newest = select(func.max(DecisionRow.id)).where(DecisionRow.pmid.in_(pmids)).group_by(DecisionRow.pmid)
    if known_by is not None:
        newest = newest.where(DecisionRow.decided_at <= known_by)
    rows = session.execute(
        select(DecisionRow.pmid, DecisionRow.verdict, DecisionRow.topics, DecisionRow.note, PersonRow.name)
        .outerjoin(PersonRow, PersonRow.id == DecisionRow.person_id)
        .where(DecisionRow.id.in_(newest), DecisionRow.verdict != OPEN)
    )
    return list(rows)
