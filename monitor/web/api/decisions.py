"""Decisions: read, given and taken back, each as one step of the person for whom the program speaks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import BeforeValidator, Field
from sqlalchemy.orm import Session

from monitor.core.people import Actor
from monitor.core.pmid import LARGEST_PMID
from monitor.core.screening import LEVELS, NOTE_MAX, REASONS, TAG_MAX, Verdict
from monitor.errors import NotFound
from monitor.services.accounts import Caller
from monitor.services.screened import Screened
from monitor.services.screening import MOST, Overtaken
from monitor.storage import citations, people, screening
from monitor.web.api.adding import Api
from monitor.web.api.answers import answer, done, if_match, tag_of
from monitor.web.api.papers import Judged, Standing, judged, standing_of
from monitor.web.api.shape import LARGEST, Body, Pmid, Shape, Text
from monitor.web.entering import Program
from monitor.web.problems import Changed
from monitor.web.site import Site

_EXAMPLE: dict[str, Any] = {
    "pmids": [90000001],
    "verdict": "keep",
    "topics": ["car-nk"],
    "tags": ["car-nk", "crs/absent"],
    "level": "B3",
    "expected": {"90000001": None},
}


def _day(value: object) -> object:
    if isinstance(value, str):
        return date.fromisoformat(value) if len(value) == 10 else value
    return value


Pmids = Annotated[
    list[Annotated[int, Field(ge=1, le=LARGEST_PMID)]],
    Field(min_length=1, max_length=MOST, description="The papers, all of them or none."),
]
Tags = Annotated[list[Annotated[Text, Field(min_length=1, max_length=TAG_MAX)]], Field(max_length=100)]
Note = Annotated[Text, Field(max_length=NOTE_MAX)]
Level = Annotated[str, Field(json_schema_extra={"enum": list(LEVELS)})]


class Deciding(Body):
    """A verdict on papers, with what belongs to it. keep names topics; dismiss a reason; maybe may wait.

    `expected` gives for a PMID the number of the decision that was seen, null for none: where another one stands,
    nothing is changed. `why` goes with a level that is not the proposed one.
    """

    model_config = {"json_schema_extra": {"examples": [_EXAMPLE]}}

    pmids: Pmids
    verdict: Annotated[Verdict, Field(strict=False)]
    topics: Annotated[list[Text], Field(max_length=100)] = []
    reason: Annotated[str, Field(json_schema_extra={"enum": list(REASONS)})] | None = None
    note: Note | None = None
    until: Annotated[date, BeforeValidator(_day)] | None = None
    asked: Annotated[int, Field(ge=1, le=LARGEST, description="The number of a curator who is asked.")] | None = None
    tags: Tags = []
    untag: Tags = []
    level: Level | None = None
    no_level: bool = False
    why: Note | None = None
    expected: (
        Annotated[
            dict[Annotated[str, Field(pattern=r"^[1-9][0-9]{0,9}$")], Annotated[int, Field(ge=1, le=LARGEST)] | None],
            Field(max_length=MOST, json_schema_extra={"additionalProperties": False}),
        ]
        | None
    ) = None


class Screening(Shape):
    """How the papers stand now; `step` takes back what was changed, and is null where all stood so already."""

    model_config = {"json_schema_extra": {"examples": [{"step": None, "papers": []}]}}

    step: int | None
    papers: tuple[Standing, ...]


def add_routes(api: Api, site: Site) -> None:
    """Add the routes of this module."""

    @api.change("POST", "/decisions", Screening, "How the papers stand now.", 409)
    def decide(body: Deciding, program: Program) -> Response:
        """Judge papers, and tag them with it, as one step.

        What stands so already changes nothing. 409 where another decision stands than `expected` names: both are there to
        be compared, and `expected` of the answer, sent with the same decision again, keeps yours.
        """
        expected = {int(pmid): number for pmid, number in body.expected.items()} if body.expected is not None else None
        found = site.screening.decide(
            body.pmids,
            body.verdict,
            topics=body.topics,
            reason=body.reason,
            note=body.note,
            until=body.until,
            asked=body.asked,
            tags=body.tags,
            untag=body.untag,
            level=body.level,
            no_level=body.no_level,
            why=body.why,
            expected=expected,
            actor=actor(program),
        )
        return done(screening_of(found))

    @api.get("/citations/{pmid}/decision", Judged, "The decision that stands.", 404)
    def get_decision(request: Request, pmid: Pmid) -> Response:
        """Read the decision that stands on a paper.

        404 where none does. Its ETag goes into If-Match of whoever takes it back.
        """
        with site.database.read() as session:
            return answer(request, _standing(session, pmid))

    @api.change("DELETE", "/citations/{pmid}/decision", Standing, "How the paper stands now.", 404, 412)
    def take_back_decision(request: Request, pmid: Pmid, program: Program) -> Response:
        """Take back the decision that stands on a paper; the one before it stands again.

        With If-Match, the ETag of the decision that was read: 412 where another one stands, which is then told.
        """
        tags = if_match(request)
        with site.database.read() as session:
            stands = _standing(session, pmid)
        if tags is not None and "*" not in tags and tag_of(stands.model_dump_json().encode()) not in tags:
            raise Changed(stands.model_dump(mode="json"))
        expected: Mapping[int, int | None] | None = {pmid: stands.number} if tags is not None else None
        try:
            (found,) = site.screening.undo([pmid], expected=expected, actor=actor(program))
        except Overtaken as error:
            with site.database.read() as session:
                raise Changed(_standing(session, pmid).model_dump(mode="json")) from error
        return done(standing_of(found))


def actor(program: Caller) -> Actor:
    """Return who is said to have done what a program does: the person whose token it holds."""
    return Actor(program.person.address, program.person.role, program.person.id)


def screening_of(found: tuple[Screened, ...]) -> Screening:
    step = next((each.step_id for each in found if each.step_id is not None), None)
    return Screening(step=step, papers=tuple(standing_of(each) for each in found))


def _standing(session: Session, pmid: int) -> Judged:
    held = citations.load(session, [pmid])
    if pmid not in held:
        raise NotFound(f"PMID {pmid} is not in the library")
    decision = screening.standing(session, [pmid]).get(pmid)
    if decision is None:
        raise NotFound(f"No decision stands on PMID {pmid}")
    by = people.names(session).get(decision.person_id or 0)
    return judged(decision, by, reopened=decision.reopened_by(held[pmid]))
