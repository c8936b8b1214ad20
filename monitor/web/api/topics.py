"""Topics: what is searched, by which lines, and how it goes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request
from fastapi.responses import Response

from monitor.core.strategy import LANES, Line
from monitor.services.topics import TopicState
from monitor.web.api.adding import Api
from monitor.web.api.answers import answer
from monitor.web.api.shape import Counted, Flag, Shape, Text
from monitor.web.site import Site


class Count(Shape):
    """Papers that a topic's searches find today, by lane."""

    core: int
    wide: int


class LastPoll(Shape):
    """How the newest poll of a lane ended."""

    number: int
    lane: Literal["core", "wide"]
    state: str
    started_at: datetime
    finished_at: datetime | None


class TopicLine(Shape):
    """A topic; `origin` is starter or lab."""

    id: str
    title: str
    version: int
    origin: str
    created_at: datetime
    watched_from: date | None
    retired_at: datetime | None
    hits: Count
    polls: tuple[LastPoll, ...]


class SearchLine(Shape):
    """A numbered line of a search, why it is there, and whether it is on."""

    position: int
    query: str
    reason: str
    owner: str
    enabled: bool


class SearchBlock(Shape):
    """Lines that others insert as `{NAME}`, joined by any (OR) or all (AND)."""

    name: str
    joined: Literal["any", "all"]
    reason: str | None
    lines: tuple[SearchLine, ...]


class SearchStrategy(Shape):
    """The lines of both lanes, the blocks that they insert, and what PubMed is asked; null for a lane that is off."""

    version: int
    reason: str
    by: str
    at: datetime
    core: tuple[SearchLine, ...]
    wide: tuple[SearchLine, ...]
    blocks: tuple[SearchBlock, ...]
    core_query: str | None
    wide_query: str | None


class TopicWhole(TopicLine):
    """A topic with its search; `sentinels` are papers that every version must find."""

    strategy: SearchStrategy
    sentinels: tuple[int, ...]


class TopicList(Shape):
    """Every topic, in the order of the lab."""

    items: tuple[TopicLine, ...]


def add_routes(api: Api, site: Site) -> None:
    """Add the routes of this module."""

    @api.get("/topics", TopicList, "The topics.")
    def list_topics(
        request: Request,
        retired: Annotated[Flag, Query(description="Whether to list those that are searched no more, too.")] = False,
    ) -> Response:
        """List the topics."""
        found = site.topics.all(retired=retired)
        return answer(request, TopicList(items=tuple(TopicLine(**_line(each)) for each in found)))

    @api.get("/topics/{topic}", TopicWhole, "The topic.", 404)
    def get_topic(
        request: Request,
        topic: Annotated[Text, Path(max_length=200, examples=["car-nk"])],
        version: Annotated[
            Counted | None,
            Query(description="A version of the search; without, the one that stands."),
        ] = None,
    ) -> Response:
        """Read a topic with its search strategy.

        Stored versions never change; older ones can be asked for by their number.
        """
        state = site.topics.one(topic)
        stored, strategy = site.topics.version(topic, version if version is not None else state.stored.version)
        told = SearchStrategy(
            version=stored.version,
            reason=stored.reason,
            by=stored.maker,
            at=stored.at,
            core=_lines(strategy.core),
            wide=_lines(strategy.wide),
            blocks=tuple(
                SearchBlock(name=each.name, joined=each.joined, reason=each.reason, lines=_lines(each.lines))
                for each in strategy.blocks
            ),
            core_query=strategy.query("core"),
            wide_query=strategy.query("wide"),
        )
        sentinels = state.stored.topic.sentinels
        return answer(request, TopicWhole(**_line(state), strategy=told, sentinels=sentinels))


def _line(state: TopicState) -> dict[str, Any]:
    stored = state.stored
    return {
        "id": stored.id,
        "title": stored.topic.title,
        "version": stored.version,
        "origin": stored.origin,
        "created_at": stored.created_at,
        "watched_from": stored.watched_from,
        "retired_at": stored.retired_at,
        "hits": Count(**{lane: state.hits[lane] for lane in LANES}),
        "polls": tuple(
            LastPoll(
                number=poll.id,
                lane=lane,
                state=poll.state,
                started_at=poll.started_at,
                finished_at=poll.finished_at,
            )
            for lane, poll in state.latest.items()
        ),
    }


def _lines(lines: tuple[Line, ...]) -> tuple[SearchLine, ...]:
    return tuple(
        SearchLine(position=at, query=line.query, reason=line.reason, owner=line.owner, enabled=line.enabled)
        for at, line in enumerate(lines, 1)
    )
