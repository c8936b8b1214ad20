"""Counts what a lane would find: in PubMed by year and lately, in the library line by line. Nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from monitor.core.polling import MOST_NAMED, DaySlice, SearchResult, phrases_in_words
from monitor.core.query import MeshTree
from monitor.core.recheck import created_on
from monitor.core.strategy import Lane, Line, Strategy
from monitor.core.trials import BAR_YEARS, NEWEST, bars
from monitor.errors import UsageError
from monitor.services.asking import Asking, Paper, collect
from monitor.services.evaluating import evaluate
from monitor.services.ports import Clock
from monitor.storage import citations
from monitor.storage.engine import Database

RECENT_DAYS = 30
YOUNG_DAYS = 3
"""Days after its creation in which a record comes and goes in what PubMed finds; indexing is then under way."""
PREVIEW_REQUESTS = BAR_YEARS + 3
"""Of a preview: the search, the bars, the last days. What is shown and not held takes one more."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the PMIDs that PubMed named are in the library; not `whole`: of the newest, which is all it names."""

    held: int
    of: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Apart:
    """Papers of the library on which PubMed and our own reading differ. Of those that match here and that PubMed does not
    name, `withdrawn` were withdrawn by it, `young` were created in these days, and it reads `others` otherwise; all three
    are empty where it did not name its whole set. `unmatched` it names, and they do not match here."""

    withdrawn: tuple[int, ...] = ()
    young: tuple[int, ...] = ()
    others: tuple[int, ...] = ()
    unmatched: tuple[int, ...] = ()


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
    apart: Apart | None
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
    queries = strategy.searched(lane)
    share = apart = None
    with database.read() as session:
        local = evaluate(session, queries, tree, today)
        library = frozenset[int]().union(*local.found.values())
        if result is not None:
            held = citations.known(session, result.pmids, fetched=False)
            share = Share(len(held), len(result.pmids), len(result.pmids) >= result.count)
            apart = _apart(session, result, library, held, today)
    counts = []
    for at, line in enumerate(strategy.lines(lane), 1):
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
        apart,
        tuple(counts),
        asking.requests,
        asking.why_not,
        tuple(asking.refusals),
    )


def _apart(session: Session, result: SearchResult, library: frozenset[int], held: set[int], today: date) -> Apart:
    """Hold PubMed's papers against those that match in the library."""
    named = frozenset(result.pmids)
    unmatched = tuple(sorted(held & named - library, reverse=True))
    if len(result.pmids) < result.count:
        return Apart(unmatched=unmatched)
    extra = sorted(library - named, reverse=True)
    facts = citations.held(session, extra)
    withdrawn = tuple(pmid for pmid in extra if facts[pmid].withdrawn_at is not None)
    first = today - timedelta(days=YOUNG_DAYS)
    days = {each.pmid: created_on(each) for each in citations.load_each(session, extra)}
    young = tuple(
        pmid for pmid in extra if pmid not in withdrawn and (day := days.get(pmid)) is not None and day >= first
    )
    others = tuple(pmid for pmid in extra if pmid not in withdrawn and pmid not in young)
    return Apart(withdrawn, young, others, unmatched)
