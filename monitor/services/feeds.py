"""Feeds of a saved search or a topic as values: which papers, why, what changed in them, and since when."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.markup import plain
from monitor.core.query import And, MeshTree, Pmids, parse, terms
from monitor.core.query.fields import OWN_FIELDS
from monitor.core.revision import Change, Weight
from monitor.core.strategy import Strategy
from monitor.errors import QuerySyntaxError, UsageError
from monitor.formats import wording
from monitor.formats.registry import STYLES
from monitor.mail.links import Links
from monitor.services.ports import Clock
from monitor.services.selecting import flags
from monitor.storage import citations, feeds, saved, screening, search, strategies
from monitor.storage.engine import Database
from monitor.storage.feeds import Seen, TopicHit, TopicLine
from monitor.storage.saved import SavedSearch

NEWEST = 50
"""Papers that a feed shows at least, where there are so many."""
LATELY = timedelta(days=30)
"""How long a correction stays in a feed, however many papers came after it."""
LOOKED_AT = 2000
"""Of each thing that happens to papers, how many a saved search is held against for its feed."""
AUTHORS = 10
"""Authors of a paper that its entry names as such; the citation names all."""


@dataclass(frozen=True, slots=True)
class FoundBy:
    """A line of a topic's search that finds the paper: its number, the version of the search, why it is there."""

    number: int
    version: int
    reason: str
    query: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper. `updated` moves when something notable happens to it, its indexing alone does not count.

    `changes` has the newest first. `lines` and `kept_at` say why a topic holds it; both are empty for a search, which
    says it for all of them.
    """

    pmid: int
    title: str
    citation: str
    abstract: tuple[tuple[str | None, str], ...]
    authors: tuple[str, ...]
    doi: str | None
    flags: frozenset[str]
    published: datetime
    updated: datetime
    changes: tuple[Seen, ...]
    lines: tuple[FoundBy, ...] = ()
    kept_at: datetime | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, last changed entry first. `query` is the saved search; a topic has none.

    `broken` says why the search can no longer be asked; its entries are not known then.
    """

    key: str
    title: str
    query: str | None
    updated: datetime
    entries: tuple[Entry, ...]
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """There was such a feed: its search was forgotten or its topic retired."""

    title: str


class Feeds:
    """Reads feeds by the unguessable keys of their addresses. Every method is one snapshot."""

    def __init__(self, database: Database, clock: Clock, tree: Callable[[], MeshTree], links: Links) -> None:
        self._database = database
        self._clock = clock
        self._tree = tree
        self._links = links

    def of(self, key: str) -> Feed | Ended | None:
        """Return the feed with this key, that it has ended, or None where there never was one."""
        now = self._clock.now()
        with self._database.read() as session:
            kept = saved.by_key(session, key)
            if kept is not None:
                if kept.retired_at is not None:
                    return Ended(kept.name)
                try:
                    return self._of_search(session, kept, now)
                except (QuerySyntaxError, UsageError) as error:
                    return Feed(kept.key, kept.name, kept.query, kept.changed_at, (), str(error))
            for topic in feeds.topics(session):
                if hmac.compare_digest(self._links.topic_feed_key(topic.id).encode(), key.encode()):
                    return Ended(topic.title) if topic.retired_at is not None else self._of_topic(session, topic, now)
        return None

    def _of_search(self, session: Session, kept: SavedSearch, now: datetime) -> Feed:
        query, tree, today = parse(kept.query, own=True), self._tree(), now.date()
        newest = search.page(session, query, tree, today, limit=NEWEST).pmids
        corrected = _corrected(session, now)
        entries: list[Entry] = []
        if newest:
            ours = {field for leaf in terms(query) if (field := getattr(leaf, "field", None)) in OWN_FIELDS}
            lately = tuple({*corrected, *feeds.lately(session, now - LATELY, LOOKED_AT, judged=bool(ours))})
            # A paper that is found only since today may have an old PMID, far down the newest page.
            found = set(search.pmids(session, And((query, Pmids(lately))), tree, today)) if lately else set()
            shown = [*newest, *found]
            entries = _entries(session, shown, found & set(corrected), feeds.judged(session, shown, ours))
        updated = max(_last(entries, kept.changed_at), kept.changed_at)
        return Feed(kept.key, kept.name, kept.query, updated, tuple(entries))

    def _of_topic(self, session: Session, topic: TopicLine, now: datetime) -> Feed:
        corrected = _corrected(session, now)
        hits = {each.pmid: each for each in feeds.hits(session, topic.id, NEWEST)}
        hits |= {each.pmid: each for each in feeds.hits_among(session, topic.id, corrected)}
        kept = screening.kept(session, topic.id)
        last = sorted(kept, key=lambda pmid: (kept[pmid], pmid), reverse=True)[:NEWEST]
        shown = [*hits, *last, *(pmid for pmid in corrected if pmid in kept)]
        why = _Why(session, topic.title, hits, kept)
        entries = _entries(session, shown, corrected, why.since(), why)
        key = self._links.topic_feed_key(topic.id)
        return Feed(key, topic.title, None, _last(entries, topic.created_at), tuple(entries))


