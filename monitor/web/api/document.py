"""The description of the API for programs: OpenAPI 3.1, made from the routes themselves."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from monitor import __version__
from monitor.core.screening import Verdict
from monitor.formats.schema import citation_schema
from monitor.web.api.adding import BASE, Api
from monitor.web.api.answers import given
from monitor.web.api.papers import Judged
from monitor.web.api.shape import Body, Shape
from monitor.web.problems import KINDS

ADDRESS: Final = f"{BASE}/openapi.json"
_REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = """What the monitor keeps, for programs: citations, searches, decisions, tags, topics, polls and issues.

Send a personal token in `Authorization: Bearer TOKEN`; it is made under Settings, Account. Lists are read page by page: `next` of an
answer goes unchanged into `cursor` of the next request. Every GET has a strong ETag and answers If-None-Match with 304. What is wrong
is told as `application/problem+json` (RFC 9457); 404 stands for an address that is none, 405 with `Allow` for a method that is none.
A parameter that a route does not know is refused, not passed over."""
_TAGS: Final = {
    "me": "Who asks.",
    "citations": "Papers, searched and whole, with how they stand.",
    "facets": "How what a search finds divides.",
    "decisions": "Verdicts on papers.",
    "tags": "Tags and levels of evidence.",
    "steps": "What you did, and taking it back.",
    "topics": "What is searched at PubMed.",
    "polls": "Every run against PubMed.",
    "issues": "Digests that were sent.",
}


class WrongOne(BaseModel):
    """A parameter that is wrong: in the query, path, header or body; an empty name is the body as a whole."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [
        {"in": "query", "name": "limit", "detail": "input should be less than or equal to 200"}
    ]})  # fmt: skip

    place: str = Field(alias="in")
    name: str
    detail: str


class Problem(BaseModel):
    """What is wrong (RFC 9457). `type` is an address that explains it, or about:blank where the status says all.

    `errors` names parameters, `needed` the scope that is missing.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{
        "type": "https://monitor.lab.example/api#parameter", "title": KINDS["parameter"], "status": 422,
        "detail": "limit: input should be less than or equal to 200",
        "errors": [{"in": "query", "name": "limit", "detail": "input should be less than or equal to 200"}],
    }]})  # fmt: skip

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongOne] = []
    needed: str = ""


class Choice(BaseModel):
    """A judgement, to be compared with another."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict | None
    topics: list[str]
    reason: str | None
    note: str | None
    until: str | None
    asked: int | None


class TheirChoice(Choice):
    """A judgement that stands, by whom (null: the command line) and since when."""

    by: str | None
    decided_at: str


class OvertakenPaper(BaseModel):
    """A paper on which somebody decided meanwhile. `expected`, sent with your decision, keeps yours over theirs."""

    model_config = ConfigDict(extra="forbid")

    pmid: int
    expected: int | None
    theirs: TheirChoice | None
    yours: Choice


class ConflictProblem(Problem):
    """A problem that, where decisions cross, holds both."""

    model_config = ConfigDict(title="Conflict")

    papers: list[OvertakenPaper] = []


class ChangedProblem(Problem):
    """A problem that holds what stands now."""

    model_config = ConfigDict(title="Changed")

    stands: Judged | None = None


def add_routes(app: FastAPI, api: Api, root: str) -> None:
    """Add the description, which anybody may read: it holds nothing of this installation but its path."""

    @cache
    def body() -> bytes:
        return json.dumps(described(app, api, root), ensure_ascii=False, separators=(",", ":")).encode()

    def describe(request: Request) -> Response:
        return given(request, body())

    app.add_api_route(ADDRESS, describe, methods=["GET", "HEAD"], response_model=None)


def described(app: FastAPI, api: Api, root: str) -> dict[str, Any]:
    """Return the OpenAPI document of the routes of `api`."""
    taken = set(api.taken)
    routes = [
        route
        for route in app.routes
        if isinstance(route, APIRoute) and {(route.path, method) for method in route.methods or ()} & taken
    ]
    found = get_openapi(
        title="Evidence Monitor",
        version=__version__,
        description=_ABOUT,
        routes=routes,
        servers=[{"url": root or "/"}],
        tags=[{"name": name, "description": told} for name, told in _TAGS.items()],
    )
    components = found.setdefault("components", {})
    schemas: dict[str, Any] = {**_problem_schemas(), **components.get("schemas", {})}
    parts = _citation_schemas()
    if both := set(schemas) & set(parts):
        raise ValueError(f"two schemas are called {', '.join(sorted(both))}")
    schemas |= parts
    for shape in (*Shape.__subclasses__(), *Body.__subclasses__()):
        extra = shape.model_config.get("json_schema_extra")
        if isinstance(extra, dict) and "examples" in extra and shape.__name__ in schemas:
            # FastAPI drops whatever is null, in examples too.
            schemas[shape.__name__]["examples"] = extra["examples"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A personal token, which begins with `em_`."}
    }
    for methods in found["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
    _join(found)
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out null, which no address can hold: the parameter is left out instead."""
    several = [each for each in schema.pop("anyOf", ()) if each != {"type": "null"}]
    return {**schema, **several[0]} if len(several) == 1 else schema


def _problem_schemas() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, shape in (("Problem", Problem), ("Conflict", ConflictProblem), ("Changed", ChangedProblem)):
        schema = shape.model_json_schema(ref_template=_REF)
        made |= schema.pop("$defs", {})
        made[name] = schema
    return made


def _citation_schemas() -> dict[str, Any]:
    """Return the published schema of a citation, its parts under names of their own."""
    schema = citation_schema()
    schema.pop("$schema")
    parts = schema.pop("$defs")
    made = {f"Pubmed{name}": part for name, part in parts.items()} | {"Citation": schema}
    text = json.dumps(made).replace('"#/$defs/', '"#/components/schemas/Pubmed')
    renamed: dict[str, Any] = json.loads(text)
    return renamed


def _join(value: Any) -> None:
    """Put the reference in the place of each object that is a citation, and write whole numbers as such."""
    if isinstance(value, list):
        for each in value:
            _join(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, float) and each.is_integer():
                value[name] = int(each)
            elif each == _MARK:
                value[name] = _CITATION
            elif isinstance(each, list) and _MARK in each:
                value[name] = [_CITATION if one == _MARK else one for one in each]
            else:
                _join(each)


_MARK: Final = {"type": "object", "title": "Citation"}
_CITATION: Final = {"$ref": "#/components/schemas/Citation"}
