"""Undo and redo at the desk: each person's own steps, newest first, across pages and sessions.

Judgements are added, never edited: taking one back adds what stood before it, repeating one adds it again. What another
person has done since is never overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from monitor.core.people import Actor
from monitor.core.screening import NOTHING, Decision, Tagging, not_taken_back, standing
from monitor.core.steps import Done, Left, Step, labelled_again, relabelled, repeating, taking
from monitor.errors import NotFound, UsageError
from monitor.services.ports import Clock
from monitor.services.screened import judgement_told, pairs, terms_told
from monitor.services.votes import take_back_vote, vote_again
from monitor.storage import events, people, screening, steps
from monitor.storage.engine import Database
from monitor.storage.events import Deed
from monitor.storage.screening import Given, Labelled

PAGE = 50


@dataclass(slots=True)
class _Plan:
    """Rows that take a step back or repeat it; papers that are `left` alone, and those of which something is `kept`."""

    given: list[Given] = field(default_factory=list)
    labels: list[Labelled] = field(default_factory=list)
    kept: dict[int, str] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)


class Steps:
    """What people did at the desk, taken back and repeated. Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def undo(self, actor: Actor) -> Done | None:
        """Take back the newest step of this person; None when nothing is left.

        Papers on which somebody decided since are left as they are, and told. When all are, the next undo goes on to the
        step before.
        """
        with self._database.write() as session:
            who = _begin(session, actor)
            step = steps.to_undo(session, who)
            if step is None:
                return None
            now = self._clock.now()
            done = self._take_back(session, step, actor, now)
            if not done.pmids:
                steps.passed(session, step, now)
            return done

    def redo(self, actor: Actor) -> Done | None:
        """Repeat what this person took back last; None when there is nothing, or something new was done since."""
        with self._database.write() as session:
            who = _begin(session, actor)
            step = steps.to_redo(session, who)
            if step is None:
                return None
            now = self._clock.now()
            done = self._repeat(session, step, actor, now)
            if done.pmids:
                steps.redone(session, step)
            else:
                steps.not_again(session, step)
            return done

    def take_back(self, step_id: int, actor: Actor) -> Done:
        """Take back one step of this person from the history, in any order, for 24 hours.

        Raises NotFound for a step that is not this person's, UsageError for one that is too old, taken back already, or
        of which nothing can be taken back because others, or later steps, have gone on from it.
        """
        now = self._clock.now()
        with self._database.write() as session:
            who = _begin(session, actor)
            step = steps.find(session, step_id)
            if step is None or step.person_id != who:
                raise NotFound("this is no step of yours, so nothing was changed")
            if step.undone_at is not None:
                raise UsageError("this was taken back already; nothing was changed")
            if not step.may_be_taken_back(now):
                raise UsageError("this was done more than 24 hours ago; nothing was changed. Decide anew instead")
            done = self._take_back(session, step, actor, now)
            if not done.pmids:
                told = "; ".join(f"PMID {each.pmid}: {each.why}" for each in done.left[:5])
                raise UsageError(f"nothing was changed: {told}")
            return done

    def history(
        self, actor: Actor, *, everybody: bool = False, before: int | None = None, limit: int = PAGE
    ) -> tuple[Step, ...]:
        """Return this person's steps, or everybody's, the newest first; `before` a step asks for the page after it.

        Others' votes are left out: nobody sees a verdict that was given blindly.
        """
        who = None if everybody else _person(actor)
        with self._database.read() as session:
            found = steps.history(session, who, before, limit, votes_of=_person(actor))
        return tuple(found)

    def find(self, step_id: int, actor: Actor) -> Step:
        """Return one step of this person; raises NotFound for another."""
        with self._database.read() as session:
            step = steps.find(session, step_id)
        if step is None or step.person_id != _person(actor):
            raise NotFound("this is no step of yours")
        return step

    def _take_back(self, session: Session, step: Step, actor: Actor, now: datetime) -> Done:
        screening.lock(session, step.pmids)
        if step.kind == "vote":
            done = take_back_vote(session, step, actor, now)
        elif step.kind == "acknowledge":
            steps.withdraw(session, step.id, now)
            deeds = [Deed(f"citation:{pmid}") for pmid in step.pmids]
            events.record_each(session, actor, "screen.undo", deeds, now)
            done = Done(step, step.pmids)
        else:
            done = _carried_out(session, step, actor, now, again=False)
        if done.pmids:
            steps.undone(session, step, now)
        return done

    def _repeat(self, session: Session, step: Step, actor: Actor, now: datetime) -> Done:
        screening.lock(session, step.pmids)
        if step.kind == "vote":
            return vote_again(session, step, actor, now)
        if step.kind == "acknowledge":
            versions = steps.acknowledged(session, step.id, withdrawn=True)
            steps.acknowledge(session, versions, actor, step.id, now)
            deeds = [Deed(f"citation:{pmid}") for pmid in step.pmids]
            events.record_each(session, actor, "screen.redo", deeds, now)
            return Done(step, step.pmids)
        return _carried_out(session, step, actor, now, again=True)


