"""The search appendix that a systematic review prints, as values after PRISMA-S.

Rethlefsen et al., Systematic Reviews 2021;10:39.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from monitor.core.recall import Sentinel, Span
from monitor.core.strategy import Lane, Line


@dataclass(frozen=True, slots=True)
class AppendixVersion:
    """A version that was searched in the range, as it was sent to PubMed but for the window of days."""

    version: int
    created_at: datetime
    created_by: str | None
    origin: str
    reason: str
    accepted: tuple[str, ...]
    core: str
    wide: str | None
    core_lines: tuple[Line, ...]
    wide_lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class AppendixSearch:
    """One search of PubMed as it was made; `query` is the exact string, `window` its days, None for the whole set."""

    started_at: datetime
    lane: str
    version: int | None
    kind: str
    window: str | None
    count: int | None
    found: int | None
    new: int
    revised: int
    state: str
    query: str
    translation: str | None
    warnings: tuple[str, ...]


class LaneTotal(NamedTuple):
    """Records that PubMed named to all searches of the range, distinct papers first found in it, and papers that the
    lane found up to its end."""

    lane: Lane
    searches: int
    named: int
    first_found: int
    found_by_end: int


@dataclass(frozen=True, slots=True)
class Appendix:
    """Everything PRISMA-S asks of the search that we know. The same store gives the same appendix."""

    topic_id: str
    title: str
    span: Span
    first_search: date
    last_search: date
    versions: tuple[AppendixVersion, ...]
    searches: tuple[AppendixSearch, ...]
    totals: tuple[LaneTotal, ...]
    distinct: int
    distinct_by_end: int
    sentinels: tuple[Sentinel, ...]


class ChecklistItem(NamedTuple):
    number: int
    name: str
    filled: bool
    where: str


PRISMA_S: Final = (
    ChecklistItem(1, "Database name", True, "PubMed; see Database"),
    ChecklistItem(2, "Multi-database searching", True, "PubMed alone, over NCBI E-utilities; no platform was shared"),
    ChecklistItem(3, "Study registries", False, "name those searched, or that none was"),
    ChecklistItem(4, "Online resources and browsing", False, "name those browsed, or that none was"),
    ChecklistItem(5, "Citation searching", False, "say whether cited or citing papers were looked at"),
    ChecklistItem(6, "Contacts", False, "say whether authors, experts or makers were asked"),
    ChecklistItem(7, "Other methods", False, "say which, or that there were none"),
    ChecklistItem(8, "Full search strategies", True, "see Strategies: the strings as sent, copied by the program"),
    ChecklistItem(9, "Limits and restrictions", True, "none by language, date, type or status; see Limits"),
    ChecklistItem(10, "Search filters", False, "cite published filters that a line uses; its reason may name one"),
    ChecklistItem(11, "Prior work", False, "cite reviews whose strategies were adapted"),
    ChecklistItem(12, "Updates", True, "see Searches: the search is repeated, each time with its window of days"),
    ChecklistItem(13, "Dates of searches", True, "see Searches"),
    ChecklistItem(14, "Peer review", False, "say who reviewed the strategy and how, for instance with PRESS"),
    ChecklistItem(15, "Total records", True, "see Records, for PubMed; add the other sources"),
    ChecklistItem(16, "Deduplication", True, "by PMID within PubMed; say how it was done across sources"),
)
"""The sixteen items, whether this appendix fills them, and where; else what the authors must say."""
