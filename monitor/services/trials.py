"""Tries a search before it is saved: counted, compared with another, tested on one paper. Nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.core.citation import Citation
from monitor.core.draft import Draft
from monitor.core.polling import of_pmids
from monitor.core.query import Document, MeshTree, document, explain, matches, parse, render, undecidable
from monitor.core.recall import WideKept
from monitor.core.strategy import Lane, Line, Screen, Strategy
from monitor.core.trials import Shown, blocks_as_trees, failing, shown
from monitor.errors import NotFound, PubmedUnavailable, QuerySyntaxError
from monitor.services.asking import Asking, Paper, as_paper
from monitor.services.comparing import Comparison, compare
from monitor.services.drafting import filled, searchable
from monitor.services.ports import Clock, PubmedSource
from monitor.services.previewing import Previewed, preview
from monitor.services.suggesting import WIDE_READ, Suggested, Suggesting
from monitor.storage import citations
from monitor.storage.engine import Database

Tell = Callable[[int], object]
"""Hears the number of each request before it is made."""


@dataclass(frozen=True, slots=True)
class LineTest:
    """One line held against one paper: `state` is found, not found, off or unreadable. `failed` are parts that the paper
    does not meet of a line that needs several, or why the line cannot be read; `undecidable` are those that no record
    can tell."""

    position: int
    line: Line
    state: str
    matches: tuple[Shown, ...] = ()
    failed: tuple[str, ...] = ()
    undecidable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LaneTest:
    """A lane held against one paper; `pubmed` is PubMed's own answer, None where it was not had."""

    lane: Lane
    query: str
    found: bool
    pubmed: bool | None
    lines: tuple[LineTest, ...]

    @property
    def disagree(self) -> bool:
        return self.pubmed is not None and self.pubmed != self.found


@dataclass(frozen=True, slots=True)
class SentinelTest:
    """A sentinel under this strategy: the lines of core that find it by our reading (None where it is not held), and
    whether PubMed finds it (None where it was not asked)."""

    pmid: int
    lines: tuple[int, ...] | None
    pubmed: bool | None


@dataclass(frozen=True, slots=True)
class Tested:
    paper: Paper
    lanes: tuple[LaneTest, ...]
    sentinels: tuple[SentinelTest, ...]
    requests: int
    why_not: str | None
    refusals: tuple[str, ...]

    @property
    def wide_alone(self) -> bool:
        """Say whether the wide lane finds the paper and core does not, by our reading or PubMed's."""
        found = {each.lane for each in self.lanes if each.found or each.pubmed}
        return found == {"wide"}


class Trials:
    """Tries strategies, stored or not. PubMed out of reach costs its half of an answer, never ours."""

    def __init__(self, database: Database, source: PubmedSource | None, clock: Clock, tree: MeshTree) -> None:
        self._database = database
        self._source = source
        self._clock = clock
        self._tree = tree
        self._suggesting = Suggesting(database, clock, tree)

    def preview(self, draft: Draft, lane: Lane, *, tell: Tell = lambda _: None) -> Previewed:
        """Count what a lane would find; raises UsageError for one that cannot be searched, naming the place."""
        with self._database.read() as session:
            strategy = searchable(session, draft).strategy
        return preview(self._database, self._clock, self._tree, strategy, lane, Asking(self._source, tell))

    def diff(self, old: Strategy | Draft, draft: Draft, *, tell: Tell = lambda _: None) -> Comparison:
        """Compare a draft with another strategy: what it gains and loses; raises as `preview` does."""
        with self._database.read() as session:
            new = searchable(session, draft).strategy
            before = searchable(session, old).strategy if isinstance(old, Draft) else old
        return compare(self._database, self._clock, self._tree, before, new, Asking(self._source, tell))

    def test(self, draft: Draft, pmid: int, *, tell: Tell = lambda _: None) -> Tested:
        """Hold a draft against one paper, line by line, and ask PubMed whether it agrees.

        A paper that is not held is fetched for this. Raises NotFound where PubMed has none of this PMID either, and
        PubmedUnavailable where that cannot be told.
        """
        sentinels = draft.sentinels
        asking = Asking(self._source, tell)
        with self._database.read() as session:
            strategy = filled(session, draft.strategy)
            held = pmid in citations.known(session, [pmid])
            known = citations.load(session, [pmid, *sentinels])
        citation = known[pmid] if held else self._fetched(asking, pmid)
        lanes = []
        sentinels_found: frozenset[int] | None = None
        for lane, query in strategy.queries().items():
            asked = dict.fromkeys((pmid, *sentinels)) if lane == "core" else (pmid,)
            result = asking.search(f"({query}) AND ({of_pmids(asked)})", limit=len(asked))
            if result is not None and lane == "core":
                sentinels_found = frozenset(result.pmids)
            lines = self._lines(strategy, lane, document(citation))
            found = any(each.state == "found" for each in lines)
            lanes.append(LaneTest(lane, query, found, pmid in result.pmids if result is not None else None, lines))
        screen = Screen(strategy, "core", self._tree, self._clock.now().date())
        tested = tuple(
            SentinelTest(
                each,
                tuple(screen.positions(document(known[each]))) if each in known else None,
                each in sentinels_found if sentinels_found is not None else None,
            )
            for each in sentinels
        )
        paper = as_paper(pmid, citation, held=held)
        return Tested(paper, tuple(lanes), tested, asking.requests, asking.why_not, tuple(asking.refusals))

    def phrases_for_core(self, topic_id: str, pmid: int) -> Suggested:
        """Return the phrases of a paper that, as lines, would have put it into the topic's core lane, best first."""
        return self._suggesting.phrases(topic_id, pmid)

    def kept_wide(self, topic_id: str, *, newest: int = WIDE_READ) -> tuple[tuple[WideKept, ...], int]:
        """Return kept papers that only the wide lane finds, with the best phrases of each, and how many more there are."""
        return self._suggesting.kept_wide(topic_id, newest=newest)

    def _fetched(self, asking: Asking, pmid: int) -> Citation:
        found = asking.fetch([pmid]).get(pmid)
        if found is not None:
            return found
        # PubMed leaves out what it has not without a word; its search says whether there is such a record.
        result = asking.search(of_pmids([pmid]))
        if result is not None and not result.count:
            raise NotFound(f"PubMed has no record with PMID {pmid}, and the library holds none")
        why = asking.why_not or "; ".join(asking.refusals) or "its record could not be read"
        raise PubmedUnavailable(f"the library holds no record of PMID {pmid}, and none could be fetched: {why}")

    def _lines(self, strategy: Strategy, lane: Lane, of: Document) -> tuple[LineTest, ...]:
        tree, today = self._tree, self._clock.now().date()
        blocks = blocks_as_trees(strategy)
        tests = []
        for position, line in enumerate(strategy.lines(lane), 1):
            if not line.enabled:
                tests.append(LineTest(position, line, "off"))
                continue
            try:
                query = parse(strategy.line_query(line))
            except QuerySyntaxError as error:
                tests.append(LineTest(position, line, "unreadable", failed=(str(error),)))
                continue
            tests.append(
                LineTest(
                    position,
                    line,
                    "found" if matches(query, of, tree, today) else "not found",
                    shown(explain(query, of, tree, today), of),
                    failing(query, of, tree, today, blocks),
                    tuple(f"{render(leaf)}: {why}" for leaf, why in undecidable(query, tree)),
                )
            )
        return tuple(tests)
