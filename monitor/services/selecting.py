"""What each reader is to be told: gathered for all of them at once, then decided one by one in `core.issue`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.curation import UNTOUCHED, LeftOut, sift
from monitor.core.issue import Candidate, FollowUp, Found, Health, Issue, Match, Topic, health_of, select
from monitor.core.people import Followed
from monitor.core.query import Document, MeshTree, Query, document, explain, parse
from monitor.core.revision import (
    EXPRESSION_OF_CONCERN,
    Change,
    Weight,
    has_concern,
    is_preprint,
    is_retracted,
    is_retraction_notice,
)
from monitor.core.strategy import Strategy
from monitor.errors import QuerySyntaxError
from monitor.storage import citations, curation, issues, strategies

OVERLAP = timedelta(days=35)
"""How far before the last issue hits and changes are looked at again.

Longer than a poll takes to commit, and than a delivery waits before it fails; what was told is left out by name.
"""
_FIELDS = {"title": "title", "abstract": "abstract", "keyword": "keywords", "MeSH heading": "mesh"}
_WORDS_MAX = 60
_LINES_TRIED = 3
_OPPOSITES = (
    ("retracted", Change.RETRACTED, Change.REINSTATED),
    ("concern", Change.CONCERN, Change.CONCERN_WITHDRAWN),
    ("withdrawn", Change.WITHDRAWN, Change.RESTORED),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is selected for; `since` is until when they are served, `level` the lowest they asked for.

    `heard` is until when they were told what happens to papers they have: before `since` for one who left and returned.
    """

    person_id: int
    followed: tuple[Followed, ...]
    since: datetime
    cards: int
    heard: datetime
    level: str | None = None


