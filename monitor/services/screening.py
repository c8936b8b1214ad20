"""Screening: verdicts, tags, levels and claims, given and taken back; several papers at once or none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from monitor.core.address import read_address
from monitor.core.people import COMMAND_LINE, DECIDING, Actor
from monitor.core.screening import (
    NOTHING,
    Decision,
    Judgement,
    Verdict,
    fingerprint,
    judge,
    read_note,
    standing,
    to_take_back,
)
from monitor.core.steps import Kind
from monitor.core.voting import NEEDED, Vote
from monitor.errors import MonitorError, NotFound, UsageError
from monitor.services import labelling
from monitor.services.labelling import Labels
from monitor.services.ports import Clock
from monitor.services.screened import Received, Screened, judgement_told, lock, named, screened
from monitor.services.votes import vote_told
from monitor.storage import citations, events, notes, people, queue, readings, screening, steps, votes
from monitor.storage.engine import Database
from monitor.storage.events import Deed
from monitor.storage.screening import Given

MOST = 500
"""Papers that one step may touch."""


@dataclass(frozen=True, slots=True)
class Overtaking:
    """A paper on which somebody decided meanwhile: what stands now, by whom (None: the command line), and what was to be.

    `theirs` is None where a verdict that was seen has been taken back. To keep one's own all the same, decide again and
    expect `expected`.
    """

    pmid: int
    theirs: Decision | None
    by: str | None
    yours: Judgement

    @property
    def expected(self) -> int | None:
        return self.theirs.id if self.theirs is not None else None


class Overtaken(MonitorError):
    """Somebody decided on a paper since it was read; nothing was changed, and both choices are here to be compared."""

    def __init__(self, papers: Sequence[Overtaking]) -> None:
        told = [
            f"PMID {each.pmid}: {each.theirs.judgement.verdict} by {each.by or 'the command line'}"
            if each.theirs is not None
            else f"PMID {each.pmid}: the verdict was taken back"
            for each in papers
        ]
        super().__init__("Somebody decided meanwhile, and nothing of yours was saved yet: " + "; ".join(told))
        self.papers = tuple(papers)


class Screening:
    """Takes down what curators say. Every method is one transaction with its events, whole or not at all.

    What a person does in one call is one step, which `Steps` takes back and repeats. Raises UsageError for a PMID that
    is not in the library and for whatever is missing or unknown.
    """

    def __init__(self, database: Database, clock: Clock, zone: str = "UTC", received: Received | None = None) -> None:
        self._database = database
        self._clock = clock
        self._zone = ZoneInfo(zone)
        self._received = received

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
            return screened(session, pmids)

    def reopened(self) -> tuple[Screened, ...]:
        """Return the papers whose title or abstract has changed since the verdict that stands."""
        with self._database.read() as session:
            return screened(session, [each.pmid for each in screening.reopened(session)])

    def decide(
        self,
        pmids: Sequence[int],
        verdict: str,
        *,
        topics: Sequence[str] = (),
        reason: str | None = None,
        note: str | None = None,
        drafted: bool = False,
        until: date | None = None,
        asked: int | None = None,
        tags: Iterable[str] = (),
        untag: Iterable[str] = (),
        level: str | None = None,
        no_level: bool = False,
        why: str | None = None,
        expected: Mapping[int, int | None] | None = None,
        actor: Actor = COMMAND_LINE,
    ) -> tuple[Screened, ...]:
        """Judge papers on their text as it is now, and label them. What the same person says again changes nothing.

        `expected` names the decision that was seen on each paper; raises Overtaken where another one stands now. `why` is
        the reason of a level that is not the proposed one. With `drafted`, the note that this person has written on a paper goes with the verdict where none is given.
        """
        labels = Labels.read(tags=tags, untag=untag, level=level, no_level=no_level)
        because = read_note(why)
        now = self._clock.now()
        if until is not None and until <= now.astimezone(self._zone).date():
            raise UsageError(f"{until.isoformat()} is not a day to come; maybe waits until a later day")
        with self._database.write() as session:
            begin(session, actor, pmids)
            given = judge(verdict, topics, reason, note, known=people.living_topics(session), until=until, asked=asked)
            _may_be_asked(session, asked)
            before = screening.standing(session, pmids)
            _not_overtaken(session, pmids, given, before, expected)
            deciding_votes = _third(session, pmids, before, actor)
            drafts = notes.of(session, actor.person_id, pmids) if drafted and actor.person_id is not None else {}
            fresh = []
            for citation in citations.load_each(session, pmids):
                written = given
                if drafted and given.note is None and citation.pmid in drafts:
                    written = given._replace(note=read_note(drafts[citation.pmid].text))
                read, last = fingerprint(citation), before.get(citation.pmid)
                if last is None or (last.judgement, last.fingerprint, last.person_id) != (
                    written,
                    read,
                    actor.person_id,
                ):
                    fresh.append(Given(citation.pmid, written, read))
            labelled, label_deeds = labelling.changes(session, pmids, labels)
            changed = {each.pmid for each in fresh} | {each.pmid for each in labelled}
            step_id = take_step(session, actor, "decide", changed, {**judgement_told(given), **labels.told}, now)
            screening.decide(session, fresh, actor, now, step_id)
            screening.tag(session, labelled, actor, now, reason=because, step_id=step_id)
            if self._received is not None and given.verdict is Verdict.KEEP and step_id is not None:
                self._received(session, changed, step_id)
            deeds = [
                Deed(
                    f"citation:{each.pmid}",
                    judgement_told(before.get(each.pmid)) | _votes_told(deciding_votes.get(each.pmid, ())),
                    judgement_told(each.judgement),
                )
                for each in fresh
            ]
            events.record_each(session, actor, f"screen.{given.verdict}", deeds, now)
            events.record_each(session, actor, "screen.label", label_deeds, now)
            if actor.person_id is not None:
                readings.release(session, actor.person_id, pmids)
            return screened(session, pmids, changed, step_id)

    def undo(
        self, pmids: Sequence[int], *, expected: Mapping[int, int | None] | None = None, actor: Actor = COMMAND_LINE
    ) -> tuple[Screened, ...]:
        """Take back the last verdict on each paper; the one before it stands again. May be repeated to the first.

        Raises Overtaken where another decision stands than `expected` names.
        """
        now = self._clock.now()
        with self._database.write() as session:
            lock(session, pmids)
            _not_overtaken(session, pmids, NOTHING, screening.standing(session, pmids), expected)
            said = screening.decisions(session, pmids)
            wanted = tuple(dict.fromkeys(pmids))
            taken = {pmid: found for pmid in wanted if (found := to_take_back(said.get(pmid, ()))) is not None}
            if bare := [pmid for pmid in wanted if pmid not in taken]:
                raise UsageError(f"{named(bare)} without a verdict that could be taken back; nothing was changed")
            fresh, deeds = [], []
            for pmid, (back, again) in taken.items():
                judgement = again.judgement if again is not None else NOTHING
                fresh.append(Given(pmid, judgement, (again or back).fingerprint, back.id, again))
                deeds.append(Deed(f"citation:{pmid}", judgement_told(standing(said[pmid])), judgement_told(judgement)))
            screening.decide(session, fresh, actor, now)
            events.record_each(session, actor, "screen.undo", deeds, now)
            return screened(session, pmids, set(taken))

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
        labels = Labels.read(tags=tags, untag=untag, level=level, no_level=no_level, claims=claims, unlink=unlink)
        why = read_note(note)
        now = self._clock.now()
        with self._database.write() as session:
            begin(session, actor, pmids)
            _third(session, pmids, screening.standing(session, pmids), actor)
            fresh, deeds = labelling.changes(session, pmids, labels)
            changed = {each.pmid for each in fresh}
            step_id = take_step(session, actor, "label", changed, labels.told, now)
            screening.tag(session, fresh, actor, now, reason=why, step_id=step_id)
            events.record_each(session, actor, "screen.label", deeds, now)
            return screened(session, pmids, changed, step_id)

    def acknowledge(self, pmids: Sequence[int], *, actor: Actor, upto: int | None = None) -> tuple[Screened, ...]:
        """Say that what befell these papers was read: a retraction, concern or erratum after they were kept or sent.

        With `upto`, the newest version that was shown: what came after it waits on. Raises UsageError where nothing waits.
        """
        if actor.person_id is None:
            raise UsageError("what befell a paper is acknowledged by a person")
        now = self._clock.now()
        with self._database.write() as session:
            begin(session, actor, pmids)
            waiting = [
                each
                for each in queue.notices(session, list(dict.fromkeys(pmids)))
                if upto is None or each.version_id <= upto
            ]
            changed = {each.pmid for each in waiting}
            if bare := [pmid for pmid in dict.fromkeys(pmids) if pmid not in changed]:
                raise UsageError(f"{named(bare)} without anything that waits to be acknowledged; nothing was changed")
            told = {"pmids": sorted(changed)}
            step_id = steps.begin(session, actor.person_id, "acknowledge", told, now)
            steps.acknowledge(session, [each.version_id for each in waiting], actor, step_id, now)
            deeds = [
                Deed(f"citation:{each.pmid}", None, {"changes": [change.name for change in each.changes]})
                for each in waiting
            ]
            events.record_each(session, actor, "integrity.acknowledge", deeds, now)
            return screened(session, pmids, changed, step_id)


def begin(session: Session, actor: Actor, pmids: Sequence[int]) -> None:
    """Lock the person and the papers of a step; raises UsageError for too many papers, or one that is not held."""
    if len(set(pmids)) > MOST and actor.person_id is not None:
        raise UsageError(f"{len(set(pmids)):,} papers at once are too many; at most {MOST} at a time")
    if actor.person_id is not None:
        steps.lock(session, actor.person_id)
    lock(session, pmids)


def take_step(
    session: Session, actor: Actor, kind: Kind, pmids: Iterable[int], tells: Mapping[str, Any], now: datetime
) -> int | None:
    """Store a step of a person in which these papers change; None where none does, or for the command line."""
    touched = sorted(pmids)
    if actor.person_id is None or not touched:
        return None
    return steps.begin(session, actor.person_id, kind, {"pmids": touched, **tells}, now)


def _may_be_asked(session: Session, asked: int | None) -> None:
    if asked is None:
        return
    person = people.find_by_id(session, asked)
    if person is None or person.disabled_at is not None or person.role not in DECIDING:
        raise UsageError("who is asked must be a curator or admin here")


def _not_overtaken(
    session: Session,
    pmids: Iterable[int],
    given: Judgement,
    before: Mapping[int, Decision],
    expected: Mapping[int, int | None] | None,
) -> None:
    if expected is None:
        return
    found = []
    for pmid in dict.fromkeys(pmids):
        decision = before.get(pmid)
        if pmid in expected and expected[pmid] != (decision.id if decision is not None else None):
            found.append((pmid, decision))
    if found:
        names = people.names(session)
        raise Overtaken(
            [
                Overtaking(pmid, decision, names.get(decision.person_id or 0) if decision else None, given)
                for pmid, decision in found
            ]
        )


def _third(
    session: Session, pmids: Sequence[int], before: Mapping[int, Decision], actor: Actor
) -> Mapping[int, Sequence[Vote]]:
    """Return the votes between which this person decides; raises UsageError where it is for others to decide.

    The command line stands outside of blind double screening.
    """
    if actor.person_id is None:
        return {}
    undecided = [pmid for pmid in dict.fromkeys(pmids) if pmid not in before]
    doubly = votes.screened_topics(session, undecided)
    given = votes.standing(session, doubly)
    waiting = [pmid for pmid in doubly if len(given.get(pmid, ())) < NEEDED]
    if waiting:
        raise UsageError(
            f"{named(waiting)} screened by two people who do not see each other's verdict: give yours in the lane "
            "second; nothing was changed"
        )
    mine = [pmid for pmid, cast in given.items() if any(each.person_id == actor.person_id for each in cast)]
    if mine:
        raise UsageError(
            f"{named(mine)} for a third person to decide, because your verdict is one of the two that differ; "
            "nothing was changed"
        )
    return given


def _votes_told(cast: Sequence[Vote]) -> dict[str, Any]:
    return {"votes": [vote_told(each) for each in cast]} if cast else {}
