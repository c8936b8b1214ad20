"""Facets: how what a search finds divides."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from monitor.core.query.refining import EVERYTHING
from monitor.errors import QuerySyntaxError, UsageError
from monitor.storage.facets import narrowing
from monitor.web.api.adding import Api
from monitor.web.api.answers import answer
from monitor.web.api.citations import Search
from monitor.web.api.shape import Shape
from monitor.web.problems import WrongParameter
from monitor.web.site import Site


class Value(Shape):
    """A value, how many papers have it, and the search that finds those: to be joined to `q` with AND."""

    value: str
    number: int
    search: str


class FacetCounts(Shape):
    """Numbers among the newest `counted` papers that a search finds; `whole`: there are no others.

    `facets` has year, topic, type, journal, tag, level, language and flag, each with its values.
    """

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "counted": 2,
                    "whole": True,
                    "facets": {"year": [{"value": "2026", "number": 2, "search": "2026:2026[dp]"}]},
                }
            ]
        }
    }

    counted: int
    whole: bool
    facets: dict[str, tuple[Value, ...]]


def add_routes(api: Api, site: Site) -> None:
    """Add the routes of this module."""

    @api.get("/facets", FacetCounts, "The numbers.")
    def count_facets(request: Request, q: Search = "") -> Response:
        """Count by year, topic, publication type, journal, tag, level, language and flag.

        Of more than 5,000 papers the newest are counted.
        """
        try:
            found = site.library.facets(q.strip() or EVERYTHING)
        except (QuerySyntaxError, UsageError) as error:
            raise WrongParameter("query", "q", str(error)) from error
        told = {
            kind: tuple(
                Value(value=value, number=number, search=narrowing(kind, value)) for value, number in found.counts[kind]
            )
            for kind in found.counts
        }
        return answer(request, FacetCounts(counted=found.counted, whole=found.whole, facets=told))
