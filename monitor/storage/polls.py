"""Polls and the batches they have stored. What runs is claimed by its row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from monitor.core.health import CLOCKS_APART
from monitor.core.polling import FINISHED, UNFINISHED, SearchResult, not_had
from monitor.errors import MonitorError
from monitor.storage.tables import PollBatchRow, PollRow

LEASE: Final = timedelta(minutes=20)
"""How long a silent owner keeps a poll; longer than one question to PubMed may take with all its tries."""
RESUMABLE: Final = timedelta(days=1)
"""An unfinished poll older than this is not gone on with: a new one asks PubMed afresh."""


class ClaimLost(MonitorError):
    """Another process took this poll over; it goes on there, and nothing more is stored from here."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a poll is to do. Polls of the rolling check have neither topic nor lane."""

    kind: str
    query: str
    topic_id: str | None = None
    lane: str | None = None
    strategy_id: int | None = None
    since: date | None = None
    until: date | None = None
    covers: bool = False


@dataclass(slots=True)
class Running:
    """A poll that this process holds; `done` are the PMIDs it has stored, when it is one gone on with."""

    id: int
    order: Order
    owner: str
    started_at: datetime
    resumed: bool = False
    done: set[int] = field(default_factory=set)
    next_position: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What one batch came to."""

    new: int = 0
    revised: int = 0
    unchanged: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll as it stands, for people: what was asked, what PubMed made of it, what came."""

    id: int
    topic_id: str | None
    lane: str | None
    strategy_id: int | None
    kind: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    since: date | None
    until: date | None
    query: str
    translation: str | None
    warnings: tuple[str, ...]
    unknown_phrases: tuple[str, ...]
    count: int | None
    found: int | None
    new: int
    revised: int
    unchanged: int
    missing: int
    refused: tuple[str, ...]
    seconds: float | None
    error: str | None


def begin(session: Session, order: Order, owner: str, now: datetime, gone: Callable[[str], bool]) -> Running | None:
    """Take a poll: go on with one that was cut short, or start a new one; None while another process is at it.

    `gone` says of an owner that its process is no more. An owner that says nothing for `LEASE` counts as gone too.
    Two processes that begin at the same moment: the second one fails on the unique index of what is running.
    """
    same = _same(order)
    running = session.scalars(select(PollRow).where(*same, PollRow.state == "running").with_for_update()).first()
    if running is not None:
        held = running.lease_until is not None and now < running.lease_until <= now + LEASE + CLOCKS_APART
        if held and not gone(running.owner or ""):
            return None
        running.state = "interrupted"
        running.error = "the process that ran it ended"
        running.owner = running.lease_until = None
        session.flush()
    latest = session.scalars(
        select(PollRow).where(*same, PollRow.kind == order.kind).order_by(PollRow.id.desc()).limit(1)
    ).first()
    if latest is not None and _goes_on(latest, order, now):
        done = list(
            session.scalars(
                select(PollBatchRow).where(PollBatchRow.poll_id == latest.id).order_by(PollBatchRow.position)
            )
        )
        if done:
            latest.state, latest.owner, latest.lease_until = "running", owner, now + LEASE
            latest.error = latest.finished_at = None
            session.flush()
            stored = Order(
                order.kind,
                latest.query,
                order.topic_id,
                order.lane,
                latest.strategy_id,
                latest.since,
                latest.until,
                latest.covers,
            )
            return Running(
                latest.id,
                stored,
                owner,
                latest.started_at,
                True,
                {pmid for batch in done for pmid in batch.pmids},
                done[-1].position + 1,
            )
    row = PollRow(
        topic_id=order.topic_id,
        strategy_id=order.strategy_id,
        lane=order.lane,
        kind=order.kind,
        state="running",
        started_at=now,
        since=order.since,
        until=order.until,
        covers=order.covers,
        owner=owner,
        lease_until=now + LEASE,
        query=order.query,
        warnings=[],
        unknown_phrases=[],
        refused=[],
    )
    session.add(row)
    session.flush()
    return Running(row.id, order, owner, now)


