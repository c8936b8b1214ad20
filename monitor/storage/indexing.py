"""By which code and MeSH tree the search index was written, and how it is written anew from the documents."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.errors import DatabaseBehind, DatabaseDamaged
from monitor.resources import resource_dir
from monitor.storage import codec, fulltext
from monitor.storage.bulk import BATCH, batches, is_sqlite
from monitor.storage.engine import Database
from monitor.storage.tables import CitationRow, IndexRow, IndexStateRow

VERSION: Final = 4
"""Raised whenever other words are written for the same citation, or elsewhere (a test holds one citation's words)."""
CITATION_LOCK: Final = 7_250_101
"""PostgreSQL advisory lock: one transaction at a time keeps citations or indexes them, as on SQLite."""

_ROW = 1
_UNFINISHED = "unfinished "
_PARTS = 8
_SAMPLED = 100
_NAMED = 10
_ANEW = "`monitor init --index` writes it anew"

Progress = Callable[[int, int], None]


class Renewal(NamedTuple):
    """How many citations were indexed, and those whose stored record cannot be read, which no search finds."""

    citations: int
    damaged: tuple[int, ...]


@cache
def wanted() -> str:
    """Return the version that this code and its MeSH tree write."""
    tree = (resource_dir("db") / "seed" / "mesh_tree.tsv").read_bytes()
    return f"{VERSION}-{hashlib.blake2b(tree, digest_size=8).hexdigest()}"


def found(session: Session) -> str | None:
    """Return the version by which the index was written; None where it never was."""
    return session.scalar(select(IndexStateRow.version).where(IndexStateRow.id == _ROW))


def is_current(session: Session) -> bool:
    """Say whether the index is what this code would write; that of an empty library always is."""
    return found(session) == wanted() or _is_empty(session)


def require(session: Session) -> None:
    """Raise DatabaseBehind where words of this code would be mixed with those of another; mark an empty index ours."""
    there = found(session)
    if there == wanted():
        return
    if not _is_empty(session):
        raise DatabaseBehind(why(there))
    _mark(session, wanted())


def why(there: str | None) -> str:
    """Say what is wrong with an index of that version."""
    if there is not None and there.startswith(_UNFINISHED):
        return "the search index is not finished; run `monitor init`"
    return "the search index was written by another version or with another MeSH tree; run `monitor init`"


def check(session: Session) -> None:
    """Raise DatabaseDamaged when the index is not sound, lacks a citation, or does not find some by their own words.

    Reads every document, and raises it as well for those that cannot be read: no index helps them.
    """
    if not is_current(session):
        raise DatabaseBehind(why(found(session)))
    try:
        indexed = fulltext.count(session)
    except DatabaseDamaged as error:
        raise DatabaseDamaged(f"the search index is damaged; {_ANEW}") from error
    citations = session.scalar(select(func.count()).select_from(CitationRow)) or 0
    unreadable = _unreadable(session)
    lacking = sum(not listed for listed in unreadable.values())
    if indexed != citations - lacking:
        raise DatabaseDamaged(f"the search index holds {indexed:,} of {citations:,} citations; {_ANEW}")
    for citation, added_at in _sample(session):
        if not fulltext.holds(session, citation, added_at):
            raise DatabaseDamaged(f"the search index does not hold the words of PMID {citation.pmid}; {_ANEW}")
    if unreadable:
        raise DatabaseDamaged(_damage(unreadable, lacking))


def _damage(unreadable: dict[int, bool], lacking: int) -> str:
    some = ", ".join(map(str, list(unreadable)[:_NAMED])) + (", …" if len(unreadable) > _NAMED else "")
    papers = "1 paper" if len(unreadable) == 1 else f"{len(unreadable):,} papers"
    first = "" if lacking == len(unreadable) else "run `monitor init --index`, and "
    return (
        f"the stored record of {papers} cannot be read (PMID {some}): restore a backup, or {first}PubMed's answer "
        "to the next check of the paper takes its place"
    )


def lock(session: Session) -> None:
    """Let no other transaction keep or index citations until this one ends."""
    if not is_sqlite(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CITATION_LOCK})


