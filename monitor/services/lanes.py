"""What waits for one person at one moment, lane by lane, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from typing import NamedTuple

from sqlalchemy.orm import Session

from monitor.core.lanes import LATER, Key, Lane, Listing, Waiting, key, write_cursor
from monitor.core.people import Actor
from monitor.core.query import MeshTree, parse
from monitor.core.query.words import split_words
from monitor.core.told import told
from monitor.core.voting import NEEDED
from monitor.errors import UsageError
from monitor.storage import papers, people, queue, readings, screening, search, votes
from monitor.storage.papers import PaperLine
from monitor.storage.queue import Notice


@dataclass(frozen=True, slots=True)
class LaneCount:
    """How many papers wait in a lane for this person, and since when the one that waits longest.

    `more`: there are more than were counted.
    """

    lane: Lane
    count: int
    oldest: datetime | None
    more: bool = False


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One paper in a lane. `place` is where it stands in the list; `expected` the decision that stands, for `decide`.

    `age_days` counts since it came to wait, `held_by` names who else has it open. `why` is the reason it is here.
    """

    line: PaperLine
    lane: Lane
    place: str
    topics: tuple[str, ...]
    since: datetime
    age_days: int
    held_by: str | None
    why: str
    expected: int | None


class Desk:
    """What waits for one person at one moment; each kind is read when first asked for.

    Without `graded`, papers can be counted, but neither sorted nor filtered.
    """

    def __init__(self, session: Session, actor: Actor, now: datetime, today: date, *, graded: bool = True) -> None:
        self.session = session
        self.actor = actor
        self.now = now
        self.today = today
        self.topics = queue.topics(session)
        self.graded = graded
        self.alarming = queue.alarming(session) if graded else set()
        self._known: dict[Lane, list[Waiting]] = {}
        self._aside: dict[int, queue.PutAside] = {}
        self._notices: dict[int, list[Notice]] = {}
        self._conflicts: set[int] = set()

    def lanes(self) -> tuple[LaneCount, ...]:
        found = []
        for lane in Lane:
            if lane is Lane.BACKLOG:
                size = queue.backlog_size(self.session)
                found.append(LaneCount(lane, min(size, queue.COUNTED), None, size > queue.COUNTED))
            else:
                waiting = [each for each in self.papers(lane) if each.turn < LATER]
                found.append(LaneCount(lane, len(waiting), min((each.since for each in waiting), default=None)))
        return tuple(found)

    def papers(self, lane: Lane) -> list[Waiting]:
        if lane not in self._known:
            if lane in (Lane.NEW, Lane.WIDE, Lane.SECOND):
                self._read_undecided()
            elif lane is Lane.BACKLOG:
                self._known[lane] = self._backlog()
            else:
                read = {Lane.REVISED: self._revised, Lane.INTEGRITY: self._integrity, Lane.MAYBE: self._maybe}
                self._known[lane] = read[lane]()
        return self._known[lane]

    def sorted(self, lane: Lane, listing: Listing) -> list[tuple[Key, Waiting]]:
        papers = [each for each in self.papers(lane) if listing.shows(each)]
        if listing.words is not None and listing.words.strip():
            named = self._titled(listing.words)
            papers = [each for each in papers if each.pmid in named]
        if listing.tag is not None:
            suggested = queue.suggesting(self.session, [each.pmid for each in papers], listing.tag, self.today)
            papers = [each for each in papers if each.pmid in suggested]
        return sorted(((key(each, listing), each) for each in papers), key=lambda each: each[0])

    def rows(self, lane: Lane, shown: Sequence[tuple[Key, Waiting]]) -> tuple[QueueRow, ...]:
        pmids = [paper.pmid for _, paper in shown]
        lines = {each.pmid: each for each in papers.lines(self.session, pmids)}
        open_by = readings.of(self.session, pmids, self.now)
        standing = screening.standing(self.session, pmids)
        names = people.names(self.session) if lane is Lane.MAYBE else {}
        found = []
        for place, paper in shown:
            reading, decision = open_by.get(paper.pmid), standing.get(paper.pmid)
            found.append(
                QueueRow(
                    lines[paper.pmid],
                    lane,
                    write_cursor(place),
                    paper.topics,
                    paper.since,
                    max(0, (self.now - paper.since).days),
                    reading.name if reading is not None and reading.person_id != self.actor.person_id else None,
                    self._why(lane, lines[paper.pmid], names),
                    decision.id if decision is not None else None,
                )
            )
        return tuple(found)

    def _read_undecided(self) -> None:
        lanes: dict[Lane, list[Waiting]] = {Lane.NEW: [], Lane.WIDE: [], Lane.SECOND: []}
        found = self._found(news=True)
        given = votes.standing(self.session, found.doubly) if found.doubly else {}
        for pmid, paper in found.papers.items():
            if pmid not in found.doubly:
                lanes[Lane.NEW if pmid in found.core else Lane.WIDE].append(paper)
                continue
            cast = given.get(pmid, [])
            if not any(each.person_id == self.actor.person_id for each in cast):
                differing = len(cast) >= NEEDED
                if differing:
                    self._conflicts.add(pmid)
                lanes[Lane.SECOND].append(paper._replace(turn=0 if differing else 1))
        self._known |= lanes

    def _backlog(self) -> list[Waiting]:
        news = self._found(news=True).papers
        return [paper for pmid, paper in self._found(news=False).papers.items() if pmid not in news]

    def _found(self, *, news: bool) -> _Found:
        """Return the papers nobody judged that living topics find; where a core search does, only those count."""
        papers: dict[int, Waiting] = {}
        core: set[int] = set()
        doubly: set[int] = set()
        for pmid, lane, name, found_at, level, design in queue.undecided(self.session, news=news, graded=self.graded):
            topic = self.topics.get(name)
            if topic is None:
                continue
            before = papers.get(pmid)
            first_core = lane == "core" and pmid not in core
            if lane == "core":
                core.add(pmid)
                if topic.doubly:
                    doubly.add(pmid)
            if before is None or first_core:
                papers[pmid] = Waiting(pmid, found_at, (name,), pmid in self.alarming, level, design)
            elif lane == "core" or pmid not in core:
                topics = tuple(sorted({*before.topics, name}, key=self._place))
                papers[pmid] = before._replace(topics=topics, since=min(found_at, before.since))
        return _Found(papers, core, doubly)

    def _place(self, topic: str) -> int:
        return self.topics[topic].place

    def _revised(self) -> list[Waiting]:
        changed = {each.pmid: each.since for each in queue.reworded(self.session)}
        return self._with_traits({pmid: (since, 0) for pmid, since in changed.items()})

    def _integrity(self) -> list[Waiting]:
        for notice in queue.notices(self.session):
            self._notices.setdefault(notice.pmid, []).append(notice)
        return self._with_traits({pmid: (told[0].seen_at, 0) for pmid, told in self._notices.items()})

    def _maybe(self) -> list[Waiting]:
        self._aside = {each.pmid: each for each in queue.put_aside(self.session)}
        return self._with_traits({pmid: (each.since, self._turn(each)) for pmid, each in self._aside.items()})

    def _turn(self, aside: queue.PutAside) -> int:
        if aside.until is not None and aside.until > self.today:
            return LATER
        if aside.asked is not None and aside.asked != self.actor.person_id:
            return LATER
        return 0 if aside.until is not None or aside.asked is not None else 1

    def _with_traits(self, since: dict[int, tuple[datetime, int]]) -> list[Waiting]:
        known = queue.traits(self.session, since)
        return [
            Waiting(pmid, moment, known[pmid].topics, known[pmid].alarm, known[pmid].level, known[pmid].design, turn)
            for pmid, (moment, turn) in since.items()
        ]

    def _titled(self, text: str) -> set[int]:
        words, _ = split_words(text)
        if not words:
            raise UsageError(f"{text[:60]!r} holds no word that a title could have")
        query = parse(" AND ".join(f'"{word}"[ti]' for word in words))
        return set(search.pmids(self.session, query, MeshTree(), self.today))

    def _why(self, lane: Lane, line: PaperLine, names: dict[int, str]) -> str:
        if lane is Lane.INTEGRITY:
            happened = [change.words for each in self._notices.get(line.pmid, ()) for change in each.changes]
            return reduce(_and, map(told, dict.fromkeys(happened)), "")
        if lane is Lane.REVISED:
            return told("title or abstract changed since the verdict")
        if lane is Lane.MAYBE:
            return _aside(self._aside[line.pmid], names)
        if lane is Lane.SECOND:
            differing = line.pmid in self._conflicts
            if differing:
                return told("two verdicts differ; yours decides")
            return told("waits for your verdict; nobody sees it yet")
        return _found_by(line)


class _Found(NamedTuple):
    """Papers nobody judged; which of them core searches find, and which such a search of a topic that two screen."""

    papers: dict[int, Waiting]
    core: set[int]
    doubly: set[int]


def _found_by(line: PaperLine) -> str:
    found = []
    for place in line.found:
        numbers = ", ".join(map(str, place.lines))
        lines = f" line {numbers}" if len(place.lines) == 1 else f" lines {numbers}" if place.lines else ""
        found.append(f"{place.title}: {place.lane}{lines}")
    return "; ".join(found)


def _aside(aside: queue.PutAside, names: dict[int, str]) -> str:
    by = names.get(aside.by or 0, told("the command line"))
    asked = None if aside.asked is None else names.get(aside.asked, told("somebody"))
    if asked is None and aside.until is None:
        return told("put aside by %(by)s", by=by)
    if asked is None:
        return told("put aside by %(by)s until %(until)s", by=by, until=aside.until)
    if aside.until is None:
        return told("put aside by %(by)s for %(asked)s", by=by, asked=asked)
    return told("put aside by %(by)s for %(asked)s until %(until)s", by=by, asked=asked, until=aside.until)


def _and(one: str, other: str) -> str:
    return told("%(one)s; %(other)s", one=one, other=other) if one else other
