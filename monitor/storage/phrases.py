"""What PubMed last said of phrases: whether its phrase index holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.core.phrases import Phrase
from monitor.storage.bulk import batches, insertion
from monitor.storage.tables import PhraseRow


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


def newest(session: Session) -> tuple[int, int, datetime | None]:
    """Return a mark that changes with what is known: how many phrases, how many that PubMed has not, the last answer."""
    every, unknown, at = session.execute(
        select(func.count(), func.count().filter(PhraseRow.known.is_(False)), func.max(PhraseRow.checked_at))
    ).one()
    return every, unknown, at


def note(session: Session, answers: Mapping[Phrase, bool], now: datetime) -> None:
    """Keep what PubMed answered; a newer answer replaces an older one."""
    # In one order for everybody, so that two polls at once wait for each other instead of blocking each other.
    for batch in batches(sorted(answers)):
        rows = [
            {"phrase": phrase, "field": field, "known": answers[phrase, field], "checked_at": now}
            for phrase, field in batch
        ]
        statement = insertion(session, PhraseRow).values(rows)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["phrase", "field"],
                set_={"known": statement.excluded.known, "checked_at": statement.excluded.checked_at},
                where=statement.excluded.checked_at >= PhraseRow.checked_at,
            )
        )
