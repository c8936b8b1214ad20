"""Health, for the people who keep the installation and for programs that watch it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from monitor.core.health import Finding, headline, report
from monitor.errors import MonitorError
from monitor.web.pages import Pages
from monitor.web.safety import from_this_machine
from monitor.web.site import Site

HEALTH_SECONDS = 5.0
"""How old an answer of /healthz to other machines may be, so that asking often costs little."""
log = structlog.get_logger(__name__)


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""
    lately = _Lately(site.findings)

    @app.api_route("/health", methods=["GET", "HEAD"], response_model=None)
    def health(request: Request) -> Response:
        found = site.findings()
        return pages.write(request, "health", headline=headline(found), findings=found)

    @app.api_route("/healthz", methods=["GET", "HEAD"], response_model=None)
    def healthz(request: Request) -> Response:
        """Answer 200 while all promises hold, else 503; details only to this machine."""
        near = from_this_machine(request, site.public_url)
        try:
            body = report(site.findings() if near else lately())
        except MonitorError as error:
            log.error("health cannot be told", reason=str(error))
            body = {"status": "problem"}
        return JSONResponse(body if near else {"status": body["status"]}, 200 if body["status"] == "ok" else 503)


class _Lately:
    """Findings that are at most a few seconds old."""

    def __init__(self, find: Callable[[], Sequence[Finding]]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._until = 0.0
        self._found: Sequence[Finding] = ()

    def __call__(self) -> Sequence[Finding]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = self._find()
                self._until = time.monotonic() + HEALTH_SECONDS
            return self._found
