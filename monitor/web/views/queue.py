"""The curators' queue: what waits, one paper with all that is decided on it, and the verdicts."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from monitor.core.highlights import LAYERS
from monitor.core.people import DECIDING
from monitor.core.pmid import read_pmid
from monitor.core.screening import LEVELS
from monitor.core.steps import Done, Step
from monitor.errors import NotFound, UsageError
from monitor.services.bulk import Choice
from monitor.services.notes import NoteChanged
from monitor.services.queue import QueuePage
from monitor.services.screening import Overtaken
from monitor.services.subscribing import Meanwhile
from monitor.storage import papers, people
from monitor.web.desk import Record, Row, Where, best_tags, read_pmids
from monitor.web.entering import Known, Visitor
from monitor.web.pages import Pages
from monitor.web.records import Records
from monitor.web.site import Site

PAGE: Final = 30


async def _filled(request: Request) -> FormData:
    return await request.form(max_fields=2000)


Filled = Annotated[FormData, Depends(_filled)]
"""A parameter of a view: the form that was sent."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Rows of a lane as a page shows them. `everything` counts what there is without filters, `after` is the next page's place."""

    rows: tuple[Row, ...]
    after: str | None
    total: int
    everything: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a step did, for the words of the toast: `how` is done, undone or redone; `left` papers were not touched."""

    step: Step
    how: str
    left: int = 0


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""
    desk = _Desk(site, pages)

    @app.api_route("/queue", methods=["GET", "HEAD"], response_model=None)
    def queue(request: Request, who: Known) -> Response:
        where = Where.read(request.query_params)
        if where.order == "sample" and not where.seed:
            drawn = replace(where, seed=secrets.randbelow(10**6) + 1)
            return RedirectResponse(f"{pages.root}/queue?{drawn.query()}", 303)
        return desk.page(request, who, where)

    @app.api_route("/queue/rows", methods=["GET", "HEAD"], response_model=None)
    def rows(request: Request, who: Known) -> Response:
        where = Where.read(request.query_params)
        after = request.query_params.get("after")
        page = site.queue.rows(who.actor, where.lane, where.listing, after=after, limit=PAGE)
        shown = desk.shown(page, page.total, pages.language(request))
        return pages.write(request, "queue/rows", page=shown, where=where, record=None)

    @app.api_route("/queue/bulk", methods=["GET", "HEAD"], response_model=None)
    def preview(request: Request, who: Known) -> Response:
        asked = request.query_params
        return desk.preview(request, who, asked.getlist("pmid"), asked.get("say", ""), _where(asked))

    @app.post("/queue/bulk", response_model=None)
    def bulk(request: Request, who: Known, form: Filled) -> Response:
        return desk.decide_all(request, who, form)

    @app.post("/queue/undo", response_model=None)
    def undo(request: Request, who: Known, form: Filled) -> Response:
        return desk.again(who, form, site.steps.undo(who.actor), "undone")

    @app.post("/queue/redo", response_model=None)
    def redo(request: Request, who: Known, form: Filled) -> Response:
        return desk.again(who, form, site.steps.redo(who.actor), "redone")

    @app.post("/queue/highlights", response_model=None)
    def highlights(who: Known, form: Filled) -> Response:
        layers = tuple(each for each in LAYERS if each in form.getlist("layer"))
        person = who.person
        try:
            site.personal.prefer(person.id, replace(person.preferences, highlights=layers), person.version, who.actor)
        except Meanwhile as error:
            # Another window changed something else about this person; what it changed stays.
            now = error.person
            site.personal.prefer(now.id, replace(now.preferences, highlights=layers), now.version, who.actor)
        return JSONResponse({"highlights": list(layers)})

    @app.api_route("/queue/{pmid}", methods=["GET", "HEAD"], response_model=None)
    def paper(request: Request, who: Known, pmid: str) -> Response:
        where = Where.read(request.query_params)
        if request.query_params.get("part") == "record":
            return desk.part(request, who, where, _pmid(pmid))
        return desk.page(request, who, where, _pmid(pmid))

    @app.post("/queue/{pmid}", response_model=None)
    def decide(request: Request, who: Known, pmid: str, form: Filled) -> Response:
        return desk.decide(request, who, _pmid(pmid), form)

    @app.post("/queue/{pmid}/reading", response_model=None)
    def reading(request: Request, who: Known, pmid: str, form: Filled) -> Response:
        held = site.queue.open(_pmid(pmid), who.actor, take_over=form.get("take") == "1")
        if _scripted(request):
            return JSONResponse({"held_by": held.name if held.person_id != who.person.id else None})
        return RedirectResponse(f"{pages.root}/queue/{pmid}?{_where(form).query()}", 303)

    @app.post("/queue/{pmid}/note", response_model=None)
    def note(request: Request, who: Known, pmid: str, form: Filled) -> Response:
        return desk.note(request, who, _pmid(pmid), form)

    @app.post("/queue/{pmid}/acknowledge", response_model=None)
    def acknowledge(who: Known, pmid: str, form: Filled) -> Response:
        done = site.screening.acknowledge([_pmid(pmid)], actor=who.actor, upto=_number(_text(form, "upto")))
        return desk.on(who, form, done[0].step_id)


class _Desk:
    """The pages of the queue."""

    def __init__(self, site: Site, pages: Pages) -> None:
        self.site = site
        self.pages = pages
        self.records = Records(site)

    def page(self, request: Request, who: Visitor, where: Where, pmid: int | None = None, **more: Any) -> Response:
        """Show lanes, list and one paper: the one asked for, else the first of the list."""
        site, asked, language = self.site, request.query_params, self.pages.language(request)
        view = site.queue.view(who.actor, where.lane, where.listing, after=asked.get("after"), limit=PAGE)
        count = next(each.count for each in view.lanes if each.lane == where.lane)
        first = view.page.rows[0] if view.page.rows else None
        row = next((each for each in view.page.rows if each.line.pmid == pmid), None)
        place = (row.place if row is not None else asked.get("place")) if pmid is not None else None
        if pmid is None and first is not None:
            pmid, place = first.line.pmid, first.place
        elif pmid is not None and not _scripted(request) and request.method == "GET":
            site.queue.open(pmid, who.actor)
        record = more.pop("record", None)
        if record is None and pmid is not None:
            record = self.records.of(who, pmid, language, place)
        clear = site.queue.clear(who.actor, where.lane, view.lanes) if record is None else None
        return self.pages.write(
            request,
            "queue/workspace" if _scripted(request) else "queue/queue",
            more.pop("status", 200),
            lanes=view.lanes,
            page=self.shown(view.page, count, language),
            where=where,
            record=record,
            opened="/queue/" in request.url.path,
            told=more.pop("told", None) or self._told(who, asked),
            clear=clear,
            now=site.clock.now(),
            **self._around(who, language),
            **more,
        )

    def shown(self, page: QueuePage, everything: int, language: str) -> Shown:
        """Return a page of a lane with the tags that say most of each paper."""
        vocabulary = self.site.vocabularies.current()
        proposed = self.site.vocabularies.of(None, [each.line.pmid for each in page.rows])
        rows = [
            Row(
                each.line,
                each.place,
                each.age_days,
                each.held_by,
                each.why,
                best_tags(vocabulary, each.line, proposed.get(each.line.pmid), language),
            )
            for each in page.rows
        ]
        return Shown(tuple(rows), page.next, page.total, everything)

    def part(self, request: Request, who: Visitor, where: Where, pmid: int) -> Response:
        """Show one paper alone, as script fetches it before it is wanted; nobody's lock is touched."""
        record = self.records.of(who, pmid, self.pages.language(request), request.query_params.get("place"))
        return self.pages.write(
            request, "queue/record", record=record, where=where, **self._around(who, self.pages.language(request))
        )

    def decide(self, request: Request, who: Visitor, pmid: int, form: FormData) -> Response:
        """Take down what was said of one paper, and go on to the next."""
        site, where = self.site, _where(form)
        said = _text(form, "say") or "tags"
        kind, _, how = said.partition(" ")
        if kind == "note":
            return self.note(request, who, pmid, form)
        try:
            given = self._labels(form, every=kind in ("keep", "tags"))
            _level_has_reason(form, given)
            if kind == "tags":
                (now,) = site.screening.label([pmid], **given, note=_text(form, "level_why"), actor=who.actor)
                return self.on(who, form, now.step_id, stay=pmid)
            step_id = self._say(who, pmid, kind, how, form, given)
        except Overtaken as error:
            return self._overtaken(request, who, where, form, error)
        except UsageError as error:
            return self._again_with(request, who, where, pmid, form, str(error))
        return self.on(who, form, step_id, request)

    def _say(self, who: Visitor, pmid: int, kind: str, how: str, form: FormData, given: dict[str, Any]) -> int | None:
        site = self.site
        until, asked = _until(kind, how, form, site.today())
        note = _text(form, "note") or None
        topics = form.getlist("topic") if kind == "keep" else []
        reason = how or None if kind == "dismiss" else None
        ballot = site.votes.of(pmid, who.actor)
        if ballot.state == "open":
            voted = site.votes.vote(
                pmid,
                kind,
                topics=[str(each) for each in topics],
                reason=reason,
                note=note,
                tags=given["tags"],
                level=given["level"],
                actor=who.actor,
            )
            return voted.step_id
        (now,) = site.screening.decide(
            [pmid],
            kind,
            topics=[str(each) for each in topics],
            reason=reason,
            note=note,
            until=until,
            asked=asked,
            expected={pmid: _number(_text(form, "expected"))},
            why=_text(form, "level_why") or None,
            actor=who.actor,
            **given,
        )
        return now.step_id

    def _labels(self, form: FormData, *, every: bool) -> dict[str, Any]:
        """Return the tags and the level that a form puts on and takes off.

        What the vocabulary had ticked itself goes on only with Keep (`every`), or when tags are saved.
        """
        ticked = [str(each) for each in form.getlist("tag")]
        ticked += [each.strip() for each in _text(form, "more").split(",") if each.strip()]
        offered = set() if every else set(form.getlist("offered"))
        held = [str(each) for each in form.getlist("standing")]
        level, stands = _text(form, "level"), _text(form, "level_stands")
        chosen = level if every or level != _text(form, "level_usual") else stands
        return {
            "tags": [each for each in dict.fromkeys(ticked) if each not in held and each not in offered],
            "untag": [each for each in held if each not in ticked],
            "level": chosen if chosen and chosen != stands else None,
            "no_level": bool(stands) and not chosen,
        }

    def on(
        self,
        who: Visitor,
        form: FormData,
        step_id: int | None,
        request: Request | None = None,
        *,
        stay: int | None = None,
    ) -> Response:
        """Go on to what stands next in the list after a step, and tell the step there."""
        where = _where(form)
        if request is not None and _scripted(request):
            return self.pages.write(request, "queue/after", lanes=self.site.queue.lanes(who.actor), where=where)
        more = {"step": step_id, "did": "done"} if step_id is not None else {}
        if stay is not None:
            return self._to(where, stay, _text(form, "place") or None, **more)
        place = _text(form, "place")
        if place:
            around = self.site.queue.around(who.actor, where.lane, place, where.listing, count=1)
            if near := around.after or around.before:
                return self._to(where, near[0].line.pmid, near[0].place, **more)
        return self._to(where, None, None, **more)

    def again(self, who: Visitor, form: FormData, done: Done | None, how: str) -> Response:
        """Show the paper of a step that was taken back or repeated."""
        where = _where(form)
        if done is None:
            raise UsageError("Nothing left to undo." if how == "undone" else "Nothing to redo.")
        more = {"step": done.step.id, "did": how, "left": len(done.left) or None}
        if how == "undone" and len(done.step.pmids) == 1 and done.pmids:
            return self._to(where, done.pmids[0], None, **more)
        return self._to(where, None, None, **more)

    def note(self, request: Request, who: Visitor, pmid: int, form: FormData) -> Response:
        """Save a note; what another window has saved since is never written over."""
        text = _text(form, "text") if "text" in form else str(form.get("note", ""))
        version = _text(form, "version") or _text(form, "note_version")
        try:
            held = self.site.notes.write(pmid, text, _number(version) or 0, who.actor)
        except NoteChanged as error:
            return self.pages.write(
                request,
                "queue/note_conflict_part" if _scripted(request) else "queue/note_conflict",
                409,
                conflict=error,
                scripted=_scripted(request),
                where=_where(form),
            )
        if _scripted(request):
            return JSONResponse({"version": held.version})
        return self._to(_where(form), pmid, _text(form, "place") or None)

    def preview(
        self, request: Request, who: Visitor, ticked: list[str], said: str, where: Where, wrong: str | None = None
    ) -> Response:
        """Show what would be done to several papers, with their titles; nothing is changed yet."""
        pmids = read_pmids(ticked)
        kind = said if said in ("keep", "maybe", "dismiss") else "dismiss"
        language = self.pages.language(request)
        with self.site.database.read() as session:
            living = people.living_topics(session)
            lines = papers.lines(session, pmids)
        found = {each.topic for line in lines for each in line.found if each.lane == "core"}
        # Which papers would change does not hang on the reason or the topics, which are chosen on this page.
        asked = Choice(kind, tuple(living)[:1] if kind == "keep" else (), "duplicate" if kind == "dismiss" else None)
        return self.pages.write(
            request,
            "queue/bulk",
            422 if wrong else 200,
            preview=self.site.bulk.preview(pmids, asked, who.actor),
            kind=kind,
            where=where,
            wrong=wrong,
            choices=[(topic, title, topic in found) for topic, title in living.items()],
            reasons=self.records.reasons(language),
            **self._around(who, language),
        )

    def decide_all(self, request: Request, who: Visitor, form: FormData) -> Response:
        """Judge several papers alike, as one step; those that others judged meanwhile are left and told."""
        where = _where(form)
        ticked = [str(each) for each in form.getlist("pmid")]
        kind = _text(form, "say")
        try:
            until, _ = _until(kind, _text(form, "until_days") or "never", form, self.site.today())
            choice = Choice(
                kind,
                topics=tuple(str(each) for each in form.getlist("topic")) if kind == "keep" else (),
                reason=_text(form, "reason") or None if kind == "dismiss" else None,
                note=_text(form, "note") or None,
                until=until,
            )
            seen = {pmid: _text(form, f"expected-{pmid}") for pmid in read_pmids(ticked)}
            done = self.site.bulk.apply(choice, {pmid: _number(text) for pmid, text in seen.items()}, who.actor)
        except UsageError as error:
            return self.preview(request, who, ticked, kind, where, str(error))
        if done.step_id is None:
            told = "; ".join(f"PMID {each.pmid}: {each.why}" for each in done.left[:5])
            raise UsageError(f"nothing was changed: {told}")
        return self._to(where, None, None, step=done.step_id, did="done", left=len(done.left) or None)

    def _overtaken(self, request: Request, who: Visitor, where: Where, form: FormData, error: Overtaken) -> Response:
        """Show both choices; the form repeats what was said, now expecting what stands."""
        (paper,) = error.papers
        with self.site.database.read() as session:
            line = papers.lines(session, [paper.pmid])[0]
        expected = "" if paper.expected is None else str(paper.expected)
        return self.pages.write(
            request,
            "queue/overtaken_part" if _scripted(request) else "queue/overtaken",
            409,
            paper=paper,
            line=line,
            **self._around(who, self.pages.language(request)),
            kept=[
                *((name, str(value)) for name, value in form.multi_items() if name != "expected"),
                ("expected", expected),
            ],
            where=where,
        )

    def _again_with(
        self, request: Request, who: Visitor, where: Where, pmid: int, form: FormData, wrong: str
    ) -> Response:
        """Show the paper again with everything that was entered, and what was wrong with it."""
        record = self.records.of(who, pmid, self.pages.language(request), _text(form, "place") or None)
        return self.page(request, who, where, pmid, record=_entered(record, form, wrong), status=422)

    def _told(self, who: Visitor, asked: Mapping[str, str]) -> Told | None:
        step, how, left = asked.get("step", ""), asked.get("did", ""), asked.get("left", "")
        number = _number(step)
        if number is None or how not in ("done", "undone", "redone"):
            return None
        try:
            found = self.site.steps.find(number, who.actor)
        except NotFound:
            return None
        return Told(found, how, _number(left) or 0)

    def _to(self, where: Where, pmid: int | None, place: str | None, **more: object) -> Response:
        path = f"/queue/{pmid}" if pmid is not None else "/queue"
        return RedirectResponse(f"{self.pages.root}{path}?{where.query(place=place, **more)}", 303)

    def _around(self, who: Visitor, language: str) -> dict[str, Any]:
        with self.site.database.read() as session:
            topics = people.living_topics(session)
            colleagues = [
                (each.id, each.name)
                for each in people.everyone(session)
                if each.role in DECIDING and each.disabled_at is None and each.id != who.person.id
            ]
        return {
            "topics": list(topics.items()),
            "topic_titles": topics,
            "date_of": date.fromisoformat,
            "level_codes": tuple(LEVELS),
            "reason_labels": {each.id: each.label for each in self.records.reasons(language)},
            "colleagues": colleagues,
            "vocabulary": self.records.terms(language),
        }