def _carried_out(session: Session, step: Step, actor: Actor, now: datetime, *, again: bool) -> Done:
    """Take verdicts and terms of a step back, or put them there `again`, where nobody has gone on from it."""
    said, tagged = screening.decisions(session, step.pmids), screening.taggings(session, step.pmids)
    before = screening.terms(session, step.pmids)
    names = people.names(session)
    plan = _Plan()
    for pmid in step.pmids:
        rows = said.get(pmid, [])
        found = repeating(rows, step.id, step.person_id) if again else taking(rows, step.id)
        if found.blocked_by is not None:
            plan.left[pmid] = _decided_since(found.blocked_by, step, names)
            continue
        for row in found.rows:
            plan.given.append(Given(pmid, row.judgement, row.fingerprint) if again else _instead(rows, row))
    for (pmid, facet, _), several in _units(tagged).items():
        if pmid in plan.left:
            continue
        terms = repeating(several, step.id, step.person_id) if again else taking(several, step.id)
        if terms.blocked_by is not None:
            plan.kept.setdefault(pmid, _tagged_since(terms.blocked_by, step, names))
        changed = labelled_again(several, terms.rows) if again else relabelled(several, terms.rows)
        plan.labels += [Labelled(pmid, facet, *each) for each in changed]
    touched = {each.pmid for each in plan.given} | {each.pmid for each in plan.labels}
    for pmid in step.pmids:
        if pmid not in touched and pmid not in plan.left:
            plan.left[pmid] = plan.kept.pop(pmid, "this was taken back already")
    screening.decide(session, plan.given, actor, now, step.id)
    screening.tag(session, plan.labels, actor, now, step_id=step.id)
    after = screening.terms(session, touched)
    deeds = []
    verdicts = {each.pmid: each.judgement for each in plan.given}
    for pmid in sorted(touched):
        was, stands = terms_told(pairs(before.get(pmid, {}))), terms_told(pairs(after.get(pmid, {})))
        if pmid in verdicts:
            was |= judgement_told(standing(said.get(pmid, ())))
            stands |= judgement_told(verdicts[pmid])
        deeds.append(Deed(f"citation:{pmid}", was, stands))
    events.record_each(session, actor, "screen.redo" if again else "screen.undo", deeds, now)
    left = {**plan.left, **plan.kept}
    return Done(
        step,
        tuple(pmid for pmid in step.pmids if pmid in touched),
        tuple(Left(pmid, left[pmid]) for pmid in step.pmids if pmid in left),
    )


def _instead(rows: Sequence[Decision], back: Decision) -> Given:
    """Return what stands again when a decision is taken back: the one before it, on the text read then."""
    left = not_taken_back(rows)
    at = left.index(back)
    if at == 0:
        return Given(back.pmid, NOTHING, back.fingerprint, back.id)
    again = left[at - 1]
    return Given(back.pmid, again.judgement, again.fingerprint, back.id, again)


def _units(tagged: Mapping[tuple[int, str, str], Sequence[Tagging]]) -> dict[tuple[int, str, str], list[Tagging]]:
    """Return the taggings of what is put on and taken off by itself: each tag, each claim, and the level as one."""
    found: dict[tuple[int, str, str], list[Tagging]] = {}
    for (pmid, facet, term), rows in tagged.items():
        found.setdefault((pmid, facet, "" if facet == "level" else term), []).extend(rows)
    return {unit: sorted(rows, key=lambda each: each.id) for unit, rows in found.items()}


def _decided_since(row: Decision, step: Step, names: Mapping[int, str]) -> str:
    given = row.judgement.verdict or "no verdict"
    if row.person_id == step.person_id:
        return f"you decided on it since ({given}); take that back first"
    return f"{names.get(row.person_id or 0, 'the command line')} decided on it since ({given}), and that stands"


def _tagged_since(row: Tagging, step: Step, names: Mapping[int, str]) -> str:
    if row.person_id == step.person_id:
        return f"you changed {row.facet} {row.term} since; take that back first"
    who = names.get(row.person_id or 0, "the command line")
    return f"{who} changed {row.facet} {row.term} since, and that stands"


def _begin(session: Session, actor: Actor) -> int:
    who = _person(actor)
    steps.lock(session, who)
    return who


def _person(actor: Actor) -> int:
    if actor.person_id is None:
        raise UsageError("steps are taken back by the person who did them")
    return actor.person_id
