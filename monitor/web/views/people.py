"""People: who is here with which role, invited, changed, taken out and let in again."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from monitor.core.deeds import differences
from monitor.core.people import ROLES
from monitor.errors import UsageError
from monitor.services.people import Overtaken, Seen
from monitor.services.votes import Report
from monitor.storage import events
from monitor.storage import people as storage
from monitor.web.entering import Known, Visitor
from monitor.web.pages import Pages
from monitor.web.site import Site
from monitor.web.views.myaccount import number

Text = Annotated[str, Form()]
PLACE = "/admin/people"
DONE = frozenset({"saved", "disabled", "enabled", "added"})
_LATELY = 10


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    def listing(request: Request, status: int = 200, **context: object) -> Response:
        told = {"wrong": None, "address": "", "name": "", "role": "member", "done": None, "about": None} | context
        everyone = site.people.everyone()
        return pages.write(
            request,
            "people/people",
            status,
            people=[each for each in everyone if each.disabled_at is None],
            gone=[each for each in everyone if each.disabled_at is not None],
            roles=ROLES,
            reviews=reviews(),
            can_mail=site.one_time.can_mail,
            **told,
        )

    def reviews() -> list[Report]:
        """Return how far people agree in each topic that two of them judge."""
        with site.database.read() as session:
            living = storage.living_topics(session)
        return [site.votes.agreement(topic) for topic in site.votes.topics() if topic in living]

    def one(request: Request, person_id: int, status: int = 200, **context: object) -> Response:
        found = site.people.find(person_id)
        with site.database.read() as session:
            lately = events.page(session, events.Filter(subject=f"person:{person_id}"), _LATELY)
        told = {
            "wrong": None, "done": None, "made": None, "overtaken": None, "name": found.name, "role": found.role,
        } | context  # fmt: skip
        return pages.write(
            request,
            "people/person",
            status,
            person=found,
            roles=ROLES,
            lately=lately,
            differences=differences,
            now=site.clock.now(),
            can_mail=site.one_time.can_mail,
            **told,
        )

    def link(request: Request, person_id: int, who: Visitor) -> Response:
        """Show a new link once, on this answer alone, and mail it."""
        return one(request, person_id, made=site.one_time.make(person_id, who.actor, mail=True))

    @app.api_route(PLACE, methods=["GET", "HEAD"], response_model=None)
    def people(request: Request, done: str = "") -> Response:
        return listing(request, done=done if done in DONE else None)

    @app.post(PLACE, response_model=None)
    def add(
        request: Request, who: Known, address: Text = "", name: Text = "", role: Text = "member", invite: Text = ""
    ) -> Response:
        try:
            person = site.subscribing.add(address, name, role, actor=who.actor)
        except UsageError as error:
            return listing(request, 422, wrong=str(error), address=address, name=name, role=role)
        if invite:
            return link(request, person.id, who)
        return RedirectResponse(f"{pages.root}{PLACE}/{person.id}?done=added", 303)

    @app.api_route(f"{PLACE}/{{person}}", methods=["GET", "HEAD"], response_model=None)
    def show(request: Request, person: str, done: str = "") -> Response:
        return one(request, number(person), done=done if done in DONE else None)

    @app.post(f"{PLACE}/{{person}}", response_model=None)
    def change(
        request: Request,
        who: Known,
        person: str,
        name: Text = "",
        role: Text = "",
        seen_name: Text = "",
        seen_role: Text = "",
    ) -> Response:
        person_id = number(person)
        try:
            found = site.people.change(person_id, name, role, Seen(seen_name, seen_role), who.actor)
        except UsageError as error:
            return one(request, person_id, 422, wrong=str(error), name=name, role=role)
        if isinstance(found, Overtaken):
            return one(request, person_id, 409, overtaken=found, name=name, role=role)
        if person_id == who.person.id and found.role != who.person.role:
            return RedirectResponse(f"{pages.root}/sign-in", 303)  # another role signs everybody out, oneself too
        return RedirectResponse(f"{pages.root}{PLACE}/{person_id}?done=saved", 303)

    @app.post(f"{PLACE}/{{person}}/link", response_model=None)
    def make_link(request: Request, who: Known, person: str) -> Response:
        return link(request, number(person), who)

    @app.post(f"{PLACE}/{{person}}/disable", response_model=None)
    def disable(request: Request, who: Known, person: str) -> Response:
        person_id = number(person)
        try:
            site.people.disable(person_id, who.actor)
        except UsageError as error:
            return one(request, person_id, 422, wrong=str(error))
        return RedirectResponse(f"{pages.root}{PLACE}/{person_id}?done=disabled", 303)

    @app.post(f"{PLACE}/{{person}}/enable", response_model=None)
    def enable(who: Known, person: str) -> Response:
        site.people.enable(number(person), who.actor)
        return RedirectResponse(f"{pages.root}{PLACE}/{number(person)}?done=enabled", 303)