def _entered(record: Record, form: FormData, wrong: str) -> Record:
    """Return a paper as a form had it before it was refused."""
    ticked, topics = set(form.getlist("tag")), set(form.getlist("topic"))
    return replace(
        record,
        topics=tuple(each._replace(checked=each.id in topics) for each in record.topics),
        groups=tuple(
            each._replace(chips=tuple(chip._replace(checked=chip.tag in ticked) for chip in each.chips))
            for each in record.groups
        ),
        hidden=tuple(chip._replace(checked=chip.tag in ticked) for chip in record.hidden),
        note=_text(form, "note") or record.note,
        level_chosen=_text(form, "level"),
        more=_text(form, "more"),
        wrong=wrong,
    )


def _until(kind: str, how: str, form: FormData, today: date) -> tuple[date | None, int | None]:
    """Return the day that maybe waits for, or who is asked."""
    if kind != "maybe" or how in ("", "never"):
        return None, None
    if how == "ask":
        asked = _number(_text(form, "asked"))
        if asked is None:
            raise UsageError("choose whom to ask")
        return None, asked
    if how == "day":
        try:
            return date.fromisoformat(_text(form, "until")), None
        except ValueError:
            raise UsageError("choose the day on which the paper comes back") from None
    days = _number(how)
    if days is not None and 1 <= days <= 3650:
        return today + timedelta(days=days), None
    raise UsageError("choose when the paper comes back")


def _level_has_reason(form: FormData, given: Mapping[str, Any]) -> None:
    proposed = _text(form, "level_proposed")
    if given["level"] is not None and proposed and given["level"] != proposed and not _text(form, "level_why"):
        raise UsageError("Another level than the rule's needs a reason: say why. Nothing was decided.")


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _where(form: Mapping[str, Any]) -> Where:
    return Where.read(dict(parse_qsl(str(form.get("where", "")))))


def _text(form: FormData, name: str) -> str:
    return str(form.get(name, "")).strip()


def _pmid(text: str) -> int:
    found = read_pmid(text)
    if found is None:
        raise NotFound(f"{text[:40]!r} is no PMID.")
    return found


def _scripted(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"
