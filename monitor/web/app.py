"""The web application: its pages, its doors, and what it answers when something is wrong."""

from __future__ import annotations

from urllib.parse import urlsplit

import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Scope

from monitor.errors import (
    Busy,
    DatabaseBehind,
    DatabaseDamaged,
    DatabaseUnavailable,
    MonitorError,
    NotFound,
    PubmedUnavailable,
    QuerySyntaxError,
    UsageError,
)
from monitor.web import api
from monitor.web.entering import Entrance, NotForRole, NotKnownHere, SignInFirst
from monitor.web.pages import Pages
from monitor.web.problems import Problems
from monitor.web.safety import Guard
from monitor.web.site import Site
from monitor.web.views import VIEWS

log = structlog.get_logger(__name__)
_STATUS: tuple[tuple[type[MonitorError], int, str], ...] = (
    (NotFound, 404, "thing"),
    (UsageError, 422, "usage"),
    (QuerySyntaxError, 422, "usage"),
    (PubmedUnavailable, 503, "pubmed"),
    (Busy, 503, "busy"),
    (DatabaseUnavailable, 503, "database"),
    (DatabaseBehind, 503, "database"),
    (DatabaseDamaged, 503, "database"),
)


def create_app(site: Site) -> ASGIApp:
    """Return the whole application, safe against the open network."""
    pages = Pages(site.name, urlsplit(site.public_url).path.rstrip("/"), site.language, site.zone)
    entrance = Entrance(site.accounts, site.public_url, site.proxy)
    app = FastAPI(
        title="Evidence Monitor",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(entrance)],
    )
    for view in VIEWS:
        view.add_routes(app, site, pages)
    api.add_routes(app, site, pages)
    problems = Problems(site.public_url)

    @app.exception_handler(SignInFirst)
    def unknown(request: Request, error: SignInFirst) -> Response:
        where = f"{pages.root}/sign-in?next={error.back}"
        if request.headers.get("hx-request") == "true":
            return Response(status_code=401, headers={"HX-Redirect": where})
        return RedirectResponse(where, 303)

    @app.exception_handler(NotForRole)
    def refused(request: Request, error: NotForRole) -> Response:
        return pages.error(request, 403, what="role", needed=error.needed)

    @app.exception_handler(NotKnownHere)
    def unvouched(request: Request, error: NotKnownHere) -> Response:
        return pages.error(request, 403, what="proxy", address=error.address)

    @app.exception_handler(RequestValidationError)
    def misread(request: Request, error: RequestValidationError) -> Response:
        if problems.concern(request.scope):
            return problems.of(error)
        return pages.error(request, 422, what="form")

    @app.exception_handler(HTTPException)
    def known(request: Request, error: HTTPException) -> Response:
        if problems.concern(request.scope):
            return problems.of(api.with_methods(app, request, error))
        answer = pages.error(request, error.status_code, what="page")
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(MonitorError)
    def told(request: Request, error: MonitorError) -> Response:
        if problems.concern(request.scope):
            return problems.of(error)
        status, what = next(((code, word) for kind, code, word in _STATUS if isinstance(error, kind)), (500, "fault"))
        if status >= 500:
            log.error("request failed", reason=str(error))
        return pages.error(request, status, what=what, told=str(error) if status < 500 else None)

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        if problems.concern(request.scope):
            return problems.of(error)
        return pages.error(request, 500, what="fault")  # raised again for the guard, which writes it down

    def refuse(scope: Scope, status: int, told: str) -> Response | None:
        return problems.refusal(status, told) if problems.concern(scope) else None

    return Guard(app, site.public_url, lambda scope: unexpected(Request(scope), RuntimeError()), refuse)