class Selector:
    """Everything that selections of these readers need, read in a number of statements they do not raise.

    `known_by` leaves out what came to be known later. Without it everything in this snapshot counts, whatever moment
    stands on it: polls go on while issues are made, and clocks are set.
    """

    def __init__(
        self,
        session: Session,
        readers: Sequence[Reader],
        until: datetime,
        tree: MeshTree,
        known_by: datetime | None = None,
    ) -> None:
        self._session = session
        self._until = until
        self._tree = tree
        topics = {each.topic for reader in readers for each in reader.followed}
        floor = min((reader.since for reader in readers), default=until)
        self._hits = [
            *issues.news_hits(session, topics, floor - OVERLAP, known_by),
            *_kept(curation.kept_news(session, floor - OVERLAP, known_by), topics),
        ]
        heard = min((reader.heard for reader in readers), default=until)
        self._changed = _by_pmid(issues.changed_after_sending(session, heard - OVERLAP, known_by))
        self._runs = issues.runs(session, topics, floor, until)
        pmids = {hit.pmid for hit in self._hits} | set(self._changed)
        self._told = self._by_issue(issues.told(session, pmids))
        self._sent: dict[int, list[issues.Sent]] = {}
        for each in issues.sent(session, self._told):
            self._sent.setdefault(each.person_id, []).append(each)
        self._citations = citations.load(session, pmids)
        self._withdrawn = {
            pmid for pmid, held in citations.held(session, pmids).items() if held.withdrawn_at is not None
        }
        self._versions = issues.latest_versions(session, pmids, known_by)
        self._hits = [hit for hit in self._hits if hit.pmid in self._citations and hit.pmid in self._versions]
        self._curations = curation.curations(session, (hit.pmid for hit in self._hits), known_by)
        versions = {hit.strategy_id for hit in self._hits if hit.strategy_id is not None}
        self._lines = _Lines(session, versions, tree, until)
        self._documents: dict[int, tuple[Document, Document]] = {}
        self._found: dict[tuple[str, int], Found] = {}
        self._selections: dict[object, Issue] = {}
        self._health: dict[tuple[str, datetime], Health] = {}

    def select(self, reader: Reader, topics: Mapping[str, Topic]) -> Issue:
        """Decide what this reader is told; readers who would be told the same share one decision."""
        received, reached = self._known_to(reader.person_id)
        since = {each.topic: each.since for each in reader.followed}
        news: dict[int, list[issues.NewsHit]] = {}
        for hit in self._hits:
            if hit.topic in since and hit.found_at > since[hit.topic] and hit.pmid not in received:
                held = news.setdefault(hit.pmid, [])
                if all(each.topic != hit.topic for each in held):
                    held.append(hit)
        left_out = self._left_out(reader, news)
        follow_ups = tuple(self._follow_ups(reached))
        health = tuple(self._health_of(each.topic, reader.since) for each in reader.followed)
        key = (
            tuple(since),
            tuple((pmid, tuple(hit.topic for hit in hits)) for pmid, hits in news.items()),
            tuple((each.citation.pmid, each.changes, each.sent_at) for each in follow_ups),
            health,
            reader.cards,
            reader.level,
            left_out,
        )
        if key not in self._selections:
            self._selections[key] = select(
                [topics[name] for name in since],
                [self._candidate(pmid, hits) for pmid, hits in news.items()],
                follow_ups,
                health,
                reader.cards,
                reader.level,
                left_out,
            )
        return self._selections[key]

    def _left_out(self, reader: Reader, news: Mapping[int, Sequence[issues.NewsHit]]) -> LeftOut:
        """Count what this reader does not see of what came since their last issue; what came before was counted then."""
        fresh = (pmid for pmid, hits in news.items() if any(hit.found_at > reader.since for hit in hits))
        return sift((self._curations.get(pmid, UNTOUCHED) for pmid in fresh), reader.level)

    @staticmethod
    def _by_issue(told: Iterable[issues.Told]) -> dict[int, list[issues.Told]]:
        by_issue: dict[int, list[issues.Told]] = {}
        for each in told:
            by_issue.setdefault(each.issue_id, []).append(each)
        return by_issue

    def _known_to(self, person_id: int) -> tuple[set[int], dict[int, tuple[datetime, int]]]:
        """Return what is on its way to a person, and what reached them: when first, and the last version told."""
        received: set[int] = set()
        reached: dict[int, tuple[datetime, int]] = {}
        for sent in self._sent.get(person_id, ()):
            for told in self._told[sent.issue_id]:
                if told.section == "news":
                    received.add(told.pmid)
                if sent.reached:
                    at, version = reached.get(told.pmid, (sent.at, 0))
                    reached[told.pmid] = (min(at, sent.at), max(version, told.version_id))
        # A correction that is still on its way must not be told twice, should its issue go out after all.
        for sent in self._sent.get(person_id, ()):
            if not sent.reached:
                for told in self._told[sent.issue_id]:
                    if told.section == "correction" and told.pmid in reached:
                        at, version = reached[told.pmid]
                        reached[told.pmid] = (at, max(version, told.version_id))
        return received, reached

    def _follow_ups(self, reached: Mapping[int, tuple[datetime, int]]) -> Iterable[FollowUp]:
        for pmid, versions in self._changed.items():
            if pmid not in reached or pmid not in self._citations:
                continue
            sent_at, told = reached[pmid]
            new = [change for version in versions if version.id > told for change in version.changes]
            changes = standing_changes(new, self._flags(pmid))
            if changes:
                # The last version looked at, not the last there is: what is not told here must be told another time.
                yield FollowUp(self._citations[pmid], versions[-1].id, changes, sent_at, self._flags(pmid))

    def _candidate(self, pmid: int, hits: Sequence[issues.NewsHit]) -> Candidate:
        found = tuple(self._found_by(hit) for hit in hits)
        curated = self._curations.get(pmid, UNTOUCHED)
        return Candidate(self._citations[pmid], self._versions[pmid], found, self._flags(pmid), curated)

    def _found_by(self, hit: issues.NewsHit) -> Found:
        key = (hit.topic, hit.pmid)
        if key not in self._found:
            if hit.pmid not in self._documents:
                whole = self._citations[hit.pmid]
                self._documents[hit.pmid] = (document(_only_title(whole)), document(whole))
            match = None
            if hit.strategy_id is not None:
                known = self._curations.get(hit.pmid, UNTOUCHED)
                # Who kept it and its level say more than words of the abstract, which take long to look for.
                told = known.kept_in(hit.topic) and known.level is not None
                documents = self._documents[hit.pmid]
                match = self._lines.match(hit.strategy_id, hit.lines, documents[:1] if told else documents)
            self._found[key] = Found(hit.topic, hit.lines, match)
        return self._found[key]

    def _flags(self, pmid: int) -> frozenset[str]:
        return flags(self._citations[pmid], withdrawn=pmid in self._withdrawn)

    def _health_of(self, topic: str, since: datetime) -> Health:
        key = (topic, since)
        if key not in self._health:
            self._health[key] = health_of(topic, self._runs.get(topic, ()), since, self._until)
        return self._health[key]


