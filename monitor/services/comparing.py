"""Compares two strategies: what the new one gains and loses, by the library, by PubMed, and by which line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from monitor.core.polling import MOST_NAMED
from monitor.core.query import MeshTree, document
from monitor.core.strategy import LANES, Lane, Line, Screen, Strategy
from monitor.core.trials import Changed, changed_lines, taken
from monitor.services.asking import Asking, Paper, as_paper, collect
from monitor.services.evaluating import evaluate
from monitor.services.ports import Clock
from monitor.storage import citations
from monitor.storage.engine import Database


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that only one of two strategies has, and what it brings or takes away: in the library, and in PubMed."""

    position: int
    line: Line
    library: int
    pubmed: int | None
    unreadable: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A paper gained or lost, and the changed lines that did it by our reading."""

    paper: Paper
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """What is gained, or lost: PMIDs of the library by our own reading, PubMed's count, some papers to look at.

    Of the papers held, `only_library` move by our reading alone and `only_pubmed` by PubMed's alone. Not `whole`:
    PubMed named only the newest, so that `only_library` cannot be told.
    """

    lines: tuple[LineChange, ...] = ()
    library: tuple[int, ...] = ()
    pubmed: int | None = None
    papers: tuple[Moved, ...] = ()
    only_library: tuple[int, ...] = ()
    only_pubmed: tuple[int, ...] = ()
    whole: bool = False

    @property
    def agree(self) -> bool | None:
        """Say whether library and PubMed agree on the papers held; None where PubMed did not name them all."""
        if self.only_pubmed or self.only_library:
            return False
        return True if self.whole else None


@dataclass(frozen=True, slots=True)
class LaneDiff:
    lane: Lane
    old_query: str | None
    new_query: str | None
    gained: Side
    lost: Side

    @property
    def changed(self) -> bool:
        return self.old_query != self.new_query


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two strategies compared. `why_not` says why PubMed was not asked, or not to the end."""

    lanes: tuple[LaneDiff, ...]
    requests: int
    why_not: str | None
    refusals: tuple[str, ...]


def compare(
    database: Database, clock: Clock, tree: MeshTree, old: Strategy, new: Strategy, asking: Asking
) -> Comparison:
    """Compare the lanes that either strategy has."""
    comparing = _Comparing(database, clock.now().date(), tree, asking)
    lanes = tuple(comparing.lane(old, new, lane) for lane in LANES if (old.query(lane) or new.query(lane)) is not None)
    return Comparison(lanes, asking.requests, asking.why_not, tuple(asking.refusals))


class _Comparing:
    def __init__(self, database: Database, today: date, tree: MeshTree, asking: Asking) -> None:
        self._database = database
        self._today = today
        self._tree = tree
        self._asking = asking

    def lane(self, old: Strategy, new: Strategy, lane: Lane) -> LaneDiff:
        before, after = old.query(lane), new.query(lane)
        if before == after:
            return LaneDiff(lane, before, after, Side(), Side())
        added, removed = changed_lines(old, new, lane)
        gained = self.side(new, lane, after, before, added)
        return LaneDiff(lane, before, after, gained, self.side(old, lane, before, after, removed))

    def side(
        self, strategy: Strategy, lane: Lane, query: str | None, without: str | None, lines: Sequence[Changed]
    ) -> Side:
        """Find what `query` finds and `without` does not."""
        if query is None:
            return Side(pubmed=0, whole=True)
        result = self._asking.search(_minus(query, without), limit=MOST_NAMED)
        by_pubmed: dict[int, int | None] = {}
        for each in lines if result is not None else ():
            asked = self._asking.search(_minus(each.query, without)) if result and result.count else None
            by_pubmed[each.position] = asked.count if asked else 0 if result and not result.count else None
        queries = {each.position: each.query for each in lines}
        queries |= {0: query} | ({-1: without} if without is not None else {})
        with self._database.read() as session:
            local = evaluate(session, queries, self._tree, self._today)
            ours = citations.known(session, result.pmids) if result is not None else set()
        base = local.found.get(-1, frozenset())
        moved = local.found[0] - base
        changes = tuple(
            LineChange(
                each.position,
                each.line,
                len(local.found[each.position] - base),
                by_pubmed.get(each.position),
                local.unreadable.get(each.position),
            )
            for each in lines
        )
        newest = tuple(sorted(moved, reverse=True))
        papers = self._papers(strategy, lane, taken(newest if result is None else result.pmids), set(queries))
        if result is None:
            return Side(changes, newest, None, papers)
        whole = len(result.pmids) >= result.count
        named = frozenset(result.pmids)
        return Side(
            changes,
            newest,
            result.count,
            papers,
            tuple(sorted(moved - named, reverse=True)) if whole else (),
            tuple(sorted(ours - moved, reverse=True)),
            whole,
        )

    def _papers(self, strategy: Strategy, lane: Lane, pmids: Sequence[int], positions: set[int]) -> tuple[Moved, ...]:
        shelf = collect(self._database, self._asking, pmids)
        screen = Screen(strategy, lane, self._tree, self._today)
        found = []
        for pmid, citation in shelf.citations.items():
            at = screen.positions(document(citation)) if citation is not None else []
            lines = tuple(each for each in at if each in positions)
            found.append(Moved(as_paper(pmid, citation, held=pmid in shelf.held), lines))
        return tuple(found)


def _minus(query: str, without: str | None) -> str:
    return query if without is None else f"({query}) NOT ({without})"
