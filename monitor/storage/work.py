"""Who runs what: slots that exactly one process takes, and signs of life."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from monitor.core.health import CLOCKS_APART
from monitor.storage.bulk import insertion
from monitor.storage.tables import HeartbeatRow, PollBatchRow, PollRow, SlotRow


def take_slot(
    session: Session, job: str, slot: str, owner: str, now: datetime, *, stale: datetime, retry: datetime
) -> bool:
    """Take a job's slot; True for exactly one caller.

    A slot is new, or failed before `retry`, or was left unfinished: by an owner without a sign of life since `stale`,
    or by this very owner, who would not ask for what it is still running.
    """
    made = session.execute(
        insertion(session, SlotRow)
        .values(job=job, slot=slot, owner=owner, taken_at=now)
        .on_conflict_do_nothing()
        .returning(SlotRow.job)
    ).one_or_none()
    if made is not None:
        return True
    # A sign of life of the future was left while a clock was wrong, and says nothing of now.
    alive = (
        select(HeartbeatRow.name)
        .where(HeartbeatRow.name == SlotRow.owner, HeartbeatRow.at >= stale, HeartbeatRow.at <= now + CLOCKS_APART)
        .exists()
    )
    again = session.execute(
        update(SlotRow)
        .where(
            SlotRow.job == job,
            SlotRow.slot == slot,
            or_(
                and_(SlotRow.error.is_not(None), SlotRow.finished_at <= retry),
                and_(
                    SlotRow.finished_at.is_(None),
                    or_(SlotRow.taken_at < stale, SlotRow.taken_at > now + CLOCKS_APART),
                    ~alive,
                ),
                and_(SlotRow.finished_at.is_(None), SlotRow.owner == owner),
            ),
        )
        .values(owner=owner, taken_at=now, finished_at=None, error=None)
        .returning(SlotRow.job)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return again is not None


def finish_slot(session: Session, job: str, slot: str, owner: str, now: datetime, error: str | None) -> bool:
    """Close a slot; False if it was taken over meanwhile."""
    done = session.execute(
        update(SlotRow)
        .where(SlotRow.job == job, SlotRow.slot == slot, SlotRow.owner == owner, SlotRow.finished_at.is_(None))
        .values(finished_at=now, error=error)
        .returning(SlotRow.job)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return done is not None


def release_slot(session: Session, job: str, slot: str, owner: str) -> None:
    """Give a slot back unfinished: whoever ticks next takes it and goes on."""
    session.execute(
        delete(SlotRow)
        .where(SlotRow.job == job, SlotRow.slot == slot, SlotRow.owner == owner, SlotRow.finished_at.is_(None))
        .execution_options(synchronize_session=False)
    )


def finished(session: Session, job: str, slot: str) -> bool:
    """Say whether a slot was run to its end without error; cheap, so that a tick asks before it writes."""
    row = session.execute(
        select(SlotRow.finished_at, SlotRow.error).where(SlotRow.job == job, SlotRow.slot == slot)
    ).one_or_none()
    return row is not None and row.finished_at is not None and row.error is None


def beat(session: Session, name: str, now: datetime, details: dict[str, Any]) -> None:
    """Leave a sign of life."""
    statement = insertion(session, HeartbeatRow).values(name=name, at=now, details=details)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[HeartbeatRow.name],
            set_={"at": statement.excluded.at, "details": statement.excluded.details},
        )
    )


def forget(session: Session, before: datetime) -> dict[str, int]:
    """Delete what has done its work: slots, signs of life and poll batches older than `before`; return how many.

    `before` lies more than a day back, so that no poll whose batches go could still be gone on with.
    """
    ended = select(PollRow.id).where(PollRow.started_at < before, PollRow.state != "running")
    counts: dict[str, int] = {}
    for name, statement in {
        "slots": delete(SlotRow).where(SlotRow.finished_at < before),
        "heartbeats": delete(HeartbeatRow).where(HeartbeatRow.at < before),
        "poll batches": delete(PollBatchRow).where(PollBatchRow.poll_id.in_(ended)),
    }.items():
        result = session.execute(statement.execution_options(synchronize_session=False))
        counts[name] = int(getattr(result, "rowcount", 0))
    return counts
