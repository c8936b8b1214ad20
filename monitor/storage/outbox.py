"""The outbox as people look at it: deliveries with their attempts, addresses that bounced, and what was sent to whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from monitor.core.delivery import NoticeKind
from monitor.core.revision import Change, Weight
from monitor.storage.bulk import batches
from monitor.storage.tables import (
    AttemptRow,
    BounceRow,
    DeliveryRow,
    IssueEntryRow,
    IssueRow,
    PersonRow,
    SuppressionRow,
    VersionRow,
)

STATES = ("queued", "leased", "in_doubt", "sent", "failed", "cancelled")


class Line(NamedTuple):
    """One delivery; `next_at` is when it may be tried next while it waits, `doubts` how often nobody knew."""

    id: int
    slot: str
    key: str
    subject: str
    person_id: int
    name: str
    address: str
    state: str
    tries: int
    doubts: int
    next_at: datetime
    sent_at: datetime | None
    created_at: datetime
    error: str | None


class Tried(NamedTuple):
    """One attempt as it went."""

    at: datetime
    outcome: str
    phase: str
    code: int | None
    enhanced: str | None
    text: str | None
    seconds: float


class Bounced(NamedTuple):
    """An address from which mail came back, and which may still be written to: how often, when last, and why."""

    key: str
    address: str
    person_id: int
    times: int
    last_at: datetime
    kind: str
    status: str | None
    text: str | None


class Stopped(NamedTuple):
    """An address that gets no mail, and whose it is; `name` is None where nobody here has it any more."""

    key: str
    reason: str
    text: str | None
    since: datetime
    name: str | None


class Told(NamedTuple):
    """One paper of a delivery; `changes` are the serious ones that nobody knew of when it was made, the first first."""

    pmid: int
    section: str
    title: str
    changes: tuple[Change, ...]


def page(session: Session, state: str | None = None, before: int | None = None, limit: int = 50) -> list[Line]:
    """Return the newest deliveries, in one state if told; `before` is an id to page on from."""
    query = _lines().order_by(DeliveryRow.id.desc()).limit(limit)
    if state is not None:
        query = query.where(DeliveryRow.state == state)
    if before is not None:
        query = query.where(DeliveryRow.id < before)
    return [Line(*row) for row in session.execute(query)]


def one(session: Session, delivery_id: int) -> Line | None:
    row = session.execute(_lines().where(DeliveryRow.id == delivery_id)).one_or_none()
    return Line(*row) if row is not None else None


def of_person(session: Session, person_id: int, before: int | None = None, limit: int = 20) -> list[Line]:
    """Return what was made for one person, newest first."""
    query = _lines().where(DeliveryRow.person_id == person_id).order_by(DeliveryRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(DeliveryRow.id < before)
    return [Line(*row) for row in session.execute(query)]


def attempts(session: Session, delivery_id: int) -> list[Tried]:
    """Return every try of a delivery, the first first."""
    rows = session.execute(
        select(
            AttemptRow.at,
            AttemptRow.outcome,
            AttemptRow.phase,
            AttemptRow.code,
            AttemptRow.enhanced,
            AttemptRow.text,
            AttemptRow.seconds,
        )
        .where(AttemptRow.delivery_id == delivery_id)
        .order_by(AttemptRow.id)
    )
    return [Tried(*row) for row in rows]


def hurry(session: Session, delivery_id: int, now: datetime) -> bool:
    """Let a letter that waits for its next try go now; False if it does not wait (any more)."""
    changed = session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id, DeliveryRow.state == "queued", DeliveryRow.next_at > now)
        .values(next_at=now)
        .returning(DeliveryRow.id)
    )
    return changed.one_or_none() is not None


def bounced(session: Session, since: datetime) -> list[Bounced]:
    """Return the addresses from which mail came back since then and that are not closed, those that did so most first."""
    theirs = (
        select(BounceRow.address_key, func.count().label("many"), func.max(BounceRow.id).label("last"))
        .where(
            BounceRow.at >= since,
            BounceRow.kind.in_((NoticeKind.HARD.value, NoticeKind.SOFT.value)),
            BounceRow.address_key.is_not(None),
        )
        .group_by(BounceRow.address_key)
        .subquery()
    )
    rows = session.execute(
        select(
            theirs.c.address_key,
            PersonRow.address,
            PersonRow.id,
            theirs.c.many,
            BounceRow.at,
            BounceRow.kind,
            BounceRow.status,
            BounceRow.text,
        )
        .join(BounceRow, BounceRow.id == theirs.c.last)
        .join(PersonRow, PersonRow.address_key == theirs.c.address_key)
        .outerjoin(SuppressionRow, SuppressionRow.address_key == theirs.c.address_key)
        .where(SuppressionRow.address_key.is_(None))
        .order_by(theirs.c.many.desc(), theirs.c.address_key)
    )
    return [Bounced(*row) for row in rows]


def stopped(session: Session) -> list[Stopped]:
    """Return the addresses that get no mail, the newest first."""
    rows = session.execute(
        select(
            SuppressionRow.address_key,
            SuppressionRow.reason,
            SuppressionRow.text,
            SuppressionRow.since,
            PersonRow.name,
        )
        .outerjoin(PersonRow, PersonRow.address_key == SuppressionRow.address_key)
        .order_by(SuppressionRow.since.desc(), SuppressionRow.address_key)
    )
    return [Stopped(*row) for row in rows]


def counts(session: Session) -> dict[str, int]:
    """Count all deliveries by state."""
    found: dict[str, int] = dict(
        session.execute(select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)).all()
    )
    return {state: found.get(state, 0) for state in STATES}


def papers(session: Session, delivery_ids: Sequence[int]) -> dict[int, list[Told]]:
    """Return the papers of each of these deliveries in their order, with what has happened to them since."""
    rows = session.execute(
        select(
            DeliveryRow.id,
            DeliveryRow.issue_id,
            IssueEntryRow.pmid,
            IssueEntryRow.section,
            IssueEntryRow.version_id,
        )
        .join(IssueEntryRow, IssueEntryRow.issue_id == DeliveryRow.issue_id)
        .where(DeliveryRow.id.in_(delivery_ids))
        .order_by(DeliveryRow.id, IssueEntryRow.position)
    ).all()
    later = _serious(session, {row.pmid for row in rows})
    contents = select(IssueRow.id, IssueRow.content).where(IssueRow.id.in_({row.issue_id for row in rows}))
    titles = {number: _titles(content) for number, content in session.execute(contents)}
    found: dict[int, list[Told]] = {each: [] for each in delivery_ids}
    for number, issue, pmid, section, version in rows:
        changes = [change for seen, several in later.get(pmid, ()) if seen > version for change in several]
        found[number].append(Told(pmid, section, titles[issue].get(pmid, ""), tuple(dict.fromkeys(changes))))
    return found


def _serious(session: Session, pmids: set[int]) -> dict[int, list[tuple[int, list[Change]]]]:
    found: dict[int, list[tuple[int, list[Change]]]] = {}
    for batch in batches(iter(pmids)):
        rows = session.execute(
            select(VersionRow.pmid, VersionRow.id, VersionRow.changes)
            .where(VersionRow.pmid.in_(batch))
            .order_by(VersionRow.id)
        )
        for pmid, number, names in rows:
            serious = [change for name in names if (change := Change[name]).weight is Weight.MAJOR]
            if serious:
                found.setdefault(pmid, []).append((number, serious))
    return found


def _titles(content: dict[str, Any]) -> dict[int, str]:
    """Return the titles as the issue told them."""
    several = [*content.get("corrections", ()), *content.get("integrity", ())]
    for section in content.get("sections", ()):
        several += section["entries"]
    return {each["pmid"]: each["title"] for each in several}


def _lines() -> Select[*tuple[Any, ...]]:
    return (
        select(
            DeliveryRow.id,
            DeliveryRow.slot,
            IssueRow.key,
            IssueRow.subject,
            DeliveryRow.person_id,
            PersonRow.name,
            DeliveryRow.address,
            DeliveryRow.state,
            DeliveryRow.tries,
            DeliveryRow.doubts,
            DeliveryRow.next_at,
            DeliveryRow.sent_at,
            DeliveryRow.created_at,
            DeliveryRow.error,
        )
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .join(PersonRow, PersonRow.id == DeliveryRow.person_id)
    )
