"""What waits for curators, read off hits, decisions and versions; nothing of it is stored twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, distinct, func, null, or_, select, text
from sqlalchemy.orm import Session, aliased

from monitor.core.query.own import OPEN
from monitor.core.revision import Change
from monitor.core.screening import Verdict
from monitor.storage import screening, vocabulary
from monitor.storage.bulk import batches
from monitor.storage.tables import (
    AcknowledgementRow,
    CitationRow,
    DecisionRow,
    HitRow,
    IssueEntryRow,
    ProposalRow,
    TopicRow,
    VersionRow,
)

COUNTED = 1000
"""So many of the backlog are counted; more are told as more."""
_PMIDS: Final[Any] = bindparam("pmids", expanding=True)


class Topic(NamedTuple):
    """A living topic: its place among them, and whether two people screen it."""

    place: int
    doubly: bool


Found = tuple[int, str, str, datetime, str | None, str | None]
"""A standing hit on a paper that nobody has judged: PMID, lane, topic, when it was found, proposed level and design."""


class Traits(NamedTuple):
    """What papers of any lane are sorted and filtered by."""

    topics: tuple[str, ...]
    alarm: bool
    level: str | None
    design: str | None


class Reworded(NamedTuple):
    """A paper whose words are no longer those of its standing verdict, and since when."""

    pmid: int
    since: datetime


class Notice(NamedTuple):
    """A version that bears on how far a paper stands and that nobody has acknowledged."""

    pmid: int
    version_id: int
    seen_at: datetime
    changes: tuple[Change, ...]


class PutAside(NamedTuple):
    """A paper that stands as maybe: since when, by whom, until when, and who was asked."""

    pmid: int
    since: datetime
    by: int | None
    until: date | None
    asked: int | None


def topics(session: Session) -> dict[str, Topic]:
    """Return the living topics in their order."""
    rows = session.execute(
        select(TopicRow.id, TopicRow.doubly_screened_at)
        .where(TopicRow.retired_at.is_(None))
        .order_by(TopicRow.position, TopicRow.id)
    )
    return {topic: Topic(place, since is not None) for place, (topic, since) in enumerate(rows)}


def undecided(session: Session, *, news: bool = True, graded: bool = False) -> Sequence[Found]:
    """Return the hits on papers without a standing verdict, those that are news or those that are not.

    Those of retired topics are among them. Only what is `graded` has level and design.
    """
    rows: Sequence[Any] = session.execute(_UNDECIDED[news, graded]).all()
    return rows


def backlog_size(session: Session) -> int:
    """Count the papers that no news search found and nobody judged, up to one more than `COUNTED`."""
    return session.scalar(_BACKLOG) or 0


def alarming(session: Session) -> set[int]:
    """Return the papers that are retracted or under a concern."""
    return {*session.scalars(_RETRACTED), *session.scalars(_CONCERN)}


def traits(session: Session, pmids: Iterable[int]) -> dict[int, Traits]:
    """Return what these papers are sorted and filtered by."""
    found: dict[int, Traits] = {}
    for batch in batches(iter(pmids)):
        topics: dict[int, list[str]] = {}
        for pmid, topic in session.execute(_FINDING, {"pmids": batch}):
            if topic not in topics.setdefault(pmid, []):
                topics[pmid].append(topic)
        for pmid, alarm, level, design in session.execute(_TRAITS, {"pmids": batch}):
            found[pmid] = Traits(tuple(topics.get(pmid, ())), alarm, level, design)
    return found


def reworded(session: Session) -> list[Reworded]:
    """Return the papers whose words are no longer those of their standing verdict."""
    return [Reworded(*row) for row in session.execute(_REWORDED)]


def notices(session: Session, pmids: Sequence[int] | None = None) -> list[Notice]:
    """Return what befell papers after they were kept or sent and was not acknowledged, in the order seen."""
    rows = session.execute(_NOTICES) if pmids is None else session.execute(_NOTICES_OF, {"pmids": pmids})
    found = [
        Notice(pmid, number, seen_at, tuple(Change[each] for each in changes))
        for pmid, number, seen_at, changes in rows
    ]
    # Sorted here: asked to sort, SQLite walks all versions in order instead of the few that the index names.
    return sorted(found, key=lambda each: each.version_id)


def put_aside(session: Session) -> list[PutAside]:
    """Return the papers that stand as maybe."""
    return [PutAside(*row) for row in session.execute(_PUT_ASIDE)]


def suggesting(session: Session, pmids: Iterable[int], tag: str, today: date) -> set[int]:
    """Return those of these papers for which the tag is suggested by the rules in force, however it is qualified."""
    rules = vocabulary.in_force(session)
    if rules is None:
        return set()
    return {
        pmid
        for pmid, proposed in vocabulary.proposals(session, pmids, rules, today).items()
        if any(each.tag == tag or each.tag.startswith(f"{tag}/") for each in proposed.tags)
    }


def decided_since(session: Session, person_id: int | None, moment: datetime) -> int:
    """Count the papers that a person has judged since, those taken back left out."""
    later = aliased(DecisionRow)
    taken_back = select(later.id).where(later.pmid == DecisionRow.pmid, later.undoes == DecisionRow.id)
    return (
        session.scalar(
            select(func.count(distinct(DecisionRow.pmid))).where(
                DecisionRow.person_id == person_id,
                DecisionRow.decided_at >= moment,
                DecisionRow.undoes.is_(None),
                ~taken_back.exists(),
            )
        )
        or 0
    )


def _verdict_on(pmid: Any) -> Any:
    """Select the newest verdict on a paper; one step into the index, however many were given."""
    newest = aliased(DecisionRow)
    found: Select[str] = select(newest.verdict).where(newest.pmid == pmid).order_by(newest.id.desc()).limit(1)
    return found.scalar_subquery()


def _stands() -> ColumnElement[bool]:
    newest = aliased(DecisionRow)
    return ~select(newest.id).where(newest.pmid == DecisionRow.pmid, newest.id > DecisionRow.id).exists()


def _undecided(news: bool, graded: bool) -> Select[Any]:
    columns: list[Any] = [HitRow.pmid, HitRow.lane, HitRow.topic_id, HitRow.found_at]
    query = select(*columns, *([ProposalRow.level, ProposalRow.design] if graded else [null(), null()]))
    if graded:
        query = query.outerjoin(ProposalRow, ProposalRow.pmid == HitRow.pmid)
    waits = HitRow.ended_at.is_(None) & HitRow.news.is_(news)
    return query.where(waits, func.coalesce(_verdict_on(HitRow.pmid), OPEN) == OPEN)


def _backlog() -> Select[int]:
    news = aliased(HitRow)
    newer = select(news.pmid).where(news.pmid == HitRow.pmid, news.news.is_(True), news.ended_at.is_(None))
    older = (
        _undecided(False, False)
        .with_only_columns(HitRow.pmid)
        .distinct()
        .join(TopicRow, TopicRow.id == HitRow.topic_id)
        .where(TopicRow.retired_at.is_(None), ~newer.exists())
        .limit(COUNTED + 1)
    )
    return select(func.count()).select_from(older.subquery())


def _reworded() -> Any:
    words = screening.reworded().subquery()
    return (
        select(words.c.pmid, words.c.seen_at)
        .join(DecisionRow, DecisionRow.pmid == words.c.pmid)
        .where(DecisionRow.verdict != OPEN, DecisionRow.hash != words.c.text_hash, _stands())
    )


def _notices() -> Any:
    acknowledged = select(AcknowledgementRow.id).where(
        AcknowledgementRow.version_id == VersionRow.id, AcknowledgementRow.withdrawn_at.is_(None)
    )
    before = select(DecisionRow.id).where(
        DecisionRow.pmid == VersionRow.pmid,
        DecisionRow.verdict == Verdict.KEEP,
        DecisionRow.decided_at < VersionRow.seen_at,
    )
    sent = select(IssueEntryRow.pmid).where(
        IssueEntryRow.pmid == VersionRow.pmid, IssueEntryRow.version_id < VersionRow.id
    )
    kept = (_verdict_on(VersionRow.pmid) == Verdict.KEEP) & before.exists()
    return select(VersionRow.pmid, VersionRow.id, VersionRow.seen_at, VersionRow.changes).where(
        VersionRow.integrity.is_(True), ~acknowledged.exists(), or_(kept, sent.exists())
    )


def _finding() -> Any:
    return (
        select(HitRow.pmid, HitRow.topic_id)
        .join(TopicRow, TopicRow.id == HitRow.topic_id)
        .where(HitRow.pmid.in_(_PMIDS), HitRow.ended_at.is_(None))
        .order_by(TopicRow.position, TopicRow.id)
    )


def _traits() -> Any:
    alarm = or_(CitationRow.retracted, CitationRow.concern)
    return (
        select(CitationRow.pmid, alarm, ProposalRow.level, ProposalRow.design)
        .outerjoin(ProposalRow, ProposalRow.pmid == CitationRow.pmid)
        .where(CitationRow.pmid.in_(_PMIDS))
    )


def _put_aside() -> Any:
    columns = (DecisionRow.pmid, DecisionRow.decided_at, DecisionRow.person_id, DecisionRow.until, DecisionRow.asked_id)
    return select(*columns).where(text("decision.verdict = 'maybe'"), _stands())


# Built once: putting these together takes as long as running them.
_UNDECIDED = {(news, graded): _undecided(news, graded) for news in (True, False) for graded in (True, False)}
_BACKLOG = _backlog()
_RETRACTED = select(CitationRow.pmid).where(CitationRow.retracted.is_(True))
_CONCERN = select(CitationRow.pmid).where(CitationRow.concern.is_(True))
_REWORDED, _NOTICES, _PUT_ASIDE = _reworded(), _notices(), _put_aside()
_NOTICES_OF = _NOTICES.where(VersionRow.pmid.in_(_PMIDS))
_FINDING, _TRAITS = _finding(), _traits()
