"""The curators' desk: steps that can be undone, votes, notes, what waits, who reads what, and readers' marks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from monitor.storage.tables.base import Base


class StepRow(Base):
    """One thing somebody did at the desk, however many papers it touched: what undo takes back and redo repeats.

    Its verdicts, tags and votes name it. `told` is what the toast and the history say of it; `undone_at` stands while it
    is taken back.
    """

    __tablename__ = "step"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    told: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_step_person", "person_id", "id"),)


class VoteRow(Base):
    """One verdict in blind double screening of a topic; two that agree become a decision, two that do not wait for a third.

    `hash` is the fingerprint of what was read. A vote that was taken back or outdated by a revision stays, withdrawn.
    """

    __tablename__ = "vote"

    id: Mapped[int] = mapped_column(primary_key=True)
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"))
    topic_id: Mapped[str] = mapped_column(ForeignKey("topic.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    verdict: Mapped[str]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    hash: Mapped[bytes]
    voted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), index=True)

    __table_args__ = (
        CheckConstraint("verdict IN ('keep', 'maybe', 'dismiss')", name="verdict"),
        Index("ix_vote_topic", "topic_id", "pmid"),
    )


class NoteRow(Base):
    """What one person has written on one citation, as it stands; `version` counts its changes, for two open windows."""

    __tablename__ = "note"

    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    text: Mapped[str]
    version: Mapped[int]
    changed_at: Mapped[datetime]


class WaitRow(Base):
    """A paper put aside with maybe: until a day, or until a person was asked; ended by the next verdict."""

    __tablename__ = "wait"

    id: Mapped[int] = mapped_column(primary_key=True)
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    until: Mapped[date | None]
    asked_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), index=True)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ReadingRow(Base):
    """Who has a citation open at the desk, for the moment; another may take it over."""

    __tablename__ = "reading"

    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    since: Mapped[datetime]
    until: Mapped[datetime]


class AcknowledgementRow(Base):
    """Somebody has read what happened to a citation (`citation_version.number`); it leaves the integrity lane."""

    __tablename__ = "acknowledgement"

    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), index=True)


class MarkRow(Base):
    """A reader's own mark on a citation; none of them decides anything."""

    __tablename__ = "mark"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("kind IN ('seen', 'saved', 'not-for-me')", name="kind"),
        Index("ix_mark_pmid", "pmid", "kind"),
    )
