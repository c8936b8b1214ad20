"""Citations: searched in PubMed's language, and one of them whole with how it stands."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Request
from fastapi.responses import Response

from monitor.core.query.refining import EVERYTHING
from monitor.errors import QuerySyntaxError, UsageError
from monitor.formats.jsonl import to_object
from monitor.services import library
from monitor.services.screened import screened
from monitor.storage import papers as lines
from monitor.web.api import cursors
from monitor.web.api.adding import Api
from monitor.web.api.answers import answer
from monitor.web.api.papers import Citation, Paper, Proposed, Seen, Standing, Stored, standing_of
from monitor.web.api.shape import LIMIT, Cursor, Flag, Limit, Pmid, Shape, Text
from monitor.web.problems import WrongParameter
from monitor.web.site import Site

LONGEST = 10_000
Search = Annotated[
    Text,
    Query(
        max_length=LONGEST,
        description="A search in PubMed's language, with the library's own fields. Empty: everything.",
        examples=['"CAR-NK"[tiab] AND keep[decision]'],
    ),
]


class CitationWhole(Shape):
    """A citation without loss, and all that is known of it here. `proposals` is null while nothing could be read."""

    citation: Citation
    paper: Paper
    standing: Standing
    proposals: Proposed | None
    stored: Stored
    versions: tuple[Seen, ...]


class CitationInList(Paper):
    """A paper; `citation` with form=whole, else null."""

    citation: Citation | None


class CitationPage(Shape):
    """Papers that a search finds. `total` where count=true asked for it; `next` is null at the end.

    `notes` say which parts of the search find nothing here, or are read otherwise than they may be meant.
    """

    items: tuple[CitationInList, ...]
    total: int | None
    next: str | None
    notes: tuple[str, ...]


def add_routes(api: Api, site: Site) -> None:
    """Add the routes of this module."""

    @api.get("/citations", CitationPage, "A page of papers.")
    def search_citations(
        request: Request,
        q: Search = "",
        cursor: Cursor = None,
        limit: Limit = LIMIT,
        sort: Annotated[
            Literal["newest", "relevance"],
            Query(description="Highest PMID first, or the best of the newest 10,000 on one page without a cursor."),
        ] = "newest",
        count: Annotated[Flag, Query(description="Whether to count all that the search finds.")] = False,
        form: Annotated[
            Literal["line", "whole"], Query(description="Whether each paper carries its citation without loss.")
        ] = "line",
    ) -> Response:
        """Search the library.

        Pages go from the highest PMID down. A cursor names the last paper shown, so what arrives meanwhile moves none.
        """
        if sort == "relevance" and cursor is not None:
            raise WrongParameter("query", "cursor", "the most relevant stand on one page; pages follow sort=newest")
        asked = f"citations\n{q}"
        try:
            found = site.library.page(
                q.strip() or EVERYTHING,
                before=cursors.read(asked, cursor),
                limit=limit,
                order=sort,
                counted=count,
                whole=form == "whole",
            )
        except WrongParameter:
            raise
        except (QuerySyntaxError, UsageError) as error:
            raise WrongParameter("query", "q", str(error)) from error
        whole = {each.pmid: to_object(each) for each in found.citations}
        items = [
            CitationInList(**Paper.model_validate(line).__dict__, citation=whole.get(line.pmid)) for line in found.lines
        ]
        following = cursors.write(asked, found.next_before)
        return answer(request, CitationPage(items=tuple(items), total=found.total, next=following, notes=found.notes))

    @api.get("/citations/{pmid}", CitationWhole, "The citation and how it stands.", 404)
    def get_citation(request: Request, pmid: Pmid) -> Response:
        """Read one citation whole.

        `citation` is the lossless form of `monitor export --format jsonl`. Tags, level and verdict are what people said;
        `proposals` are the rules', with their reasons.
        """
        with site.database.read() as session:
            found = library.record(session, pmid)
            (line,) = lines.lines(session, [pmid])
            (standing,) = screened(session, [pmid])
            proposed = site.vocabularies.of(session, [pmid]).get(pmid)
        return answer(
            request,
            CitationWhole(
                citation=to_object(found.citation),
                paper=Paper.model_validate(line),
                standing=standing_of(standing),
                proposals=Proposed.model_validate(proposed) if proposed is not None else None,
                stored=Stored.model_validate(found.held),
                versions=tuple(
                    Seen(
                        seen_at=each.seen_at,
                        version=each.version,
                        changes=tuple(change.words for change in each.changes),
                    )
                    for each in found.versions
                ),
            ),
        )
