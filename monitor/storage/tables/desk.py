"""The curators' desk: steps that can be undone, votes, notes, who reads what, what was acknowledged, and readers' marks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from monitor.storage.tables.base import Base


class StepRow(Base):
    """One thing somebody did at the desk, however many papers it touched: what undo takes back and redo repeats.

    Its verdicts, tags, votes and acknowledgements name it, those that take them back as well. `told` is what the toast
    and the history say of it; `undone_at` stands while it is taken back, and `again` is its place among what redo repeats,
    the highest first. `passed_at`: undo came to it, could take nothing of it back, and went on.
    """

    __tablename__ = "step"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    told: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    again: Mapped[int | None]
    passed_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_step_person", "person_id", "id"),)


class VoteRow(Base):
    """One verdict in blind double screening; two that agree become a decision, two that do not wait for a third person.

    `screened` are the paper's topics that were doubly screened then, `topics` those it is to be kept in; tags and level
    are put on with the decision. `hash` is the fingerprint of what was read: a revision outdates the vote. One that was
    taken back stays, withdrawn.
    """

    __tablename__ = "vote"

    id: Mapped[int] = mapped_column(primary_key=True)
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    verdict: Mapped[str]
    topics: Mapped[list[str]]
    screened: Mapped[list[str]]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    tags: Mapped[list[str]]
    level: Mapped[str | None]
    hash: Mapped[bytes]
    voted_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), index=True)

    __table_args__ = (
        CheckConstraint("verdict IN ('keep', 'maybe', 'dismiss')", name="verdict"),
        Index("ix_vote_pmid", "pmid"),
    )


class NoteRow(Base):
    """What one person has written on one citation, as it stands; `version` counts its changes, for two open windows."""

    __tablename__ = "note"

    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    text: Mapped[str]
    version: Mapped[int]
    changed_at: Mapped[datetime]


class ReadingRow(Base):
    """Who has a citation open at the desk, for the moment; another may take it over."""

    __tablename__ = "reading"

    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    since: Mapped[datetime]
    until: Mapped[datetime]


class AcknowledgementRow(Base):
    """Somebody has read what a version did to a citation's standing; it leaves the integrity lane.

    One that was taken back stays, withdrawn.
    """

    __tablename__ = "acknowledgement"

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("citation_version.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
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
