"""The editor of one search: its lines, what PubMed makes of them, and what a change would cost before it is saved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from monitor.core.draft import LAB
from monitor.core.screening import REASONS
from monitor.core.strategy import Line
from monitor.errors import NotFound, UsageError
from monitor.web.editing import Editing, Outcome, tries
from monitor.web.entering import Known
from monitor.web.forms import Given
from monitor.web.pages import Pages
from monitor.web.site import Site
from monitor.web.topicform import Part, Row, TopicForm

NEW = "/admin/searches/_new"


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""
    editing = Editing(site)

    def shown(request: Request, outcome: Outcome, touched: str = "", **more: Any) -> Response:
        form = outcome.form
        read, findings, unreadable = editing.look(form)
        held = site.searches.bearings(form.topic_id) if form.based_on is not None else None
        context = {
            "form": form,
            "outcome": outcome,
            "read": read,
            "findings": findings,
            "unreadable": unreadable,
            "opened": {each.finding.block for each in (*findings, *outcome.results.get("findings", ()))} | {touched},
            "held": held,
            "last": site.searches.last_translations(form.topic_id) if held is not None else {},
            "address": f"/admin/searches/{form.topic_id}" if form.based_on is not None else NEW,
            "pmid": "",
            "fresh": request.method != "POST",
            "notice": None,
            "now": site.clock.now(),
            "tries": tries,
            "shown_rows": shown_rows,
            "why_dismissed": lambda reason: _why(site, pages.language(request), reason),
            "doubly": form.topic_id in site.votes.topics(),
            "followers": len(site.topics.followers(form.topic_id)) if held is not None else 0,
            **more,
        }
        return pages.write(request, "searches/editor", outcome.status, **context)

    def pressed(request: Request, who: Known, topic: str | None, given: FormData) -> Response:
        form = TopicForm.read(topic, given)
        button, pmid = _text(given, "do"), _text(given, "pmid")
        if button == "block":
            button = f"block:{_text(given, 'new_block')}"
        outcome = editing.do(form, button, who.actor, pmid=pmid, clash=_on_top(form, given))
        if outcome.saved is None:
            return shown(request, outcome, button.partition(":")[2].partition(":")[0].upper(), pmid=pmid)
        saved = outcome.saved
        check = saved.plan.check
        unasked = check is not None and check.why_not is not None
        what = f"saved={saved.version}" if saved.new else "saved=details"
        return RedirectResponse(
            f"{pages.root}/admin/searches/{saved.topic_id}?{what}{'&unasked=1' if unasked else ''}", 303
        )

    @app.api_route(NEW, methods=["GET", "HEAD"], response_model=None)
    def new(request: Request) -> Response:
        return shown(request, Outcome(TopicForm(""), {}))

    @app.post(NEW, response_model=None)
    def add(request: Request, who: Known, given: Given) -> Response:
        return pressed(request, who, None, given)

    @app.api_route("/admin/searches/{topic}", methods=["GET", "HEAD"], response_model=None)
    def editor(request: Request, topic: str) -> Response:
        asked = request.query_params
        stored = site.topics.one(topic).stored
        if stored.retired_at is not None:
            return RedirectResponse(f"{pages.root}/admin/searches#{quote(topic)}", 303)
        number = asked.get("version", "")
        older = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
        form = TopicForm.of(site.strategies.draft(topic, older if older != stored.version else None))
        if older is not None and older != stored.version:
            form = replace(form, message=f"version {older} again")
        if offered := asked.get("line", "").strip():
            form = form.with_line("core", Line(offered, asked.get("why", ""), LAB))
        notice = {"saved": asked.get("saved"), "unasked": asked.get("unasked") == "1", "older": older}
        return shown(request, Outcome(form, {}), notice=notice)

    @app.post("/admin/searches/{topic}", response_model=None)
    def press(request: Request, who: Known, topic: str, given: Given) -> Response:
        if site.topics.one(topic).stored.retired_at is not None:
            raise UsageError("This topic was retired meanwhile. Bring it back in the list of searches, then change it")
        return pressed(request, who, topic, given)

    @app.post("/admin/searches/{topic}/live", response_model=None)
    def live(request: Request, topic: str, given: Given) -> Response:
        try:
            form = TopicForm.read(None if topic == "_new" else topic, given)
        except UsageError as error:
            raise NotFound(str(error)) from error
        read, findings, unreadable = editing.look(form)
        return pages.write(request, "searches/live", form=form, read=read, findings=findings, unreadable=unreadable)


def shown_rows(part: Part) -> list[tuple[int, int | None, Row]]:
    """Return the rows of a part as the page shows them: those that were typed, and an empty one to type in."""
    rows = list(part.numbered())
    if not any(row.blank and not row.gone for _, _, row in rows):
        rows.append((len(rows), None, Row(on=True)))
    return rows


def _why(site: Site, language: str, reason: str) -> str:
    """Say a reason to dismiss in the reader's language."""
    vocabulary = site.vocabularies.current()
    told = {
        each.id: each.zh if language.startswith("zh") else each.en
        for each in (*vocabulary.off_topic, *vocabulary.general)
    }
    return told.get(reason) or REASONS.get(reason, reason)


def _text(given: FormData, name: str) -> str:
    found = given.get(name, "")
    return found if isinstance(found, str) else ""


def _on_top(form: TopicForm, given: FormData) -> TopicForm | None:
    """Return the form as one that was made from what somebody else saved, where the page told of that."""
    version = _text(given, "theirs_version")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        return None
    return replace(
        form,
        based_on=int(version),
        held_title=_text(given, "theirs_title"),
        held_sentinels=_text(given, "theirs_sentinels"),
    )
