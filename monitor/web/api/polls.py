"""Polls: every run against PubMed, what was asked, what PubMed made of it, and what came."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Query, Request
from fastapi.responses import Response
from pydantic import Field

from monitor.errors import NotFound
from monitor.services.runs import Run
from monitor.web.api import cursors
from monitor.web.api.adding import Api
from monitor.web.api.answers import answer
from monitor.web.api.shape import LIMIT, Cursor, Limit, Number, Shape, Text
from monitor.web.problems import WrongParameter
from monitor.web.site import Site


class Poll(Shape):
    """A poll; without a topic it is the rolling check of stored citations. `next_try`: when it is made up for."""

    id: int
    topic_id: str | None
    title: str | None
    lane: str | None
    version: int | None
    kind: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    since: date | None
    until: date | None
    query: str
    translation: str | None
    warnings: tuple[str, ...]
    unknown_phrases: tuple[str, ...]
    count: int | None
    found: int | None
    new: int
    revised: int
    unchanged: int
    missing: int
    refused: tuple[str, ...]
    seconds: float | None
    error: str | None
    next_try: datetime | None


class PollPage(Shape):
    """Polls, the newest first; `next` is null at the end."""

    items: tuple[Poll, ...]
    total: int
    next: str | None


def add_routes(api: Api, site: Site) -> None:
    """Add the routes of this module."""

    @api.get("/polls", PollPage, "A page of polls.")
    def list_polls(
        request: Request,
        topic: Annotated[
            Annotated[Text, Field(max_length=200)] | None,
            Query(description="A topic; empty: the rolling check.", examples=["car-nk"]),
        ] = None,
        state: Annotated[
            Literal["running", "done", "warned", "failed", "interrupted", "trouble"] | None,
            Query(description="A state; trouble is all that are neither running nor done."),
        ] = None,
        cursor: Cursor = None,
        limit: Limit = LIMIT,
    ) -> Response:
        """List the polls, the newest first."""
        asked = f"polls\n{topic!r}\n{state}"
        try:
            page = site.runs.page(topic=topic, state=state, before=cursors.read(asked, cursor), limit=limit)
        except NotFound as error:
            raise WrongParameter("query", "topic", str(error)) from error
        following = cursors.write(asked, page.before)
        return answer(request, PollPage(items=tuple(map(_poll, page.runs)), total=page.total, next=following))

    @api.get("/polls/{number}", Poll, "The poll.", 404)
    def get_poll(request: Request, number: Number) -> Response:
        """Read one poll."""
        return answer(request, _poll(site.runs.one(number)))


def _poll(run: Run) -> Poll:
    known = {name: getattr(run.poll, name) for name in Poll.model_fields if hasattr(run.poll, name)}
    return Poll(**known, title=run.title, version=run.version, next_try=run.next_try)
