"""What happened to papers after they appeared, and to whom it mattered: who had been sent them, and who has been told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, distinct, func, or_, select
from sqlalchemy.orm import Session

from monitor.core.revision import Change
from monitor.storage.bulk import batches
from monitor.storage.issues import REACHED
from monitor.storage.tables import (
    AcknowledgementRow,
    DecisionRow,
    DeliveryRow,
    HitRow,
    IssueEntryRow,
    PersonRow,
    VersionRow,
)

KINDS: dict[str, tuple[Change, ...]] = {
    "retracted": (Change.RETRACTED, Change.RETRACTED_AND_REPUBLISHED),
    "concern": (Change.CONCERN,),
    "withdrawn": (Change.WITHDRAWN,),
    "erratum": (Change.ERRATUM, Change.CORRECTED_AND_REPUBLISHED),
    "reinstated": (Change.REINSTATED, Change.CONCERN_WITHDRAWN, Change.RESTORED),
}
"""The changes that a list of corrections tells of, gravest first; the last are good news."""
_KIND_OF = {change: kind for kind, changes in KINDS.items() for change in changes}


@dataclass(frozen=True, slots=True)
class Happened:
    """One version that brought a correction; `kinds` are of `KINDS`, gravest first."""

    version_id: int
    pmid: int
    at: datetime
    kinds: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people something reached, when the first of them, and when this reader."""

    people: int = 0
    since: datetime | None = None
    mine: datetime | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who has read of a correction at the desk, and when."""

    name: str
    at: datetime


def kinds_of(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return the kinds of correction among changes, gravest first."""
    found = {_KIND_OF[change] for change in changes if change in _KIND_OF}
    return tuple(kind for kind in KINDS if kind in found)


def happened(session: Session, *, since: datetime | None = None, pmids: Iterable[int] | None = None) -> list[Happened]:
    """Return every correction that was seen, the last first; since a moment, or of some papers alone."""
    text = cast(VersionRow.changes, Text)
    serious = or_(*(text.contains(f'"{change.name}"', autoescape=True) for change in _KIND_OF))
    query = select(VersionRow.id, VersionRow.pmid, VersionRow.seen_at, VersionRow.changes).where(text != "[]", serious)
    if since is not None:
        query = query.where(VersionRow.seen_at >= since)
    queries = [query] if pmids is None else [query.where(VersionRow.pmid.in_(batch)) for batch in batches(iter(pmids))]
    found = []
    for each in queries:
        for version, pmid, at, names in session.execute(each):
            changes = tuple(Change[name] for name in names)
            found.append(Happened(version, pmid, at, kinds_of(changes), changes))
    return sorted(found, key=lambda each: (each.at, each.version_id), reverse=True)


def ours(session: Session, pmids: Iterable[int]) -> set[int]:
    """Return those of these papers that a topic found, that were judged, or that were sent."""
    found: set[int] = set()
    for batch in batches(sorted(pmids)):
        for pmid in (HitRow.pmid, DecisionRow.pmid, IssueEntryRow.pmid):
            found.update(session.scalars(select(pmid).where(pmid.in_(batch)).distinct()))
    return found


def first_seen(session: Session, pmids: Iterable[int]) -> dict[int, tuple[int, datetime]]:
    """Return the first version of each of these papers: its id, and when it was seen."""
    found: dict[int, tuple[int, datetime]] = {}
    for batch in batches(iter(pmids)):
        first = select(func.min(VersionRow.id)).where(VersionRow.pmid.in_(batch)).group_by(VersionRow.pmid)
        rows = select(VersionRow.pmid, VersionRow.id, VersionRow.seen_at).where(VersionRow.id.in_(first))
        found.update({pmid: (version, at) for pmid, version, at in session.execute(rows)})
    return found


def reach(session: Session, pmids: Iterable[int], person_id: int | None) -> dict[int, Reach]:
    """Return how far these papers went as news, where they were sent at all."""
    found: dict[int, Reach] = {}
    at = func.coalesce(DeliveryRow.sent_at, DeliveryRow.dated_at, type_=DeliveryRow.dated_at.type)
    for batch in batches(iter(pmids)):
        rows = session.execute(
            select(
                IssueEntryRow.pmid,
                func.count(distinct(DeliveryRow.person_id)),
                func.min(at),
                func.min(at).filter(DeliveryRow.person_id == person_id),
            )
            .join(DeliveryRow, DeliveryRow.issue_id == IssueEntryRow.issue_id)
            .where(IssueEntryRow.pmid.in_(batch), IssueEntryRow.section == "news", DeliveryRow.state.in_(REACHED))
            .group_by(IssueEntryRow.pmid)
        )
        found.update({pmid: Reach(people, since, mine) for pmid, people, since, mine in rows})
    return found


def told(session: Session, happened: Sequence[Happened], person_id: int | None) -> dict[int, Reach]:
    """Return how far the notices of these corrections went, by version, where any did.

    A notice tells of everything up to the version that it names.
    """
    notices: dict[int, list[tuple[int, int, datetime]]] = {}
    for batch in batches(sorted({each.pmid for each in happened})):
        rows = session.execute(
            select(
                IssueEntryRow.pmid,
                IssueEntryRow.version_id,
                DeliveryRow.person_id,
                DeliveryRow.sent_at,
                DeliveryRow.dated_at,
            )
            .join(DeliveryRow, DeliveryRow.issue_id == IssueEntryRow.issue_id)
            .where(IssueEntryRow.pmid.in_(batch), IssueEntryRow.section == "correction", DeliveryRow.state.in_(REACHED))
        )
        for pmid, version, person, sent, dated in rows:
            notices.setdefault(pmid, []).append((version, person, sent or dated))
    found: dict[int, Reach] = {}
    for each in happened:
        heard = [(person, at) for version, person, at in notices.get(each.pmid, ()) if version >= each.version_id]
        if heard:
            mine = min((at for person, at in heard if person == person_id), default=None)
            found[each.version_id] = Reach(len({person for person, _ in heard}), min(at for _, at in heard), mine)
    return found


def acknowledged(session: Session, versions: Iterable[int]) -> dict[int, list[Acknowledged]]:
    """Return who has read what these versions did, by version."""
    found: dict[int, list[Acknowledged]] = {}
    for batch in batches(iter(versions)):
        rows = session.execute(
            select(AcknowledgementRow.version_id, PersonRow.name, AcknowledgementRow.at)
            .join(PersonRow, PersonRow.id == AcknowledgementRow.person_id)
            .where(AcknowledgementRow.version_id.in_(batch), AcknowledgementRow.withdrawn_at.is_(None))
            .order_by(AcknowledgementRow.at)
        )
        for version, name, at in rows:
            found.setdefault(version, []).append(Acknowledged(name, at))
    return found
