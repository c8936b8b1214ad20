"""My work: what waits for one curator, what others were asked, and the steps that can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from monitor.core.lanes import Lane
from monitor.errors import NotFound
from monitor.storage import notes, papers, people, queue, screening
from monitor.storage.notes import Note
from monitor.storage.papers import PaperLine
from monitor.web.entering import Known, Visitor
from monitor.web.pages import Pages
from monitor.web.records import Records
from monitor.web.site import Site
from monitor.web.views.papers import labels

SHOWN = 12
"""Papers of a kind that are listed; the others stand in the queue."""
STEPS = 30


@dataclass(frozen=True, slots=True)
class Aside:
    """A paper that was put aside with maybe."""

    line: PaperLine
    by: str | None
    until: date | None
    asked: str | None


@dataclass(frozen=True, slots=True)
class Written:
    """A note on a paper; `decided` says whether a verdict stands there."""

    line: PaperLine
    note: Note
    decided: bool


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""
    records = Records(site)

    @app.api_route("/me", methods=["GET", "HEAD"], response_model=None)
    def work(request: Request, who: Known) -> Response:
        asked = request.query_params
        before = _number(asked.get("before", ""))
        steps = site.steps.history(who.actor, before=before, limit=STEPS + 1)
        now = site.clock.now()
        language = pages.language(request)
        with site.database.read() as session:
            titles = people.living_topics(session)
            told = {each.pmid: each for each in papers.lines(session, {p for s in steps for p in s.pmids[:3]})}
        return pages.write(
            request,
            "mywork/mywork",
            **_waiting(site, who),
            votes=site.queue.rows(who.actor, Lane.SECOND, limit=SHOWN),
            conflicts=[each for each in site.votes.conflicts(who.actor) if each.may_decide],
            steps=steps[:STEPS],
            older=steps[STEPS - 1].id if len(steps) > STEPS else None,
            lines=told,
            now=now,
            before=before,
            undone=_told(site, who, asked.get("undone", "")),
            date_of=date.fromisoformat,
            topic_titles=titles,
            label=labels(site, language),
            reason_labels={each.id: each.label for each in records.reasons(language)},
        )

    @app.post("/me/steps/{step_id}/undo", response_model=None)
    def undo(who: Known, step_id: str) -> Response:
        number = _number(step_id)
        if number is None:
            raise NotFound("this is no step of yours, so nothing was changed")
        done = site.steps.take_back(number, who.actor)
        return RedirectResponse(f"{pages.root}/me?undone={done.step.id}", 303)


def _waiting(site: Site, who: Visitor) -> dict[str, Any]:
    """Return what was put aside, by whose turn it is, and the notes written last."""
    me = who.person.id
    today = site.today()
    with site.database.read() as session:
        aside = [each for each in queue.put_aside(session) if me in (each.by, each.asked)]
        written = notes.newest(session, me, SHOWN)
        lines = {each.pmid: each for each in papers.lines(session, [*(each.pmid for each in aside), *written])}
        names = people.names(session)
        decided = screening.standing(session, list(written))

    def told(kind: list[queue.PutAside]) -> list[Aside]:
        return [
            Aside(lines[each.pmid], names.get(each.by or 0), each.until, names.get(each.asked or 0))
            for each in kind
            if each.pmid in lines
        ]

    mine = [each for each in aside if each.by == me and each.asked in (None, me)]
    return {
        "asked_of_me": told([each for each in aside if each.asked == me and each.by != me]),
        "due": told([each for each in mine if each.until is not None and each.until <= today]),
        "later": told([each for each in mine if each.until is None or each.until > today]),
        "asked_others": told([each for each in aside if each.by == me and each.asked not in (None, me)]),
        "written": [Written(lines[pmid], note, pmid in decided) for pmid, note in written.items() if pmid in lines],
    }


def _told(site: Site, who: Visitor, text: str) -> object | None:
    number = _number(text)
    if number is None:
        return None
    try:
        return site.steps.find(number, who.actor)
    except NotFound:
        return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
