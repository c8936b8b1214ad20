"""The words of the field: versions of vocabulary and levels, what they propose for each citation, and how it was received."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from monitor.storage.tables.base import Base


class RulebookRow(Base):
    """One immutable version of the vocabulary or of the level rules, as YAML; the newest of each kind is in force.

    `origin` is `starter` for what we ship and `lab` for what people made of it.
    """

    __tablename__ = "rulebook"

    kind: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    origin: Mapped[str]
    reason: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("kind IN ('vocabulary', 'levels')", name="kind"),
        CheckConstraint("origin IN ('starter', 'lab')", name="origin"),
    )


class ProposalRow(Base):
    """What the rules in force propose for a citation as it stands; derived, and made again whenever either changes.

    `hash` is the content hash of the citation read, `vocabulary` and `levels` the versions applied. `level`, `design`
    and `participants` (the sample size) stand apart because lists are sorted and filtered by them; `found` is the rest.
    A provisional level holds `until` that day.
    """

    __tablename__ = "proposal"

    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), primary_key=True)
    hash: Mapped[bytes]
    vocabulary: Mapped[int]
    levels: Mapped[int]
    level: Mapped[str]
    design: Mapped[str]
    participants: Mapped[int | None]
    found: Mapped[dict[str, Any]]
    until: Mapped[date | None]
    made_at: Mapped[datetime]

    __table_args__ = (
        # Says which are missing or behind without reading the rows themselves, of which each is a page of JSON.
        Index("ix_proposal_rules", "vocabulary", "levels", "pmid", "made_at"),
        # What lists are sorted and filtered by, for the same reason.
        Index("ix_proposal_level", "pmid", "level", "design"),
    )


_ENDS = ProposalRow.until.is_not(None)
Index("ix_proposal_until", ProposalRow.until, sqlite_where=_ENDS, postgresql_where=_ENDS)


class PatternUseRow(Base):
    """How one suggestion was received when its paper was decided: accepted, or removed or left; counted by pattern."""

    __tablename__ = "pattern_use"

    id: Mapped[int] = mapped_column(primary_key=True)
    pattern: Mapped[str]
    term: Mapped[str]
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"))
    accepted: Mapped[bool]
    removed: Mapped[bool]
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), index=True)
    at: Mapped[datetime]

    __table_args__ = (Index("ix_pattern_use_pattern", "pattern"),)
