"""How a route of the API is added: what it takes and returns, so that its description can only be true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel

from monitor.core.accounts import SCOPES
from monitor.web.doors import DOORS, Scope
from monitor.web.problems import MEDIA, WrongParameter

BASE: Final = "/api/v1"
View = TypeVar("View", bound=Callable[..., Any])
Method = Literal["GET", "POST", "DELETE"]

_ALWAYS: Final[Mapping[int, str]] = {
    401: "No token, or one that does not work any more.",
    403: "The token lacks the scope, or its owner the role.",
    421: "The host is none that this monitor serves.",
    422: "A parameter is wrong, or that cannot be done as asked; `errors` names parameters. Nothing was changed.",
    500: "A fault of the monitor's own; it was written down.",
    503: "The monitor or its database is out of reach or busy; nothing was changed.",
}
_MEANS: Final[Mapping[int, str]] = {
    404: "There is no such thing here.",
    409: "It cannot be done any more, or somebody decided meanwhile; nothing was changed.",
    412: "What stands is not what If-Match names; nothing was changed.",
    413: "The body is larger than a megabyte.",
}
SHAPES: Final[Mapping[int, str]] = {409: "Conflict", 412: "Changed"}
"""Statuses whose problem says more; all others are a plain `Problem`."""


class Api:
    """Adds routes; knows afterwards which there are."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self.taken: list[tuple[str, Method]] = []

    def get(self, path: str, shape: type[BaseModel], told: str, *also: int) -> Callable[[View], View]:
        """Add a GET, and HEAD with it; `also` are statuses beside those that every route may answer with."""

        def add(view: View) -> View:
            self._add(path, "GET", view, shape, told, {"304": _same(), **_problems(*also)})
            hidden = self._app.add_api_route
            hidden(BASE + path, view, methods=["HEAD"], response_model=None, include_in_schema=False,
                   dependencies=[Depends(_only_known)])  # fmt: skip
            return view

        return add

    def change(
        self, method: Method, path: str, shape: type[BaseModel], told: str, *also: int
    ) -> Callable[[View], View]:
        """Add a POST or DELETE."""

        def add(view: View) -> View:
            statuses = (*also, 413) if method == "POST" else also
            self._add(path, method, view, shape, told, _problems(*statuses))
            return view

        return add

    def _add(
        self, path: str, method: Method, view: View, shape: type[BaseModel], told: str, more: Mapping[str, Any]
    ) -> None:
        scope = DOORS[BASE + path][method]
        if not isinstance(scope, Scope):
            raise TypeError(f"{method} {path} belongs to the API and asks for no scope")
        self.taken.append((BASE + path, method))
        success: dict[str, Any] = {"model": shape, "description": told}
        if method == "GET":
            success["headers"] = {"ETag": _ETAG}
        responses: dict[int | str, dict[str, Any]] = {"200": success}
        responses.update(more)
        summary, _, rest = (view.__doc__ or "").strip().partition("\n")
        about = " ".join(rest.split())
        takes = f"Takes the scope `{scope}`; its owner is at least a {SCOPES[scope]}."
        self._app.add_api_route(
            BASE + path,
            view,
            methods=[method],
            response_model=None,
            operation_id=view.__name__,
            tags=[path.split("/")[1]],
            summary=summary.removesuffix("."),
            description=f"{about} {takes}".strip(),
            responses=responses,
            openapi_extra={"security": [{"token": [str(scope)]}]},
            dependencies=[Depends(_only_known)],
        )


_ETAG: Final = {
    "description": "Changes whenever the answer does.",
    "required": True,
    "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
}


def _same() -> dict[str, Any]:
    return {"description": "The same as If-None-Match names.", "headers": {"ETag": _ETAG}}


def _problems(*also: int) -> dict[str, Any]:
    told = dict(sorted({**_ALWAYS, **{status: _MEANS[status] for status in also}}.items()))
    return {str(status): _problem(status, words) for status, words in told.items()}


def _problem(status: int, words: str) -> dict[str, Any]:
    shape = {"$ref": f"#/components/schemas/{SHAPES.get(status, 'Problem')}"}
    found: dict[str, Any] = {"description": words, "content": {MEDIA: {"schema": shape}}}
    if status in (401, 403):
        found["headers"] = {"WWW-Authenticate": {"description": "RFC 6750.", "schema": {"type": "string"}}}
    return found


def _only_known(request: Request) -> None:
    """Refuse a parameter that the route does not have, or one that is given twice: a slip would else go unnoticed."""
    known = {each.alias for each in request.scope["route"].dependant.query_params}
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in known:
            there = f"there are {', '.join(sorted(known))}" if known else "there are none here"
            raise WrongParameter("query", name[:40], f"no parameter is called so; {there}")
        if given.count(name) > 1:
            raise WrongParameter("query", name, "it is given more than once")
