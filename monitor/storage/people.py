"""People and subscriptions: a session in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.orm import Session

from monitor.core.people import Followed, Person, Preferences, Subscription
from monitor.storage.tables import PersonRow, SubscriptionRow, SubscriptionTopicRow, SuppressionRow, TopicRow


def everyone(session: Session) -> list[Person]:
    """Return all people by address, each with the living subscription; three statements however many there are."""
    return _people(session)


def find(session: Session, key: str) -> Person | None:
    """Return the person with that address key, disabled or not."""
    return next(iter(_people(session, PersonRow.address_key == key)), None)


def find_by_id(session: Session, person_id: int) -> Person | None:
    return next(iter(_people(session, PersonRow.id == person_id)), None)


def names(session: Session) -> dict[int, str]:
    """Return what everybody is called, disabled people too."""
    return {
        row.id: row.name or row.address
        for row in session.execute(select(PersonRow.id, PersonRow.name, PersonRow.address))
    }


def add(session: Session, address: str, key: str, name: str, role: str, language: str, now: datetime) -> int:
    """Insert a person and return the id; the caller has made sure that the address is free."""
    person_id: int = session.execute(
        insert(PersonRow)
        .values(address=address, address_key=key, name=name, role=role, language=language, created_at=now)
        .returning(PersonRow.id)
    ).scalar_one()
    return person_id


def change(session: Session, person_id: int, **values: object) -> None:
    """Set columns of a person."""
    session.execute(update(PersonRow).where(PersonRow.id == person_id).values(**values))


def count_change(session: Session, person_id: int, version: int) -> bool:
    """Count one change of a person; False where the person is no longer at the version that the change was made for."""
    changed = session.execute(
        update(PersonRow)
        .where(PersonRow.id == person_id, PersonRow.version == version)
        .values(version=PersonRow.version + 1)
        .returning(PersonRow.id)
    )
    return changed.one_or_none() is not None


def touch(session: Session, person_id: int) -> None:
    """Count one change of a person, whatever the version: forms that were opened before notice it."""
    session.execute(update(PersonRow).where(PersonRow.id == person_id).values(version=PersonRow.version + 1))


def with_role(session: Session, role: str) -> list[int]:
    """Return who holds that role and can still come in; nobody changes them until this transaction ends."""
    rows = select(PersonRow.id).where(PersonRow.role == role, PersonRow.disabled_at.is_(None)).order_by(PersonRow.id)
    return list(session.scalars(rows.with_for_update(key_share=True)))


def living(session: Session) -> list[tuple[Subscription, str]]:
    """Return every living subscription of a person who is not disabled, with the address; two statements."""
    rows = session.execute(
        select(SubscriptionRow, PersonRow.address)
        .join(PersonRow, PersonRow.id == SubscriptionRow.person_id)
        .where(SubscriptionRow.ended_at.is_(None), PersonRow.disabled_at.is_(None))
        .order_by(SubscriptionRow.id)
    ).all()
    topics = _topics(session, SubscriptionRow.ended_at.is_(None))
    return [(_subscription(row, topics), address) for row, address in rows]


def by_token(session: Session, token: str) -> Subscription | None:
    """Return the subscription an unsubscribe link belongs to, ended or not."""
    row = session.scalars(select(SubscriptionRow).where(SubscriptionRow.token == token)).one_or_none()
    return _subscription(row, _topics(session, SubscriptionRow.id == row.id)) if row is not None else None


def subscribe(
    session: Session,
    person_id: int,
    *,
    day: int,
    hour: int,
    zone: str,
    language: str,
    card_limit: int,
    token: str,
    now: datetime,
    level_floor: str | None = None,
    paused_until: date | None = None,
) -> int:
    """Insert a living subscription without topics; the database refuses a second one of the same person."""
    subscription_id: int = session.execute(
        insert(SubscriptionRow)
        .values(
            person_id=person_id,
            day=day,
            hour=hour,
            zone=zone,
            language=language,
            card_limit=card_limit,
            level_floor=level_floor,
            paused_until=paused_until,
            token=token,
            created_at=now,
            scheduled_at=now,
        )
        .returning(SubscriptionRow.id)
    ).scalar_one()
    return subscription_id


def change_subscription(session: Session, subscription_id: int, **values: object) -> None:
    """Set columns of a subscription."""
    session.execute(update(SubscriptionRow).where(SubscriptionRow.id == subscription_id).values(**values))


def follow(session: Session, subscription_id: int, topics: Iterable[str], now: datetime) -> None:
    rows = [{"subscription_id": subscription_id, "topic_id": topic, "since": now} for topic in topics]
    if rows:
        session.execute(insert(SubscriptionTopicRow), rows)


def unfollow(session: Session, subscription_id: int, topics: Sequence[str]) -> None:
    session.execute(
        delete(SubscriptionTopicRow).where(
            SubscriptionTopicRow.subscription_id == subscription_id, SubscriptionTopicRow.topic_id.in_(topics)
        )
    )


def end(session: Session, subscription_id: int, now: datetime) -> None:
    """End a subscription; one that has ended keeps the moment it did."""
    session.execute(
        update(SubscriptionRow)
        .where(SubscriptionRow.id == subscription_id, SubscriptionRow.ended_at.is_(None))
        .values(ended_at=now)
    )


def living_topics(session: Session) -> dict[str, str]:
    """Return the titles of topics that can be followed, in their order."""
    rows = session.execute(
        select(TopicRow.id, TopicRow.title)
        .where(TopicRow.retired_at.is_(None))
        .order_by(TopicRow.position, TopicRow.id)
    )
    return {row.id: row.title for row in rows}


def retired_topics(session: Session) -> set[str]:
    """Return the topics that cannot be followed any more."""
    return set(session.scalars(select(TopicRow.id).where(TopicRow.retired_at.is_not(None))))


def suppression(session: Session, key: str) -> SuppressionRow | None:
    return session.get(SuppressionRow, key)


def suppress(session: Session, key: str, reason: str, now: datetime) -> None:
    """Stop all mail to an address; the first reason stands."""
    if suppression(session, key) is None:
        session.execute(insert(SuppressionRow).values(address_key=key, reason=reason, text=None, since=now))


def lift_suppression(session: Session, key: str) -> None:
    session.execute(delete(SuppressionRow).where(SuppressionRow.address_key == key))


def _people(session: Session, *where: ColumnElement[bool]) -> list[Person]:
    rows = session.execute(
        select(PersonRow, SubscriptionRow, SuppressionRow.reason)
        .outerjoin(SubscriptionRow, (SubscriptionRow.person_id == PersonRow.id) & SubscriptionRow.ended_at.is_(None))
        .outerjoin(SuppressionRow, SuppressionRow.address_key == PersonRow.address_key)
        .where(*where)
        .order_by(PersonRow.address_key)
    ).all()
    living = [held.id for _, held, _ in rows if held is not None]
    # Asked for one person, read one person's topics; asked for all, their many ids need not be named.
    theirs = SubscriptionRow.id.in_(living) if where else SubscriptionRow.ended_at.is_(None)
    topics = _topics(session, theirs) if living else {}
    return [
        Person(
            id=person.id,
            address=person.address,
            name=person.name,
            role=person.role,
            language=person.language,
            created_at=person.created_at,
            disabled_at=person.disabled_at,
            subscription=_subscription(row, topics) if row is not None else None,
            suppressed=suppressed,
            has_password=person.password_hash is not None,
            seen_at=person.seen_at,
            version=person.version,
            preferences=Preferences.read(person.preferences),
        )
        for person, row, suppressed in rows
    ]


def _topics(session: Session, *where: ColumnElement[bool]) -> dict[int, tuple[Followed, ...]]:
    found: dict[int, list[Followed]] = {}
    for row in session.execute(
        select(
            SubscriptionTopicRow.subscription_id,
            SubscriptionTopicRow.topic_id,
            SubscriptionTopicRow.since,
            TopicRow.retired_at,
        )
        .join(SubscriptionRow, SubscriptionRow.id == SubscriptionTopicRow.subscription_id)
        .join(TopicRow, TopicRow.id == SubscriptionTopicRow.topic_id)
        .where(*where)
        .order_by(SubscriptionTopicRow.subscription_id, TopicRow.position, TopicRow.id)
    ):
        found.setdefault(row.subscription_id, []).append(Followed(row.topic_id, row.since, row.retired_at is not None))
    return {subscription_id: tuple(topics) for subscription_id, topics in found.items()}


def _subscription(row: SubscriptionRow, topics: dict[int, tuple[Followed, ...]]) -> Subscription:
    return Subscription(
        id=row.id,
        person_id=row.person_id,
        topics=topics.get(row.id, ()),
        day=row.day,
        hour=row.hour,
        zone=row.zone,
        language=row.language,
        card_limit=row.card_limit,
        token=row.token,
        created_at=row.created_at,
        scheduled_at=row.scheduled_at,
        ended_at=row.ended_at,
        level_floor=row.level_floor,
        paused_until=row.paused_until,
    )
