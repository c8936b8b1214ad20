"""Issues: what a selection needs to know, in a number of statements that does not grow with the readers, and freezing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, insert, select, text
from sqlalchemy.orm import Session, aliased

from monitor.core.issue import Run
from monitor.core.polling import FINISHED
from monitor.core.revision import Change
from monitor.storage.bulk import batches, insertion, is_sqlite
from monitor.storage.serving import UNDERWAY
from monitor.storage.tables import (
    DeliveryRow,
    HitRow,
    IssueEntryRow,
    IssueRow,
    PersonRow,
    PollRow,
    SubscriptionRow,
    VersionRow,
)

ISSUE_LOCK = 7_250_102
"""PostgreSQL advisory lock: one transaction at a time freezes issues, as on SQLite."""

REACHED = ("sent", "in_doubt")
WEEKS = 8
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class NewsHit:
    """A citation that is news to a topic; `strategy_id` is None where a curator put it there, not the core search."""

    topic: str
    pmid: int
    found_at: datetime
    strategy_id: int | None
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """That an issue told of a citation, at the version known then."""

    issue_id: int
    pmid: int
    version_id: int
    section: str


@dataclass(frozen=True, slots=True)
class Sent:
    """That an issue is on its way to a person, or has reached them."""

    person_id: int
    issue_id: int
    reached: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class VersionSeen:
    id: int
    pmid: int
    seen_at: datetime
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class FrozenEntry:
    section: str
    topic: str | None
    pmid: int
    version_id: int
    changes: Sequence[str]
    why: Sequence[str]


@dataclass(frozen=True, slots=True)
class FrozenIssue:
    """An issue as it is written down, once and for all."""

    key: str
    slot: str
    fingerprint: str
    label: str
    kind: str
    language: str
    covers_from: datetime
    covers_until: datetime
    subject: str
    content: Mapping[str, Any]
    html: str
    text: str
    message: bytes
    entries: Sequence[FrozenEntry]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets an issue; `last_delivery` is what the selection was based on."""

    subscription_id: int
    person_id: int
    address: str
    message_id: str
    last_delivery: int


@dataclass(frozen=True, slots=True)
class IssuePage:
    """An issue as the archive and its web page show it. `html` and `text` hold the mark of the token."""

    id: int
    key: str
    slot: str
    label: str
    kind: str
    language: str
    subject: str
    content: dict[str, Any]
    html: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class IssueLine:
    """One line of the archive; `topics` are the short names of what its readers follow."""

    id: int
    key: str
    slot: str
    label: str
    kind: str
    language: str
    subject: str
    created_at: datetime
    deliveries: int
    topics: tuple[str, ...]


def news_hits(
    session: Session, topics: Collection[str], after: datetime, known_by: datetime | None = None
) -> list[NewsHit]:
    """Return what the core searches of these topics found as news since then, oldest first.

    With `known_by` only what was known at that moment; without, all there is, whatever clock stamped it.
    """
    rows = session.execute(
        select(HitRow.topic_id, HitRow.pmid, HitRow.found_at, HitRow.strategy_id, HitRow.lines)
        .where(
            HitRow.topic_id.in_(topics),
            HitRow.lane == "core",
            HitRow.news.is_(True),
            HitRow.ended_at.is_(None),
            HitRow.found_at > after,
            *((HitRow.found_at <= known_by,) if known_by is not None else ()),
        )
        .order_by(HitRow.found_at, HitRow.pmid)
    )
    return [NewsHit(topic, pmid, at, strategy, tuple(lines)) for topic, pmid, at, strategy, lines in rows]


def changed_after_sending(session: Session, after: datetime, known_by: datetime | None = None) -> list[VersionSeen]:
    """Return the versions since the first one seen after that moment, of citations that stand in some issue, by id.

    Ids are in the order of writing; a clock that was wrong for a while hides none of them.
    """
    first = select(func.min(VersionRow.id)).where(VersionRow.seen_at > after).scalar_subquery()
    in_an_issue = select(IssueEntryRow.pmid).where(IssueEntryRow.pmid == VersionRow.pmid).exists()
    rows = session.execute(
        select(VersionRow.id, VersionRow.pmid, VersionRow.seen_at, VersionRow.changes)
        .where(VersionRow.id >= first, in_an_issue, *_known(known_by))
        .order_by(VersionRow.id)
    )
    return [
        VersionSeen(number, pmid, at, tuple(Change[each] for each in changes)) for number, pmid, at, changes in rows
    ]


