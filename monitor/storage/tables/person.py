"""People, what each receives, and the log of who did what."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from monitor.storage.tables.base import Base


class PersonRow(Base):
    """A member, curator or admin. `address_key` is the address as compared (casefolded); archived, never deleted.

    `password_hash` is argon2id, and None until an invitation is taken up. `preferences` are `core.people.Preferences`.
    `version` counts the changes of the row, for two admins at once.
    """

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str]
    address_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    language: Mapped[str]
    password_hash: Mapped[str | None]
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("role IN ('member', 'curator', 'admin')", name="role"),)


class SubscriptionRow(Base):
    """What one person receives and when: local weekday (0 is Monday), hour and zone. One living one a person.

    `token` is the random part of the unsubscribe link; it can only unsubscribe and stays valid for ever.
    `level_floor` is the lowest level that becomes a card or a line, ungraded papers included where it is None; nothing is
    due before `paused_until`. `scheduled_at` is when day, hour or zone were last set: slots before it are not due.
    """

    __tablename__ = "subscription"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    day: Mapped[int]
    hour: Mapped[int]
    zone: Mapped[str]
    language: Mapped[str]
    card_limit: Mapped[int]
    level_floor: Mapped[str | None]
    paused_until: Mapped[date | None]
    token: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    scheduled_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_subscription_living",
            "person_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        CheckConstraint("day BETWEEN 0 AND 6", name="day"),
        CheckConstraint("hour BETWEEN 0 AND 23", name="hour"),
    )


class SubscriptionTopicRow(Base):
    """A topic followed; `since` is when: hits found earlier are not news to this subscription."""

    __tablename__ = "subscription_topic"

    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"), primary_key=True)
    topic_id: Mapped[str] = mapped_column(ForeignKey("topic.id"), primary_key=True)
    since: Mapped[datetime]


class EventRow(Base):
    """Who did what to what, when, from where, with the role held then. Append-only."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    actor: Mapped[str]
    role: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]

    __table_args__ = (
        Index("ix_event_subject", "subject"),
        Index("ix_event_actor", "actor_id", "id"),
        Index("ix_event_action", "action", "id"),
    )
