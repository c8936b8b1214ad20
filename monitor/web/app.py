"""Pages of issues, leaving in one click, and health; the curation desk will move in beside them."""

from __future__ import annotations

import gettext
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from monitor.core.health import Finding, State, headline
from monitor.errors import MonitorError
from monitor.resources import resource_dir
from monitor.services.subscribing import Subscribing
from monitor.storage import issues
from monitor.storage.engine import Database
from monitor.storage.issues import IssueLine, IssuePage
from monitor.web.safety import LETTER_POLICY, Guard, from_this_machine

STATIC = Path(__file__).resolve().parent / "static"
ISSUES_SHOWN = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages need; plain services and values."""

    database: Database
    subscribing: Subscribing
    findings: Callable[[], Sequence[Finding]]
    write_issue: Callable[[IssuePage], str]
    public_url: str
    name: str


def create_app(site: Site) -> FastAPI:
    app = FastAPI(title="Evidence Monitor", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, public_url=site.public_url)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    pages = _Pages(site.name)

    @app.get("/")
    def front(request: Request) -> Response:
        if not from_this_machine(request):
            return pages.message(
                "Issues come by mail",
                [
                    "Open an issue through the link in its mail. The list of all issues is shown only on the machine that runs the monitor."
                ],
            )
        with site.database.read() as session:
            return pages.write("issues.html", issues=[_row(each) for each in issues.archive(session, ISSUES_SHOWN)])

    @app.get("/issues/{key}")
    def issue(key: str) -> Response:
        with site.database.read() as session:
            page = issues.by_key(session, key)
        if page is None:
            return pages.message(
                "No such issue",
                ["The link may have been cut by a mail program. Copy it whole, or ask for it again."],
                404,
            )
        return HTMLResponse(site.write_issue(page), headers={"Content-Security-Policy": LETTER_POLICY})

    @app.get("/u/{token}")
    def ask_to_leave(token: str) -> Response:
        left = site.subscribing.by_token(token)
        if left.already:
            return pages.message("Nothing is sent", ["This digest is already stopped. There is nothing left to do."])
        return pages.write("unsubscribe.html", token=token, address=left.address)

    @app.post("/u/{token}")
    def leave(token: str) -> Response:
        left = site.subscribing.unsubscribe_by_token(token)
        where = f" to {left.address}" if left.address else ""
        return pages.message("The digest is stopped", [f"No further issue will be sent{where}."])

    @app.get("/health")
    def health(request: Request) -> Response:
        if not from_this_machine(request):
            return pages.message(
                "Health is shown on the machine itself", ["Programs may ask /healthz from anywhere."], 403
            )
        found = site.findings()
        return pages.write("health.html", headline=headline(found), findings=found)

    @app.get("/healthz")
    def healthz(request: Request) -> Response:
        """Answer 200 while all promises hold, else 503; details only to this machine."""
        found = site.findings()
        well = all(finding.state is not State.PROBLEM for finding in found)
        body: dict[str, object] = {"status": "ok" if well else "problem"}
        if from_this_machine(request):
            body["findings"] = [
                {"what": each.what, "state": each.state.value, "text": each.text, "advice": each.advice}
                for each in found
            ]
        return JSONResponse(body, 200 if well else 503)

    @app.get("/robots.txt")
    def robots() -> Response:
        return PlainTextResponse("User-agent: *\nDisallow: /\n")

    @app.exception_handler(HTTPException)
    def known(_request: Request, error: HTTPException) -> Response:
        title = {404: "No such page", 405: "Not possible here"}.get(error.status_code, "That did not work")
        return pages.message(title, [str(error.detail) + "."], error.status_code)

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        log.error("request broke", path=request.url.path, exc_info=error)
        return pages.message("Something went wrong here", ["It was written down. Nothing was changed."], 500)

    @app.exception_handler(MonitorError)
    def out_of_reach(request: Request, error: MonitorError) -> Response:
        log.error("request failed", path=request.url.path, error=str(error))
        return pages.message(
            "Not at the moment",
            ["The monitor cannot reach its database. Nothing was changed; try again in a minute."],
            503,
        )

    return app


class _Pages:
    """The site's own templates with its name filled in."""

    def __init__(self, name: str) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(resource_dir("templates")),
            undefined=StrictUndefined,
            autoescape=True,
            extensions=["jinja2.ext.i18n"],
        )
        self._environment.install_gettext_translations(gettext.NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
        self._environment.globals.update(site_name=name, language="en")

    def write(self, template: str, status: int = 200, **context: object) -> Response:
        return HTMLResponse(self._environment.get_template(f"web/{template}").render(context), status)

    def message(self, title: str, lines: Sequence[str], status: int = 200) -> Response:
        return self.write("message.html", status, title=title, lines=lines)


def _row(issue: IssueLine) -> dict[str, str]:
    people = "1 person" if issue.deliveries == 1 else f"{issue.deliveries} people"
    return {"key": issue.key, "label": issue.label, "subject": issue.subject, "note": f"{issue.slot}, for {people}"}
