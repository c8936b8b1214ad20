"""Citations, the versions seen of each, how PubMed links them, and when each is checked again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from monitor.storage.tables.base import Base

DOI_INDEXED = 500
"""Characters of a DOI, in lower case, by which it is found."""


class CitationRow(Base):
    """One PMID at its highest Version: what is sorted or filtered, and the whole record in `doc`.

    What PubMed lacks is NULL. A provisional citation was named by an imported file and not fetched yet.
    `doc` is the encoded and compressed `Citation` (`storage.codec`), `hash` the blake2b of its encoded form.
    """

    __tablename__ = "citation"

    pmid: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]
    provisional: Mapped[bool] = mapped_column(default=False)
    year: Mapped[int | None]
    doi: Mapped[str | None]
    pmcid: Mapped[str | None]
    retracted: Mapped[bool] = mapped_column(default=False)
    concern: Mapped[bool] = mapped_column(default=False)
    hash: Mapped[bytes]
    codec: Mapped[int]
    doc: Mapped[bytes]
    added_at: Mapped[datetime]
    changed_at: Mapped[datetime]


# PostgreSQL refuses index entries above 2,700 bytes; what is longer than any DOI is still kept whole.
Index("ix_citation_doi", func.substr(func.lower(CitationRow.doi), 1, DOI_INDEXED))

for _name in ("provisional", "retracted", "concern"):
    _flag = CitationRow.__table__.c[_name]
    Index(f"ix_citation_{_name}", CitationRow.pmid, sqlite_where=_flag.is_(True), postgresql_where=_flag.is_(True))


class IndexRow(Base):
    """What facets count of a citation (`storage.fulltext.shown`); on PostgreSQL also its words, in `search`.

    Apart from `citation`, because counting and searching read many of these rows and never a document.
    """

    __tablename__ = "citation_index"

    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), primary_key=True, autoincrement=False)
    facets: Mapped[str]


class IndexStateRow(Base):
    """The one row that says by which code and MeSH tree the search index was written (`storage.indexing`)."""

    __tablename__ = "index_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str]


class CheckRow(Base):
    """When a citation was last fetched and is due again; apart from `citation` so that an unchanged one costs little.

    `misses` counts confirmations in a row that PubMed no longer has the PMID: its own answers, spaced, and at most once
    the word of NLM's files. Two mark it withdrawn.
    """

    __tablename__ = "citation_check"

    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), primary_key=True, autoincrement=False)
    fetched_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    misses: Mapped[int] = mapped_column(default=0)
    missed_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class VersionRow(Base):
    """One distinct version seen, or that PubMed withdrew it. `changes` are names of `Change`, none at first sight.

    `doc` is NULL while `citation` shows this version, and where another row of the same hash holds it. `text_hash` is
    `core.screening.fingerprint` where title or abstract are not as in the version before; `integrity` says whether
    `changes` bear on how far the paper stands (`core.revision.INTEGRITY`).
    """

    __tablename__ = "citation_version"

    id: Mapped[int] = mapped_column(primary_key=True)
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), index=True)
    version: Mapped[int]
    hash: Mapped[bytes]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    poll_id: Mapped[int | None] = mapped_column(ForeignKey("poll.id"))
    changes: Mapped[list[str]]
    codec: Mapped[int | None]
    doc: Mapped[bytes | None]
    text_hash: Mapped[bytes | None]
    integrity: Mapped[bool] = mapped_column(default=False)


_reworded, _grave = VersionRow.text_hash.is_not(None), VersionRow.integrity.is_(True)
Index(
    "ix_citation_version_reworded", VersionRow.pmid, VersionRow.id, sqlite_where=_reworded, postgresql_where=_reworded
)
Index("ix_citation_version_integrity", VersionRow.pmid, sqlite_where=_grave, postgresql_where=_grave)


class RelationRow(Base):
    """A link as PubMed states it (RefType in `kind`) from `seen_at` until `ended_at`; the far end may be unknown to us.

    A link may end, never vanish: one that is stated again is a row again. `link_key` tells links of one citation apart: a hash of kind, other PMID and source, which may be of any length.
    """

    __tablename__ = "relation"

    id: Mapped[int] = mapped_column(primary_key=True)
    pmid: Mapped[int] = mapped_column(ForeignKey("citation.pmid"), index=True)
    kind: Mapped[str]
    other_pmid: Mapped[int | None] = mapped_column(index=True)
    source: Mapped[str]
    link_key: Mapped[bytes]
    origin: Mapped[str]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


_standing = RelationRow.ended_at.is_(None)
Index(
    "uq_relation_link",
    RelationRow.pmid,
    RelationRow.link_key,
    unique=True,
    sqlite_where=_standing,
    postgresql_where=_standing,
)
