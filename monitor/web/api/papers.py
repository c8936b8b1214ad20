"""How a paper is told to programs: as one of a list, how it stands, and what the rules propose for it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from monitor.core.screening import Decision, Verdict
from monitor.services.screened import Screened
from monitor.web.api.shape import Shape

Citation = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "title": "Citation"})]
"""The lossless form of `formats.jsonl`, which has a schema of its own."""


class PartDate(Shape):
    """A date as precisely as PubMed has it; `text` where it is no date of the calendar."""

    year: int | None
    month: int | None
    day: int | None
    season: str | None
    text: str | None


class FoundBy(Shape):
    """A topic's lane that finds the paper, by which of its lines."""

    topic: str
    title: str
    lane: Literal["core", "wide"]
    lines: tuple[int, ...]
    found_at: datetime


class Paper(Shape):
    """A paper as lists show it. `level` was confirmed by a person, `proposed_level` by a rule alone."""

    pmid: int
    title: str
    title_html: str
    title_language: str
    authors_short: str
    journal: str | None
    published: PartDate | None
    doi: str | None
    verdict: Verdict | None
    reason: str | None
    note: str | None
    decided_at: datetime | None
    topics: tuple[str, ...]
    tags: tuple[str, ...]
    level: str | None
    proposed_level: str | None
    provisional: bool
    design: str | None
    participants: int | None
    flags: tuple[str, ...]
    unfetched: bool
    found: tuple[FoundBy, ...]
    found_at: datetime | None
    added_at: datetime


class Standing(Shape):
    """How a paper stands after screening. `expected` is the number of the decision that stands, for optimistic locking.

    `reopened`: its title or abstract has changed since. `changed`: this request changed something on it.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "pmid": 90000001,
                    "verdict": "keep",
                    "topics": ["car-nk"],
                    "reason": None,
                    "note": None,
                    "until": None,
                    "asked": None,
                    "tags": ["car-nk", "crs/absent"],
                    "level": "B3",
                    "claims": [],
                    "reopened": False,
                    "changed": True,
                    "expected": 17,
                }
            ]
        }
    }

    pmid: int
    verdict: Verdict | None
    topics: tuple[str, ...]
    reason: str | None
    note: str | None
    until: date | None
    asked: int | None
    tags: tuple[str, ...]
    level: str | None
    claims: tuple[str, ...]
    reopened: bool
    changed: bool
    expected: int | None


class Judged(Shape):
    """A decision that stands: `by` whom (null: the command line), with the role held then."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "number": 17,
                    "pmid": 90000001,
                    "verdict": "keep",
                    "topics": ["car-nk"],
                    "reason": None,
                    "note": "Read table 2.",
                    "until": None,
                    "asked": None,
                    "decided_at": "2026-11-23T08:00:00Z",
                    "by": "Curator",
                    "role": "curator",
                    "reopened": False,
                }
            ]
        }
    }

    number: int
    pmid: int
    verdict: Verdict
    topics: tuple[str, ...]
    reason: str | None
    note: str | None
    until: date | None
    asked: int | None
    decided_at: datetime
    by: str | None
    role: str
    reopened: bool


class Because(Shape):
    """Where a rule found what."""

    place: str
    words: str


class Reason(Because):
    """Why a tag is proposed: the words, the sentence of the abstract by its number from 0, and the pattern."""

    sentence: int | None
    pattern: str


class Suggestion(Shape):
    """A tag that is proposed; `polarity` says whether a harm was reported, absent or only mentioned."""

    tag: str
    term: str
    facet: str
    score: float
    preselected: bool
    role: str
    polarity: str | None
    implied_by: str | None
    reasons: tuple[Reason, ...]


class Grade(Shape):
    """The level that the rules propose, and the rule that decided; `ask` is what a person must confirm."""

    level: str
    design: str
    rule: str
    reason: str
    ask: str | None
    because: tuple[Because, ...]
    provisional: bool
    provisional_until: date | None
    flags: tuple[str, ...]
    notes: tuple[str, ...]


class OffTopic(Shape):
    """A meaning of the words that is not the field's."""

    id: str
    score: float
    reasons: tuple[Reason, ...]


class Sample(Shape):
    """How many were treated, as far as the abstract says."""

    n: int | None
    arms: tuple[int, ...]
    arms_agree: bool
    studies: int | None


class Registered(Shape):
    """The number of a trial, and where it stands."""

    registry: str
    number: str
    place: str


class Proposed(Shape):
    """What the vocabulary and the level rules propose; nothing of it stands before a person says so."""

    grade: Grade
    tags: tuple[Suggestion, ...]
    off_topic: tuple[OffTopic, ...]
    sample: Sample
    registry: tuple[Registered, ...]


class Stored(Shape):
    """How the citation came to be as it is."""

    version: Annotated[int, Field(description="PubMed's version of the citation.")]
    provisional: bool
    retracted: bool
    concern: bool
    added_at: datetime
    changed_at: datetime
    fetched_at: datetime
    withdrawn_at: datetime | None


class Seen(Shape):
    """A version of the citation: when it was seen, and what changed with it."""

    seen_at: datetime
    version: int
    changes: tuple[str, ...]


def standing_of(found: Screened) -> Standing:
    judgement = found.judgement
    return Standing(
        pmid=found.pmid,
        **judgement._asdict(),
        tags=found.tags,
        level=found.level,
        claims=found.claims,
        reopened=found.reopened,
        changed=found.changed,
        expected=found.expected,
    )


def judged(decision: Decision, by: str | None, *, reopened: bool) -> Judged:
    return Judged(
        number=decision.id,
        pmid=decision.pmid,
        **decision.judgement._asdict(),
        decided_at=decision.decided_at,
        by=by,
        role=decision.role,
        reopened=reopened,
    )
