"""Who runs what: slots taken once, signs of life, and the shared pace of requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from monitor.storage.tables.base import Base


class SlotRow(Base):
    """A job's slot, taken by exactly one process: whoever inserts the row runs it."""

    __tablename__ = "slot"

    job: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    taken_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    error: Mapped[str | None]


class HeartbeatRow(Base):
    """The last sign of life of a worker."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    details: Mapped[dict[str, Any]]


class PaceRow(Base):
    """When the next request under a shared limit may leave; seconds since the epoch, moved on by each reservation."""

    __tablename__ = "pace"

    key: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[float]