def renew(database: Database, progress: Progress | None = None, *, always: bool = False) -> Renewal | None:
    """Write the index anew, batch by batch, if it is not current or if asked to; None where it was left alone.

    Killed at any moment, it begins anew the next time. Whoever begins it a second time takes over from the first.
    """
    mark = f"{_UNFINISHED}{secrets.token_hex(8)}"
    with database.write() as session:
        lock(session)
        if is_current(session) and not always:
            return None
        fulltext.clear(session)
        _mark(session, mark)
        total = session.scalar(select(func.count()).select_from(CitationRow)) or 0
    done = Renewal(0, ())
    last: int | None = 0
    while last is not None:
        with database.write() as session:
            lock(session)
            if found(session) != mark:
                raise DatabaseBehind(f"{database.name}: another `monitor init` has begun to write the search index")
            done, last = _step(session, done, last)
        if progress is not None:
            progress(done.citations, total)
    return done


def tidy(database: Database, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Merge the index on SQLite where it lies in many parts, step by step so that others may write; say whether it did.

    A search looks into each part for each of its words.
    """
    with database.read() as session:
        if fulltext.parts(session) <= _PARTS:
            return False
    begin = more = True
    while more and not stopping():
        with database.write() as session:
            more = fulltext.merge(session, begin=begin)
        begin = False
    return True


def fill(session: Session) -> Renewal:
    """Write the index of a library that has none, within the caller's transaction."""
    done = Renewal(0, ())
    last: int | None = 0
    while last is not None:
        done, last = _step(session, done, last)
    return done


def _step(session: Session, done: Renewal, after: int) -> tuple[Renewal, int | None]:
    """Index the next batch; at the end mark the index as ours and say None."""
    batch = _documents(session, after, BATCH)
    if not batch:
        _mark(session, wanted())
        return done, None
    fulltext.write(session, [(each, added_at) for _, each, added_at in batch if each is not None])
    damaged = tuple(pmid for pmid, each, _ in batch if each is None)
    return Renewal(done.citations + len(batch), done.damaged + damaged), batch[-1][0]


def _documents(session: Session, after: int, limit: int) -> list[tuple[int, Citation | None, datetime]]:
    """Return the next citations by PMID; None stands for a document that cannot be read."""
    rows = session.execute(
        select(CitationRow.pmid, CitationRow.codec, CitationRow.doc, CitationRow.added_at)
        .where(CitationRow.pmid > after)
        .order_by(CitationRow.pmid)
        .limit(limit)
    )
    return [(pmid, _readable(number, doc), added_at) for pmid, number, doc, added_at in rows]


def _unreadable(session: Session) -> dict[int, bool]:
    """Return the PMIDs of all documents that cannot be read, and whether the index has them."""
    found: list[int] = []
    last: int | None = 0
    while last is not None:
        batch = _documents(session, last, BATCH)
        found += [pmid for pmid, each, _ in batch if each is None]
        last = batch[-1][0] if batch else None
    listed = {pmid for part in batches(iter(found)) for pmid in _listed(session, part)}
    return {pmid: pmid in listed for pmid in found}


def _listed(session: Session, pmids: list[int]) -> Iterable[int]:
    return session.scalars(select(IndexRow.pmid).where(IndexRow.pmid.in_(pmids)))


def _readable(number: int, doc: bytes) -> Citation | None:
    try:
        return codec.decode(number, doc)
    except DatabaseDamaged:
        return None  # named by whoever asks for the report; one damaged record must not cost the index of the others


def _sample(session: Session) -> Iterator[tuple[Citation, datetime]]:
    """Yield a few citations, spread over all."""
    low = session.scalar(select(func.min(CitationRow.pmid))) or 0
    high = session.scalar(select(func.max(CitationRow.pmid))) or 0
    last = low - 1
    for at in range(_SAMPLED + 1):
        start = max(last, low - 1 + (high - low) * at // _SAMPLED)
        part = _documents(session, start, 1)
        if not part:
            return
        ((last, citation, added_at),) = part
        if citation is not None:
            yield citation, added_at


def _is_empty(session: Session) -> bool:
    return session.scalar(select(CitationRow.pmid).limit(1)) is None


def _mark(session: Session, version: str) -> None:
    session.execute(delete(IndexStateRow))
    session.execute(insert(IndexStateRow).values(id=_ROW, version=version))
