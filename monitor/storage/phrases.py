"""What PubMed last said of phrases: whether its phrase index holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from monitor.storage.bulk import batches, is_sqlite
from monitor.storage.tables import PhraseRow

Phrase = tuple[str, str]
"""In lower case without quotes, and the tag of its field."""


def known(session: Session, phrases: Iterable[Phrase]) -> dict[Phrase, bool]:
    """Return PubMed's last word on those of the phrases that it was asked about."""
    wanted = set(phrases)
    found: dict[Phrase, bool] = {}
    for batch in batches(sorted({phrase for phrase, _ in wanted})):
        for row in session.execute(
            select(PhraseRow.phrase, PhraseRow.field, PhraseRow.known).where(PhraseRow.phrase.in_(batch))
        ):
            if (row.phrase, row.field) in wanted:
                found[row.phrase, row.field] = row.known
    return found


def note(session: Session, answers: Mapping[Phrase, bool], now: datetime) -> None:
    """Keep what PubMed answered; a newer answer replaces an older one."""
    insert = sqlite_insert if is_sqlite(session) else postgres_insert
    # In one order for everybody, so that two polls at once wait for each other instead of blocking each other.
    for batch in batches(sorted(answers)):
        rows = [
            {"phrase": phrase, "field": field, "known": answers[phrase, field], "checked_at": now}
            for phrase, field in batch
        ]
        insertion = insert(PhraseRow).values(rows)
        session.execute(
            insertion.on_conflict_do_update(
                index_elements=["phrase", "field"],
                set_={"known": insertion.excluded.known, "checked_at": insertion.excluded.checked_at},
                where=insertion.excluded.checked_at >= PhraseRow.checked_at,
            )
        )
