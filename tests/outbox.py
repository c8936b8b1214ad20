"""An outbox filled with invented people and one invented issue, for tests and benchmarks of delivery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select

from monitor.core.address import address_key
from monitor.storage.engine import Database
from monitor.storage.tables import AttemptRow, DeliveryRow, IssueRow, PersonRow, SubscriptionRow
from tests.letters import template

START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
SECRET = b"invented secret of thirty-two oct"


class SetClock:
    """A clock that stands where it was put."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, **step: float) -> datetime:
        self.at += timedelta(**step)
        return self.at


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def fill(
    database: Database,
    addresses: list[str],
    *,
    message: bytes | None = None,
    at: datetime = START,
    slot: str = "2026-11-23",
) -> list[int]:
    """Queue one delivery of one issue to each address; people and subscriptions are made where they are missing."""
    with database.write() as session:
        issue_id = session.execute(
            insert(IssueRow)
            .values(
                slot=slot,
                key=f"key-of-invented-issue-{slot}",
                fingerprint=f"invented {slot}",
                label="2026-W48",
                kind="news",
                language="en",
                covers_from=at - timedelta(days=7),
                covers_until=at,
                subject="Invented digest",
                content={},
                html="",
                text="",
                message=message if message is not None else template(),
                created_at=at,
            )
            .returning(IssueRow.id)
        ).scalar_one()
        ids = []
        for address in addresses:
            key = address_key(address)
            person_id = session.scalars(select(PersonRow.id).where(PersonRow.address_key == key)).one_or_none()
            if person_id is None:
                person = PersonRow(
                    address=address, address_key=key, name="Invented", role="member", language="en", created_at=at
                )
                session.add(person)
                session.flush()
                person_id = person.id
                subscription = SubscriptionRow(
                    person_id=person_id,
                    day=0,
                    hour=7,
                    zone="UTC",
                    language="en",
                    card_limit=12,
                    token=f"token-of-invented-person-{person_id:07}",
                    created_at=at,
                    scheduled_at=at,
                )
                session.add(subscription)
                session.flush()
            subscription_id = session.scalars(
                select(SubscriptionRow.id).where(SubscriptionRow.person_id == person_id)
            ).one()
            delivery = DeliveryRow(
                issue_id=issue_id,
                subscription_id=subscription_id,
                person_id=person_id,
                slot=slot,
                address=address,
                message_id=f"<{slot}.{subscription_id}@lab.example>",
                dated_at=at,
                state="queued",
                next_at=at,
                created_at=at,
            )
            session.add(delivery)
            session.flush()
            ids.append(delivery.id)
    return ids


def rows(database: Database) -> dict[int, DeliveryRow]:
    with database.read() as session:
        return {row.id: row for row in session.scalars(select(DeliveryRow).order_by(DeliveryRow.id))}


def attempts(database: Database) -> list[AttemptRow]:
    with database.read() as session:
        return list(session.scalars(select(AttemptRow).order_by(AttemptRow.id)))
