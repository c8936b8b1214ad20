"""Blind double screening: two people judge a paper without seeing each other's verdict; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.core.agreement import Pair
from monitor.core.screening import NOTE_MAX, Judgement, Verdict

NEEDED = 2
"""So many votes make a decision, when they agree."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's verdict on a paper, with the role held then, and what is to be put on it.

    `screened` are the topics for which it was given.
    """

    id: int
    pmid: int
    person_id: int
    name: str
    role: str
    judgement: Judgement
    screened: tuple[str, ...]
    tags: tuple[str, ...]
    level: str | None
    fingerprint: bytes
    voted_at: datetime
    withdrawn_at: datetime | None = None
    step_id: int | None = None


@dataclass(frozen=True, slots=True)
class Agreed:
    """What two votes that agree come to: one judgement, all tags of either, and the level if they do not differ."""

    judgement: Judgement
    tags: tuple[str, ...]
    level: str | None


def outcome(votes: Sequence[Vote]) -> Agreed | None:
    """Return what two votes come to; None when they differ and a third person decides.

    Verdicts must be the same, and to keep a paper also the doubly screened topics it is kept in. Other topics add up.
    Of two reasons to dismiss, the first stands.
    """
    first, second = votes
    if first.judgement.verdict != second.judgement.verdict:
        return None
    screened = {*first.screened, *second.screened}
    mine, theirs = first.judgement, second.judgement
    if screened.intersection(mine.topics) != screened.intersection(theirs.topics):
        return None
    notes = list(dict.fromkeys(each for each in (mine.note, theirs.note) if each))
    note = "\n\n".join(notes) or None
    if note is not None and len(note) > NOTE_MAX:
        note = notes[0]
    judgement = Judgement(
        mine.verdict, tuple(dict.fromkeys((*mine.topics, *theirs.topics))), mine.reason or theirs.reason, note
    )
    levels = {each.level for each in votes if each.level is not None}
    return Agreed(
        judgement,
        tuple(dict.fromkeys((*first.tags, *second.tags))),
        next(iter(levels)) if len(levels) == 1 else None,
    )


def pairs(votes: Sequence[Vote], topic: str) -> list[Pair]:
    """Return the pairs of votes on the same words of a paper, as verdicts about this topic.

    To keep a paper, but not in this topic, is a verdict of its own.
    """
    by_text: dict[tuple[int, bytes], list[Vote]] = {}
    for each in votes:
        if topic in each.screened:
            by_text.setdefault((each.pmid, each.fingerprint), []).append(each)
    found = []
    for together in by_text.values():
        if len(together) >= NEEDED:
            first, second = sorted(together[:NEEDED], key=lambda each: each.person_id)
            found.append(Pair(first.person_id, second.person_id, (_about(first, topic), _about(second, topic))))
    return found


def _about(vote: Vote, topic: str) -> str:
    given = vote.judgement
    return "elsewhere" if given.verdict is Verdict.KEEP and topic not in given.topics else str(given.verdict)
