"""How papers stand after screening, and how that is told to the log; one way for every service of the desk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from monitor.core.screening import NOTHING, Decision, Judgement
from monitor.errors import UsageError
from monitor.storage import citations, screening

Received = Callable[[Session, Iterable[int], int | None], None]
"""Notes how the suggestions for papers were received that were kept in a step."""


@dataclass(frozen=True, slots=True)
class Screened:
    """How a citation stands after screening. `changed` says whether it stood otherwise before.

    `reopened`: its title or abstract is no longer what the verdict rests on. `expected` names the decision that stands,
    and `step_id` the step in which it was changed just now.
    """

    pmid: int
    judgement: Judgement
    tags: tuple[str, ...] = ()
    level: str | None = None
    claims: tuple[str, ...] = ()
    reopened: bool = False
    changed: bool = False
    expected: int | None = None
    step_id: int | None = None


def screened(
    session: Session, pmids: Iterable[int], changed: Collection[int] = (), step_id: int | None = None
) -> tuple[Screened, ...]:
    """Say how these citations stand; those that are not held are left out."""
    wanted = list(dict.fromkeys(pmids))
    verdicts, terms = screening.standing(session, wanted), screening.terms(session, wanted)
    held = citations.known(session, wanted, fetched=False)
    judged = citations.load(session, verdicts)
    found = []
    for pmid in wanted:
        if pmid in held:
            decision, labels = verdicts.get(pmid), terms.get(pmid, {})
            found.append(
                Screened(
                    pmid,
                    decision.judgement if decision is not None else NOTHING,
                    labels.get("tag", ()),
                    next(iter(labels.get("level", ())), None),
                    labels.get("claim", ()),
                    decision is not None and decision.reopened_by(judged[pmid]),
                    pmid in changed,
                    decision.id if decision is not None else None,
                    step_id if pmid in changed else None,
                )
            )
    return tuple(found)


def lock(session: Session, pmids: Sequence[int]) -> None:
    """Let nobody else judge these papers until this transaction ends; raises UsageError for one that is not held."""
    known = screening.lock(session, pmids)
    if unknown := [pmid for pmid in dict.fromkeys(pmids) if pmid not in known]:
        raise UsageError(
            f"{named(unknown)} not in the library, so nothing was changed; "
            "monitor import fetches papers from a list of PMIDs"
        )


def named(pmids: Sequence[int]) -> str:
    return f"PMID {', '.join(map(str, pmids))} {'is' if len(pmids) == 1 else 'are'}"


def judgement_told(decision: Decision | Judgement | None) -> dict[str, Any]:
    """Give a judgement as the log has it."""
    if decision is None:
        return {}
    judgement = decision.judgement if isinstance(decision, Decision) else decision
    return {name: _plain(value) for name, value in judgement._asdict().items() if value}


def terms_told(held: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Give terms as the log has them, by facet."""
    found: dict[str, list[str]] = {}
    for facet, term in sorted(held):
        found.setdefault(facet, []).append(term)
    return dict(found)


def pairs(terms: Mapping[str, Sequence[str]]) -> set[tuple[str, str]]:
    """Return terms by facet as pairs of both."""
    return {(facet, term) for facet, several in terms.items() for term in several}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if isinstance(value, date) else value