def latest_versions(session: Session, pmids: Iterable[int], known_by: datetime | None = None) -> dict[int, int]:
    """Return the id of the newest version of each citation; with `known_by`, of those it had at that moment."""
    found: dict[int, int] = {}
    for batch in batches(iter(pmids)):
        rows = session.execute(
            select(VersionRow.pmid, func.max(VersionRow.id))
            .where(VersionRow.pmid.in_(batch), *_known(known_by))
            .group_by(VersionRow.pmid)
        )
        found.update(dict(rows.all()))
    return found


def _known(by: datetime | None) -> tuple[ColumnElement[bool], ...]:
    """Leave out versions from the first one on that was seen later: who is told of one has been told of all before."""
    if by is None:
        return ()
    later = aliased(VersionRow)
    unknown = select(later.id).where(later.pmid == VersionRow.pmid, later.id <= VersionRow.id, later.seen_at > by)
    return (~unknown.exists(),)


def told(session: Session, pmids: Iterable[int]) -> list[Told]:
    """Return which issues told of these citations."""
    return [
        Told(*row)
        for batch in batches(iter(pmids))
        for row in session.execute(
            select(IssueEntryRow.issue_id, IssueEntryRow.pmid, IssueEntryRow.version_id, IssueEntryRow.section).where(
                IssueEntryRow.pmid.in_(batch)
            )
        )
    ]


def sent(session: Session, issue_ids: Iterable[int]) -> Iterator[Sent]:
    """Yield to whom of the present readers these issues went, or are on their way."""
    for batch in batches(iter(issue_ids)):
        for person, issue, state, at, dated in session.execute(
            select(
                DeliveryRow.person_id,
                DeliveryRow.issue_id,
                DeliveryRow.state,
                DeliveryRow.sent_at,
                DeliveryRow.dated_at,
            )
            .join(
                SubscriptionRow,
                and_(SubscriptionRow.person_id == DeliveryRow.person_id, SubscriptionRow.ended_at.is_(None)),
            )
            .where(DeliveryRow.issue_id.in_(batch), DeliveryRow.state.in_(UNDERWAY))
        ):
            yield Sent(person, issue, state in REACHED, at or dated)


def runs(session: Session, topics: Collection[str], after: datetime, until: datetime) -> dict[str, list[Run]]:
    """Return the finished core searches of each topic in that time, newest first, and the last good one before it.

    Only those that leave no day unsearched say how a topic stands; a look at a few days by hand says nothing of it.
    """
    finished = and_(
        PollRow.topic_id.in_(topics), PollRow.lane == "core", PollRow.covers.is_(True), PollRow.finished_at <= until
    )
    last = select(func.max(PollRow.id)).where(finished).group_by(PollRow.topic_id)
    last_good = last.where(PollRow.state.in_(FINISHED))
    found: dict[str, list[Run]] = {}
    for topic, at, state, error, phrases, missing, refused in session.execute(
        select(
            PollRow.topic_id,
            PollRow.finished_at,
            PollRow.state,
            PollRow.error,
            PollRow.unknown_phrases,
            PollRow.missing,
            PollRow.refused,
        )
        .where(finished, (PollRow.finished_at > after) | PollRow.id.in_(last_good) | PollRow.id.in_(last))
        .order_by(PollRow.finished_at.desc(), PollRow.id.desc())
    ):
        if topic is not None and at is not None:
            found.setdefault(topic, []).append(Run(at, state, error, tuple(phrases), missing + len(refused)))
    return found


def weekly_counts(session: Session, topics: Collection[str], until: datetime) -> dict[str, tuple[int, ...]]:
    """Count what each topic's core search found as news in each of the eight weeks up to that moment, oldest first."""
    edges = [until - _WEEK * (WEEKS - number) for number in range(WEEKS + 1)]
    weeks = [
        func.sum(case((and_(HitRow.found_at > start, HitRow.found_at <= end), 1), else_=0))
        for start, end in pairwise(edges)
    ]
    rows = session.execute(
        select(HitRow.topic_id, *weeks)
        .where(
            HitRow.topic_id.in_(topics),
            HitRow.lane == "core",
            HitRow.news.is_(True),
            HitRow.found_at > edges[0],
            HitRow.found_at <= until,
        )
        .group_by(HitRow.topic_id)
    )
    return {row[0]: tuple(int(each) for each in row[1:]) for row in rows}


def new_papers(session: Session, topics: Collection[str], since: datetime, until: datetime) -> int:
    """Count the papers that core searches of these topics found as news in that time, each once."""
    several = select(func.count(HitRow.pmid.distinct())).where(
        HitRow.topic_id.in_(topics),
        HitRow.lane == "core",
        HitRow.news.is_(True),
        HitRow.found_at > since,
        HitRow.found_at <= until,
    )
    return session.execute(several).scalar_one()


