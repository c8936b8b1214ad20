"""The curators' queue: what waits in which lane, in what order, for whom, and who has it open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.lanes import ALL, Lane, Listing, read_cursor, write_cursor
from monitor.core.people import Actor
from monitor.core.rewording import Rewording, rewording
from monitor.core.screening import Decision, fingerprint
from monitor.errors import NotFound, UsageError
from monitor.services.lanes import Desk, LaneCount, QueueRow
from monitor.services.ports import Clock
from monitor.services.votes import Standing
from monitor.services.votes import standing as voting
from monitor.storage import citations, events, notes, papers, people, queue, readings, screening
from monitor.storage.engine import Database
from monitor.storage.notes import Note
from monitor.storage.papers import PaperLine
from monitor.storage.queue import Notice
from monitor.storage.readings import Reading

OPEN_FOR = timedelta(minutes=10)
"""How long a paper counts as open unless that is renewed."""


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Some rows of a lane; `next` asks for those after them, None at the end. `total` counts what the filter leaves.

    `topics`, `levels` and `designs` are those that occur in the lane, for the filter.
    """

    lane: Lane
    rows: tuple[QueueRow, ...]
    next: str | None
    total: int
    topics: tuple[str, ...]
    levels: tuple[str, ...]
    designs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What a page of the queue shows: the lanes, and a page of one of them."""

    lanes: tuple[LaneCount, ...]
    page: QueuePage


@dataclass(frozen=True, slots=True)
class Around:
    """The neighbours of a place in a lane, nearest first; `position` counts from 1 and is where the place is or would be."""

    before: tuple[QueueRow, ...]
    after: tuple[QueueRow, ...]
    position: int
    total: int


@dataclass(frozen=True, slots=True)
class Clear:
    """What to say when a lane is empty: how much this person judged today, and what waits longest elsewhere."""

    decided_today: int
    elsewhere: LaneCount | None


@dataclass(frozen=True, slots=True)
class AtDesk:
    """One paper as its reader at the desk sees it, in one snapshot.

    `decision` is the verdict that stands, `by` whose it is (None: the command line), `expected` its id, for `decide`.
    `rewording` says what became of the words since, where they are others and those that were read are kept. `notices`
    wait to be acknowledged; `voting` is how double screening stands. `held_by` has it open, if that is somebody else.
    """

    line: PaperLine
    citation: Citation
    decision: Decision | None
    by: str | None
    asked: str | None
    claims: tuple[str, ...]
    reopened: bool
    rewording: Rewording | None
    notices: tuple[Notice, ...]
    voting: Standing
    note: Note
    held_by: Reading | None

    @property
    def expected(self) -> int | None:
        return self.decision.id if self.decision is not None else None

    @property
    def upto(self) -> int | None:
        """The newest version that is shown among `notices`, for `acknowledge`."""
        return max((each.version_id for each in self.notices), default=None)


class Queue:
    """What waits for curators. Every method reads one snapshot."""

    def __init__(self, database: Database, clock: Clock, zone: str = "UTC") -> None:
        self._database = database
        self._clock = clock
        self._zone = ZoneInfo(zone)

    def lanes(self, actor: Actor) -> tuple[LaneCount, ...]:
        """Return every lane with what waits in it for this person."""
        with self._database.read() as session:
            return self._desk(session, actor, graded=False).lanes()

    def rows(
        self,
        actor: Actor,
        lane: Lane,
        listing: Listing = ALL,
        *,
        after: str | None = None,
        limit: int = 50,
    ) -> QueuePage:
        """Return a page of a lane: what comes after a place in it."""
        with self._database.read() as session:
            return self._page(self._desk(session, actor), lane, listing, after, limit)

    def view(
        self,
        actor: Actor,
        lane: Lane,
        listing: Listing = ALL,
        *,
        after: str | None = None,
        limit: int = 50,
    ) -> View:
        """Return lanes and page at once, of one snapshot, reading what waits only once."""
        with self._database.read() as session:
            desk = self._desk(session, actor)
            return View(desk.lanes(), self._page(desk, lane, listing, after, limit))

    def around(
        self,
        actor: Actor,
        lane: Lane,
        place: str,
        listing: Listing = ALL,
        *,
        count: int = 2,
    ) -> Around:
        """Return the papers before and after a place, whether or not a paper still stands there."""
        at = read_cursor(place)
        with self._database.read() as session:
            desk = self._desk(session, actor)
            standing = desk.sorted(lane, listing)
            before = [each for each in standing if each[0] < at]
            after = [each for each in standing if each[0] > at]
            near = [*reversed(before[-count:] if count else []), *after[:count]]
            rows = desk.rows(lane, near)
            split = sum(place < at for place, _ in near)
            return Around(rows[:split], rows[split:], len(before) + 1, len(standing))

    def clear(self, actor: Actor, lane: Lane, lanes: Sequence[LaneCount]) -> Clear:
        """Return what to say of an empty lane; `lanes` are those that were counted for its page."""
        local = self._clock.now().astimezone(self._zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        others = [each for each in lanes if each.lane != lane and each.count]
        waiting = [(each.oldest, each.lane, each) for each in others if each.oldest is not None]
        oldest = min(waiting)[2] if waiting else None
        with self._database.read() as session:
            return Clear(queue.decided_since(session, actor.person_id, midnight), oldest)

    def paper(self, pmid: int, actor: Actor) -> AtDesk:
        """Return a paper with everything that is decided on it; raises NotFound for a PMID that is not held."""
        with self._database.read() as session:
            citation = citations.load(session, [pmid]).get(pmid)
            if citation is None:
                raise NotFound(f"PMID {pmid} is not in the library")
            (line,) = papers.lines(session, [pmid])
            decision = screening.standing(session, [pmid]).get(pmid)
            reopened = decision is not None and decision.reopened_by(citation)
            names = people.names(session) if decision is not None else {}
            held = readings.of(session, [pmid], self._clock.now()).get(pmid)
            return AtDesk(
                line,
                citation,
                decision,
                names.get(decision.person_id or 0) if decision is not None else None,
                names.get(decision.judgement.asked or 0) if decision is not None else None,
                screening.terms(session, [pmid]).get(pmid, {}).get("claim", ()),
                reopened,
                _rewording(session, citation, decision) if decision is not None and reopened else None,
                tuple(queue.notices(session, [pmid])),
                voting(session, pmid, actor),
                notes.of(session, _person(actor), [pmid]).get(pmid, Note()),
                held if held is not None and held.person_id != actor.person_id else None,
            )

    def open(self, pmid: int, actor: Actor, *, take_over: bool = False) -> Reading:
        """Take or renew the paper for this person, unless another has it open; returns who has it.

        Whatever else this person had open is let go. Raises NotFound for a PMID that is not held.
        """
        who = _person(actor)
        now = self._clock.now()
        with self._database.write() as session:
            if not screening.lock(session, [pmid]):
                raise NotFound(f"PMID {pmid} is not in the library")
            readings.lock(session, pmid, who)
            held = readings.of(session, [pmid], now).get(pmid)
            if held is not None and held.person_id != who and not take_over:
                return held
            since = held.since if held is not None and held.person_id == who else now
            readings.release(session, who, but=pmid)
            readings.take(session, pmid, who, since, now + OPEN_FOR)
            if held is not None and held.person_id != who:
                events.record(
                    session, actor, "reading.take-over", f"citation:{pmid}", now, {"by": held.name}, {"by": actor.name}
                )
            return readings.of(session, [pmid], now)[pmid]

    def release(self, actor: Actor, pmid: int | None = None) -> None:
        """Let go what this person has open, or one paper of it."""
        with self._database.write() as session:
            readings.release(session, _person(actor), None if pmid is None else [pmid])

    def _desk(self, session: Session, actor: Actor, *, graded: bool = True) -> Desk:
        now = self._clock.now()
        return Desk(session, actor, now, now.astimezone(self._zone).date(), graded=graded)

    def _page(self, desk: Desk, lane: Lane, listing: Listing, after: str | None, limit: int) -> QueuePage:
        if limit < 1:
            raise UsageError(f"a page holds at least one paper, not {limit}")
        standing = desk.sorted(lane, listing)
        left = standing
        if after is not None:
            start = read_cursor(after)
            left = [each for each in standing if each[0] > start]
        shown = left[:limit]
        all_of_lane = desk.papers(lane)
        return QueuePage(
            lane,
            desk.rows(lane, shown),
            write_cursor(shown[-1][0]) if len(left) > limit else None,
            len(standing),
            tuple(sorted({topic for each in all_of_lane for topic in each.topics})),
            tuple(sorted({each.level for each in all_of_lane if each.level is not None})),
            tuple(sorted({each.design for each in all_of_lane if each.design is not None})),
        )


def _rewording(session: Session, citation: Citation, decision: Decision) -> Rewording | None:
    for before in citations.earlier(session, citation.pmid):
        if fingerprint(before) == decision.fingerprint:
            return rewording(before, citation)
    return None


def _person(actor: Actor) -> int:
    if actor.person_id is None:
        raise UsageError("the desk is for people who are signed in")
    return actor.person_id
