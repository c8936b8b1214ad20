"""Where each subscription stands: what it was served, what it lacks, and who gets no mail at present."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, bindparam, case, func, select
from sqlalchemy.orm import Session

from monitor.storage.bulk import batches
from monitor.storage.tables import DeliveryRow, IssueRow, PersonRow, SubscriptionRow, SuppressionRow

UNDERWAY = ("queued", "leased", "in_doubt", "sent")
"""A delivery in one of these has brought its papers, or still may; failed and cancelled ones are made up for."""
_SAME = timedelta(days=1)
"""Readers of one issue were served until the same day, not the same moment."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a subscription stands: its last slot and delivery, and until when it is served.

    That is where the last issue ends, or where one begins that did not arrive and that no later one made up for;
    `arrived` counts the issues that came after such a one all the same.
    """

    last_slot: str | None = None
    last_delivery: int = 0
    served_until: datetime | None = None
    arrived: int = 0


def _lost() -> Select[int, datetime, datetime | None, int]:
    later, issue = DeliveryRow.__table__.alias(), IssueRow.__table__.alias()
    since = (
        select(func.min(issue.c.covers_from))
        .join_from(later, issue, issue.c.id == later.c.issue_id)
        .where(
            later.c.subscription_id == DeliveryRow.subscription_id,
            later.c.id > DeliveryRow.id,
            later.c.state.in_(UNDERWAY),
        )
    )
    return (
        select(
            DeliveryRow.subscription_id,
            IssueRow.covers_from,
            since.scalar_subquery(),
            since.with_only_columns(func.count()).scalar_subquery(),
        )
        .join(SubscriptionRow, SubscriptionRow.id == DeliveryRow.subscription_id)
        .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
        .where(
            SubscriptionRow.ended_at.is_(None),
            DeliveryRow.state.not_in(UNDERWAY),
            IssueRow.covers_from <= bindparam("now", type_=IssueRow.covers_from.type),
        )
    )


_LOST = _lost()
"""Built once: putting a statement together takes longer than running this one."""


def standings(session: Session, now: datetime) -> dict[int, Standing]:
    """Return where each living subscription stands that was served at least once.

    Slots and ends that lie in the future come from a clock that was ahead once. They count for nothing: readers would
    get no issue until then. What such an issue told is known by name all the same.
    """
    # It is tomorrow already somewhere.
    slot = case((DeliveryRow.slot <= (now + _SAME).astimezone(UTC).date().isoformat(), DeliveryRow.slot))
    last = session.execute(
        select(DeliveryRow.subscription_id, func.max(slot), func.max(DeliveryRow.id))
        .join(SubscriptionRow, SubscriptionRow.id == DeliveryRow.subscription_id)
        .where(SubscriptionRow.ended_at.is_(None))
        .group_by(DeliveryRow.subscription_id)
    )
    served: dict[int, datetime] = dict(
        session.execute(
            select(DeliveryRow.subscription_id, func.max(IssueRow.covers_until))
            .join(SubscriptionRow, SubscriptionRow.id == DeliveryRow.subscription_id)
            .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
            .where(SubscriptionRow.ended_at.is_(None), DeliveryRow.state.in_(UNDERWAY), IssueRow.covers_until <= now)
            .group_by(DeliveryRow.subscription_id)
        ).all()
    )
    lost = _not_made_up_for(session, now)
    found = {}
    for number, last_slot, delivery in last:
        until, arrived = served.get(number), 0
        if number in lost and (until is None or lost[number][0] < until):
            until, arrived = lost[number]
        found[number] = Standing(last_slot, delivery, until, arrived)
    return found


def _not_made_up_for(session: Session, now: datetime) -> dict[int, tuple[datetime, int]]:
    """Return from when each living subscription lacks papers of an issue that did not arrive, and how many came since.

    An issue makes up for a lost one when it begins where that one did. What was frozen before the loss was known
    begins later, and would hide it for good once the overlap of selections no longer reaches back.
    """
    rows = session.execute(_LOST, {"now": now})
    lost: dict[int, tuple[datetime, int]] = {}
    for number, begins, made_up_from, arrived in rows:
        if made_up_from is None or made_up_from > begins + _SAME:
            earliest, counted = lost.get(number, (begins, arrived))
            lost[number] = (min(begins, earliest), arrived if begins < earliest else max(arrived, counted))
    return lost


def served_before(session: Session, people: Collection[int], now: datetime) -> dict[int, datetime]:
    """Return until when the subscriptions that these people have ended served them."""
    found: dict[int, datetime] = {}
    for batch in batches(iter(people)):
        rows = session.execute(
            select(DeliveryRow.person_id, func.max(IssueRow.covers_until))
            .join(SubscriptionRow, SubscriptionRow.id == DeliveryRow.subscription_id)
            .join(IssueRow, IssueRow.id == DeliveryRow.issue_id)
            .where(
                DeliveryRow.person_id.in_(batch),
                DeliveryRow.state.in_(UNDERWAY),
                SubscriptionRow.ended_at.is_not(None),
                IssueRow.covers_until <= now,
            )
            .group_by(DeliveryRow.person_id)
        )
        found.update(dict(rows.all()))
    return found


def suppressed_people(session: Session) -> set[int]:
    """Return those whose address gets no mail at present."""
    return set(
        session.scalars(select(PersonRow.id).join(SuppressionRow, SuppressionRow.address_key == PersonRow.address_key))
    )