def lock(session: Session) -> None:
    """Let one transaction at a time freeze issues; SQLite's writers queue up by themselves."""
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ISSUE_LOCK})


def unchanged(session: Session, recipients: Sequence[Recipient]) -> list[Recipient]:
    """Return those who still live and have got no delivery since the selection was made."""
    rows = session.execute(
        select(SubscriptionRow.id, func.coalesce(func.max(DeliveryRow.id), 0))
        .join(PersonRow, PersonRow.id == SubscriptionRow.person_id)
        .outerjoin(DeliveryRow, DeliveryRow.subscription_id == SubscriptionRow.id)
        .where(SubscriptionRow.ended_at.is_(None), PersonRow.disabled_at.is_(None))
        .group_by(SubscriptionRow.id)
    )
    last: dict[int, int] = dict(rows.all())
    return [each for each in recipients if last.get(each.subscription_id) == each.last_delivery]


def freeze(session: Session, issue: FrozenIssue, recipients: Sequence[Recipient], now: datetime) -> int:
    """Write an issue, its entries and one queued delivery a recipient; return how many deliveries are new.

    An issue of the same slot and fingerprint is used again. The unique keys decide: a subscription gets one delivery
    a slot, whoever asks and how often.
    """
    issue_id = session.scalar(
        select(IssueRow.id).where(IssueRow.slot == issue.slot, IssueRow.fingerprint == issue.fingerprint)
    )
    if issue_id is None:
        issue_id = session.execute(
            insert(IssueRow)
            .values(
                key=issue.key,
                slot=issue.slot,
                fingerprint=issue.fingerprint,
                label=issue.label,
                kind=issue.kind,
                language=issue.language,
                covers_from=issue.covers_from,
                covers_until=issue.covers_until,
                subject=issue.subject,
                content=dict(issue.content),
                html=issue.html,
                text=issue.text,
                message=issue.message,
                created_at=now,
            )
            .returning(IssueRow.id)
        ).scalar_one()
        if issue.entries:
            session.execute(
                insert(IssueEntryRow),
                [
                    {
                        "issue_id": issue_id,
                        "position": position,
                        "section": each.section,
                        "topic_id": each.topic,
                        "pmid": each.pmid,
                        "version_id": each.version_id,
                        "changes": list(each.changes),
                        "why": list(each.why),
                    }
                    for position, each in enumerate(issue.entries)
                ],
            )
    queued = 0
    statement = insertion(session, DeliveryRow).on_conflict_do_nothing()
    for batch in batches(iter(recipients)):
        done = session.execute(
            statement.values(
                [
                    {
                        "issue_id": issue_id,
                        "subscription_id": each.subscription_id,
                        "person_id": each.person_id,
                        "slot": issue.slot,
                        "address": each.address,
                        "message_id": each.message_id,
                        "dated_at": now,
                        "state": "queued",
                        "fence": 0,
                        "next_at": now,
                        "tries": 0,
                        "doubts": 0,
                        "created_at": now,
                    }
                    for each in batch
                ]
            ).returning(DeliveryRow.id)
        )
        queued += len(done.all())
    return queued


def by_key(session: Session, key: str) -> IssuePage | None:
    """Return the issue with that web address."""
    row = session.scalars(select(IssueRow).where(IssueRow.key == key)).one_or_none()
    if row is None:
        return None
    return IssuePage(
        row.id,
        row.key,
        row.slot,
        row.label,
        row.kind,
        row.language,
        row.subject,
        row.content,
        row.html,
        row.text,
        row.created_at,
    )


def archive(session: Session, limit: int = 100, before: int | None = None) -> list[IssueLine]:
    """Return issues, the latest day first, each with the number of its deliveries; `before` is an id to page on from."""
    deliveries = select(func.count()).where(DeliveryRow.issue_id == IssueRow.id).correlate(IssueRow).scalar_subquery()
    query = select(
        IssueRow.id,
        IssueRow.key,
        IssueRow.slot,
        IssueRow.label,
        IssueRow.kind,
        IssueRow.language,
        IssueRow.subject,
        IssueRow.created_at,
        deliveries,
        IssueRow.content["topics"],
    ).order_by(IssueRow.slot.desc(), IssueRow.id.desc())
    if before is not None:
        last = select(IssueRow.slot).where(IssueRow.id == before).scalar_subquery()
        query = query.where((IssueRow.slot < last) | ((IssueRow.slot == last) & (IssueRow.id < before)))
    return [
        IssueLine(number, key, slot, label, kind, language, subject, at, count, tuple(each["short"] for each in topics))
        for number, key, slot, label, kind, language, subject, at, count, topics in session.execute(query.limit(limit))
    ]
