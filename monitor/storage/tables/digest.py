"""Issues as they were selected and frozen, their deliveries, every attempt, and addresses that must not be written to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from monitor.storage.tables.base import Base


class IssueRow(Base):
    """One number of the digest, selected once and frozen; shared by subscriptions that would read the same.

    `slot` is the local date it fell on (`2026-11-23`), `label` the ISO week (`2026-W48`). `fingerprint` is the
    hash of selection and settings; `key` is the unguessable part of its web address; `content` is what the templates
    were given; `message` the whole mail with marks where recipient, token and Message-ID go.
    """

    __tablename__ = "issue"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    slot: Mapped[str]
    fingerprint: Mapped[str]
    label: Mapped[str]
    kind: Mapped[str]
    language: Mapped[str]
    covers_from: Mapped[datetime]
    covers_until: Mapped[datetime]
    subject: Mapped[str]
    content: Mapped[dict[str, Any]]
    html: Mapped[str]
    text: Mapped[str]
    message: Mapped[bytes]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("slot", "fingerprint"),
        CheckConstraint("kind IN ('news', 'quiet', 'blind')", name="kind"),
    )


class IssueEntryRow(Base):
    """A citation in an issue: as news of a topic, or as the follow-up of one sent before.

    `version_id` is the newest version known then: later ones are not yet told to those who got this issue.
    """

    __tablename__ = "issue_entry"

    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    section: Mapped[str]
    topic_id: Mapped[str | None] = mapped_column(ForeignKey("topic.id"))
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"))
    version_id: Mapped[int] = mapped_column(ForeignKey("citation_version.id"))
    changes: Mapped[list[str]]
    why: Mapped[list[str]]

    __table_args__ = (
        CheckConstraint("section IN ('news', 'correction')", name="section"),
        Index("ix_issue_entry_pmid", "pmid"),
    )


class DeliveryRow(Base):
    """One issue to one subscription's person; the outbox. Unique on subscription and slot: sent once.

    States: queued, leased, in_doubt, sent, failed, cancelled. `fence` rises with every claim, and every outcome is
    written `WHERE id = ? AND fence = ?`. The bytes are `issue.message` with the marks of this row filled in; `checksum`
    is their CRC-32 at the first attempt, so that a retry which would differ is noticed. `doubts` counts the times the
    row was taken up again after nobody knew whether the relay had it.
    """

    __tablename__ = "delivery"

    id: Mapped[int] = mapped_column(primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), index=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("subscription.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    slot: Mapped[str]
    address: Mapped[str]
    message_id: Mapped[str] = mapped_column(unique=True)
    dated_at: Mapped[datetime]
    state: Mapped[str]
    fence: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    next_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    doubts: Mapped[int] = mapped_column(default=0)
    checksum: Mapped[int | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("subscription_id", "slot"),
        CheckConstraint("state IN ('queued', 'leased', 'in_doubt', 'sent', 'failed', 'cancelled')", name="state"),
        Index("ix_delivery_state_next", "state", "next_at"),
    )


class AttemptRow(Base):
    """One try to hand a delivery to the relay, as it went. Append-only."""

    __tablename__ = "attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), index=True)
    fence: Mapped[int]
    at: Mapped[datetime]
    outcome: Mapped[str]
    phase: Mapped[str]
    code: Mapped[int | None]
    enhanced: Mapped[str | None]
    text: Mapped[str | None]
    seconds: Mapped[float]


class BounceRow(Base):
    """A delivery status notice that came back; `kind` is a `core.notices.Kind`."""

    __tablename__ = "bounce"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    address_key: Mapped[str | None] = mapped_column(index=True)
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    status: Mapped[str | None]
    text: Mapped[str | None]
    fingerprint: Mapped[str] = mapped_column(unique=True)


class SuppressionRow(Base):
    """An address that gets no mail until an admin lifts it or its owner opts in again."""

    __tablename__ = "suppression"

    address_key: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    text: Mapped[str | None]
    since: Mapped[datetime]
