"""The digest studio: what would be sent, a test of it, the outbox, and addresses that mail cannot reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from monitor.errors import MailUnavailable, MessageRefused, NotFound, SettingsError, UsageError
from monitor.mail.render import HTML_MAX
from monitor.services.studio import NotTaken, Preview
from monitor.storage import people
from monitor.storage.outbox import STATES
from monitor.web.entering import Known
from monitor.web.pages import Pages
from monitor.web.safety import LETTER_POLICY
from monitor.web.site import Site
from monitor.web.views.myaccount import number as read_number

PAGE: Final = 50
VIEWS: Final = ("html", "phone", "dark", "text")


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose issue of which day is looked at: a person's, a kind's, or that of somebody new who follows everything."""

    whose: str
    on: date | None

    @property
    def address(self) -> str | None:
        return self.whose.removeprefix("person:") if self.whose.startswith("person:") else None

    @property
    def kind(self) -> int | None:
        number = self.whose.removeprefix("kind:")
        return read_number(number) if self.whose.startswith("kind:") else None

    def query(self, **more: str) -> str:
        return urlencode({"for": self.whose, "on": self.on.isoformat() if self.on is not None else "", **more})


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    @app.api_route("/admin/digests", methods=["GET", "HEAD"], response_model=None)
    def studio(request: Request) -> Response:
        return _show(request, site, pages, _asked(request.query_params))

    @app.api_route("/admin/digests/letter", methods=["GET", "HEAD"], response_model=None)
    def letter(request: Request) -> Response:
        html = _preview(site, _asked(request.query_params)).html
        if request.query_params.get("view") == "dark":
            # The same letter where the device is dark: browsers do not let a page choose that for a frame of its own.
            html = html.replace("(prefers-color-scheme: dark)", "all").replace("(prefers-color-scheme:dark)", "all")
        return HTMLResponse(html, headers={"Content-Security-Policy": LETTER_POLICY})

    @app.post("/admin/digests/test", response_model=None)
    def test(
        request: Request,
        who: Known,
        to: Annotated[str, Form()] = "",
        whose: Annotated[str, Form(alias="for")] = "",
        on: Annotated[str, Form()] = "",
    ) -> Response:
        asked = _asked({"for": whose, "on": on})
        try:
            site.studio.send_test(to, who.actor, asked.address, asked.kind, asked.on)
        except (UsageError, NotFound, MailUnavailable, NotTaken, MessageRefused, SettingsError) as error:
            return _show(request, site, pages, asked, 422, to=to, wrong=str(error))
        return RedirectResponse(f"{pages.root}/admin/digests?{asked.query(sent=to)}", 303)

    @app.api_route("/admin/digests/outbox", methods=["GET", "HEAD"], response_model=None)
    def outbox(request: Request, state: str = "", before: int | None = None) -> Response:
        lines = site.studio.letters(state or None, before)
        more = lines[-1].id if len(lines) == PAGE else None
        return pages.write(
            request,
            "studio/outbox",
            lines=lines,
            state=state,
            states=STATES,
            counts=site.studio.counts(),
            more=more,
            before=before,
            now=site.clock.now(),
        )

    @app.api_route("/admin/digests/outbox/{number}", methods=["GET", "HEAD"], response_model=None)
    def delivery(request: Request, number: int) -> Response:
        found = site.studio.delivery(number)
        return pages.write(request, "studio/delivery", line=found.line, attempts=found.attempts, now=site.clock.now())

    @app.post("/admin/digests/outbox/{number}/hurry", response_model=None)
    def hurry(who: Known, number: int) -> Response:
        site.studio.hurry(number, who.actor)
        return RedirectResponse(f"{pages.root}/admin/digests/outbox/{number}", 303)

    @app.api_route("/admin/digests/addresses", methods=["GET", "HEAD"], response_model=None)
    def addresses(request: Request) -> Response:
        return _addresses(request, site, pages)

    @app.post("/admin/digests/addresses/pause", response_model=None)
    def pause(who: Known, address: Annotated[list[str] | None, Form()] = None) -> Response:
        number = site.studio.pause(address or (), who.actor)
        return RedirectResponse(f"{pages.root}/admin/digests/addresses?paused={number}", 303)

    @app.post("/admin/digests/addresses/lift", response_model=None)
    def lift(
        request: Request, who: Known, address: Annotated[str, Form()] = "", wish: Annotated[str, Form()] = ""
    ) -> Response:
        if wish != "yes":
            return _addresses(request, site, pages, 422, unsure=address)
        site.subscribing.lift(address, who.actor)
        return RedirectResponse(f"{pages.root}/admin/digests/addresses?lifted=1", 303)


def _asked(values: Mapping[str, str]) -> Asked:
    text = values.get("on", "").strip()
    try:
        on = date.fromisoformat(text) if text else None
    except ValueError:
        raise UsageError(f"{text[:40]!r} is no day; write it like 2026-11-23") from None
    if on is not None and not 1970 <= on.year <= 2999:
        raise UsageError(f"{text!r} is a day without issues; write one like 2026-11-23")
    return Asked(values.get("for", ""), on)


def _preview(site: Site, asked: Asked) -> Preview:
    return site.studio.preview(asked.address, asked.kind, asked.on)


def _show(
    request: Request,
    site: Site,
    pages: Pages,
    asked: Asked,
    status: int = 200,
    *,
    to: str | None = None,
    wrong: str | None = None,
) -> Response:
    view = request.query_params.get("view", "html")
    preview = None
    try:
        preview = _preview(site, asked)
    except (UsageError, NotFound) as error:
        status, wrong = 422, wrong or str(error)
    visitor = request.state.visitor
    return pages.write(
        request,
        "studio/studio",
        status,
        asked=asked,
        view=view if view in VIEWS else "html",
        views=VIEWS,
        preview=preview,
        kinds=site.studio.kinds(),
        readers=_readers(site),
        most=HTML_MAX,
        to=visitor.person.address if to is None else to,
        sent=request.query_params.get("sent") if wrong is None else None,
        wrong=wrong,
        bounced=len(site.studio.bounced()),
        today=site.clock.now().date(),
    )


def _readers(site: Site) -> list[tuple[str, str]]:
    with site.database.read() as session:
        everyone = people.everyone(session)
    return [(each.address, each.name) for each in everyone if each.subscription is not None and not each.disabled_at]


def _addresses(request: Request, site: Site, pages: Pages, status: int = 200, unsure: str | None = None) -> Response:
    known: dict[str, Any] = {
        "bounced": site.studio.bounced(),
        "stopped": site.studio.stopped(),
        "paused": request.query_params.get("paused"),
        "lifted": request.query_params.get("lifted"),
        "unsure": unsure,
    }
    return pages.write(request, "studio/addresses", status, **known)
