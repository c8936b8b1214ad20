"""Keep fetched citations: new, revised or unchanged; every version seen stays, and so does every link."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from monitor.core.citation import Citation, PartialDate
from monitor.core.recheck import SENT_RECENTLY, next_check
from monitor.core.revision import INTEGRITY, REWORDED, Change, Revised, compare, has_concern, is_retracted
from monitor.core.screening import fingerprint
from monitor.errors import DatabaseDamaged
from monitor.storage import codec, fulltext, indexing
from monitor.storage.bulk import batches, insert, update
from monitor.storage.tables import (
    CheckRow,
    CitationRow,
    IndexRow,
    IssueEntryRow,
    IssueRow,
    RelationRow,
    UtcDateTime,
    VersionRow,
)

FROM_PUBMED = "pubmed"

_CONTENT = ("year", "doi", "pmcid", "retracted", "concern", "hash", "codec", "doc")
_CITATION = ("pmid", "version", "provisional", *_CONTENT, "added_at", "changed_at")
_REPLACED = ("version", "provisional", *_CONTENT, "changed_at")
_VERSION = ("pmid", "version", "hash", "seen_at", "poll_id", "changes", "codec", "doc", "text_hash", "integrity")
_CHECK = ("pmid", "fetched_at", "due_at", "misses", "missed_at", "withdrawn_at")
_RELATION = ("pmid", "kind", "other_pmid", "source", "link_key", "origin", "seen_at")

Link = tuple[str, int | None, str]
Outcome = str | tuple[Change, ...]
NEW: Final = "new"
UNCHANGED: Final = "unchanged"
OLDER: Final = "older"


@dataclass(slots=True)
class KeepReport:
    """What keeping came to. A PMID is in exactly one place.

    `older` are Versions below the one held, and with `by_date` revisions of an earlier day.
    """

    new: list[int] = field(default_factory=list)
    revised: dict[int, tuple[Change, ...]] = field(default_factory=dict)
    unchanged: list[int] = field(default_factory=list)
    older: list[int] = field(default_factory=list)


def keep(
    session: Session,
    citations: Iterable[Citation],
    now: datetime,
    poll_id: int | None = None,
    *,
    provisional: bool = False,
    by_date: bool = False,
) -> KeepReport:
    """Store citations as fetched at `now` and say which are new, revised or unchanged; the caller commits.

    A lower Version than the one held never replaces it. A PMID may come several times: its Versions count from
    the lowest, equal ones in the order given. Provisional citations (named by a file, not fetched) are stored
    only where nothing is held, are due for fetching at once, and are replaced whole by the first that is fetched.
    With `by_date`, for files of any age, a record revised (DateRevised) before the one held leaves no trace.
    Where the document held cannot be read, what comes replaces it, and what was there stays as it is in the versions.
    """
    outcomes: dict[int, Outcome] = {}
    indexing.lock(session)
    indexing.require(session)
    for batch in batches(iter(citations)):
        for distinct in _rounds(batch):
            _Batch(session, distinct, now, poll_id, provisional, by_date, outcomes).keep()
    return _report(outcomes)


def links(citation: Citation) -> dict[Link, None]:
    """Return the typed links PubMed states, in order; `Cites` is the reference list and stays in the document."""
    return {(each.kind, each.pmid, each.source or ""): None for each in citation.corrections if each.kind != "Cites"}


def link_key(link: Link) -> bytes:
    """Return what tells one link of a citation from another, of one size however long its source is."""
    return hashlib.blake2b(msgspec.json.encode(link), digest_size=16).digest()


def _report(outcomes: dict[int, Outcome]) -> KeepReport:
    report = KeepReport()
    for pmid, outcome in outcomes.items():
        if isinstance(outcome, tuple):
            report.revised[pmid] = outcome
        else:
            {NEW: report.new, UNCHANGED: report.unchanged, OLDER: report.older}[outcome].append(pmid)
    return report


def _rounds(batch: list[Citation]) -> Iterator[list[Citation]]:
    """Yield lists in which each PMID stands once, lower Versions first."""
    by_pmid: dict[int, list[Citation]] = {}
    for each in batch:
        by_pmid.setdefault(each.pmid, []).append(each)
    if len(by_pmid) == len(batch):
        yield batch
        return
    for group in by_pmid.values():
        group.sort(key=lambda each: each.version)
    for distinct in zip_longest(*by_pmid.values()):
        yield [each for each in distinct if each is not None]


def _is_earlier(found: Citation, held: Citation) -> bool:
    """Say whether a record is an earlier revision of the same Version; where either has no DateRevised it is not."""
    if found.version != held.version:
        return False
    ours, theirs = _day(held.revised_on), _day(found.revised_on)
    return ours is not None and theirs is not None and theirs < ours


def _day(partial: PartialDate | None) -> tuple[int, int, int] | None:
    if partial is None or partial.year is None:
        return None
    return partial.year, partial.month or 1, partial.day or 1


def _by_key(citation: Citation) -> dict[bytes, Link]:
    return {link_key(each): each for each in links(citation)}


def _standing(before: Any, citation: Citation) -> Iterator[Change]:
    """Yield what has changed for certain since a record of which only the standing is known."""
    if citation.version > before.version:
        yield Change.NEW_VERSION
    if is_retracted(citation) != before.retracted:
        yield Change.REINSTATED if before.retracted else Change.RETRACTED
    if has_concern(citation) != before.concern:
        yield Change.CONCERN_WITHDRAWN if before.concern else Change.CONCERN


class _Batch:
    """At most `BATCH` citations of distinct PMIDs: look up, decide, then one statement a table."""

    def __init__(
        self,
        session: Session,
        citations: Sequence[Citation],
        now: datetime,
        poll_id: int | None,
        provisional: bool,
        by_date: bool,
        outcomes: dict[int, Outcome],
    ) -> None:
        self.session = session
        self.citations = citations
        self.now = now
        self.poll_id = poll_id
        self.provisional = provisional
        self.by_date = by_date
        self.outcomes = outcomes
        self.inserted: list[tuple[Citation, bytes, bytes]] = []
        self.replaced: list[tuple[Any, ...]] = []
        self.unreadable: set[int] = set()
        self.forgotten: list[int] = []
        self.unindexed: list[tuple[Citation, datetime]] = []
        self.indexed: list[tuple[Citation, datetime]] = []
        self.versions: list[tuple[Any, ...]] = []
        self.outdated: list[int] = []
        self.reencoded: list[dict[str, Any]] = []
        self.new_checks: list[tuple[Any, ...]] = []
        self.checks: list[tuple[Any, ...]] = []
        self.new_links: list[tuple[Any, ...]] = []
        self.ended_links: list[dict[str, Any]] = []

    def keep(self) -> None:
        encoded = [codec.encode(each) for each in self.citations]
        hashes = [codec.digest(each) for each in encoded]
        pmids = [each.pmid for each in self.citations]
        held = self._held(pmids)
        documents = self._documents(
            each.pmid
            for each, hash in zip(self.citations, hashes, strict=True)
            if each.pmid in held and held[each.pmid].hash != hash
        )
        sent = self._sent(held)
        for citation, content, hash in zip(self.citations, encoded, hashes, strict=True):
            pmid = citation.pmid
            before = held.get(pmid)
            if self.provisional and before is not None and not before.provisional:
                self.outcomes.setdefault(pmid, UNCHANGED)
                continue
            if before is None:
                self._insert(citation, content, hash)
            elif before.provisional:
                self._replace_provisional(citation, content, hash)
                self._reindex(before, documents.get(pmid), citation)
            elif self.by_date and pmid in documents and _is_earlier(citation, documents[pmid]):
                self.outcomes.setdefault(pmid, OLDER)
                continue
            elif citation.version < before.version:
                self._file_older(citation, content, hash)
            else:
                self._compare(citation, content, hash, before, documents.get(pmid))
            if before is not None and not self.provisional:
                standing = before.provisional or citation.version >= before.version
                due = next_check(
                    citation,
                    self.now,
                    retracted=is_retracted(citation) if standing else before.retracted,
                    concern=has_concern(citation) if standing else before.concern,
                    sent=pmid in sent,
                )
                if self.by_date and pmid in self.unreadable:
                    due = self.now  # nobody knows whether what was held was newer
                self.checks.append((pmid, self.now, due, 0, None, None))
        self._write()

    def _held(self, pmids: list[int]) -> dict[int, Any]:
        found = self.session.execute(
            select(
                CitationRow.pmid,
                CitationRow.version,
                CitationRow.provisional,
                CitationRow.hash,
                CitationRow.retracted,
                CitationRow.concern,
                CitationRow.added_at,
                CitationRow.changed_at,
                CheckRow.withdrawn_at,
                IndexRow.pmid.label("indexed"),
            )
            .join(CheckRow, CheckRow.pmid == CitationRow.pmid)
            .outerjoin(IndexRow, IndexRow.pmid == CitationRow.pmid)
            .where(CitationRow.pmid.in_(pmids))
        )
        return {row.pmid: row for row in found}

    def _documents(self, pmids: Iterable[int]) -> dict[int, Citation]:
        wanted = list(pmids)
        if not wanted:
            return {}
        found = self.session.execute(
            select(CitationRow.pmid, CitationRow.codec, CitationRow.doc).where(CitationRow.pmid.in_(wanted))
        )
        read: dict[int, Citation] = {}
        for pmid, number, doc in found:
            try:
                read[pmid] = codec.decode(number, doc)
            except DatabaseDamaged:
                self.unreadable.add(pmid)  # one damaged record must not cost the others, nor itself for ever
        return read

    def _sent(self, pmids: Iterable[int]) -> set[int]:
        wanted = list(pmids)
        if not wanted:
            return set()
        return set(
            self.session.scalars(
                select(IssueEntryRow.pmid)
                .join(IssueRow, IssueRow.id == IssueEntryRow.issue_id)
                .where(IssueEntryRow.pmid.in_(wanted), IssueRow.created_at >= self.now - SENT_RECENTLY)
            )
        )

    def _values(self, citation: Citation, content: bytes, hash: bytes) -> tuple[Any, ...]:
        published = citation.pub_date
        return (
            published.year if published is not None else None,
            citation.doi,
            citation.pmcid,
            is_retracted(citation),
            has_concern(citation),
            hash,
            codec.CURRENT,
            codec.pack(content),
        )

    def _version(
        self,
        citation: Citation,
        hash: bytes,
        changes: Collection[Change],
        doc: bytes | None = None,
        *,
        reworded: bool = False,
    ) -> None:
        """Note a version; `reworded` where nobody can say whether its title and abstract are those held before."""
        names = [change.name for change in changes]
        number = codec.CURRENT if doc is not None else None
        words = fingerprint(citation) if reworded or not REWORDED.isdisjoint(changes) else None
        standing = not INTEGRITY.isdisjoint(changes)
        row = (citation.pmid, citation.version, hash, self.now, self.poll_id, names, number, doc, words, standing)
        self.versions.append(row)

    def _insert(self, citation: Citation, content: bytes, hash: bytes) -> None:
        pmid = citation.pmid
        self.inserted.append((citation, content, hash))
        self.outcomes[pmid] = NEW
        if self.provisional:
            self.new_checks.append((pmid, self.now, self.now, 0, None, None))
            return
        self._version(citation, hash, ())
        self._link(pmid, links(citation))
        due = next_check(
            citation, self.now, retracted=is_retracted(citation), concern=has_concern(citation), sent=False
        )
        self.new_checks.append((pmid, self.now, due, 0, None, None))

    def _new_row(self, new: tuple[Citation, bytes, bytes]) -> tuple[Any, ...]:
        citation = new[0]
        return (citation.pmid, citation.version, self.provisional, *self._values(*new), self.now, self.now)

    def _replace_provisional(self, citation: Citation, content: bytes, hash: bytes) -> None:
        self._replace(citation, content, hash)
        if self.provisional:
            self.outcomes.setdefault(citation.pmid, UNCHANGED)
            return
        self._version(citation, hash, (), reworded=True)
        self._link(citation.pmid, links(citation))
        self.outcomes[citation.pmid] = NEW

    def _replace(self, citation: Citation, content: bytes, hash: bytes, changed_at: datetime | None = None) -> None:
        values = self._values(citation, content, hash)
        changed_at = changed_at or self.now
        self.replaced.append((citation.pmid, citation.version, self.provisional, *values, changed_at))

    def _reindex(self, before: Any, held: Citation | None, citation: Citation) -> None:
        if before.indexed is None or citation.pmid in self.unreadable:
            self.forgotten.append(citation.pmid)
            self.indexed.append((citation, before.added_at))
        elif held is not None and held != citation:
            self.unindexed.append((held, before.added_at))
            self.indexed.append((citation, before.added_at))

    def _file_older(self, citation: Citation, content: bytes, hash: bytes) -> None:
        seen = select(VersionRow.id).where(VersionRow.pmid == citation.pmid, VersionRow.hash == hash).limit(1)
        if self.session.scalar(seen) is None:
            self._version(citation, hash, (), codec.pack(content))
        self.outcomes.setdefault(citation.pmid, OLDER)

    def _compare(self, citation: Citation, content: bytes, hash: bytes, before: Any, held: Citation | None) -> None:
        pmid = citation.pmid
        changes: tuple[Change, ...] = (Change.RESTORED,) if before.withdrawn_at is not None else ()
        if held is not None:
            outcome = compare(held, citation)
            if isinstance(outcome, Revised):
                changes += tuple(outcome.changes)
                self.outdated.append(pmid)
                self._replace(citation, content, hash)
                self._reindex(before, held, citation)
                self._relink(pmid, _by_key(held), _by_key(citation))
            else:
                # The same record under a newer way of writing it down: no event, but what is stored moves on.
                self.reencoded.append({"pmid": pmid, "old": before.hash, "new": hash})
                self._replace(citation, content, hash, before.changed_at)
                self._reindex(before, held, citation)
        elif pmid in self.unreadable:
            changes += (*_standing(before, citation), Change.DETAILS_REVISED)
            self.outdated.append(pmid)
            self._replace(citation, content, hash)
            self._reindex(before, None, citation)
            self._relink(pmid, self._standing_links(pmid), _by_key(citation))
        elif before.indexed is None:
            # The same record, and the index lacks it: what is stored could not be read, and now is stored again.
            self._replace(citation, content, hash, before.changed_at)
            self._reindex(before, None, citation)
        if not changes:
            self.outcomes.setdefault(pmid, UNCHANGED)
            return
        self._version(citation, hash, changes, reworded=pmid in self.unreadable)
        earlier = self.outcomes.get(pmid)
        if earlier != NEW:
            so_far = earlier if isinstance(earlier, tuple) else ()
            self.outcomes[pmid] = (*so_far, *(each for each in changes if each not in so_far))

    def _link(self, pmid: int, stated: Iterable[Link]) -> None:
        self.new_links += [(pmid, *link, link_key(link), FROM_PUBMED, self.now) for link in stated]

    def _relink(self, pmid: int, before: Iterable[bytes], after: dict[bytes, Link]) -> None:
        known = set(before)
        self._link(pmid, (each for key, each in after.items() if key not in known))
        self.ended_links += [{"pmid": pmid, "key": key, "now": self.now} for key in known if key not in after]

    def _standing_links(self, pmid: int) -> Iterable[bytes]:
        return self.session.scalars(
            select(RelationRow.link_key).where(
                RelationRow.pmid == pmid, RelationRow.origin == FROM_PUBMED, RelationRow.ended_at.is_(None)
            )
        )

    def _write(self) -> None:
        session = self.session
        if self.outdated:
            session.execute(_ARCHIVE, {"pmids": self.outdated})
        if self.inserted:
            insert(session, CitationRow, _CITATION, map(self._new_row, self.inserted))
            self.indexed += [(citation, self.now) for citation, _, _ in self.inserted]
        update(session, CitationRow, "pmid", _REPLACED, self.replaced)
        fulltext.remove(session, self.unindexed)
        if self.forgotten:
            fulltext.forget(session, self.forgotten)
        fulltext.write(session, self.indexed)
        if self.reencoded:
            session.execute(_REENCODE, self.reencoded)
        if self.versions:
            insert(session, VersionRow, _VERSION, self.versions)
        if self.new_checks:
            insert(session, CheckRow, _CHECK, self.new_checks)
        update(session, CheckRow, "pmid", _CHECK[1:], self.checks)
        if self.new_links:
            insert(session, RelationRow, _RELATION, self.new_links)
        if self.ended_links:
            session.execute(_END_LINK, self.ended_links)


# Before a citation is replaced, its document moves to the first version row of the same content, unless one has it.
_ARCHIVE = text(
    """
    UPDATE citation_version AS v SET codec = c.codec, doc = c.doc FROM citation AS c
    WHERE c.pmid = v.pmid AND c.pmid IN :pmids AND v.hash = c.hash AND v.doc IS NULL
    AND NOT EXISTS (SELECT 1 FROM citation_version AS o WHERE o.pmid = v.pmid AND o.hash = v.hash AND o.id < v.id)
    """
).bindparams(bindparam("pmids", expanding=True))
_REENCODE = text("UPDATE citation_version SET hash = :new WHERE pmid = :pmid AND hash = :old")
_END_LINK = text(
    "UPDATE relation SET ended_at = :now WHERE pmid = :pmid AND link_key = :key AND ended_at IS NULL"
).bindparams(bindparam("now", type_=UtcDateTime()))
