"""Who has which citation open at the desk: a session in, values out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from monitor.storage.bulk import batches, insertion
from monitor.storage.tables import PersonRow, ReadingRow


class Reading(NamedTuple):
    """A citation that somebody reads at the desk, since when, and until when unless it is renewed."""

    pmid: int
    person_id: int
    name: str
    since: datetime
    until: datetime


def of(session: Session, pmids: Iterable[int], now: datetime) -> dict[int, Reading]:
    """Return who has these open now."""
    found: dict[int, Reading] = {}
    columns = (ReadingRow.pmid, ReadingRow.person_id, PersonRow.name, ReadingRow.since, ReadingRow.until)
    for batch in batches(iter(pmids)):
        rows = session.execute(
            select(*columns)
            .join(PersonRow, PersonRow.id == ReadingRow.person_id)
            .where(ReadingRow.pmid.in_(batch), ReadingRow.until > now)
        )
        found.update((row.pmid, Reading(*row)) for row in rows)
    return found


def lock(session: Session, pmid: int, person_id: int) -> None:
    """Let nobody else take what this person has open, or this citation, until the transaction ends.

    In one order, so that two who take each other's papers over at once wait for each other instead of blocking.
    """
    wanted = (ReadingRow.pmid == pmid) | (ReadingRow.person_id == person_id)
    session.execute(select(ReadingRow.pmid).where(wanted).order_by(ReadingRow.pmid).with_for_update()).all()


def take(session: Session, pmid: int, person_id: int, since: datetime, until: datetime) -> None:
    """Let this person have the citation open, whoever had it."""
    values = {"person_id": person_id, "since": since, "until": until}
    statement = insertion(session, ReadingRow).values(pmid=pmid, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["pmid"], set_=values))


def release(session: Session, person_id: int, pmids: Iterable[int] | None = None, *, but: int | None = None) -> None:
    """Let go what this person has open: all of it, or these, or all but one."""
    mine = delete(ReadingRow).where(ReadingRow.person_id == person_id)
    if but is not None:
        mine = mine.where(ReadingRow.pmid != but)
    if pmids is not None:
        for batch in batches(iter(pmids)):
            session.execute(mine.where(ReadingRow.pmid.in_(batch)))
    else:
        session.execute(mine)
