"""Blind double screening: two people judge each paper of a topic, and a third decides where they differ.

Nothing of a vote leaves this module before both were given, to anybody but the one who gave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from monitor.core.agreement import Agreement, agreement, between
from monitor.core.people import Actor
from monitor.core.screening import Judgement, Verdict, fingerprint, judge, read_note
from monitor.core.steps import Done, Left, Step
from monitor.core.voting import NEEDED, Agreed, Vote, outcome, pairs
from monitor.errors import NotFound, UsageError
from monitor.services import labelling
from monitor.services.labelling import Labels
from monitor.services.ports import Clock
from monitor.services.screened import Received, judgement_told, lock, terms_told
from monitor.storage import citations, events, notes, people, readings, screening, steps, votes
from monitor.storage.engine import Database
from monitor.storage.events import Deed
from monitor.storage.screening import Given


@dataclass(frozen=True, slots=True)
class Voted:
    """What came of a vote: it waits for another, it agreed and a decision stands, or a third person decides.

    `votes` are both, once both were given.
    """

    pmid: int
    step_id: int
    state: str
    judgement: Judgement | None = None
    votes: tuple[Vote, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How double screening of a paper stands for one person.

    `state`: `open` (this person may vote), `voted` (and waits for another), `conflict` (two verdicts differ), `decided`,
    or None for a paper that is not doubly screened. `mine` is this person's own vote; `votes` are both, once given.
    `may_decide`: two differ, and this person is neither of them.
    """

    pmid: int
    state: str | None
    topics: tuple[str, ...] = ()
    mine: Vote | None = None
    votes: tuple[Vote, ...] = ()
    may_decide: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """Agreement in a topic: of all, and of each two people, by their names, with the verdicts of each as a table."""

    topic: str
    whole: Agreement
    people: tuple[tuple[str, str, Agreement], ...]
    table: Mapping[tuple[str, str], int]


class Votes:
    """Takes votes down, and tells them once both were given. Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock, received: Received | None = None) -> None:
        self._database = database
        self._clock = clock
        self._received = received

    def topics(self) -> dict[str, datetime]:
        """Return the topics that are doubly screened, and since when."""
        with self._database.read() as session:
            return votes.doubly_screened(session)

    def switch(self, topic: str, on: bool, actor: Actor) -> bool:
        """Have each new paper of a topic judged by two people, or by one again; False when it is so already.

        For admins. Votes stay: what was given counts again when it is switched on again.
        """
        if actor.role != "admin":
            raise UsageError("who screens a topic is decided by an admin; nothing was changed")
        now = self._clock.now()
        with self._database.write() as session:
            if topic not in people.living_topics(session):
                raise NotFound(f"no topic is called {topic}, so nothing was changed")
            held = topic in votes.doubly_screened(session)
            if held == on:
                return False
            votes.switch(session, topic, now if on else None)
            events.record(session, actor, "topic.screening", f"topic:{topic}", now, {"doubly": held}, {"doubly": on})
            return True

    def vote(
        self,
        pmid: int,
        verdict: str,
        *,
        topics: Sequence[str] = (),
        reason: str | None = None,
        note: str | None = None,
        drafted: bool = False,
        tags: Iterable[str] = (),
        level: str | None = None,
        actor: Actor,
    ) -> Voted:
        """Give one's verdict on a paper of a doubly screened topic, on its text as it is now.

        The second vote becomes a decision when both agree: all tags of either are put on with it. Raises UsageError where
        the paper does not wait for this person's vote.
        """
        who = _person(actor)
        labels = Labels.read(tags=tags, level=level)
        now = self._clock.now()
        with self._database.write() as session:
            steps.lock(session, who)
            lock(session, [pmid])
            given = judge(verdict, topics, reason, note, known=people.living_topics(session))
            if drafted and given.note is None:
                written = notes.of(session, who, [pmid]).get(pmid)
                given = given._replace(note=read_note(written.text) if written is not None else None)
            screened = _open_for(session, pmid, who)
            told = {"pmids": [pmid], **judgement_told(given), **labels.told}
            step_id = steps.begin(session, who, "vote", told, now)
            citation = citations.load(session, [pmid])[pmid]
            votes.add(
                session,
                pmid,
                given,
                screened=screened,
                tags=[term for facet, term in labels.on if facet == "tag"],
                level=next((term for facet, term in labels.on if facet == "level"), None),
                fingerprint=fingerprint(citation),
                person_id=who,
                role=actor.role,
                now=now,
                step_id=step_id,
            )
            readings.release(session, who, [pmid])
            found = _counted(session, pmid, screened, actor, step_id, now)
            if self._received is not None and found.judgement is not None and found.judgement.verdict is Verdict.KEEP:
                self._received(session, [pmid], step_id)
            return found

    def of(self, pmid: int, actor: Actor) -> Standing:
        """Say how double screening of a paper stands for this person."""
        with self._database.read() as session:
            return standing(session, pmid, actor)

    def conflicts(self, actor: Actor) -> tuple[Standing, ...]:
        """Return the papers on which two verdicts differ and a third person is to decide, with both, the oldest first."""
        with self._database.read() as session:
            found = standings(session, votes.twice(session), actor)
        return tuple(each for each in found if each.state == "conflict")

    def agreement(self, topic: str) -> Report:
        """Measure how far people agree in a topic, over all papers that two have judged, outdated votes included."""
        with self._database.read() as session:
            if topic not in people.living_topics(session):
                raise NotFound(f"no topic is called {topic}")
            found = pairs(votes.all_on(session, topic), topic)
            names = people.names(session)
        table: dict[tuple[str, str], int] = {}
        for each in found:
            table[each.verdicts] = table.get(each.verdicts, 0) + 1
        return Report(
            topic,
            agreement(found),
            tuple((names[one], names[other], agreement(shared)) for (one, other), shared in between(found).items()),
            table,
        )


def standing(session: Session, pmid: int, actor: Actor) -> Standing:
    """Say how double screening of a paper stands for this person; the other's vote stays out until both are in."""
    (found,) = standings(session, [pmid], actor)
    return found