def _kept(kept: Iterable[curation.Kept], topics: Collection[str]) -> Iterable[issues.NewsHit]:
    """Make news of what curators kept in these topics, whichever search found it."""
    for each in kept:
        for topic in each.topics:
            if topic in topics:
                yield issues.NewsHit(topic, each.pmid, each.at, None, ())


class _Lines:
    """The core lines of the strategies that found something, each parsed when first asked for."""

    def __init__(self, session: Session, strategy_ids: set[int], tree: MeshTree, until: datetime) -> None:
        self._strategies: dict[int, Strategy] = {each: strategies.strategy(session, each) for each in strategy_ids}
        self._queries: dict[tuple[int, int], Query | None] = {}
        self._tree = tree
        self._today = until.date()

    def match(self, strategy_id: int, lines: Sequence[int], found: Sequence[Document]) -> Match | None:
        """Return the plainest words of these lines in a citation: in its title if anywhere there, the longest first.

        The title alone is tried before the whole: it is what a reader sees, and cutting an abstract into words is slow.
        """
        return next((match for each in found if (match := self._best(strategy_id, lines, each)) is not None), None)

    def _best(self, strategy_id: int, lines: Sequence[int], found: Document) -> Match | None:
        best: tuple[int, int, Match] | None = None
        for line in lines[:_LINES_TRIED]:
            query = self._query(strategy_id, line)
            if query is None:
                continue
            for each in explain(query, found, self._tree, self._today):
                place = _FIELDS.get(each.place)
                if place is None or len(each.words) > _WORDS_MAX:
                    continue
                rated = (list(_FIELDS.values()).index(place), -len(each.words), Match(place, each.words))
                if best is None or rated[:2] < best[:2]:
                    best = rated
            if best is not None and best[2].field == "title":
                break
        return best[2] if best is not None else None

    def _query(self, strategy_id: int, position: int) -> Query | None:
        key = (strategy_id, position)
        if key not in self._queries:
            strategy = self._strategies[strategy_id]
            try:
                self._queries[key] = parse(strategy.line_query(strategy.core[position - 1]))
            except (QuerySyntaxError, IndexError):
                # PubMed reads more than we do; then the topic and the line's number are the reason.
                self._queries[key] = None
        return self._queries[key]


def _only_title(citation: Citation) -> Citation:
    """The same citation as far as its title goes; a line that fits this fits the words a reader sees first."""
    return Citation(pmid=citation.pmid, title=citation.title, book=citation.book)


def _by_pmid(versions: Iterable[issues.VersionSeen]) -> dict[int, list[issues.VersionSeen]]:
    """Keep the citations that something serious happened to, each with all its versions of that time."""
    found: dict[int, list[issues.VersionSeen]] = {}
    for each in versions:
        found.setdefault(each.pmid, []).append(each)
    return {
        pmid: seen
        for pmid, seen in found.items()
        if any(change.weight is Weight.MAJOR for each in seen for change in each.changes)
    }


def flags(citation: Citation, *, withdrawn: bool = False) -> frozenset[str]:
    """Return what must be said of a citation wherever it is shown."""
    concern_notice = any(
        each.ui == EXPRESSION_OF_CONCERN.ui or each.name == EXPRESSION_OF_CONCERN.name
        for each in citation.publication_types
    )
    return frozenset(
        flag
        for flag, holds in (
            ("retracted", is_retracted(citation)),
            ("withdrawn", withdrawn),
            ("concern", has_concern(citation)),
            ("retraction-notice", is_retraction_notice(citation)),
            ("concern-notice", concern_notice),
            ("preprint", is_preprint(citation)),
        )
        if holds
    )


def standing_changes(changes: Iterable[Change], flags: frozenset[str]) -> tuple[str, ...]:
    """Name what readers must hear, most serious first; of two opposites the one that holds now."""
    found = {change for change in changes if change.weight is Weight.MAJOR}
    for flag, began, ended in _OPPOSITES:
        if {began, ended} <= found:
            found.discard(ended if flag in flags else began)
    return tuple(change.name.lower() for change in Change if change in found)
