"""Tags and levels: put on papers and taken off, each time as one step."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path
from fastapi.responses import Response

from monitor.core.screening import TAG_MAX, read_tag
from monitor.errors import NotFound
from monitor.services.screened import screened
from monitor.web.api.adding import Api
from monitor.web.api.answers import done
from monitor.web.api.decisions import Level, Note, Pmids, Screening, Tags, actor, screening_of
from monitor.web.api.papers import Standing, standing_of
from monitor.web.api.shape import Body, Pmid, Text
from monitor.web.entering import Program
from monitor.web.site import Site

_EXAMPLE: dict[str, Any] = {
    "pmids": [90000001, 90000002],
    "add": ["cytokine-release/absent"],
    "remove": ["crs"],
    "level": "B2",
}


class Tagging(Body):
    """Tags to add and to remove, and at most one level; a qualifier stands behind a slash, as in `crs/absent`."""

    model_config = {"json_schema_extra": {"examples": [_EXAMPLE]}}

    pmids: Pmids
    add: Tags = []
    remove: Tags = []
    level: Level | None = None
    no_level: bool = False
    note: Note | None = None


def add_routes(api: Api, site: Site) -> None:
    """Add the routes of this module."""

    @api.change("POST", "/tags", Screening, "How the papers stand now.")
    def tag(body: Tagging, program: Program) -> Response:
        """Put tags and a level on papers, and take tags off, as one step.

        What stands so already changes nothing, so it may be sent again.
        """
        found = site.screening.label(
            body.pmids,
            tags=body.add,
            untag=body.remove,
            level=body.level,
            no_level=body.no_level,
            note=body.note,
            actor=actor(program),
        )
        return done(screening_of(found))

    @api.change("DELETE", "/citations/{pmid}/tags/{tag:path}", Standing, "How the paper stands now.", 404)
    def take_tag_off(
        pmid: Pmid,
        tag: Annotated[
            Text,
            Path(min_length=1, max_length=TAG_MAX, description="The tag with its qualifier.", examples=["crs/absent"]),
        ],
        program: Program,
    ) -> Response:
        """Take one tag off a paper, as one step.

        404 where it has no such tag.
        """
        wanted = read_tag(tag)
        with site.database.read() as session:
            held = screened(session, [pmid])
        if not held or wanted not in held[0].tags:
            raise NotFound(f"PMID {pmid} has no tag {wanted}" if held else f"PMID {pmid} is not in the library")
        (found,) = site.screening.label([pmid], untag=[wanted], actor=actor(program))
        return done(standing_of(found))