def note_search(
    session: Session, poll: Running, result: SearchResult, found: int, warnings: Sequence[str], now: datetime
) -> None:
    """Write down what PubMed said to the search."""
    values: dict[str, Any] = {
        "translation": result.translation,
        "warnings": list(warnings),
        "unknown_phrases": list(result.unknown_phrases),
        "count": result.count,
        "found": found,
    }
    if not poll.resumed or poll.order.kind != "check":
        # PMIDs that a search counts and does not name are as missing as records that do not come. Those that were
        # missing before a poll was cut short are asked for again when it goes on; a check notes them as misses.
        values["missing"] = max(result.count - found, 0)
    _held_row(session, poll, now, values)


def note_batch(
    session: Session, poll: Running, pmids: Sequence[int], counts: Counts, refused: Sequence[str], now: datetime
) -> None:
    """Write down that these PMIDs are settled, in the transaction that stored them; keeps the claim alive."""
    values: dict[str, Any] = {
        "new": PollRow.new + counts.new,
        "revised": PollRow.revised + counts.revised,
        "unchanged": PollRow.unchanged + counts.unchanged,
        "missing": PollRow.missing + counts.missing,
    }
    if refused:
        earlier = session.scalar(select(PollRow.refused).where(PollRow.id == poll.id)) or []
        values["refused"] = [*earlier, *refused]
    _held_row(session, poll, now, values)
    session.add(PollBatchRow(poll_id=poll.id, position=poll.next_position, pmids=list(pmids)))
    session.flush()
    poll.next_position += 1
    poll.done.update(pmids)


def note_missing(session: Session, poll: Running, pmids: Collection[int], now: datetime) -> None:
    """Write down by name which records PubMed counts and did not give."""
    if pmids:
        earlier = session.scalar(select(PollRow.warnings).where(PollRow.id == poll.id)) or []
        _held_row(session, poll, now, {"warnings": [*earlier, not_had(sorted(pmids))]})


def is_whole(session: Session, poll: Running) -> bool:
    """Say whether everything that PubMed counts was had and read."""
    row = session.execute(select(PollRow.missing, PollRow.refused).where(PollRow.id == poll.id)).one()
    return not row.missing and not row.refused


def finish(session: Session, poll: Running, state: str, now: datetime, error: str | None = None) -> None:
    """End a poll as done, warned, failed or interrupted and let go of it.

    One that failed with nothing stored takes the place of the same failure before it, and keeps when that began: days
    without a network are one row, not thousands.
    """
    seconds = (now - poll.started_at).total_seconds()
    values = {"state": state, "finished_at": now, "seconds": seconds, "error": error, "owner": None}
    _held_row(session, poll, now, {**values, "lease_until": None})
    if state == "failed" and not poll.next_position:
        _take_place_of_the_failure_before(session, poll)


def _take_place_of_the_failure_before(session: Session, poll: Running) -> None:
    this = session.get_one(PollRow, poll.id, populate_existing=True)
    before = session.scalars(
        select(PollRow)
        .where(*_same(poll.order), PollRow.kind == this.kind, PollRow.id < this.id)
        .order_by(PollRow.id.desc())
        .limit(1)
    ).first()
    if (
        before is None
        or before.state != "failed"
        or (before.strategy_id, before.covers, before.until) != (this.strategy_id, this.covers, this.until)
        or (before.since != this.since and not this.covers)
        or session.scalar(select(PollBatchRow.position).where(PollBatchRow.poll_id == before.id).limit(1)) is not None
    ):
        return
    this.started_at = min(this.started_at, before.started_at)
    session.delete(before)
    session.flush()


def covered_until(session: Session, topic_id: str, lane: str, now: datetime) -> date | None:
    """Return the day on which the last window began that was stored whole and left no day unsearched before it.

    A comparison of the whole set moves nothing: it does not fetch what was revised.
    """
    _, moment = first_and_last(session, topic_id, lane, "window", now)
    return moment.date() if moment is not None else None


