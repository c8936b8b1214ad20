"""Notices that came back, the deliveries they are about, and the addresses they close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from monitor.core.delivery import NoticeKind
from monitor.storage.bulk import insertion
from monitor.storage.tables import BounceRow, DeliveryRow, SuppressionRow


@dataclass(frozen=True, slots=True)
class About:
    """The delivery a notice is about."""

    id: int
    person_id: int
    address: str
    state: str


def about(session: Session, delivery_id: int | None, message_id: str | None) -> About | None:
    """Find the delivery by its number, already proven, or by the Message-ID of the mail."""
    columns = (DeliveryRow.id, DeliveryRow.person_id, DeliveryRow.address, DeliveryRow.state)
    if delivery_id is not None:
        row = session.execute(select(*columns).where(DeliveryRow.id == delivery_id)).one_or_none()
    elif message_id is not None:
        row = session.execute(select(*columns).where(DeliveryRow.message_id == message_id)).one_or_none()
    else:
        row = None
    return About(*row) if row is not None else None


def keep_notice(
    session: Session,
    *,
    at: datetime,
    kind: NoticeKind,
    fingerprint: str,
    address_key: str | None = None,
    delivery_id: int | None = None,
    status: str | None = None,
    text: str | None = None,
) -> bool:
    """Keep a notice; False if the same one is there already."""
    values = {
        "at": at,
        "kind": kind.value,
        "fingerprint": fingerprint,
        "address_key": address_key,
        "delivery_id": delivery_id,
        "status": status,
        "text": text,
    }
    statement = insertion(session, BounceRow).values(**values).on_conflict_do_nothing().returning(BounceRow.id)
    return session.execute(statement).one_or_none() is not None


def mark_undelivered(session: Session, delivery_id: int, why: str) -> bool:
    """A letter taken by the relay did not arrive: it counts as failed, so that its papers are carried over."""
    changed = session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id, DeliveryRow.state.in_(("sent", "in_doubt", "queued")))
        .values(state="failed", error=why, sent_at=None)
        .returning(DeliveryRow.id)
    )
    return changed.one_or_none() is not None


def mark_arrived(session: Session, delivery_id: int, now: datetime) -> bool:
    """A letter in doubt did arrive."""
    changed = session.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == delivery_id, DeliveryRow.state == "in_doubt")
        .values(state="sent", error=None, sent_at=now)
        .returning(DeliveryRow.id)
    )
    return changed.one_or_none() is not None


def soft_in_a_row(session: Session, delivery_id: int, person_id: int, most: int) -> int:
    """Count how many deliveries to this person, from this one back, each brought a soft bounce; one point an issue."""
    recent = session.scalars(
        select(DeliveryRow.id)
        .where(
            DeliveryRow.person_id == person_id,
            DeliveryRow.id <= delivery_id,
            DeliveryRow.state.in_(("sent", "failed", "in_doubt")),
        )
        .order_by(DeliveryRow.id.desc())
        .limit(most)
    ).all()
    soft = set(
        session.scalars(
            select(BounceRow.delivery_id).where(
                BounceRow.delivery_id.in_(recent), BounceRow.kind == NoticeKind.SOFT.value
            )
        )
    )
    count = 0
    for each in recent:
        if each not in soft:
            break
        count += 1
    return count


def suppress(session: Session, key: str, reason: str, text: str | None, now: datetime) -> bool:
    """Close an address; False if it is closed already, whose reason then stands."""
    statement = (
        insertion(session, SuppressionRow)
        .values(address_key=key, reason=reason, text=text, since=now)
        .on_conflict_do_nothing()
        .returning(SuppressionRow.address_key)
    )
    return session.execute(statement).one_or_none() is not None
