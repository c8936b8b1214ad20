"""Counts what a lane would find: in PubMed by year and lately, in the library line by line. Nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from monitor.core.polling import MOST_NAMED, DaySlice, phrases_in_words
from monitor.core.query import MeshTree
from monitor.core.strategy import Lane, Line, Strategy
from monitor.core.trials import BAR_YEARS, NEWEST, bars
from monitor.errors import UsageError
from monitor.services.asking import Asking
from monitor.services.evaluating import evaluate
from monitor.services.ports import Clock
from monitor.services.showing import Paper, collect
from monitor.storage import citations
from monitor.storage.engine import Database

RECENT_DAYS = 30
PREVIEW_REQUESTS = BAR_YEARS + 3
"""Of a preview: the search, the bars, the last days. What is shown and not held takes one more."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the PMIDs that PubMed named are in the library; not `whole`: of the newest, which is all it names."""

    held: int
    of: int
    whole: bool


@dataclass(frozen=True, slots=True)
class LineCount:
    """What one line finds in the library, and how much of it no other line of the lane finds; None for a line that is
    off, or that only PubMed can read (`unreadable` says why)."""

    position: int
    line: Line
    library: int | None
    unique: int | None
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Previewed:
    """A lane as it would be searched. `library` and `lines` are by our own reading; the rest is PubMed's, and None or
    empty where `why_not` says why it could not be asked. `newest` are the library's where PubMed named none."""

    lane: Lane
    query: str
    count: int | None
    translation: str | None
    unknown_phrases: tuple[str, ...]
    warnings: tuple[str, ...]
    bars: tuple[tuple[str, int | None], ...]
    recent: int | None
    share: Share | None
    newest: tuple[Paper, ...]
    library: int
    lines: tuple[LineCount, ...]
    requests: int
    why_not: str | None
    refusals: tuple[str, ...]


def preview(
    database: Database, clock: Clock, tree: MeshTree, strategy: Strategy, lane: Lane, asking: Asking
) -> Previewed:
    """Count a lane; raises UsageError for one without a line that is on."""
    query = strategy.query(lane)
    if query is None:
        raise UsageError(f"the {lane} lane has no line that is on; there is nothing to preview")
    today = clock.now().date()
    result = asking.search(query, limit=MOST_NAMED)
    counted: list[tuple[str, int | None]] = []
    recent = None
    if result is not None:
        for bar in bars(today):
            part = asking.search(bar.part.applied(query))
            counted.append((bar.label, part.count if part is not None else None))
        last = asking.search(DaySlice("crdt", today - timedelta(days=RECENT_DAYS)).applied(query))
        recent = last.count if last is not None else None
    lines = dict(enumerate(strategy.lines(lane), 1))
    queries = {at: strategy.line_query(line) for at, line in lines.items() if line.enabled}
    share = None
    with database.read() as session:
        local = evaluate(session, queries, tree, today)
        if result is not None:
            held = citations.known(session, result.pmids, fetched=False)
            share = Share(len(held), len(result.pmids), len(result.pmids) >= result.count)
    library = frozenset[int]().union(*local.found.values())
    counts = []
    for at, line in lines.items():
        if at not in queries or at in local.unreadable:
            counts.append(LineCount(at, line, None, None, local.unreadable.get(at)))
            continue
        others = frozenset[int]().union(*(each for other, each in local.found.items() if other != at))
        counts.append(LineCount(at, line, len(local.found[at]), len(local.found[at] - others)))
    newest = result.pmids if result is not None else sorted(library, reverse=True)
    return Previewed(
        lane,
        query,
        result.count if result is not None else None,
        result.translation if result is not None else None,
        phrases_in_words(result.unknown_phrases) if result is not None else (),
        result.warnings if result is not None else (),
        tuple(counted),
        recent,
        share,
        collect(database, asking, newest[:NEWEST]).papers(),
        len(library),
        tuple(counts),
        asking.requests,
        asking.why_not,
        tuple(asking.refusals),
    )
