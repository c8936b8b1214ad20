"""Papers as lists show them: one line each with all that is known of it, in as many statements for one as for a page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from monitor.core.citation import Citation, PartialDate
from monitor.core.contents import byline, clean
from monitor.core.languages import tag
from monitor.core.markup import plain, safe_html
from monitor.core.ranking import published
from monitor.core.revision import (
    Change,
    has_concern,
    has_erratum,
    is_preprint,
    is_retracted,
    is_retraction_notice,
)
from monitor.core.screening import Decision
from monitor.storage import codec, screening
from monitor.storage.bulk import batches
from monitor.storage.tables import CheckRow, CitationRow, HitRow, ProposalRow, TopicRow, VersionRow

_PMIDS: Final[Any] = bindparam("pmids", expanding=True)


class Place(NamedTuple):
    """A topic's lane that finds the paper, by which of its lines; `lines` count from 1 and may be unknown."""

    topic: str
    title: str
    lane: str
    lines: tuple[int, ...]
    found_at: datetime


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One paper in a list. A missing value is None; `title_html` is safe to show as it stands.

    `level` is what a person confirmed, `proposed_level` what the rules propose; the proposal is `provisional` while it
    rests on too little. `design` and `participants` are the rules' as well. `flags`, gravest first: retracted, withdrawn,
    concern, reinstated, erratum, revised (other words than those the verdict rests on), notice, preprint. `unfetched`:
    an imported file named it and PubMed has not given it yet. `note` is the curator's, that goes with the verdict.
    """

    pmid: int
    title: str
    title_html: str
    title_language: str
    authors_short: str
    journal: str | None
    published: PartialDate | None
    doi: str | None
    level: str | None
    proposed_level: str | None
    provisional: bool
    design: str | None
    participants: int | None
    tags: tuple[str, ...]
    flags: tuple[str, ...]
    unfetched: bool
    verdict: str | None
    reason: str | None
    note: str | None
    decided_at: datetime | None
    topics: tuple[str, ...]
    found: tuple[Place, ...]
    found_at: datetime | None
    added_at: datetime


def lines(session: Session, pmids: Iterable[int]) -> list[PaperLine]:
    """Return a line for each of these that is held, in the order given, in five statements for every 500."""
    told: list[PaperLine] = []
    for batch in batches(iter(dict.fromkeys(pmids))):
        rows = {row.pmid: row for row in session.execute(_ROWS, {"pmids": batch})}
        places, changes = _places(session, batch), _changes(session, batch)
        decisions, terms = screening.standing(session, batch), screening.terms(session, batch)
        told += [
            _line(
                rows[pmid],
                places.get(pmid, ()),
                changes.get(pmid, frozenset()),
                decisions.get(pmid),
                terms.get(pmid, {}),
            )
            for pmid in batch
            if pmid in rows
        ]
    return told


def flags(citation: Citation, changes: Iterable[Change], *, withdrawn: bool, revised: bool) -> tuple[str, ...]:
    """Return what stands over a paper, gravest first; `changes` are all that its versions brought."""
    retracted, concern = is_retracted(citation), has_concern(citation)
    seen = frozenset(changes)
    cleared = (Change.REINSTATED in seen and not retracted) or (Change.CONCERN_WITHDRAWN in seen and not concern)
    stands = {
        "retracted": retracted,
        "withdrawn": withdrawn,
        "concern": concern,
        "reinstated": cleared and not (retracted or concern),
        "erratum": has_erratum(citation),
        "revised": revised,
        "notice": is_retraction_notice(citation),
        "preprint": is_preprint(citation),
    }
    return tuple(flag for flag, held in stands.items() if held)


def byline_of(citation: Citation) -> str:
    """Write the first authors as NLM prints them; "et al" stands for the others."""
    names, more = byline(citation)
    return ", ".join(names) + (", et al." if more else "")


def source_of(citation: Citation) -> str | None:
    """Name the journal as NLM abbreviates it, the book of a chapter, or the publisher of a book."""
    journal = citation.journal
    if journal is not None and (name := journal.medline_ta or journal.iso_abbreviation or journal.title):
        return clean(name)
    if citation.book is None:
        return None
    return clean(plain(citation.book.title.text if citation.title else citation.book.publisher)) or None


def title_of(citation: Citation) -> tuple[str, str, str]:
    """Return the title as text and as HTML, and its language; the original one where PubMed has no
    translation, the book's where it has no chapters.

    PubMed puts a translated title between brackets; it is in English all the same.
    """
    book = citation.book.title.text if citation.book is not None else None
    own = citation.title or citation.vernacular_title or book
    foreign = not citation.title and bool(citation.languages)
    return clean(plain(own)), clean(safe_html(own)), tag(citation.languages[0]) if foreign else "en"


def _rows() -> Any:
    return (
        select(
            CitationRow.pmid,
            CitationRow.codec,
            CitationRow.doc,
            CitationRow.provisional,
            CitationRow.added_at,
            CheckRow.withdrawn_at,
            ProposalRow.level,
            ProposalRow.design,
            ProposalRow.participants,
            ProposalRow.found["provisional"].as_boolean().label("early"),
        )
        .outerjoin(CheckRow, CheckRow.pmid == CitationRow.pmid)
        .outerjoin(ProposalRow, (ProposalRow.pmid == CitationRow.pmid) & (ProposalRow.hash == CitationRow.hash))
        .where(CitationRow.pmid.in_(_PMIDS))
    )


def _line(
    row: Row[Any],
    places: Sequence[Place],
    changes: frozenset[Change],
    decision: Decision | None,
    terms: screening.Terms,
) -> PaperLine:
    citation = codec.decode(row.codec, row.doc)
    title, title_html, language = title_of(citation)
    judgement = decision.judgement if decision is not None else None
    standing = flags(
        citation,
        changes,
        withdrawn=row.withdrawn_at is not None,
        revised=decision is not None and decision.reopened_by(citation),
    )
    core = [each for each in places if each.lane == "core"]
    return PaperLine(
        pmid=row.pmid,
        title=title,
        title_html=title_html,
        title_language=language,
        authors_short=byline_of(citation),
        journal=source_of(citation),
        published=published(citation),
        doi=citation.doi,
        level=next(iter(terms.get("level", ())), None),
        proposed_level=row.level,
        provisional=bool(row.early),
        design=row.design,
        participants=row.participants,
        tags=terms.get("tag", ()),
        flags=standing,
        unfetched=row.provisional,
        verdict=judgement.verdict if judgement is not None else None,
        reason=judgement.reason if judgement is not None else None,
        note=judgement.note if judgement is not None else None,
        decided_at=decision.decided_at if decision is not None else None,
        topics=tuple(dict.fromkeys([*(judgement.topics if judgement is not None else ()), *(p.topic for p in core)])),
        found=tuple(places),
        found_at=min((each.found_at for each in places), default=None),
        added_at=row.added_at,
    )


def _places(session: Session, pmids: Sequence[int]) -> dict[int, list[Place]]:
    found: dict[int, list[Place]] = {}
    for pmid, topic, title, lane, numbers, found_at in session.execute(_PLACES, {"pmids": pmids}):
        found.setdefault(pmid, []).append(Place(topic, title, lane, tuple(numbers), found_at))
    return found


def _changes(session: Session, pmids: Sequence[int]) -> dict[int, frozenset[Change]]:
    """Return what the versions of each brought that people may have read of; most have but one and brought nothing."""
    found: dict[int, frozenset[Change]] = {}
    for pmid, names in session.execute(_CHANGES, {"pmids": pmids}):
        found[pmid] = found.get(pmid, frozenset()).union(Change[each] for each in names)
    return found


def _told_places() -> Any:
    return (
        select(HitRow.pmid, HitRow.topic_id, TopicRow.title, HitRow.lane, HitRow.lines, HitRow.found_at)
        .join(TopicRow, TopicRow.id == HitRow.topic_id)
        .where(HitRow.pmid.in_(_PMIDS), HitRow.ended_at.is_(None))
        .order_by(HitRow.lane, TopicRow.position, TopicRow.id)
    )


def _told_changes() -> Any:
    several = (
        select(VersionRow.pmid).where(VersionRow.pmid.in_(_PMIDS)).group_by(VersionRow.pmid).having(func.count() > 1)
    )
    return select(VersionRow.pmid, VersionRow.changes).where(VersionRow.pmid.in_(several)).order_by(VersionRow.id)


# Built once: putting these together takes as long as running them.
_ROWS, _PLACES, _CHANGES = _rows(), _told_places(), _told_changes()
