"""The page about the API, for people."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import Response

from monitor.core.accounts import SCOPES
from monitor.web.api.adding import BASE
from monitor.web.api.document import ADDRESS
from monitor.web.api.shape import LIMIT, MOST
from monitor.web.doors import DOORS, Scope
from monitor.web.entering import Known
from monitor.web.pages import Pages
from monitor.web.problems import KINDS
from monitor.web.site import Site


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the route of this module."""
    taken: dict[str, list[tuple[str, str, str]]] = {}
    for path, methods in DOORS.items():
        for method, scope in methods.items():
            if isinstance(scope, Scope):
                shown = path.removeprefix(BASE).replace(":path", "")
                taken.setdefault(shown.split("/")[1], []).append((method, shown, scope.value))

    @app.api_route("/api", methods=["GET", "HEAD"], response_model=None)
    def about(request: Request, who: Known) -> Response:
        return pages.write(
            request,
            "api/about",
            address=f"{site.public_url.rstrip('/')}{BASE}",
            document=ADDRESS,
            taken=taken,
            scopes=SCOPES,
            kinds=tuple(KINDS),
            usual=LIMIT,
            most=MOST,
        )