class _Why:
    """Why a topic holds its papers, and since when."""

    def __init__(
        self, session: Session, title: str, hits: Mapping[int, TopicHit], kept: Mapping[int, datetime]
    ) -> None:
        self.title = title
        self.hits = hits
        self.kept = kept
        self._strategies: dict[int, Strategy] = {
            each: strategies.strategy(session, each) for each in sorted({hit.strategy_id for hit in hits.values()})
        }

    def since(self) -> dict[int, datetime]:
        moments = {pmid: hit.found_at for pmid, hit in self.hits.items()}
        return {**self.kept, **{pmid: min(at, self.kept.get(pmid, at)) for pmid, at in moments.items()}}

    def lines(self, pmid: int) -> tuple[FoundBy, ...]:
        hit = self.hits.get(pmid)
        if hit is None:
            return ()
        core = self._strategies[hit.strategy_id].core
        found = ((number, core[number - 1]) for number in hit.lines if number <= len(core))
        return tuple(FoundBy(number, hit.version, line.reason, line.query) for number, line in found)


def _corrected(session: Session, now: datetime) -> tuple[int, ...]:
    """Return the papers that something serious happened to lately, the last first."""
    serious = {
        pmid: max(each.at for each in seen)
        for pmid, seen in feeds.changed(session, now - LATELY).items()
        if any(change.weight is Weight.MAJOR for each in seen for change in each.changes)
    }
    return tuple(sorted(serious, key=lambda pmid: (serious[pmid], pmid), reverse=True))


def _entries(
    session: Session,
    pmids: Iterable[int],
    corrected: Collection[int],
    since: Mapping[int, datetime],
    why: _Why | None = None,
) -> list[Entry]:
    """Choose the papers that moved last and all that were corrected, and tell what is to be said of them.

    `since` says when a paper came into the feed by something else than its coming into the library.
    """
    wanted = list(dict.fromkeys(pmids))
    held, seen = citations.held(session, wanted), feeds.changes(session, wanted)
    moved: dict[int, datetime] = {}
    for pmid in held:
        notable = [each.at for each in seen.get(pmid, ()) if _notable(each.changes)]
        moved[pmid] = max([held[pmid].added_at, *notable, *([since[pmid]] if pmid in since else [])])
    newest = sorted(moved, key=lambda pmid: (moved[pmid], pmid), reverse=True)
    shown = [pmid for place, pmid in enumerate(newest) if place < NEWEST or pmid in corrected]
    found = []
    for citation in citations.load_each(session, shown):
        authors = wording.authors(citation)
        pmid = citation.pmid
        found.append(
            Entry(
                pmid=pmid,
                title=wording.title(citation) or STYLES["nlm"](citation),
                citation=STYLES["nlm"](citation),
                abstract=_abstract(citation),
                authors=tuple(wording.name(each) for each in authors[:AUTHORS]),
                doi=wording.doi(citation),
                flags=flags(citation, withdrawn=held[pmid].withdrawn_at is not None),
                published=held[pmid].added_at,
                updated=moved[pmid],
                changes=tuple(each for each in reversed(seen.get(pmid, ())) if _notable(each.changes)),
                lines=why.lines(pmid) if why is not None else (),
                kept_at=why.kept.get(pmid) if why is not None else None,
                topic=why.title if why is not None else None,
            )
        )
    return found


def _notable(changes: Sequence[Change]) -> bool:
    return any(change.weight >= Weight.NOTABLE for change in changes)


def _abstract(citation: Citation) -> tuple[tuple[str | None, str], ...]:
    if citation.abstract is None:
        return ()
    return tuple((section.label, plain(section.text)) for section in citation.abstract.sections)


def _last(entries: Sequence[Entry], made_at: datetime) -> datetime:
    return max((each.updated for each in entries), default=made_at)
