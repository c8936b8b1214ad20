"""Screening: verdicts, tags, levels and claims, given and taken back; several papers at once or none of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from monitor.core.address import read_address
from monitor.core.people import COMMAND_LINE, DECIDING, Actor
from monitor.core.screening import (
    NOTHING,
    READERS,
    Decision,
    Facet,
    Judgement,
    fingerprint,
    judge,
    read_note,
    standing,
    to_take_back,
)
from monitor.errors import NotFound, UsageError
from monitor.services.ports import Clock
from monitor.storage import citations, events, people, screening
from monitor.storage.engine import Database
from monitor.storage.events import Deed
from monitor.storage.screening import Given, Labelled


@dataclass(frozen=True, slots=True)
class Screened:
    """How a citation stands after screening. `changed` says whether it stood otherwise before.

    `reopened`: its title or abstract is no longer what the verdict rests on.
    """

    pmid: int
    judgement: Judgement
    tags: tuple[str, ...] = ()
    level: str | None = None
    claims: tuple[str, ...] = ()
    reopened: bool = False
    changed: bool = False


class Screening:
    """Takes down what curators say. Every method is one transaction with its events, whole or not at all.

    Raises UsageError for a PMID that is not in the library and for whatever is missing or unknown.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def curator(self, address: str) -> Actor:
        """Return who decides, by address; raises NotFound for a stranger and UsageError for who may not."""
        wanted = read_address(address)
        with self._database.read() as session:
            person = people.find(session, wanted.key)
        if person is None:
            raise NotFound(
                f"nobody here has the address {wanted.text}, so nothing was changed; monitor person list names everybody"
            )
        if person.disabled_at is not None:
            raise UsageError(f"{person.address} is disabled, so nothing was changed")
        if person.role not in DECIDING:
            raise UsageError(
                f"{person.address} is a {person.role}, and papers are judged by curators and admins; "
                "nothing was changed"
            )
        return Actor(person.address, person.role, person.id)

    def of(self, pmids: Sequence[int]) -> tuple[Screened, ...]:
        """Say how these citations stand; those that are not held are left out."""
        with self._database.read() as session:
            return _screened(session, pmids)

    def reopened(self) -> tuple[Screened, ...]:
        """Return the papers whose title or abstract has changed since the verdict that stands."""
        with self._database.read() as session:
            later = {each.pmid: each for each in screening.revised_since(session)}
            read = citations.load_each(session, later)
            return _screened(session, [each.pmid for each in read if later[each.pmid].reopened_by(each)])

    def decide(
        self,
        pmids: Sequence[int],
        verdict: str,
        *,
        topics: Sequence[str] = (),
        reason: str | None = None,
        note: str | None = None,
        actor: Actor = COMMAND_LINE,
    ) -> tuple[Screened, ...]:
        """Judge papers on their text as it is now. What the same person says again of the same text changes nothing."""
        now = self._clock.now()
        with self._database.write() as session:
            _held(session, pmids)
            given = judge(verdict, topics, reason, note, known=people.living_topics(session))
            before = screening.standing(session, pmids)
            fresh = []
            for citation in citations.load_each(session, pmids):
                read, last = fingerprint(citation), before.get(citation.pmid)
                if last is None or (last.judgement, last.fingerprint, last.person_id) != (given, read, actor.person_id):
                    fresh.append(Given(citation.pmid, given, read))
            screening.decide(session, fresh, actor, now)
            deeds = [_deed(each.pmid, before.get(each.pmid), given) for each in fresh]
            events.record_each(session, actor, f"screen.{given.verdict}", deeds, now)
            return _screened(session, pmids, {each.pmid for each in fresh})

    def undo(self, pmids: Sequence[int], *, actor: Actor = COMMAND_LINE) -> tuple[Screened, ...]:
        """Take back the last verdict on each paper; the one before it stands again. May be repeated to the first."""
        now = self._clock.now()
        with self._database.write() as session:
            _held(session, pmids)
            said = screening.decisions(session, pmids)
            wanted = tuple(dict.fromkeys(pmids))
            taken = {pmid: found for pmid in wanted if (found := to_take_back(said.get(pmid, ()))) is not None}
            if bare := [pmid for pmid in wanted if pmid not in taken]:
                raise UsageError(f"{_named(bare)} without a verdict that could be taken back; nothing was changed")
            fresh, deeds = [], []
            for pmid, (back, again) in taken.items():
                judgement = again.judgement if again is not None else NOTHING
                fresh.append(Given(pmid, judgement, (again or back).fingerprint, back.id))
                deeds.append(_deed(pmid, standing(said[pmid]), judgement))
            screening.decide(session, fresh, actor, now)
            events.record_each(session, actor, "screen.undo", deeds, now)
            return _screened(session, pmids, set(taken))

    def label(
        self,
        pmids: Sequence[int],
        *,
        tags: Iterable[str] = (),
        untag: Iterable[str] = (),
        level: str | None = None,
        no_level: bool = False,
        claims: Iterable[str] = (),
        unlink: Iterable[str] = (),
        note: str | None = None,
        actor: Actor = COMMAND_LINE,
    ) -> tuple[Screened, ...]:
        """Put tags, claims and at most one level on papers, or take them off. What stands already changes nothing."""
        on = _read("tag", tags) + _read("claim", claims) + _read("level", [level] if level is not None else [])
        off = _read("tag", untag) + _read("claim", unlink)
        if both := set(on) & set(off):
            raise UsageError(f"{', '.join(sorted(term for _, term in both))}: to be put on and taken off at once")
        if level is not None and no_level:
            raise UsageError("a level is to be set and taken off at once")
        why = read_note(note)
        now = self._clock.now()
        with self._database.write() as session:
            _held(session, pmids)
            before = screening.terms(session, pmids)
            fresh, deeds = [], []
            for pmid in dict.fromkeys(pmids):
                held = {(facet, term) for facet, terms in before.get(pmid, {}).items() for term in terms}
                gone = [("level", term) for facet, term in held if facet == "level"] if level or no_level else []
                changed = [(each, False) for each in [*off, *gone] if each in held and each not in on]
                changed += [(each, True) for each in on if each not in held]
                fresh += [Labelled(pmid, facet, term, added) for (facet, term), added in changed]
                if changed:
                    after = held - {each for each, _ in changed} | {each for each, added in changed if added}
                    deeds.append(Deed(f"citation:{pmid}", _terms(held), _terms(after)))
            screening.tag(session, fresh, actor, now, reason=why)
            events.record_each(session, actor, "screen.label", deeds, now)
            return _screened(session, pmids, {each.pmid for each in fresh})


def _held(session: Session, pmids: Sequence[int]) -> None:
    known = screening.lock(session, pmids)
    if unknown := [pmid for pmid in dict.fromkeys(pmids) if pmid not in known]:
        raise UsageError(
            f"{_named(unknown)} not in the library, so nothing was changed; "
            "monitor import fetches papers from a list of PMIDs"
        )


def _named(pmids: Sequence[int]) -> str:
    return f"PMID {', '.join(map(str, pmids))} {'is' if len(pmids) == 1 else 'are'}"


def _read(facet: Facet, texts: Iterable[str]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((facet, READERS[facet](text)) for text in texts))


def _screened(session: Session, pmids: Iterable[int], changed: Collection[int] = ()) -> tuple[Screened, ...]:
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
                )
            )
    return tuple(found)


def _deed(pmid: int, before: Decision | None, after: Judgement) -> Deed:
    return Deed(f"citation:{pmid}", _told(before.judgement if before is not None else NOTHING), _told(after))


def _told(judgement: Judgement) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in judgement._asdict().items() if value
    }


def _terms(held: Iterable[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, list[str]] = {}
    for facet, term in sorted(held):
        found.setdefault(facet, []).append(term)
    return dict(found)
