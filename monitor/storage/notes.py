"""What people have written on citations: a session in, values out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monitor.storage.bulk import batches, insertion
from monitor.storage.tables import NoteRow


class Note(NamedTuple):
    """One person's note on one citation as it stands; version 0 was never written."""

    text: str = ""
    version: int = 0
    changed_at: datetime | None = None


def of(session: Session, person_id: int, pmids: Iterable[int]) -> dict[int, Note]:
    """Return this person's notes on these citations."""
    found: dict[int, Note] = {}
    for batch in batches(iter(pmids)):
        rows = session.execute(
            select(NoteRow.pmid, NoteRow.text, NoteRow.version, NoteRow.changed_at).where(
                NoteRow.person_id == person_id, NoteRow.pmid.in_(batch)
            )
        )
        found.update((row.pmid, Note(row.text, row.version, row.changed_at)) for row in rows)
    return found


def write(session: Session, person_id: int, pmid: int, text: str, version: int, now: datetime) -> bool:
    """Put a note where version stood; False when another text came first and stands."""
    if version == 0:
        first = insertion(session, NoteRow).values(pmid=pmid, person_id=person_id, text=text, version=1, changed_at=now)
        made = session.execute(first.on_conflict_do_nothing().returning(NoteRow.version)).one_or_none()
        return made is not None
    changed = session.execute(
        update(NoteRow)
        .where(NoteRow.pmid == pmid, NoteRow.person_id == person_id, NoteRow.version == version)
        .values(text=text, version=version + 1, changed_at=now)
        .returning(NoteRow.version)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return changed is not None


def newest(session: Session, person_id: int, limit: int) -> dict[int, Note]:
    """Return what this person wrote last, on which citations, the newest first."""
    rows = session.execute(
        select(NoteRow.pmid, NoteRow.text, NoteRow.version, NoteRow.changed_at)
        .where(NoteRow.person_id == person_id, NoteRow.text != "")
        .order_by(NoteRow.changed_at.desc(), NoteRow.pmid.desc())
        .limit(limit)
    )
    return {row.pmid: Note(row.text, row.version, row.changed_at) for row in rows}
