"""What a search of PubMed asks and answers, which days and slices it covers, and when the next one is due."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from monitor.core.citation import Citation
from monitor.core.query.dates import citation_days
from monitor.core.recheck import created_on

OVERLAP: Final = timedelta(days=14)
"""How far a window reaches back before the last one: a record may become visible after its own Create Date."""

Route = Literal["created", "entered", "indexed", "revised", "reconciled", "backfilled"]
"""Why a poll came upon a paper: the day of its window that PubMed created, entered, indexed or revised the record; or
a comparison of the whole set, the first of its strategy being the backfill (`whole_route`)."""

FINISHED: Final = ("done", "warned")
"""States of a poll that came to its end."""
UNFINISHED: Final = ("interrupted", "failed")

_WINDOW_FIELDS: Final = ("crdt", "edat", "mhda", "lr")
_ROUTES: Final[dict[str, Route]] = {"crdt": "created", "edat": "entered", "mhda": "indexed", "lr": "revised"}
_BEGINNING: Final = date(1800, 1, 1)
_FIRST_CUTS: Final = (2000, 2010, 2016, 2020, 2023, 2025)
"""Years at which a set of all times is divided first: half of PubMed came after the first of them."""
_TAG_AT_END: Final = re.compile(r"\[[^\]]*\]$")
_LAST_UID: Final = 999_999_999
"""Far above every PMID there is; the end of a `[uid]` range."""
MOST_NAMED: Final = 9_999
"""PMIDs that PubMed names of one search."""
_NAMED: Final = 20
"""PMIDs that a sentence names at most."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """PubMed's answer to one search. `count` is PubMed's own; it may exceed `len(pmids)` and then more is to fetch.

    `unknown_phrases` are texts PubMed did not know and dropped or split: quoted phrases, phrases, field names.
    """

    pmids: tuple[int, ...]
    count: int
    translation: str
    unknown_phrases: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """Days searched, both ends included; `until=None` leaves the end open, as NLM advises (`:3000`)."""

    since: date
    until: date | None = None

    def on(self, field: str) -> str:
        """Render the window on one date field."""
        end = "3000" if self.until is None else _day(self.until)
        return f"{_day(self.since)}:{end}[{field}]"


def windowed(query: str, window: Window) -> str:
    """Add the window: what was created, entered, indexed or revised in it.

    Create Date alone misses records that begin to match later, with their MeSH headings or an abstract.
    """
    return f"({query}) AND ({' OR '.join(window.on(field) for field in _WINDOW_FIELDS)})"


def next_window(covered_until: date | None, today: date, first_days: int) -> Window:
    """Return the window that follows the last poll that was stored whole, or the first one of all."""
    if covered_until is None:
        return Window(today - timedelta(days=first_days))
    return Window(min(covered_until, today) - OVERLAP)


@dataclass(frozen=True, slots=True)
class DaySlice:
    """Part of a search that is too large for one answer: the days of one date field, both ends included."""

    field: str
    since: date = _BEGINNING
    until: date | None = None

    @classmethod
    def of_all_times(cls, field: str) -> tuple[DaySlice, ...]:
        """Return slices that leave out no day, the newest first."""
        starts = [_BEGINNING, *(date(year, 1, 1) for year in _FIRST_CUTS)]
        ends = [*(start - timedelta(days=1) for start in starts[1:]), None]
        return tuple(cls(field, since, until) for since, until in zip(starts, ends, strict=True))[::-1]

    def applied(self, query: str) -> str:
        return f"({query}) AND {Window(self.since, self.until).on(self.field)}"

    def halves(self, today: date) -> tuple[DaySlice, DaySlice] | None:
        """Split in two that leave nothing out; None when one day is left. The open end begins tomorrow."""
        last = max(today + timedelta(days=1), self.since) if self.until is None else self.until
        if last <= self.since:
            return None
        middle = self.since + (last - self.since) // 2
        return (
            DaySlice(self.field, self.since, middle),
            DaySlice(self.field, middle + timedelta(days=1), self.until),
        )


@dataclass(frozen=True, slots=True)
class PmidSlice:
    """The same by PMID: `[uid]` ranges divide whatever dates cannot."""

    first: int = 1
    last: int = _LAST_UID

    def applied(self, query: str) -> str:
        return f"({query}) AND {self.first}:{self.last}[uid]"

    def halves(self) -> tuple[PmidSlice, PmidSlice] | None:
        if self.first == self.last:
            return None
        middle = (self.first + self.last) // 2
        return PmidSlice(self.first, middle), PmidSlice(middle + 1, self.last)


def of_pmids(pmids: Iterable[int]) -> str:
    """Return the search that finds exactly these."""
    return " OR ".join(f"{pmid}[uid]" for pmid in pmids)


def phrases_in_words(unknown: Iterable[str]) -> tuple[str, ...]:
    """Return phrases that PubMed did not know as a reader knows them: `"CAR-iNK"[Title/Abstract]` is CAR-iNK, and once."""
    return tuple(dict.fromkeys(bare_phrase(each) or each for each in unknown))


def bare_phrase(unknown: str) -> str:
    """Take the tag and the quotation marks off a phrase that PubMed reports."""
    return _TAG_AT_END.sub("", unknown).strip().strip('"')


def adds_up(parts: int, whole: int) -> bool:
    """Say whether slices hold what the whole counts, but for the drift of a base that changes while it is read."""
    return abs(parts - whole) <= max(2, whole // 1000)


def is_news(citation: Citation, watched_from: date, way: Route) -> bool:
    """Say whether a digest may carry a hit: PubMed created the record since the topic is watched, and no backfill brought it.

    A record without dates is news when a window brought it.
    """
    created = created_on(citation)
    if created is None:
        return way not in ("reconciled", "backfilled")
    return way != "backfilled" and created >= watched_from


def whole_route(citation: Citation, first_day: date, *, compared: bool) -> Route:
    """Return how a comparison of the whole set came upon a paper; `compared` says that this search had one before.

    A first one backfills, but for what a first poll would have brought as created: so it makes no difference which of
    the two a topic, or a changed search, has first.
    """
    if compared:
        return "reconciled"
    created = created_on(citation)
    return "created" if created is not None and created >= first_day else "backfilled"


def route(citation: Citation, window: Window) -> Route:
    """Return the first of the window's dates that the record meets; `revised` when it has none that tells."""
    for field in _WINDOW_FIELDS:
        for day in citation_days(citation, field):
            found = (window.since.year, window.since.month, window.since.day) <= day
            if found and (window.until is None or day <= (window.until.year, window.until.month, window.until.day)):
                return _ROUTES[field]
    return "revised"


