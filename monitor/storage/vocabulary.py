"""Versions of the vocabulary and of the level rules, what they propose for each citation, and how it was received."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

import msgspec
from sqlalchemy import bindparam, delete, exists, func, insert, or_, select
from sqlalchemy.orm import Session

from monitor.core.proposal import Proposed
from monitor.storage.bulk import batches, insertion
from monitor.storage.tables import (
    CheckRow,
    CitationRow,
    PatternUseRow,
    PersonRow,
    ProposalRow,
    RulebookRow,
    StepRow,
    VersionRow,
)

Kind = Literal["vocabulary", "levels"]
KINDS: Final[tuple[Kind, ...]] = ("vocabulary", "levels")
Origin = Literal["starter", "lab"]
_RECENT: Final = 50_000
"""The newest uses of patterns that are counted: some 2,000 papers, so that an old habit does not hide a new one."""
_REVISED: Final = timedelta(days=30)
"""How far back revised citations are looked for; whoever looks at an older one has it read again at once."""


class Rulebook(NamedTuple):
    """One version of a rulebook, who made it and why."""

    kind: Kind
    version: int
    text: str
    origin: Origin
    reason: str | None
    by: str | None
    at: datetime


class InForce(NamedTuple):
    """The versions that proposals are made by."""

    vocabulary: int
    levels: int


class Use(NamedTuple):
    """How one suggestion was received: its pattern and term, and whether the tag stands or was taken off."""

    pattern: str
    term: str
    pmid: int
    accepted: bool
    removed: bool


class Reception(NamedTuple):
    """How a pattern's suggestions were received so far."""

    pattern: str
    term: str
    shown: int
    accepted: int
    removed: int

    @property
    def share_removed(self) -> float:
        return self.removed / self.shown if self.shown else 0.0


# ---- versions


def newest(session: Session, kind: Kind) -> Rulebook | None:
    """Return the version in force."""
    return next(iter(history(session, kind, limit=1)), None)


def newest_version(session: Session, kind: Kind) -> int | None:
    """Return the number of the version in force; None before any was loaded."""
    return session.scalar(select(func.max(RulebookRow.version)).where(RulebookRow.kind == kind))


def in_force(session: Session) -> InForce | None:
    """Return the versions in force of both rulebooks; None before both were loaded."""
    found: dict[str, int] = {row.kind: row.newest for row in session.execute(_IN_FORCE)}
    return InForce(*(found[kind] for kind in KINDS)) if len(found) == len(KINDS) else None


def version(session: Session, kind: Kind, number: int) -> Rulebook | None:
    rows = history(session, kind, only=number)
    return rows[0] if rows else None


def history(session: Session, kind: Kind, *, limit: int | None = None, only: int | None = None) -> list[Rulebook]:
    """Return the versions of a rulebook, the newest first."""
    columns = (
        RulebookRow.version,
        RulebookRow.text,
        RulebookRow.origin,
        RulebookRow.reason,
        PersonRow.name,
        RulebookRow.created_at,
    )
    query = select(*columns).outerjoin(PersonRow, PersonRow.id == RulebookRow.created_by)
    query = query.where(RulebookRow.kind == kind).order_by(RulebookRow.version.desc())
    if only is not None:
        query = query.where(RulebookRow.version == only)
    return [
        Rulebook(kind, number, text, "lab" if origin == "lab" else "starter", reason, by, at)
        for number, text, origin, reason, by, at in session.execute(query.limit(limit))
    ]


def add(
    session: Session,
    kind: Kind,
    text: str,
    origin: Origin,
    now: datetime,
    *,
    reason: str | None = None,
    person_id: int | None = None,
) -> int:
    """Store a version after the newest; returns its number."""
    number = (newest_version(session, kind) or 0) + 1
    session.execute(
        insert(RulebookRow).values(
            kind=kind,
            version=number,
            text=text,
            origin=origin,
            reason=reason,
            created_by=person_id,
            created_at=now,
        )
    )
    return number


# ---- proposals


def stale(session: Session, rules: InForce, now: datetime, limit: int) -> list[int]:
    """Return citations whose proposals are missing or behind: made by other rules, of another text, or outlived."""
    current = exists().where(
        ProposalRow.vocabulary == rules.vocabulary,
        ProposalRow.levels == rules.levels,
        ProposalRow.pmid == CheckRow.pmid,
    )
    missing = select(CheckRow.pmid).where(~current).order_by(CheckRow.pmid.desc()).limit(limit)
    found = dict.fromkeys(session.scalars(missing))
    older = exists().where(
        ProposalRow.vocabulary == rules.vocabulary,
        ProposalRow.levels == rules.levels,
        ProposalRow.pmid == VersionRow.pmid,
        ProposalRow.made_at < VersionRow.seen_at,
    )
    revised = select(VersionRow.pmid).where(VersionRow.seen_at > now - _REVISED, older).limit(limit)
    found.update(dict.fromkeys(session.scalars(revised)))
    outlived = select(ProposalRow.pmid).where(ProposalRow.until.is_not(None), ProposalRow.until <= now.date())
    found.update(dict.fromkeys(session.scalars(outlived.limit(limit))))
    return list(found)[:limit]


