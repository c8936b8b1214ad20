"""Judgements as kept: decisions and taggings are added, never changed; what stands is read off their newest rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, bindparam, func, insert, select
from sqlalchemy.orm import Session, aliased

from monitor.core.people import Actor
from monitor.core.query.own import OPEN, Own
from monitor.core.screening import Decision, Judgement, Tagging, Verdict
from monitor.storage.bulk import batches
from monitor.storage.tables import CitationRow, DecisionRow, HitRow, TaggingRow, VersionRow

_PMIDS: Final[Any] = bindparam("pmids", expanding=True)


class Given(NamedTuple):
    """A judgement to be added; `undoes` is the decision that it takes back, `repeats` the one that stands again by that."""

    pmid: int
    judgement: Judgement
    fingerprint: bytes
    undoes: int | None = None
    repeats: Decision | None = None


class Labelled(NamedTuple):
    """A term of a facet to be put on a citation, or to be taken off; `undoes` is the tagging that it takes back."""

    pmid: int
    facet: str
    term: str
    added: bool
    undoes: int | None = None


Terms = Mapping[str, tuple[str, ...]]
"""The standing terms of a citation's facets, in alphabetical order."""


def lock(session: Session, pmids: Iterable[int]) -> set[int]:
    """Return those PMIDs that are held, and let nobody else judge them until this transaction ends."""
    found: set[int] = set()
    for batch in batches(sorted(set(pmids))):
        rows = select(CitationRow.pmid).where(CitationRow.pmid.in_(batch)).order_by(CitationRow.pmid)
        found.update(session.scalars(rows.with_for_update(key_share=True)))
    return found


def decisions(session: Session, pmids: Iterable[int]) -> dict[int, list[Decision]]:
    """Return every decision on these citations, first to last."""
    found: dict[int, list[Decision]] = {}
    for batch in batches(iter(pmids)):
        rows = select(DecisionRow).where(DecisionRow.pmid.in_(batch)).order_by(DecisionRow.id)
        for row in session.scalars(rows):
            found.setdefault(row.pmid, []).append(_decision(row))
    return found


def standing(session: Session, pmids: Iterable[int]) -> dict[int, Decision]:
    """Return the verdict that stands on each of these citations that has one."""
    found: dict[int, Decision] = {}
    for batch in batches(iter(pmids)):
        for row in session.scalars(_STANDING, {"pmids": batch}):
            found[row.pmid] = _decision(row)
    return found


def kept(session: Session, topic_id: str) -> dict[int, datetime]:
    """Return the papers that stand as kept in a topic, and since when."""
    rows = session.execute(
        select(DecisionRow.pmid, DecisionRow.decided_at, DecisionRow.topics)
        .where(DecisionRow.id.in_(_newest()), DecisionRow.verdict == Verdict.KEEP)
        .order_by(DecisionRow.pmid)
    )
    return {pmid: decided_at for pmid, decided_at, topics in rows if topic_id in topics}


def reopened(session: Session) -> list[Decision]:
    """Return the standing verdicts on papers whose title or abstract is no longer what was read."""
    newest = aliased(DecisionRow)
    later = select(newest.id).where(newest.pmid == DecisionRow.pmid, newest.id > DecisionRow.id)
    words = reworded().subquery()
    rows = session.scalars(
        select(DecisionRow)
        .join(words, words.c.pmid == DecisionRow.pmid)
        .where(DecisionRow.verdict != OPEN, DecisionRow.hash != words.c.text_hash, ~later.exists())
        .order_by(DecisionRow.pmid)
    )
    return [_decision(row) for row in rows]


def reworded() -> Select[int, int, bytes | None, datetime]:
    """Select PMID, version, fingerprint and moment of the newest words of each citation whose words ever changed."""
    newest = select(func.max(VersionRow.id)).where(VersionRow.text_hash.is_not(None)).group_by(VersionRow.pmid)
    return select(VersionRow.pmid, VersionRow.id, VersionRow.text_hash, VersionRow.seen_at).where(
        VersionRow.id.in_(newest)
    )


def taggings(session: Session, pmids: Iterable[int]) -> dict[tuple[int, str, str], list[Tagging]]:
    """Return everything that was ever put on these citations or taken off, by citation, facet and term, in order."""
    columns = (
        TaggingRow.id,
        TaggingRow.pmid,
        TaggingRow.facet,
        TaggingRow.term,
        TaggingRow.added,
        TaggingRow.person_id,
        TaggingRow.undoes,
        TaggingRow.step_id,
    )
    found: dict[tuple[int, str, str], list[Tagging]] = {}
    for batch in batches(iter(pmids)):
        rows = session.execute(select(*columns).where(TaggingRow.pmid.in_(batch)).order_by(TaggingRow.id))
        for row in rows:
            found.setdefault((row.pmid, row.facet, row.term), []).append(Tagging(*row))
    return found


