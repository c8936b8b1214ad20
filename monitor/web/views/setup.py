"""The first run, page by page: the admin, mail, PubMed, topics, counts, the first digest. Left half done, it goes on later."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from monitor.core.passwords import Refusal
from monitor.errors import MailUnavailable, MessageRefused, NotFound, SettingsError, UsageError
from monitor.mail.transport import FolderRoute, SmtpRoute
from monitor.services.firstrun import DAYS, Closed, Counts
from monitor.services.installing import SECURITIES, Relay, Unsound
from monitor.services.studio import NotTaken
from monitor.web.entering import Cookie, Known, Visitor
from monitor.web.pages import Pages
from monitor.web.site import Site
from monitor.web.views.settings import next_issue

Text = Annotated[str, Form()]
Texts = Annotated[list[str] | None, Form()]
STEPS: Final = ("mail", "pubmed", "topics", "counts", "digest")


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""
    cookie = Cookie(site.public_url)
    run = site.first_run

    def show(request: Request, page: str, status: int = 200, **context: Any) -> Response:
        return pages.write(request, f"setup/{page}", status, step=page, states=_states(site, request), **context)

    def on_to(page: str) -> Response:
        return RedirectResponse(f"{pages.root}/setup/{page}", 303)

    @app.api_route("/setup", methods=["GET", "HEAD"], response_model=None)
    def overview(request: Request) -> Response:
        return show(request, "overview", way=site.installing.mail(), progress=run.progress(), who=request.state.visitor)

    @app.api_route("/setup/mail", methods=["GET", "HEAD"], response_model=None)
    def mail(request: Request) -> Response:
        return _mail(request)

    @app.post("/setup/mail", response_model=None)
    def set_mail(
        request: Request,
        who: Known,
        way: Text = "folder",
        host: Text = "",
        port: Text = "",
        security: Text = "tls",
        user: Text = "",
        password: Text = "",
        sender: Text = "",
        then: Text = "",
    ) -> Response:
        relay = Relay(host, port, security, user, password)
        try:
            site.installing.set_mail(relay if way == "relay" else None, sender, who.actor)
        except Unsound as error:
            return _mail(request, 422, chosen=way, relay=relay, sender=sender, problems=error.problems)
        return RedirectResponse(f"{pages.root}/setup/mail?saved=1", 303) if then == "stay" else on_to("pubmed")

    @app.post("/setup/mail/test", response_model=None)
    def test_mail(request: Request, who: Known, to: Text = "") -> Response:
        try:
            site.studio.send_test(to, who.actor)
        except (UsageError, MailUnavailable, NotTaken, MessageRefused, SettingsError) as error:
            return _mail(request, 422, to=to, not_sent=str(error))
        return _mail(request, to=to, sent=to)

    def _mail(request: Request, status: int = 200, **context: Any) -> Response:
        visitor: Visitor = request.state.visitor
        way = site.installing.mail()
        given: dict[str, Any] = {
            "chosen": "relay" if way.leaves else "folder",
            "relay": _as_typed(way.route) if isinstance(way.route, SmtpRoute) else Relay(),
            "sender": way.sender,
            "problems": {},
            "to": visitor.person.address,
            "sent": None,
            "not_sent": None,
            "saved": "saved" in request.query_params,
        }
        folder = str(way.route.folder) if isinstance(way.route, FolderRoute) else None
        return show(request, "mail", status, way=way, folder=folder, securities=SECURITIES, **given | context)

    @app.api_route("/setup/pubmed", methods=["GET", "HEAD"], response_model=None)
    def pubmed(request: Request) -> Response:
        return _pubmed(request)

    @app.post("/setup/pubmed", response_model=None)
    def set_contact(
        request: Request, who: Known, address: Text = "", key: Text = "", forget_key: Text = ""
    ) -> Response:
        try:
            site.installing.set_contact(address, key, who.actor, forget_key=forget_key == "yes")
        except Unsound as error:
            return _pubmed(request, 422, address=address, problems=error.problems)
        return on_to("topics")

    def _pubmed(request: Request, status: int = 200, **context: Any) -> Response:
        visitor: Visitor = request.state.visitor
        contact = site.installing.contact()
        given: dict[str, Any] = {"address": contact.address or visitor.person.address, "problems": {}}
        return show(request, "pubmed", status, contact=contact, **given | context)

    @app.api_route("/setup/topics", methods=["GET", "HEAD"], response_model=None)
    def topics(request: Request) -> Response:
        return _topics(request)

    @app.post("/setup/topics", response_model=None)
    def choose(request: Request, who: Known, topic: Texts = None, digest: Text = "") -> Response:
        try:
            run.choose(frozenset(topic or ()), who.actor)
            if digest == "yes":
                # Before the first search, so that what it brings is news to whoever asked for it.
                site.subscribing.subscribe(who.person.address, topic or (), actor=who.actor)
        except (UsageError, NotFound) as error:
            return _topics(request, 422, wrong=str(error), picked=frozenset(topic or ()), digest=digest == "yes")
        return on_to("counts")

    def _topics(request: Request, status: int = 200, **context: Any) -> Response:
        offered = run.offered()
        given: dict[str, Any] = {
            "wrong": None,
            "picked": frozenset(each.id for each in offered if each.chosen),
            "digest": True,
        }
        held = request.state.visitor.person.subscription
        return show(request, "topics", status, offered=offered, held=held, **given | context)

    @app.api_route("/setup/counts", methods=["GET", "HEAD"], response_model=None)
    def counts(request: Request) -> Response:
        return _counts(request, None)

    @app.post("/setup/counts", response_model=None)
    def count(request: Request) -> Response:
        return _counts(request, run.count())

    def _counts(request: Request, found: Counts | None) -> Response:
        living = [each for each in run.offered() if each.chosen]
        return show(
            request,
            "counts",
            counts=found,
            living=living,
            days=DAYS,
            asks=site.installing.asks,
            progress=run.progress(),
        )

    @app.post("/setup/start", response_model=None)
    def start(who: Known) -> Response:
        run.start(who.actor)
        return on_to("digest")

    @app.api_route("/setup/digest", methods=["GET", "HEAD"], response_model=None)
    def digest(request: Request) -> Response:
        return _digest(request)

    @app.post("/setup/digest", response_model=None)
    def subscribe(request: Request, who: Known) -> Response:
        try:
            site.subscribing.subscribe(
                who.person.address, [each.id for each in run.offered() if each.chosen], actor=who.actor
            )
        except (UsageError, NotFound) as error:
            return _digest(request, 422, wrong=str(error))
        return on_to("digest")

    def _digest(request: Request, status: int = 200, wrong: str | None = None) -> Response:
        visitor: Visitor = request.state.visitor
        held = visitor.person.subscription
        mine = visitor.person.address if held is not None else None
        runs = site.runs.page(limit=1)
        preview = site.studio.preview(mine)
        if mine is not None and not preview.planned.issue.news:
            # What was found before somebody asked for a digest is no news to them, and shows nothing of what is to come.
            other = site.studio.preview(None)
            mine, preview = (None, other) if other.planned.issue.news else (mine, preview)
        return show(
            request,
            "digest",
            status,
            held=held,
            mine=mine is not None,
            whose=f"person:{mine}" if mine is not None else "",
            preview=preview,
            next_at=next_issue(held, site.clock.now()),
            worker_alive=runs.worker_alive,
            asks=site.installing.asks,
            progress=run.progress(),
            wrong=wrong,
        )

    @app.api_route("/setup/{key}", methods=["GET", "HEAD"], response_model=None)
    def begin(request: Request, key: str) -> Response:
        return _begin(request, key)

    @app.post("/setup/{key}", response_model=None)
    def claim(
        request: Request, key: str, address: Text = "", name: Text = "", password: Text = "", again: Text = ""
    ) -> Response:
        if not run.fits(key) or not run.is_open() or not cookie.possible:
            return _begin(request, key, 422)
        typed = {"address": address, "name": name}
        try:
            found = run.claim(address, name, password, again, request.headers.get("user-agent"))
        except Closed:
            return _begin(request, key)
        except UsageError as error:
            about = "address" if not address.strip() or "@" not in address else "password"
            return _begin(request, key, 422, wrong=str(error), about=about, **typed)
        if isinstance(found, Refusal):
            return _begin(request, key, 422, refusal=found.value, **typed)
        answer = on_to("mail")
        cookie.set(answer, found.token)
        return answer

    def _begin(request: Request, key: str, status: int = 200, **context: Any) -> Response:
        if not run.fits(key):
            return pages.error(request, 404, what="setup")
        visitor: Visitor | None = request.state.visitor
        if not run.is_open():
            if visitor is not None and visitor.may("admin"):
                return RedirectResponse(f"{pages.root}/setup", 303)
            return pages.write(request, "setup/over", 410)
        given: dict[str, Any] = {"wrong": None, "about": None, "refusal": None, "address": "", "name": ""}
        return pages.write(
            request, "setup/account", status, key=key, possible=cookie.possible, step="account", **given | context
        )


def _states(site: Site, request: Request) -> dict[str, bool]:
    """Say which steps are done."""
    progress = site.first_run.progress()
    return {
        "account": True,
        "mail": site.installing.mail_is_settled(),
        "pubmed": site.installing.asks,
        "topics": progress.chosen or progress.polled > 0,
        "counts": progress.started or progress.polled > 0,
        "digest": request.state.visitor.person.subscription is not None,
    }


def _as_typed(route: SmtpRoute) -> Relay:
    return Relay(route.host, str(route.port), route.security, route.user or "")