def standings(session: Session, pmids: Sequence[int], actor: Actor) -> list[Standing]:
    """Say how double screening of each paper stands for this person, in the order given."""
    screened = votes.screened_topics(session, pmids)
    cast = votes.standing(session, pmids)
    decided = screening.standing(session, pmids)
    return [_standing(pmid, screened.get(pmid, ()), cast.get(pmid, ()), pmid in decided, actor) for pmid in pmids]


def _standing(pmid: int, screened: tuple[str, ...], cast: Sequence[Vote], decided: bool, actor: Actor) -> Standing:
    if not (screened or (decided and cast)):
        return Standing(pmid, None)
    mine = next((each for each in cast if each.person_id == actor.person_id), None)
    both = tuple(cast) if len(cast) >= NEEDED else ()
    if decided:
        return Standing(pmid, "decided", screened, mine, both)
    if both:
        return Standing(pmid, "conflict", screened, mine, both, mine is None)
    return Standing(pmid, "open" if mine is None else "voted", screened, mine)


def take_back_vote(session: Session, step: Step, actor: Actor, now: datetime) -> Done:
    """Take a vote back, unless the other one is in: then both are known, and what they came to stands."""
    (pmid,) = step.pmids
    given = [each for each in votes.of_step(session, step.id) if each.withdrawn_at is None]
    cast = votes.standing(session, [pmid]).get(pmid, [])
    if any(each.person_id != step.person_id for each in cast) or pmid in screening.standing(session, [pmid]):
        return Done(step, (), (Left(pmid, "both verdicts are in, and a vote that met the other one stands"),))
    votes.withdraw(session, [each.id for each in given], now)
    _log(session, actor, "vote.undo", given[-1].screened, now)
    return Done(step, step.pmids)


