"""When a stored citation is fetched again, and when a missing one counts as withdrawn.

PubMed does not always touch DateRevised (NLM, "Downloading PubMed data: maintenance"), so that silent revisions
and retractions are found only by looking again: young citations often, old ones rarely.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from monitor.core.citation import Citation

SOON: Final = timedelta(days=7)
"""How often a citation is checked that is young, under a cloud, or in the hands of readers."""
_AGES: Final = (
    (timedelta(days=90), SOON),
    (timedelta(days=365), timedelta(days=30)),
    (timedelta(days=5 * 365), timedelta(days=91)),
)
_OLD: Final = timedelta(days=365)
_RETRACTED: Final = timedelta(days=30)

MISS_SPACING: Final = timedelta(hours=24)
"""Confirmations that PubMed no longer returns a PMID count only when this far apart."""
CONFIRMATIONS: Final = 2
WITHDRAWN: Final = timedelta(days=91)
"""How often a withdrawn PMID is asked for again: it may return."""
UNREADABLE: Final = timedelta(days=1)
"""When a citation is asked for again whose record came and could not be read."""
SENT_RECENTLY: Final = timedelta(days=180)


def created_on(citation: Citation) -> date | None:
    """Return the day PubMed created the record ([crdt]), else what can be told of its publication, latest guess."""
    for status in ("entrez", "pubmed"):
        found = citation.history_date(status)
        if found is not None and found.year is not None:
            return _latest(found.year, found.month, found.day)
    published = citation.pub_date
    return _latest(published.year, published.month, published.day) if published and published.year else None


def next_check(citation: Citation, now: datetime, *, retracted: bool, concern: bool, sent: bool) -> datetime:
    """Say when to fetch a citation again that was fetched just now.

    `sent`: a digest carried it within `SENT_RECENTLY`. A tenth of the interval is spread by PMID, so that what was
    stored in one day does not come due in one hour for ever.
    """
    created = created_on(citation)
    age = now.astimezone(UTC).date() - created if created is not None else None
    interval = _OLD if age is not None else _AGES[-1][1]
    for limit, each in _AGES:
        if age is not None and age < limit:
            interval = each
            break
    if retracted:
        interval = min(interval, _RETRACTED)
    if concern or sent:
        interval = min(interval, SOON)
    return now + interval * (1 - (citation.pmid % 101) / 1010)


def counts_as_confirmation(misses: int, missed_at: datetime | None, now: datetime) -> bool:
    """Say whether another miss adds to those before: the first does, later ones only well apart."""
    return misses == 0 or missed_at is None or now - missed_at >= MISS_SPACING


def _latest(year: int, month: int | None, day: int | None) -> date:
    """Return a day at the end of what is known; nonsense such as month 13 or year 0 still gives one."""
    year = min(max(year, 1), 9999)
    try:
        return date(year, month or 12, day or 28)
    except (ValueError, OverflowError):
        return date(year, 12, 28)
