"""Searches: the list of topics, their order, their history, suggested lines, files, and the end of a topic."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from monitor.errors import NotFound, UsageError
from monitor.formats import topicfile
from monitor.services.strategies import Conflict, Refused
from monitor.web.editing import tries
from monitor.web.entering import Known
from monitor.web.forms import Given
from monitor.web.pages import Pages
from monitor.web.site import Site

_REMARK = "Comments are not kept when the file is brought in again."


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module; those that are no topics come first, for a topic's name holds no underscore."""

    def listed(request: Request, status: int = 200, *, wrong: str | None = None) -> Response:
        states = site.searches.all()
        return pages.write(
            request,
            "searches/searches",
            status,
            living=[each for each in states if each.topic.stored.retired_at is None],
            retired=[each for each in states if each.topic.stored.retired_at is not None],
            doubly=site.votes.topics(),
            told=None,
            wrong=wrong,
        )

    def back(topic: str) -> Response:
        return RedirectResponse(f"{pages.root}/admin/searches#{topic}", 303)

    def filed(request: Request, status: int = 200, **more: Any) -> Response:
        known: dict[str, Any] = {"plans": None, "unused": (), "wrong": (), "text": "", "name": "", "blocked": False}
        known |= {"because": "", "message": "", "tries": tries, **more}
        return pages.write(request, "searches/files", status, topics=site.topics.all(retired=True), **known)

    @app.api_route("/admin/searches", methods=["GET", "HEAD"], response_model=None)
    def searches(request: Request) -> Response:
        return listed(request)

    @app.api_route("/admin/searches/_files", methods=["GET", "HEAD"], response_model=None)
    def files(request: Request) -> Response:
        return filed(request)

    @app.api_route("/admin/searches/_export", methods=["GET", "HEAD"], response_model=None)
    def export(request: Request) -> Response:
        names = request.query_params.getlist("topic")
        data = topicfile.write(site.strategies.export(names), "yaml", _REMARK)
        name = f"{names[0]}.yaml" if len(names) == 1 else f"topics-{site.clock.now().date().isoformat()}.yaml"
        return Response(
            data, media_type="application/yaml", headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    @app.post("/admin/searches/_files", response_model=None)
    def bring(request: Request, who: Known, given: Given) -> Response:
        file = given.get("file")
        if isinstance(file, UploadFile):
            name, data = file.filename or "", file.file.read(topicfile.LARGEST + 1)
        else:
            name, data = str(given.get("name", "")), str(given.get("text", "")).encode()
        because, message = str(given.get("because", "")).strip(), str(given.get("message", "")).strip()
        try:
            form = topicfile.form_of(name) if name else "yaml"
            drafts, unused = site.strategies.read(topicfile.read(data, form, name or "the file"))
            plans = site.strategies.plan(drafts, overtake=True)
            blocked = any(plan.blocking for plan in plans)
            if given.get("do") == "save" and (because or not blocked):
                site.strategies.commit(plans, message or f"brought in from {name}", who.actor, because=because or None)
                return RedirectResponse(f"{pages.root}/admin/searches", 303)
        except (UsageError, NotFound, Conflict, Refused) as error:
            return filed(request, 422, wrong=str(error).splitlines())
        text = data.decode("utf-8-sig")
        status = 422 if given.get("do") == "save" else 200
        shown = {"plans": plans, "unused": unused, "text": text, "name": name, "blocked": blocked}
        return filed(request, status, because=because, message=message, **shown)

    @app.post("/admin/searches/{topic}/move", response_model=None)
    def move(request: Request, who: Known, topic: str, way: Annotated[str, Form()] = "") -> Response:
        if way not in ("up", "down"):
            raise UsageError("a search moves up or down")
        site.searches.move(topic, "up" if way == "up" else "down", who.actor)
        return back(topic)

    @app.post("/admin/searches/{topic}/retire", response_model=None)
    def retire(request: Request, who: Known, topic: str, reason: Annotated[str, Form()] = "") -> Response:
        if not reason.strip():
            return listed(request, 422, wrong="A topic is retired with a reason. Nothing was changed")
        site.strategies.retire(topic, reason.strip(), who.actor)
        return back(topic)

    @app.post("/admin/searches/{topic}/return", response_model=None)
    def bring_back(who: Known, topic: str) -> Response:
        site.strategies.bring_back(topic, actor=who.actor)
        return back(topic)

    @app.post("/admin/searches/{topic}/screening", response_model=None)
    def screening(who: Known, topic: str, on: Annotated[str, Form()] = "") -> Response:
        site.votes.switch(topic, on == "1", who.actor)
        return RedirectResponse(f"{pages.root}/admin/searches/{topic}#h-doubly", 303)

    def told(request: Request, topic: str, status: int = 200, refused: dict[str, Any] | None = None) -> Response:
        stored, entries = site.topics.one(topic).stored, site.topics.history(topic)
        return pages.write(request, "searches/history", status, stored=stored, entries=entries, refused=refused)

    @app.api_route("/admin/searches/{topic}/history", methods=["GET", "HEAD"], response_model=None)
    def history(request: Request, topic: str) -> Response:
        return told(request, topic)

    @app.post("/admin/searches/{topic}/restore", response_model=None)
    def restore(
        request: Request,
        who: Known,
        topic: str,
        version: Annotated[str, Form()] = "",
        reason: Annotated[str, Form()] = "",
        because: Annotated[str, Form()] = "",
    ) -> Response:
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise NotFound(f"{topic} has no version {version[:40]}")
        number, why = int(version), because.strip() or None
        typed = {"number": number, "reason": reason, "because": because}
        try:
            saved = site.strategies.restore(topic, number, reason.strip(), who.actor, because=why)
        except Refused as error:
            return told(request, topic, 422, {**typed, "why": error.check.blocking, "may": True})
        except (UsageError, Conflict) as error:
            return told(request, topic, 422, {**typed, "why": str(error).splitlines(), "may": False})
        return RedirectResponse(f"{pages.root}/admin/searches/{topic}/history#v{saved.version}", 303)

    @app.api_route("/admin/searches/{topic}/suggestions", methods=["GET", "HEAD"], response_model=None)
    def suggestions(request: Request, topic: str) -> Response:
        papers, more = site.trials.kept_wide(topic)
        stored = site.topics.one(topic).stored
        return pages.write(request, "searches/suggestions", stored=stored, papers=papers, more=more)
