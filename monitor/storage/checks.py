"""The rolling check of stored citations: which are due, and what it means when PubMed does not return one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from monitor.core.citation import Deleted
from monitor.core.recheck import CONFIRMATIONS, MISS_SPACING, WITHDRAWN, counts_as_confirmation
from monitor.core.revision import Change
from monitor.storage.bulk import batches, insert, update
from monitor.storage.tables import CheckRow, CitationRow, VersionRow


def due(session: Session, now: datetime, limit: int) -> list[int]:
    """Return PMIDs to fetch again, the longest due first; provisional and withdrawn ones among them."""
    found = session.scalars(
        select(CheckRow.pmid).where(CheckRow.due_at <= now).order_by(CheckRow.due_at, CheckRow.pmid).limit(limit)
    )
    return list(found)


def surely_there(session: Session, limit: int) -> list[int]:
    """Return PMIDs that PubMed gave when it was last asked, the latest first."""
    found = session.scalars(
        select(CheckRow.pmid)
        .join(CitationRow, CitationRow.pmid == CheckRow.pmid)
        .where(CheckRow.misses == 0, CheckRow.withdrawn_at.is_(None), CitationRow.provisional.is_(False))
        .order_by(CheckRow.fetched_at.desc(), CheckRow.pmid)
        .limit(limit)
    )
    return list(found)


def expect_by(session: Session, pmids: Iterable[int], moment: datetime) -> None:
    """Check these again by `moment` at the latest, for example because readers now have them in hand."""
    for batch in batches(iter(pmids)):
        later = session.scalars(select(CheckRow.pmid).where(CheckRow.pmid.in_(batch), CheckRow.due_at > moment))
        update(session, CheckRow, "pmid", ("due_at",), [(pmid, moment) for pmid in later])


def postpone(session: Session, pmids: Iterable[int], moment: datetime) -> None:
    """Do not check these before `moment`."""
    for batch in batches(iter(pmids)):
        sooner = session.scalars(select(CheckRow.pmid).where(CheckRow.pmid.in_(batch), CheckRow.due_at < moment))
        update(session, CheckRow, "pmid", ("due_at",), [(pmid, moment) for pmid in sooner])


def miss(session: Session, pmids: Iterable[int], now: datetime) -> list[int]:
    """Note that PubMed was asked for these PMIDs by number and did not return them; return those now withdrawn.

    Two confirmations at least a day apart mark a citation withdrawn; until then it is asked for again after a day.
    What is held stays. PMIDs we do not hold are passed over. Only the rolling check may say so:
    absence from a search is no miss, nor is a record that a poll was not given though its search had just named it.
    """
    gone: list[int] = []
    for batch in batches(iter(pmids)):
        rows = session.execute(
            select(CheckRow.pmid, CheckRow.misses, CheckRow.missed_at, CheckRow.withdrawn_at).where(
                CheckRow.pmid.in_(set(batch))
            )
        ).all()
        missed = []
        again = []
        for pmid, misses, missed_at, withdrawn_at in rows:
            if withdrawn_at is not None:
                again.append((pmid, now + WITHDRAWN))
            elif counts_as_confirmation(misses, missed_at, now):
                if misses + 1 >= CONFIRMATIONS:
                    gone.append(pmid)
                missed.append((pmid, now + MISS_SPACING, misses + 1, now))
        update(session, CheckRow, "pmid", ("due_at",), again)
        update(session, CheckRow, "pmid", ("due_at", "misses", "missed_at"), missed)
    withdraw(session, gone, now)
    return gone


def delete(session: Session, deleted: Iterable[Deleted], now: datetime) -> list[int]:
    """Note that a file of NLM's deletes these records; return those of them that are held, withdrawn ones too.

    However often files say so, it is the first of the two confirmations, and PubMed is asked for the other at once.
    A deletion of another Version than the one held says nothing about that one.
    """
    held: list[int] = []
    for batch in batches(iter(set(deleted))):
        versions = {(each.pmid, each.version) for each in batch}
        rows = session.execute(
            select(CheckRow.pmid, CitationRow.version, CheckRow.misses, CheckRow.withdrawn_at)
            .join(CitationRow, CitationRow.pmid == CheckRow.pmid)
            .where(CheckRow.pmid.in_({each.pmid for each in batch}))
        ).all()
        meant = [row for row in rows if (row.pmid, row.version) in versions]
        held += [row.pmid for row in meant]
        doubted = [(row.pmid, now, 1) for row in meant if row.misses == 0 and row.withdrawn_at is None]
        update(session, CheckRow, "pmid", ("due_at", "misses"), doubted)
    return held


def withdraw(session: Session, pmids: Sequence[int], now: datetime) -> None:
    """Mark held citations as withdrawn from PubMed, as an event among their versions; nothing is deleted.

    A citation kept again afterwards is restored by that. Those withdrawn already stay as they are.
    """
    for batch in batches(iter(pmids)):
        rows = session.execute(
            select(CitationRow.pmid, CitationRow.version, CitationRow.hash)
            .join(CheckRow, CheckRow.pmid == CitationRow.pmid)
            .where(CitationRow.pmid.in_(set(batch)), CheckRow.withdrawn_at.is_(None))
        ).all()
        changes = [Change.WITHDRAWN.name]
        insert(
            session,
            VersionRow,
            ("pmid", "version", "hash", "seen_at", "changes", "integrity"),
            [(*row, now, changes, True) for row in rows],
        )
        update(
            session,
            CheckRow,
            "pmid",
            ("withdrawn_at", "due_at"),
            [(row.pmid, now, now + WITHDRAWN) for row in rows],
        )
