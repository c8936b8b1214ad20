"""Judgements of curators: verdicts and tags, added and never edited; and searches that people keep."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from monitor.storage.tables.base import Base

_MAYBE = text("verdict = 'maybe'")


class DecisionRow(Base):
    """One verdict on a citation by one person at one moment; the newest stands, and `open` is none.

    `topics` are those it was kept in. `hash` is `core.screening.fingerprint` of what was read, `role` the role held
    then; a decision at the command line has no person. A row that takes another back names it in `undoes` and repeats
    the verdict before that one, with its person and role; the log says who took it back. Maybe may wait until a day, or
    for the person who was asked.
    """

    __tablename__ = "decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"))
    verdict: Mapped[str]
    topics: Mapped[list[str]]
    reason: Mapped[str | None]
    note: Mapped[str | None]
    until: Mapped[date | None]
    asked_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    hash: Mapped[bytes]
    undoes: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), index=True)
    decided_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("verdict IN ('keep', 'maybe', 'dismiss', 'open')", name="verdict"),
        Index("ix_decision_pmid", "pmid", "id", "verdict"),
        Index("ix_decision_maybe", "pmid", sqlite_where=_MAYBE, postgresql_where=_MAYBE),
        Index("ix_decision_person", "person_id", "decided_at"),
    )


class TaggingRow(Base):
    """One term of a facet put on a citation or taken off; of each facet and term the newest row stands.

    Facets: `tag`, `level` (at most one term at a time), `claim`. `origin` is `person` or `rule`. A row that takes another
    back names it in `undoes`.
    """

    __tablename__ = "tagging"

    id: Mapped[int] = mapped_column(primary_key=True)
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"))
    facet: Mapped[str]
    term: Mapped[str]
    added: Mapped[bool]
    origin: Mapped[str]
    reason: Mapped[str | None]
    undoes: Mapped[int | None] = mapped_column(ForeignKey("tagging.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str]
    step_id: Mapped[int | None] = mapped_column(ForeignKey("step.id"), index=True)
    tagged_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("facet IN ('tag', 'level', 'claim')", name="facet"),
        CheckConstraint("origin IN ('person', 'rule')", name="origin"),
        # With all that is asked of a row: facets look up thousands of citations, searches thousands of rows of a term.
        Index("ix_tagging_pmid", "pmid", "facet", "term", "id", "added"),
        Index("ix_tagging_term", "facet", "term", "pmid", "added"),
    )


class SavedSearchRow(Base):
    """A search of the library that somebody keeps; `key` is the unguessable part of its feed's address."""

    __tablename__ = "saved_search"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    query: Mapped[str]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
