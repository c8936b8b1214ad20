"""Readers' own marks on papers: saved, not for me. None of them decides anything, and each is its reader's alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from monitor.storage.bulk import batches, insertion
from monitor.storage.tables import MarkRow

Mark = Literal["saved", "not-for-me"]
MARKS: tuple[Mark, ...] = ("saved", "not-for-me")


def put(session: Session, person_id: int, pmid: int, kind: str, now: datetime) -> bool:
    """Put a mark; say whether it is new."""
    made = session.execute(
        insertion(session, MarkRow)
        .values(person_id=person_id, pmid=pmid, kind=kind, at=now)
        .on_conflict_do_nothing()
        .returning(MarkRow.pmid)
    )
    return made.first() is not None


def take(session: Session, person_id: int, pmid: int, kind: str) -> bool:
    """Take a mark off; say whether it was there."""
    gone = session.execute(
        delete(MarkRow)
        .where(MarkRow.person_id == person_id, MarkRow.pmid == pmid, MarkRow.kind == kind)
        .returning(MarkRow.pmid)
    )
    return gone.first() is not None


def of(session: Session, person_id: int, pmids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return the marks of one reader on these papers, where there are any."""
    found: dict[int, set[str]] = {}
    for batch in batches(iter(pmids)):
        rows = select(MarkRow.pmid, MarkRow.kind).where(MarkRow.person_id == person_id, MarkRow.pmid.in_(batch))
        for pmid, kind in session.execute(rows):
            found.setdefault(pmid, set()).add(kind)
    return {pmid: frozenset(kinds) for pmid, kinds in found.items()}


def marked(session: Session, person_id: int, kind: str) -> list[int]:
    """Return the papers that bear a mark of this reader, the last marked first."""
    rows = select(MarkRow.pmid).where(MarkRow.person_id == person_id, MarkRow.kind == kind)
    return list(session.scalars(rows.order_by(MarkRow.at.desc(), MarkRow.pmid.desc())))


def stars(session: Session, pmids: Iterable[int]) -> dict[int, int]:
    """Count the readers that saved each of these papers, where there are any."""
    found: dict[int, int] = {}
    for batch in batches(iter(pmids)):
        rows = select(MarkRow.pmid, func.count()).where(MarkRow.kind == "saved", MarkRow.pmid.in_(batch))
        found.update(session.execute(rows.group_by(MarkRow.pmid)).all())
    return found