def vote_again(session: Session, step: Step, actor: Actor, now: datetime) -> Done:
    """Give a vote again that was taken back, where the paper still waits for it and reads as it did."""
    (pmid,) = step.pmids
    last = votes.of_step(session, step.id)[-1]
    try:
        screened = _open_for(session, pmid, step.person_id)
    except UsageError as error:
        return Done(step, (), (Left(pmid, str(error)),))
    if fingerprint(citations.load(session, [pmid])[pmid]) != last.fingerprint:
        return Done(step, (), (Left(pmid, "its title or abstract has changed since; read it and vote anew"),))
    votes.add(
        session,
        pmid,
        last.judgement,
        screened=screened,
        tags=last.tags,
        level=last.level,
        fingerprint=last.fingerprint,
        person_id=step.person_id,
        role=actor.role,
        now=now,
        step_id=step.id,
    )
    _counted(session, pmid, screened, actor, step.id, now)
    return Done(step, step.pmids)


def _open_for(session: Session, pmid: int, who: int) -> tuple[str, ...]:
    """Return the topics for which this person may vote on a paper; raises UsageError where it does not wait for them."""
    screened = votes.screened_topics(session, [pmid]).get(pmid, ())
    if not screened:
        raise UsageError(f"PMID {pmid} is in no topic that two people screen; decide on it instead")
    if pmid in screening.standing(session, [pmid]):
        raise UsageError(f"PMID {pmid} has a verdict already, so no vote is needed; nothing was changed")
    cast = votes.standing(session, [pmid]).get(pmid, [])
    if any(each.person_id == who for each in cast):
        raise UsageError(f"you have voted on PMID {pmid}; undo takes a vote back until the other one is in")
    if len(cast) >= NEEDED:
        raise UsageError(f"two people have voted on PMID {pmid} and differ; decide between them instead")
    return screened


def _counted(session: Session, pmid: int, screened: Sequence[str], actor: Actor, step_id: int, now: datetime) -> Voted:
    """Say what the votes on a paper come to now, and write the decision where they agree."""
    _log(session, actor, "vote.give", screened, now)
    cast = votes.standing(session, [pmid]).get(pmid, [])
    if len(cast) < NEEDED:
        return Voted(pmid, step_id, "waits")
    agreed = outcome(cast)
    both = {"votes": [vote_told(each) for each in cast]}
    if agreed is None:
        events.record(session, actor, "vote.differ", f"citation:{pmid}", now, None, both)
        return Voted(pmid, step_id, "conflict", votes=tuple(cast))
    _decide(session, pmid, agreed, cast, actor, step_id, now)
    events.record(
        session, actor, f"screen.{agreed.judgement.verdict}", f"citation:{pmid}", now, both,
        judgement_told(agreed.judgement) | terms_told(_terms(agreed)),
    )  # fmt: skip
    return Voted(pmid, step_id, "agreed", agreed.judgement, tuple(cast))


def _decide(
    session: Session, pmid: int, agreed: Agreed, cast: Sequence[Vote], actor: Actor, step_id: int, now: datetime
) -> None:
    screening.decide(session, [Given(pmid, agreed.judgement, cast[-1].fingerprint)], actor, now, step_id)
    fresh, _ = labelling.changes(session, [pmid], Labels(tuple(_terms(agreed))))
    screening.tag(session, fresh, actor, now, step_id=step_id)


def _terms(agreed: Agreed) -> list[tuple[str, str]]:
    return [("tag", each) for each in agreed.tags] + ([("level", agreed.level)] if agreed.level else [])


def vote_told(vote: Vote) -> dict[str, object]:
    """Give a vote as the log has it, once both were given."""
    return {"by": vote.name, "role": vote.role, **judgement_told(vote.judgement)}


def _log(session: Session, actor: Actor, action: str, screened: Sequence[str], now: datetime) -> None:
    """Tell the log that somebody voted in a topic, and neither on what nor how."""
    events.record_each(session, actor, action, [Deed(f"topic:{topic}") for topic in screened], now)


def _person(actor: Actor) -> int:
    if actor.person_id is None:
        raise UsageError("votes are given by people who are signed in")
    return actor.person_id
