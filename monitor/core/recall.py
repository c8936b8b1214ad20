"""The proof of recall as values: what PubMed counts against what is held, what came late, what each line is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import median
from typing import Final, NamedTuple, get_args

from monitor.core.polling import Route
from monitor.core.strategy import Lane, Line

LATE_DAYS: Final = 14
"""A paper found more than so many days after its Create Date came late: later than any overlap explains."""
TOP_REASONS: Final = 3
BACKFILLED: Final[Route] = "backfilled"
ROUTES: Final[tuple[Route, ...]] = get_args(Route)


def day_of(moment: datetime) -> date:
    """Return the day of a moment by UTC, as every report counts days."""
    return moment.astimezone(UTC).date()


class Span(NamedTuple):
    """The days a report is about, both ends included, by UTC; None leaves an end open."""

    since: date | None = None
    until: date | None = None

    def holds(self, moment: datetime) -> bool:
        day = day_of(moment)
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)

    def __str__(self) -> str:
        if self.since is None and self.until is None:
            return "all times"
        if self.until is None:
            return f"since {self.since}"
        return f"until {self.until}" if self.since is None else f"{self.since} to {self.until}"


class Sentinel(NamedTuple):
    """`state` is found, lost (held, and core finds it no longer), not found (held and never found), or not held.

    `last_seen` is the last day on which PubMed named it for the topic, as far as it was asked.
    """

    pmid: int
    state: str
    last_seen: date | None


class Year(NamedTuple):
    """Papers of one year of Create Date: PubMed's count, None where it was not asked, and ours."""

    label: str
    pubmed: int | None
    ours: int


class Arrival(NamedTuple):
    """When a paper was found and by which route; `days` after its Create Date, None where that is not known.

    `watched_for` says that it was news, and that the topic was polled already when PubMed created it.
    """

    pmid: int
    route: str
    created: date | None
    found: date
    watched_for: bool

    @property
    def days(self) -> int | None:
        return (self.found - self.created).days if self.created is not None else None


class RouteCount(NamedTuple):
    """How many papers came by a route, how many of them late and, of these, how many that were watched for already;
    and the median of days from creation to find."""

    route: str
    papers: int
    late: int
    late_news: int
    median_days: float | None


class Verdicts(NamedTuple):
    """Standing verdicts on some papers, and why most were dismissed."""

    keep: int
    maybe: int
    dismiss: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float | None:
        """The share kept of those that were judged; None while none was."""
        judged = self.keep + self.maybe + self.dismiss
        return self.keep / judged if judged else None


@dataclass(frozen=True, slots=True)
class LineRecall:
    """What one line is worth: of the lane's hits, how many match it, and how many match no other line."""

    position: int
    line: Line
    hits: int
    unique: int
    verdicts: Verdicts
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """PubMed's set against ours. `counted` is its count on `counted_on`: of now if `asked`, else of the last full poll,
    None when there was none.

    `missing` are named by PubMed and not in the library, `unfiled` are in the library without being hits, `extra` are
    hits that PubMed does not name, those `withdrawn` by PubMed itself among them.
    """

    counted: int | None = None
    counted_on: date | None = None
    asked: bool = False
    missing: tuple[int, ...] = ()
    unfiled: tuple[int, ...] = ()
    extra: tuple[int, ...] = ()
    withdrawn: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneRecall:
    """One lane. `ours` are the standing hits; `lineless` hits match no line by our own reading."""

    lane: Lane
    query: str
    compared: Compared
    ours: int
    years: tuple[Year, ...]
    routes: tuple[RouteCount, ...]
    late: tuple[tuple[Arrival, str], ...]
    lines: tuple[LineRecall, ...]
    lineless: int


@dataclass(frozen=True, slots=True)
class PollTrouble:
    """A poll of the range that failed, was cut short or was warned, and what it said."""

    started_at: datetime
    lane: str
    kind: str
    state: str
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offered:
    """A line that would have put a kept wide paper into core."""

    query: str
    good: int
    total: int
    gain: int


@dataclass(frozen=True, slots=True)
class WideKept:
    """A paper that only the wide lane found and a curator kept, with lines that would have brought it; `core_lines` find
    it since, so that the next comparison of the whole set puts it into core."""

    pmid: int
    title: str
    phrases: tuple[Offered, ...]
    core_lines: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RecallReport:
    """Everything that proves a topic's recall; `polls_of` counts the polls of the range by the version they searched."""

    topic_id: str
    title: str
    version: int
    span: Span
    late_days: int
    made_on: date
    sentinels: tuple[Sentinel, ...]
    lanes: tuple[LaneRecall, ...]
    wide_kept: tuple[WideKept, ...]
    wide_kept_unread: int
    polls: int
    polls_of: tuple[tuple[int | None, int], ...]
    troubles: tuple[PollTrouble, ...]
    why_not: str | None


def route_counts(arrivals: Iterable[Arrival], late_days: int) -> tuple[RouteCount, ...]:
    """Count papers by route, in the order that routes are looked for; routes without a paper are left out."""
    by_route: dict[str, list[Arrival]] = {route: [] for route in ROUTES}
    for each in arrivals:
        by_route[each.route].append(each)
    counts = []
    for route, found in by_route.items():
        if not found:
            continue
        days = [each.days for each in found if each.days is not None]
        late = late_arrivals(found, late_days)
        counts.append(
            RouteCount(route, len(found), len(late), sum(e.watched_for for e in late), median(days) if days else None)
        )
    return tuple(counts)


def late_arrivals(arrivals: Iterable[Arrival], late_days: int) -> list[Arrival]:
    """Return those found late, the latest first; what a backfill brought is as old as it is, and not late."""
    late = [each for each in arrivals if each.route != BACKFILLED and each.days is not None and each.days > late_days]
    return sorted(late, key=lambda each: (-(each.days or 0), -each.pmid))


def verdicts(pmids: Iterable[int], given: Mapping[int, tuple[str, str | None]]) -> Verdicts:
    """Count the verdicts on some papers; `given` is verdict and reason of those judged."""
    judged = [given[pmid] for pmid in pmids if pmid in given]
    counted = Counter(verdict for verdict, _ in judged)
    reasons = Counter(reason for verdict, reason in judged if verdict == "dismiss" and reason)
    top = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))[:TOP_REASONS]
    return Verdicts(counted["keep"], counted["maybe"], counted["dismiss"], tuple(top))


def line_recalls(
    lines: Sequence[Line],
    found: Mapping[int, frozenset[int]],
    hits: frozenset[int],
    given: Mapping[int, tuple[str, str | None]],
    unreadable: Mapping[int, str],
) -> tuple[tuple[LineRecall, ...], int]:
    """Return each line's worth among these hits, and how many hits no line matches. `found` is by line number from 1."""
    within = {position: hits & each for position, each in found.items()}
    times = Counter(pmid for each in within.values() for pmid in each)
    out = []
    for position, line in enumerate(lines, 1):
        mine = within.get(position, frozenset())
        unique = sum(times[pmid] == 1 for pmid in mine)
        out.append(LineRecall(position, line, len(mine), unique, verdicts(mine, given), unreadable.get(position)))
    return tuple(out), len(hits - times.keys())
