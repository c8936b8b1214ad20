"""What happened to papers after they appeared, and to whom it mattered: who had been sent them, and who has been told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Text, cast, distinct, func, or_, select
from sqlalchemy.orm import Session

from monitor.core.revision import Change
from monitor.storage.bulk import batches
from monitor.storage.issues import REACHED
from monitor.storage.tables import AcknowledgementRow, DeliveryRow, IssueEntryRow, PersonRow, VersionRow

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
    """Whom a paper reached as news, when first, and when this reader; whom a notice of its correction reached."""

    people: int = 0
    since: datetime | None = None
    mine: datetime | None = None
    told: int = 0
    told_at: datetime | None = None
    told_me: datetime | None = None


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


def first_seen(session: Session, pmids: Iterable[int]) -> dict[int, tuple[int, datetime]]:
    """Return the first version of each of these papers: its id, and when it was seen."""
    found: dict[int, tuple[int, datetime]] = {}
    for batch in batches(iter(pmids)):
        first = select(func.min(VersionRow.id)).where(VersionRow.pmid.in_(batch)).group_by(VersionRow.pmid)
        rows = select(VersionRow.pmid, VersionRow.id, VersionRow.seen_at).where(VersionRow.id.in_(first))
        found.update({pmid: (version, at) for pmid, version, at in session.execute(rows)})
    return found


def reach(session: Session, pmids: Iterable[int], person_id: int | None) -> dict[int, Reach]:
    """Return how far these papers and the notices of their corrections went, where anything was sent."""
    found: dict[int, dict[str, tuple[int, datetime, datetime | None]]] = {}
    at = func.coalesce(DeliveryRow.sent_at, DeliveryRow.dated_at)
    for batch in batches(iter(pmids)):
        rows = session.execute(
            select(
                IssueEntryRow.pmid,
                IssueEntryRow.section,
                func.count(distinct(DeliveryRow.person_id)),
                func.min(at, type_=DeliveryRow.dated_at.type),
                func.min(at, type_=DeliveryRow.dated_at.type).filter(DeliveryRow.person_id == person_id),
            )
            .join(DeliveryRow, DeliveryRow.issue_id == IssueEntryRow.issue_id)
            .where(IssueEntryRow.pmid.in_(batch), DeliveryRow.state.in_(REACHED))
            .group_by(IssueEntryRow.pmid, IssueEntryRow.section)
        )
        for pmid, section, people, first, mine in rows:
            found.setdefault(pmid, {})[section] = (people, first, mine)
    return {pmid: _reach(sections) for pmid, sections in found.items()}


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


def _reach(sections: dict[str, tuple[int, datetime, datetime | None]]) -> Reach:
    people, since, mine = sections.get("news", (0, None, None))
    told, told_at, told_me = sections.get("correction", (0, None, None))
    return Reach(people, since, mine, told, told_at, told_me)
