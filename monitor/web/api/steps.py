"""Steps: what the program's owner did at the desk, by whichever door, and taking it back."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request
from fastapi.responses import Response

from monitor.core.screening import Verdict
from monitor.core.steps import Kind
from monitor.errors import UsageError
from monitor.web.api import cursors
from monitor.web.api.adding import Api
from monitor.web.api.answers import answer, done
from monitor.web.api.decisions import actor
from monitor.web.api.shape import LIMIT, Cursor, Limit, Number, Shape, of
from monitor.web.entering import Program
from monitor.web.problems import Conflict
from monitor.web.site import Site

_ASKED = "steps"


class Step(Shape):
    """One deed at the desk, on however many papers; `on` and `off` are terms by facet. `undone_at`: it was taken back."""

    id: int
    kind: Kind
    at: datetime
    pmids: tuple[int, ...]
    verdict: Verdict | None
    topics: tuple[str, ...]
    reason: str | None
    note: str | None
    until: str | None
    asked: int | None
    on: dict[str, tuple[str, ...]]
    off: dict[str, tuple[str, ...]]
    undone_at: datetime | None


class StepPage(Shape):
    """Steps, the newest first; `next` is null at the end."""

    items: tuple[Step, ...]
    next: str | None


class LeftAlone(Shape):
    """A paper on which somebody has gone on since, and who."""

    pmid: int
    why: str


class TakenBack(Shape):
    """A step that was taken back on `pmids`; `left` are papers, or parts of what was done to them, that stand."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "step": 17,
                    "pmids": [90000001],
                    "left": [{"pmid": 90000002, "why": "Admin decided on it since (keep), and that stands"}],
                }
            ]
        }
    }

    step: int
    pmids: tuple[int, ...]
    left: tuple[LeftAlone, ...]


def add_routes(api: Api, site: Site) -> None:
    """Add the routes of this module."""

    @api.get("/steps", StepPage, "A page of steps.")
    def list_steps(request: Request, program: Program, cursor: Cursor = None, limit: Limit = LIMIT) -> Response:
        """List your own steps, the newest first."""
        asked = f"{_ASKED}\n{program.person.id}"
        found = site.steps.history(actor(program), before=cursors.read(asked, cursor), limit=limit + 1)
        following = cursors.write(asked, found[limit - 1].id if len(found) > limit else None)
        return answer(request, StepPage(items=of(Step, found[:limit]), next=following))

    @api.change("DELETE", "/steps/{number}", TakenBack, "What was taken back.", 404, 409)
    def take_back_step(number: Number, program: Program) -> Response:
        """Take back one of your own steps, within 24 hours.

        409 where it was taken back already, is too old, or where others have gone on from it on every paper.
        """
        me = actor(program)
        site.steps.find(number, me)
        try:
            found = site.steps.take_back(number, me)
        except UsageError as error:
            raise Conflict(str(error)) from error
        return done(TakenBack(step=found.step.id, pmids=found.pmids, left=of(LeftAlone, found.left)))
