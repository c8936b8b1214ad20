"""One choice for many papers: what it would change is shown first, then it is applied to the same list, as one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from monitor.core.people import Actor
from monitor.core.screening import Decision, Judgement, fingerprint, judge
from monitor.core.steps import Left
from monitor.errors import UsageError
from monitor.services.labelling import Labels
from monitor.services.screened import Screened
from monitor.services.screening import MOST, Overtaken, Screening
from monitor.storage import citations, papers, people, screening, votes
from monitor.storage.engine import Database
from monitor.storage.papers import PaperLine


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be said of every paper of a list: a verdict with what belongs to it, labels, or both."""

    verdict: str | None = None
    topics: tuple[str, ...] = ()
    reason: str | None = None
    note: str | None = None
    until: date | None = None
    asked: int | None = None
    tags: tuple[str, ...] = ()
    untag: tuple[str, ...] = ()
    level: str | None = None
    no_level: bool = False
    why: str | None = None

    @property
    def labels(self) -> Labels:
        return Labels.read(tags=self.tags, untag=self.untag, level=self.level, no_level=self.no_level)


@dataclass(frozen=True, slots=True)
class Would:
    """A paper that would change: how it stands now, in words, and the decision that `apply` expects to find."""

    line: PaperLine
    stands: str
    expected: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a choice would change, and which papers it would not and why, in the order given."""

    would: tuple[Would, ...]
    left: tuple[Left, ...]

    @property
    def expected(self) -> dict[int, int | None]:
        """What to hand to `apply`."""
        return {each.line.pmid: each.expected for each in self.would}


@dataclass(frozen=True, slots=True)
class Applied:
    """What was changed, in which step, and what was left and why; `step_id` is None where nothing changed."""

    pmids: tuple[int, ...]
    left: tuple[Left, ...]
    step_id: int | None


class Bulk:
    """Applies one choice to at most `MOST` papers at once."""

    def __init__(self, database: Database, judging: Screening) -> None:
        self._database = database
        self._screening = judging

    def preview(self, pmids: Sequence[int], choice: Choice, actor: Actor) -> Preview:
        """Say what a choice would change, and change nothing. Raises UsageError where the choice itself is wrong."""
        wanted = _wanted(pmids)
        with self._database.read() as session:
            given = _read(session, choice)
            lines = {each.pmid: each for each in papers.lines(session, wanted)}
            stands = screening.standing(session, lines)
            names = people.names(session)
            same = _same(session, list(lines), given, choice.labels, stands, actor)
            doubly = votes.screened_topics(session, [pmid for pmid in lines if pmid not in stands])
            would, left = [], []
            for pmid in wanted:
                if pmid not in lines:
                    left.append(Left(pmid, "not in the library"))
                elif pmid in doubly:
                    left.append(
                        Left(
                            pmid, "screened by two people, one by one: its verdicts are given in the lane Second review"
                        )
                    )
                elif pmid in same:
                    left.append(Left(pmid, "stands like this already"))
                else:
                    decision = stands.get(pmid)
                    would.append(
                        Would(lines[pmid], _stands(decision, names), decision.id if decision is not None else None)
                    )
        return Preview(tuple(would), tuple(left))

    def apply(self, choice: Choice, expected: Mapping[int, int | None], actor: Actor) -> Applied:
        """Apply a choice to the papers of a preview, as one step; those that others judged since are left and told."""
        wanted = _wanted(list(expected))
        left: list[Left] = []
        while wanted:
            try:
                found = self._apply(wanted, choice, expected, actor)
            except Overtaken as error:
                # Each round leaves out at least one paper, so that this ends.
                told = {each.pmid: f"{each.by or 'the command line'} decided on it meanwhile" for each in error.papers}
                left += [Left(pmid, why) for pmid, why in told.items()]
                wanted = [pmid for pmid in wanted if pmid not in told]
                continue
            changed = [each for each in found if each.changed]
            left += [Left(each.pmid, "stands like this already") for each in found if not each.changed]
            step = next((each.step_id for each in changed), None)
            return Applied(tuple(each.pmid for each in changed), tuple(left), step)
        return Applied((), tuple(left), None)

    def _apply(
        self, pmids: Sequence[int], choice: Choice, expected: Mapping[int, int | None], actor: Actor
    ) -> Sequence[Screened]:
        if choice.verdict is None:
            return self._screening.label(
                pmids, tags=choice.tags, untag=choice.untag, level=choice.level, no_level=choice.no_level,
                note=choice.why, actor=actor,
            )  # fmt: skip
        return self._screening.decide(
            pmids, choice.verdict, topics=choice.topics, reason=choice.reason, note=choice.note, until=choice.until,
            asked=choice.asked, tags=choice.tags, untag=choice.untag, level=choice.level, no_level=choice.no_level,
            why=choice.why, expected=expected, actor=actor,
        )  # fmt: skip


def _wanted(pmids: Sequence[int]) -> list[int]:
    wanted = list(dict.fromkeys(pmids))
    if not wanted:
        raise UsageError("no paper is selected; nothing was changed")
    if len(wanted) > MOST:
        raise UsageError(f"{len(wanted):,} papers at once are too many; select at most {MOST}")
    return wanted


def _read(session: Session, choice: Choice) -> Judgement | None:
    labels = choice.labels
    if choice.verdict is None:
        if not labels:
            raise UsageError("choose a verdict, or tags or a level to put on or take off; nothing was changed")
        return None
    return judge(
        choice.verdict,
        choice.topics,
        choice.reason,
        choice.note,
        known=people.living_topics(session),
        until=choice.until,
        asked=choice.asked,
    )


def _same(
    session: Session,
    pmids: Sequence[int],
    given: Judgement | None,
    labels: Labels,
    stands: Mapping[int, Decision],
    actor: Actor,
) -> set[int]:
    """Return the papers of which nothing would change: the same person says the same of the same text."""
    terms = screening.terms(session, pmids) if labels else {}
    labelled = {pmid for pmid in pmids if labels and labels.on_paper(pmid, terms.get(pmid, {}))[0]}
    if given is None:
        return set(pmids) - labelled
    alike = [
        pmid
        for pmid, each in stands.items()
        if (each.judgement, each.person_id) == (given, actor.person_id) and pmid not in labelled
    ]
    return {
        each.pmid for each in citations.load_each(session, alike) if fingerprint(each) == stands[each.pmid].fingerprint
    }


def _stands(decision: Decision | None, names: Mapping[int, str]) -> str:
    if decision is None:
        return "no verdict yet"
    topics = f" in {', '.join(decision.judgement.topics)}" if decision.judgement.topics else ""
    return f"{decision.judgement.verdict}{topics} by {names.get(decision.person_id or 0, 'the command line')}"
