"""What a week brought: the papers that are worth a look first, and the last issue that somebody got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from monitor.core.screening import LEVELS
from monitor.storage import marks, screening
from monitor.storage.bulk import batches
from monitor.storage.issues import REACHED
from monitor.storage.tables import (
    CheckRow,
    CitationRow,
    DecisionRow,
    DeliveryRow,
    HitRow,
    IssueRow,
    MarkRow,
    ProposalRow,
)

_RANK = {level: place for place, level in enumerate(LEVELS)}
FIRST_LEVELS = frozenset({"A", "B1"})
"""Levels that make a paper worth a look before anybody judged it."""


@dataclass(frozen=True, slots=True)
class Worth:
    """A paper worth a look first, and what makes it so; `level` is confirmed unless `proposed`."""

    pmid: int
    level: str | None
    proposed: bool
    kept: bool
    stars: int


@dataclass(frozen=True, slots=True)
class LastIssue:
    key: str
    label: str
    sent_at: datetime


def worth(session: Session, since: datetime, person_id: int) -> list[Worth]:
    """Return what came, was kept or saved since then and is worth a look, the best first.

    That is: of level A or B1, kept by a curator, or saved by a reader; not dismissed, retracted, doubted or withdrawn,
    and not put aside by this reader.
    """
    came = select(HitRow.pmid).where(
        HitRow.found_at >= since, HitRow.lane == "core", HitRow.news.is_(True), HitRow.ended_at.is_(None)
    )
    decided = select(DecisionRow.pmid).where(DecisionRow.decided_at >= since, DecisionRow.verdict == "keep")
    saved = select(MarkRow.pmid).where(MarkRow.at >= since, MarkRow.kind == "saved")
    recent = set(session.scalars(came.union(decided, saved)))
    found: list[Worth] = []
    for batch in batches(sorted(recent)):
        found += _worth(session, batch, person_id)
    return sorted(found, key=_order)


def last_issue(session: Session, person_id: int) -> LastIssue | None:
    """Return the last issue that reached a person."""
    at = func.coalesce(DeliveryRow.sent_at, DeliveryRow.dated_at)
    row = session.execute(
        select(IssueRow.key, IssueRow.label, DeliveryRow.sent_at, DeliveryRow.dated_at)
        .join(DeliveryRow, DeliveryRow.issue_id == IssueRow.id)
        .where(DeliveryRow.person_id == person_id, DeliveryRow.state.in_(REACHED))
        .order_by(at.desc(), DeliveryRow.id.desc())
        .limit(1)
    ).first()
    return LastIssue(row.key, row.label, row.sent_at or row.dated_at) if row is not None else None


def _worth(session: Session, pmids: Sequence[int], person_id: int) -> list[Worth]:
    rows = session.execute(
        select(CitationRow.pmid, ProposalRow.level)
        .join(CheckRow, CheckRow.pmid == CitationRow.pmid)
        .outerjoin(ProposalRow, (ProposalRow.pmid == CitationRow.pmid) & (ProposalRow.hash == CitationRow.hash))
        .where(
            CitationRow.pmid.in_(pmids),
            CitationRow.retracted.is_(False),
            CitationRow.concern.is_(False),
            CheckRow.withdrawn_at.is_(None),
        )
    ).all()
    verdicts, terms = screening.standing(session, pmids), screening.terms(session, pmids)
    stars, aside = marks.stars(session, pmids), marks.of(session, person_id, pmids)
    found = []
    for pmid, proposed in rows:
        verdict = verdicts[pmid].judgement.verdict if pmid in verdicts else None
        confirmed = next(iter(terms.get(pmid, {}).get("level", ())), None)
        level = confirmed or proposed
        worthy = verdict == "keep" or stars.get(pmid) or level in FIRST_LEVELS
        if worthy and verdict != "dismiss" and "not-for-me" not in aside.get(pmid, ()):
            found.append(Worth(pmid, level, confirmed is None, verdict == "keep", stars.get(pmid, 0)))
    return found


def _order(each: Worth) -> tuple[int, int, bool, bool, int]:
    return _RANK.get(each.level or "none", len(_RANK)), -each.stars, not each.kept, each.proposed, -each.pmid