def last_poll_moment(now: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """Return the latest moment at or before now at which the daily poll fell due, in local time."""
    local = now.astimezone(zone)
    day = local.date() if local.time() >= time(hour) else local.date() - timedelta(days=1)
    return datetime.combine(day, time(hour), zone)


def reconciliation_is_due(last_full: datetime | None, first_poll: datetime | None, now: datetime, days: int) -> bool:
    """Say whether the whole set is to be compared again; a topic is compared first that long after its first poll."""
    since = last_full or first_poll
    return since is not None and now - since >= timedelta(days=days)


def not_had(pmids: Sequence[int]) -> str:
    """Say which records PubMed counts and did not give."""
    named = ", ".join(map(str, pmids[:_NAMED])) + (" and others" if len(pmids) > _NAMED else "")
    return f"{_papers(len(pmids))} that PubMed counts could not be had: PMID{'s' if len(pmids) > 1 else ''} {named}"


def left_out(missing: int, refused: int) -> str | None:
    """Say how many papers a poll had to leave out, None when there are none."""
    parts = [f"PubMed counts {_papers(missing)} that it did not give"] if missing else []
    parts += [f"{_papers(refused)} could not be read"] if refused else []
    return " and ".join(parts) or None


def _papers(number: int) -> str:
    return f"{number:,} paper{'' if number == 1 else 's'}"


def comparable(translation: str) -> str:
    """Blank the dates of a translation, so that two polls of one search can be compared."""
    return re.sub(r"\d{4}(?:/\d{1,2}(?:/\d{1,2})?)?", "D", " ".join(translation.split()))


def _day(day: date) -> str:
    return f"{day.year:04}/{day:%m/%d}"