def newest_papers(session: Session, limit: int) -> list[int]:
    """Return the citations that came last into the library."""
    return list(session.scalars(select(CheckRow.pmid).order_by(CheckRow.pmid.desc()).limit(limit)))


def hashes(session: Session, pmids: Iterable[int]) -> dict[int, bytes]:
    """Return the content hash of each citation that is held."""
    found: dict[int, bytes] = {}
    for batch in batches(iter(pmids)):
        rows = session.execute(select(CitationRow.pmid, CitationRow.hash).where(CitationRow.pmid.in_(batch)))
        found.update((row.pmid, row.hash) for row in rows)
    return found


def proposals(session: Session, pmids: Iterable[int], rules: InForce, today: date) -> dict[int, Proposed]:
    """Return what is proposed for these citations, where it was made by these rules and of the text as it stands."""
    found: dict[int, Proposed] = {}
    for batch in batches(iter(pmids)):
        for pmid, told in session.execute(_CURRENT, {"pmids": batch, "today": today, **rules._asdict()}):
            found[pmid] = _read(pmid, told)
    return found


def store(session: Session, made: Sequence[tuple[bytes, Proposed]], rules: InForce, now: datetime) -> None:
    """Keep what is proposed, each with the hash of the citation that was read, in the place of what was before."""
    if not made:
        return
    statement = insertion(session, ProposalRow)
    columns = ("hash", "vocabulary", "levels", "level", "design", "participants", "found", "until", "made_at")
    statement = statement.on_conflict_do_update(
        index_elements=["pmid"], set_={name: statement.excluded[name] for name in columns}
    )
    session.execute(
        statement,
        [
            {
                "pmid": each.pmid,
                "hash": hash,
                "vocabulary": rules.vocabulary,
                "levels": rules.levels,
                "level": each.grade.level,
                "design": each.grade.design,
                "participants": each.sample.n,
                "found": _told(each),
                "until": each.grade.provisional_until if each.grade.provisional else None,
                "made_at": now,
            }
            for hash, each in made
        ],
    )


def _told(each: Proposed) -> dict[str, Any]:
    """Return the JSON of what is proposed: tuples without names, since names would be most of it."""
    told: dict[str, Any] = {
        "provisional": each.grade.provisional,
        **{name: msgspec.to_builtins(getattr(each, name)) for name in Proposed._fields if name != "pmid"},
    }
    return told


def _read(pmid: int, told: dict[str, Any]) -> Proposed:
    values = [pmid, *(told[name] for name in Proposed._fields if name != "pmid")]
    return msgspec.convert(values, Proposed)


# ---- how it was received


def record_use(session: Session, uses: Sequence[Use], now: datetime, step_id: int | None = None) -> None:
    """Note how suggestions were received, in the place of what was noted of the same papers before."""
    pmids = {each.pmid for each in uses}
    for batch in batches(iter(pmids)):
        session.execute(delete(PatternUseRow).where(PatternUseRow.pmid.in_(batch)))
    if uses:
        session.execute(insert(PatternUseRow), [{**each._asdict(), "step_id": step_id, "at": now} for each in uses])


def receptions(session: Session, least: int = 1) -> list[Reception]:
    """Return how each pattern was received lately that was shown at least so often; steps taken back do not count."""
    accepted = func.count().filter(PatternUseRow.accepted.is_(True))
    removed = func.count().filter(PatternUseRow.removed.is_(True))
    rows = session.execute(
        select(PatternUseRow.pattern, PatternUseRow.term, func.count(), accepted, removed)
        .outerjoin(StepRow, StepRow.id == PatternUseRow.step_id)
        .where(
            StepRow.undone_at.is_(None),
            PatternUseRow.id > select(func.max(PatternUseRow.id)).scalar_subquery() - _RECENT,
        )
        .group_by(PatternUseRow.pattern, PatternUseRow.term)
        .having(func.count() >= least)
        .order_by(PatternUseRow.term, PatternUseRow.pattern)
    )
    return [Reception(*row) for row in rows]


def _current() -> Any:
    return (
        select(ProposalRow.pmid, ProposalRow.found)
        .join(CitationRow, (CitationRow.pmid == ProposalRow.pmid) & (CitationRow.hash == ProposalRow.hash))
        .where(
            ProposalRow.pmid.in_(bindparam("pmids", expanding=True)),
            ProposalRow.vocabulary == bindparam("vocabulary"),
            ProposalRow.levels == bindparam("levels"),
            or_(ProposalRow.until.is_(None), ProposalRow.until > bindparam("today")),
        )
    )


# Built once: putting these together takes as long as running them.
_IN_FORCE = select(RulebookRow.kind, func.max(RulebookRow.version).label("newest")).group_by(RulebookRow.kind)
_CURRENT = _current()
