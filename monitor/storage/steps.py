"""Steps at the desk as kept, each person's in their order; and what was acknowledged in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from monitor.core.people import Actor
from monitor.core.steps import Kind, Step, told
from monitor.storage.tables import AcknowledgementRow, PersonRow, StepRow


def lock(session: Session, person_id: int) -> None:
    """Let one thing after the other be done by one person, however many windows are open."""
    session.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update(key_share=True)).one_or_none()


def begin(session: Session, person_id: int, kind: Kind, tells: Mapping[str, Any], now: datetime) -> int:
    """Store a step; what was undone before it cannot be repeated any more."""
    session.execute(
        update(StepRow)
        .where(StepRow.person_id == person_id, StepRow.again.is_not(None))
        .values(again=None)
        .execution_options(synchronize_session=False)
    )
    values = {"person_id": person_id, "kind": kind, "told": dict(tells), "at": now}
    number: int = session.execute(insert(StepRow).values(**values).returning(StepRow.id)).scalar_one()
    return number


def find(session: Session, step_id: int) -> Step | None:
    """Return one step."""
    return next(iter(_steps(session, StepRow.id == step_id)), None)


def to_undo(session: Session, person_id: int) -> Step | None:
    """Return the newest step of a person that stands and that undo has not passed."""
    newest = select(func.max(StepRow.id)).where(
        StepRow.person_id == person_id, StepRow.undone_at.is_(None), StepRow.passed_at.is_(None)
    )
    return next(iter(_steps(session, StepRow.id == newest.scalar_subquery())), None)


def to_redo(session: Session, person_id: int) -> Step | None:
    """Return the step that a person took back last, unless something new was done since."""
    highest = select(func.max(StepRow.again)).where(StepRow.person_id == person_id)
    return next(iter(_steps(session, StepRow.person_id == person_id, StepRow.again == highest.scalar_subquery())), None)


def undone(session: Session, step: Step, now: datetime) -> None:
    """Note that a step was taken back; it is what redo repeats first."""
    highest = session.scalar(select(func.max(StepRow.again)).where(StepRow.person_id == step.person_id))
    _change(session, step.id, undone_at=now, again=(highest or 0) + 1)


def redone(session: Session, step: Step) -> None:
    """Note that a step was repeated."""
    _change(session, step.id, undone_at=None, again=None)


def passed(session: Session, step: Step, now: datetime) -> None:
    """Note that undo came to a step and could take nothing back."""
    _change(session, step.id, passed_at=now)


def not_again(session: Session, step: Step) -> None:
    """Note that redo came to a step and could repeat nothing."""
    _change(session, step.id, again=None)


def history(session: Session, person_id: int | None, before: int | None, limit: int, *, votes_of: int) -> list[Step]:
    """Return steps of a person or of everybody, the newest first, those from `before` on left out.

    Votes are shown of one person only.
    """
    conditions = [or_(StepRow.kind != "vote", StepRow.person_id == votes_of)]
    if person_id is not None:
        conditions.append(StepRow.person_id == person_id)
    if before is not None:
        conditions.append(StepRow.id < before)
    return _steps(session, *conditions, limit=limit)


def acknowledge(session: Session, versions: Sequence[int], actor: Actor, step_id: int, now: datetime) -> None:
    """Note that somebody has read what these versions did."""
    who = {"person_id": actor.person_id, "role": actor.role, "at": now, "step_id": step_id}
    session.execute(insert(AcknowledgementRow), [{"version_id": each, **who} for each in versions])


def acknowledged(session: Session, step_id: int, *, withdrawn: bool) -> list[int]:
    """Return the versions that a step acknowledged: those that stand, or those that it took back."""
    taken_back = AcknowledgementRow.withdrawn_at.is_not(None)
    rows = session.scalars(
        select(AcknowledgementRow.version_id)
        .where(AcknowledgementRow.step_id == step_id, taken_back if withdrawn else ~taken_back)
        .distinct()
    )
    return sorted(rows)


def withdraw(session: Session, step_id: int, now: datetime) -> None:
    """Take back what a step acknowledged; the rows stay."""
    session.execute(
        update(AcknowledgementRow)
        .where(AcknowledgementRow.step_id == step_id, AcknowledgementRow.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
        .execution_options(synchronize_session=False)
    )


def _change(session: Session, step_id: int, **values: object) -> None:
    session.execute(
        update(StepRow).where(StepRow.id == step_id).values(**values).execution_options(synchronize_session=False)
    )


def _steps(session: Session, *where: Any, limit: int = 1) -> list[Step]:
    rows = session.execute(
        select(
            StepRow.id,
            StepRow.person_id,
            PersonRow.name,
            StepRow.kind,
            StepRow.at,
            StepRow.told,
            StepRow.undone_at,
            StepRow.passed_at,
        )
        .join(PersonRow, PersonRow.id == StepRow.person_id)
        .where(*where)
        .order_by(StepRow.id.desc())
        .limit(limit)
    )
    return [
        Step(
            row.id,
            row.person_id,
            row.name,
            row.kind,
            row.at,
            **told(row.told),
            undone_at=row.undone_at,
            passed_at=row.passed_at,
        )
        for row in rows
    ]
