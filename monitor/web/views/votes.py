"""Blind double screening: where two verdicts differ, how far people agree, and which topics are screened so."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Form, Request
from fastapi.responses import RedirectResponse, Response

from monitor.storage import papers, people
from monitor.web.entering import Known
from monitor.web.pages import Pages
from monitor.web.records import Records
from monitor.web.site import Site


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""
    records = Records(site)

    @app.api_route("/votes", methods=["GET", "HEAD"], response_model=None)
    def votes(request: Request, who: Known) -> Response:
        doubly = site.votes.topics()
        conflicts = site.votes.conflicts(who.actor)
        with site.database.read() as session:
            titles = people.living_topics(session)
            lines = {each.pmid: each for each in papers.lines(session, [each.pmid for each in conflicts])}
        reports = [site.votes.agreement(topic) for topic in titles]
        language = pages.language(request)
        return pages.write(
            request,
            "votes/votes",
            conflicts=[each for each in conflicts if each.pmid in lines],
            lines=lines,
            doubly=doubly,
            reports=[each for each in reports if each.topic in doubly or each.whole.papers],
            topic_titles=titles,
            reason_labels={each.id: each.label for each in records.reasons(language)},
        )

    @app.post("/votes/topics", response_model=None)
    def switch(who: Known, topic: Annotated[str, Form()], on: Annotated[str, Form()]) -> Response:
        site.votes.switch(topic, on == "1", who.actor)
        return RedirectResponse(f"{pages.root}/votes#topics", 303)