def first_and_last(
    session: Session, topic_id: str, lane: str, kind: str, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """Return when the first and the last covering poll of a kind began that finished; none that is of the future."""
    first, last = session.execute(
        select(func.min(PollRow.started_at), func.max(PollRow.started_at)).where(
            PollRow.topic_id == topic_id,
            PollRow.lane == lane,
            PollRow.kind == kind,
            PollRow.covers.is_(True),
            PollRow.state.in_(FINISHED),
            PollRow.started_at <= now + CLOCKS_APART,
        )
    ).one()
    return first, last


def was_compared(session: Session, strategy_id: int, lane: str) -> bool:
    """Say whether the whole set of this version of a strategy was had before."""
    return (
        session.scalar(
            select(PollRow.id)
            .where(
                PollRow.strategy_id == strategy_id,
                PollRow.lane == lane,
                PollRow.kind == "full",
                PollRow.state.in_(FINISHED),
            )
            .limit(1)
        )
        is not None
    )


def failed_since(session: Session, topic_id: str, lane: str, kind: str, now: datetime) -> datetime | None:
    """Return when the newest covering poll of a kind began, if it did not finish: it is to be made up for."""
    row = session.execute(
        select(PollRow.state, PollRow.started_at)
        .where(
            PollRow.topic_id == topic_id,
            PollRow.lane == lane,
            PollRow.kind == kind,
            PollRow.covers.is_(True),
            PollRow.started_at <= now + CLOCKS_APART,
        )
        .order_by(PollRow.id.desc())
        .limit(1)
    ).one_or_none()
    return row.started_at if row is not None and row.state in UNFINISHED else None


def last_translation(session: Session, poll: Running) -> str | None:
    """Return what PubMed made of the same search the last time."""
    order = poll.order
    return session.scalar(
        select(PollRow.translation)
        .where(
            PollRow.topic_id == order.topic_id,
            PollRow.lane == order.lane,
            PollRow.kind == order.kind,
            PollRow.strategy_id == order.strategy_id,
            PollRow.state.in_(FINISHED),
            PollRow.id != poll.id,
        )
        .order_by(PollRow.id.desc())
        .limit(1)
    )


def latest(session: Session) -> list[Poll]:
    """Return the newest poll of each topic and lane, and of the rolling check."""
    newest = select(func.max(PollRow.id)).group_by(PollRow.topic_id, PollRow.lane)
    return selected(session, PollRow.id.in_(newest))


def poll(session: Session, poll_id: int) -> Poll | None:
    """Return one poll."""
    found = selected(session, PollRow.id == poll_id)
    return found[0] if found else None


def selected(session: Session, *conditions: ColumnElement[bool]) -> list[Poll]:
    """Return the polls that meet these conditions, in the order begun."""
    rows = session.scalars(select(PollRow).where(*conditions).order_by(PollRow.id))
    return [
        Poll(
            row.id,
            row.topic_id,
            row.lane,
            row.strategy_id,
            row.kind,
            row.state,
            row.started_at,
            row.finished_at,
            row.since,
            row.until,
            row.query,
            row.translation,
            tuple(row.warnings),
            tuple(row.unknown_phrases),
            row.count,
            row.found,
            row.new,
            row.revised,
            row.unchanged,
            row.missing,
            tuple(row.refused),
            row.seconds,
            row.error,
        )
        for row in rows
    ]


def _same(order: Order) -> Collection[ColumnElement[bool]]:
    topic = PollRow.topic_id.is_(None) if order.topic_id is None else PollRow.topic_id == order.topic_id
    lane = PollRow.lane.is_(None) if order.lane is None else PollRow.lane == order.lane
    return (topic, lane)


def _goes_on(row: PollRow, order: Order, now: datetime) -> bool:
    """An unfinished poll is gone on with when it asked the same; a window that was left to us keeps its older start."""
    if row.state not in UNFINISHED or row.strategy_id != order.strategy_id or row.covers != order.covers:
        return False
    if (row.since, row.until) != (order.since, order.until):
        earlier = row.since is not None and order.since is not None and row.since < order.since
        if not order.covers or not earlier or row.until != order.until:
            return False
    return -CLOCKS_APART <= now - row.started_at <= RESUMABLE


def _held_row(session: Session, poll: Running, now: datetime, values: dict[str, Any]) -> None:
    held = session.scalar(
        update(PollRow)
        .where(PollRow.id == poll.id, PollRow.owner == poll.owner, PollRow.state == "running")
        .values({"lease_until": now + LEASE, **values})
        .returning(PollRow.id)
        .execution_options(synchronize_session=False)
    )
    if held is None:
        raise ClaimLost(f"poll {poll.id} is in other hands now")
