"""Which phrase of a paper, as a line, would have put it into a topic's core lane, and what else that line would bring."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.query import MeshTree, document, matches, parse
from monitor.core.recall import Offered, WideKept
from monitor.core.strategy import Screen
from monitor.core.trials import Candidate, candidates, concepts, standing_among
from monitor.errors import NotFound
from monitor.formats import nlm
from monitor.services.evaluating import evaluate
from monitor.services.ports import Clock
from monitor.storage import citations, hits, phrases, screening, strategies
from monitor.storage.engine import Database
from monitor.storage.strategies import StoredTopic

LOOKED_AT = 120
"""Candidates that are held against the library, those first that look best."""
OFFERED = 8
PHRASES = 3
RARE, RARE_OF = 2, 500
"""An everyday word is offered where one other in `RARE_OF` of the library has it at most; in a library where these are
not even `RARE` papers, every word is rare, which tells nothing."""
WIDE_READ = 10
"""Kept wide papers that are looked at together; each takes a hundred searches of the library."""
TITLES = 3


@dataclass(frozen=True, slots=True)
class Phrase:
    """A line that would find the paper. Of the `total` other papers of the library that it finds, `good` are core hits
    of the topic or were kept in it; `gain` is how many papers core does not have yet, and the newest of them."""

    query: str
    kind: str
    total: int
    good: int
    gain: int
    titles: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Suggested:
    """`in_core` says that core finds the paper already, `core_lines` by which of its lines as we read them."""

    topic_id: str
    pmid: int
    title: str
    in_core: bool
    core_lines: tuple[int, ...]
    phrases: tuple[Phrase, ...]


class Suggesting:
    """Reads phrases off papers; every answer is one snapshot of the library, and PubMed is not asked."""

    def __init__(self, database: Database, clock: Clock, tree: MeshTree) -> None:
        self._database = database
        self._clock = clock
        self._tree = tree

    def phrases(self, topic_id: str, pmid: int, *, most: int = OFFERED) -> Suggested:
        """Return the lines that would put a paper into core, best first; raises NotFound for one that is not held."""
        with self._database.read() as session:
            topic = strategies.topics_named(session, [topic_id])[0]
            return self.of(session, topic, pmid, most=most)

    def of(self, session: Session, topic: StoredTopic, pmid: int, *, most: int = OFFERED) -> Suggested:
        """The same within a session."""
        citation = citations.load(session, [pmid]).get(pmid)
        if citation is None:
            raise NotFound(f"PMID {pmid} is not in the library; monitor import fetches it from a list of PMIDs")
        strategy, today = topic.topic.strategy, self._clock.now().date()
        lines = tuple(Screen(strategy, "core", self._tree, today).positions(document(citation)))
        core = hits.standing(session, topic.id, "core")
        title = nlm.full_title(citation)
        if pmid in core or lines:
            return Suggested(topic.id, pmid, title, True, lines, ())
        good = core | _kept(session, topic.id)
        found = self._candidates(session, topic, citation)
        result = evaluate(session, found, self._tree, today)
        rare = citations.totals(session).citations // RARE_OF
        ranked = []
        for each, query in found.items():
            others = result.found[each] - {pmid}
            if each.everyday and (rare < RARE or len(others) > rare):
                continue
            gain = (others | {pmid}) - core
            score = standing_among(len(others & good), len(others))
            rank = (-score, each.single, len(gain), -each.near, -len(each.words), each.words)
            ranked.append((rank, each, query, others, gain))
        ranked.sort(key=lambda each: each[0])
        # Of words that find the same papers those stand first that are the topic's own, and the longest of them.
        by_papers = {each[3]: each for each in reversed(ranked)}
        chosen = sorted(by_papers.values(), key=lambda each: each[0])[:most]
        newest = {each: sorted(gain, reverse=True)[:TITLES] for _, each, _, _, gain in chosen}
        held = citations.load(session, {pmid for each in newest.values() for pmid in each})
        return Suggested(
            topic.id,
            pmid,
            title,
            False,
            (),
            tuple(
                Phrase(
                    query,
                    each.kind,
                    len(others),
                    len(others & good),
                    len(gain),
                    tuple((other, nlm.full_title(held[other])) for other in newest[each]),
                )
                for _, each, query, others, gain in chosen
            ),
        )

    def kept_wide(self, topic_id: str, *, newest: int = WIDE_READ) -> tuple[tuple[WideKept, ...], int]:
        """Return the newest kept papers of a topic that only its wide lane finds, and how many more there are."""
        with self._database.read() as session:
            topic = strategies.topics_named(session, [topic_id])[0]
            return self.kept_of(session, topic, newest=newest)

    def kept_of(
        self, session: Session, topic: StoredTopic, *, newest: int = WIDE_READ
    ) -> tuple[tuple[WideKept, ...], int]:
        """The same within a session."""
        kept = sorted(_kept(session, topic.id) - hits.standing(session, topic.id, "core"), reverse=True)
        papers = []
        for pmid in kept[:newest]:
            found = self.of(session, topic, pmid, most=PHRASES)
            lines = tuple(Offered(each.query, each.good, each.total, each.gain) for each in found.phrases)
            papers.append(WideKept(pmid, found.title, lines, found.core_lines))
        return tuple(papers), len(kept) - len(papers)

    def _candidates(self, session: Session, topic: StoredTopic, citation: Citation) -> dict[Candidate, str]:
        """Return the candidates as lines; a phrase that PubMed is known not to index is searched by proximity."""
        of = document(citation)
        found = candidates(citation, of, concepts(topic.topic.strategy), LOOKED_AT)
        asked = [(each.words.lower(), "tiab") for each in found if each.kind == "phrase"]
        known = phrases.known(session, asked)
        lines = {each: each.query(indexed=known.get((each.words.lower(), "tiab"), True)) for each in found}
        today = self._clock.now().date()
        return {each: line for each, line in lines.items() if matches(parse(line), of, self._tree, today)}


def _kept(session: Session, topic_id: str) -> set[int]:
    return hits.standing(session, topic_id, "wide") & screening.kept(session, topic_id).keys()