def decide(session: Session, given: Sequence[Given], actor: Actor, now: datetime, step_id: int | None = None) -> None:
    """Add judgements, each by this actor, in this step; what stands again is whose it was."""
    if given:
        session.execute(
            insert(DecisionRow),
            [
                {
                    "pmid": each.pmid,
                    "verdict": each.judgement.verdict or OPEN,
                    "topics": list(each.judgement.topics),
                    "reason": each.judgement.reason,
                    "note": each.judgement.note,
                    "until": each.judgement.until,
                    "asked_id": each.judgement.asked,
                    "hash": each.fingerprint,
                    "undoes": each.undoes,
                    "person_id": each.repeats.person_id if each.repeats is not None else actor.person_id,
                    "role": each.repeats.role if each.repeats is not None else actor.role,
                    "step_id": step_id,
                    "decided_at": now,
                }
                for each in given
            ],
        )


def terms(session: Session, pmids: Iterable[int]) -> dict[int, Terms]:
    """Return the standing terms of these citations that have any."""
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for batch in batches(iter(pmids)):
        for pmid, facet, term in session.execute(_TERMS, {"pmids": batch}):
            of = found.setdefault(pmid, {})
            of[facet] = (*of.get(facet, ()), term)
    return dict(found)


def tag(
    session: Session,
    labels: Sequence[Labelled],
    actor: Actor,
    now: datetime,
    *,
    origin: str = "person",
    reason: str | None = None,
    step_id: int | None = None,
) -> None:
    """Add what was put on and taken off; what stood before stays as a row."""
    if labels:
        who = {
            "origin": origin,
            "reason": reason,
            "person_id": actor.person_id,
            "role": actor.role,
            "step_id": step_id,
            "tagged_at": now,
        }
        session.execute(insert(TaggingRow), [{**each._asdict(), **who} for each in labels])


def own(session: Session, pmids: Iterable[int]) -> dict[int, Own]:
    """Return what stands here of each citation held among these, in four statements for every few hundred of them."""
    found: dict[int, Own] = {}
    for batch in batches(iter(dict.fromkeys(pmids))):
        topics: dict[tuple[int, str], set[str]] = {}
        hits = select(HitRow.pmid, HitRow.lane, HitRow.topic_id).where(
            HitRow.pmid.in_(batch), HitRow.ended_at.is_(None)
        )
        for pmid, lane, topic in session.execute(hits):
            topics.setdefault((pmid, lane), set()).add(topic)
        verdicts, labels = standing(session, batch), terms(session, batch)
        added = select(CitationRow.pmid, CitationRow.added_at).where(CitationRow.pmid.in_(batch))
        for pmid, added_at in session.execute(added):
            decision, held = verdicts.get(pmid), labels.get(pmid, {})
            found[pmid] = Own(
                topics=frozenset(topics.get((pmid, "core"), ())).union(decision.judgement.topics if decision else ()),
                wide=frozenset(topics.get((pmid, "wide"), ())),
                tags=frozenset(held.get("tag", ())),
                levels=frozenset(held.get("level", ())),
                claims=frozenset(held.get("claim", ())),
                decision=decision.judgement.verdict or OPEN if decision else OPEN,
                added_on=added_at.astimezone(UTC).date(),
            )
    return found


def _newest() -> Select[int]:
    return select(func.max(DecisionRow.id)).group_by(DecisionRow.pmid)


def _standing() -> Any:
    newest = _newest().where(DecisionRow.pmid.in_(_PMIDS))
    return select(DecisionRow).where(DecisionRow.id.in_(newest), DecisionRow.verdict != OPEN)


def _terms() -> Any:
    columns = (TaggingRow.pmid, TaggingRow.facet, TaggingRow.term)
    newest = select(func.max(TaggingRow.id)).where(TaggingRow.pmid.in_(_PMIDS)).group_by(*columns)
    return select(*columns).where(TaggingRow.id.in_(newest), TaggingRow.added.is_(True)).order_by(TaggingRow.term)


def _decision(row: DecisionRow) -> Decision:
    verdict = None if row.verdict == OPEN else Verdict(row.verdict)
    return Decision(
        row.id,
        row.pmid,
        Judgement(verdict, tuple(row.topics), row.reason, row.note, row.until, row.asked_id),
        row.hash,
        row.decided_at,
        row.role,
        row.person_id,
        row.undoes,
        row.step_id,
    )


# Built once: putting these together takes as long as running them.
_STANDING, _TERMS = _standing(), _terms()
