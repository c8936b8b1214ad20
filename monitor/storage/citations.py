"""Citations as kept: by PMID, all of them, version by version; `keep` stores what was fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.revision import Change
from monitor.storage import codec
from monitor.storage.bulk import batches
from monitor.storage.keeping import KeepReport, keep
from monitor.storage.tables import CheckRow, CitationRow, RelationRow, VersionRow

__all__ = [
    "Held",
    "KeepReport",
    "KeptLink",
    "Totals",
    "Version",
    "earlier",
    "everything",
    "held",
    "keep",
    "known",
    "load",
    "load_each",
    "relations",
    "totals",
    "versions",
]


@dataclass(frozen=True, slots=True)
class Held:
    """How a citation stands with us, without its document."""

    pmid: int
    version: int
    hash: bytes
    provisional: bool
    retracted: bool
    concern: bool
    added_at: datetime
    changed_at: datetime
    fetched_at: datetime
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a citation in the order seen, or the event that PubMed withdrew it."""

    id: int
    pmid: int
    version: int
    hash: bytes
    seen_at: datetime
    changes: tuple[Change, ...]
    poll_id: int | None


@dataclass(frozen=True, slots=True)
class KeptLink:
    """A link as PubMed states it from `pmid`; it stood from `seen_at` until `ended_at`."""

    pmid: int
    kind: str
    other_pmid: int | None
    source: str
    seen_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Totals:
    citations: int
    provisional: int
    retracted: int
    withdrawn: int
    versions: int


def load(session: Session, pmids: Iterable[int]) -> dict[int, Citation]:
    """Return the citations held among these PMIDs, in the order given."""
    return {each.pmid: each for each in load_each(session, pmids)}


def load_each(session: Session, pmids: Iterable[int]) -> Iterator[Citation]:
    """Yield the citations held among these PMIDs in the order given, each once, a batch in memory at a time."""
    for batch in batches(iter(dict.fromkeys(pmids))):
        found = {
            pmid: (number, doc)
            for pmid, number, doc in session.execute(_documents().where(CitationRow.pmid.in_(batch)))
        }
        for pmid in batch:
            if pmid in found:
                yield codec.decode(*found[pmid])


def everything(session: Session) -> Iterator[Citation]:
    """Yield every citation, highest PMID first, a batch in memory at a time."""
    below: int | None = None
    while True:
        page = _documents().order_by(CitationRow.pmid.desc()).limit(500)
        rows = session.execute(page if below is None else page.where(CitationRow.pmid < below)).all()
        for _, number, doc in rows:
            yield codec.decode(number, doc)
        if not rows:
            return
        below = rows[-1][0]


def held(session: Session, pmids: Iterable[int]) -> dict[int, Held]:
    """Return how those stand that are held among these PMIDs, by PMID."""
    columns = (
        CitationRow.pmid,
        CitationRow.version,
        CitationRow.hash,
        CitationRow.provisional,
        CitationRow.retracted,
        CitationRow.concern,
        CitationRow.added_at,
        CitationRow.changed_at,
        CheckRow.fetched_at,
        CheckRow.withdrawn_at,
    )
    found: dict[int, Held] = {}
    for batch in batches(iter(pmids)):
        query = select(*columns).join(CheckRow, CheckRow.pmid == CitationRow.pmid)
        for row in session.execute(query.where(CitationRow.pmid.in_(batch))):
            found[row.pmid] = Held(**row._mapping)
    return found


def known(session: Session, pmids: Iterable[int], *, fetched: bool = True) -> set[int]:
    """Return those PMIDs that are held; with `fetched`, provisional ones do not count."""
    found: set[int] = set()
    for batch in batches(iter(pmids)):
        query = select(CitationRow.pmid).where(CitationRow.pmid.in_(batch))
        if fetched:
            query = query.where(CitationRow.provisional.is_(False))
        found.update(session.scalars(query))
    return found


def versions(session: Session, pmid: int) -> list[Version]:
    """Return every version seen of a citation and what changed in it, first to last."""
    query = select(
        VersionRow.id,
        VersionRow.pmid,
        VersionRow.version,
        VersionRow.hash,
        VersionRow.seen_at,
        VersionRow.changes,
        VersionRow.poll_id,
    )
    rows = session.execute(query.where(VersionRow.pmid == pmid).order_by(VersionRow.id))
    return [
        Version(id, of, number, hash, seen_at, tuple(Change[each] for each in changes), poll_id)
        for id, of, number, hash, seen_at, changes, poll_id in rows
    ]


def earlier(session: Session, pmid: int) -> Iterator[Citation]:
    """Yield the versions of a citation that were shown before the one held now, the last first."""
    rows = session.execute(
        select(VersionRow.codec, VersionRow.doc)
        .where(VersionRow.pmid == pmid, VersionRow.doc.is_not(None))
        .order_by(VersionRow.id.desc())
    )
    for number, doc in rows.all():
        if number is not None and doc is not None:
            yield codec.decode(number, doc)


def relations(session: Session, pmids: Iterable[int]) -> list[KeptLink]:
    """Return the links from these citations and to them, ended ones too, in the order seen."""
    found: dict[int, KeptLink] = {}
    for batch in batches(iter(pmids)):
        for near in (RelationRow.pmid, RelationRow.other_pmid):
            rows = session.execute(
                select(
                    RelationRow.id,
                    RelationRow.pmid,
                    RelationRow.kind,
                    RelationRow.other_pmid,
                    RelationRow.source,
                    RelationRow.seen_at,
                    RelationRow.ended_at,
                ).where(near.in_(batch))
            )
            found.update((row[0], KeptLink(*row[1:])) for row in rows)
    return [found[id] for id in sorted(found)]


def totals(session: Session) -> Totals:
    """Count what is kept."""
    citations, provisional, retracted = session.execute(
        select(
            func.count(),
            func.count().filter(CitationRow.provisional.is_(True)),
            func.count().filter(CitationRow.retracted.is_(True)),
        ).select_from(CitationRow)
    ).one()
    withdrawn = session.scalar(select(func.count()).where(CheckRow.withdrawn_at.is_not(None)))
    versions = session.scalar(select(func.count()).select_from(VersionRow))
    return Totals(citations, provisional, retracted, withdrawn or 0, versions or 0)


def _documents() -> Select[int, int, bytes]:
    return select(CitationRow.pmid, CitationRow.codec, CitationRow.doc)
