"""Integrity: what was retracted, doubted, corrected or withdrawn, what it was in here, and who was told."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from monitor.core.pmid import read_pmid
from monitor.formats.table import safe
from monitor.services.corrections import MATTERS, Correction, CorrectionPage
from monitor.storage import people
from monitor.storage.corrections import KINDS
from monitor.web.entering import Known, Visitor
from monitor.web.pages import Pages
from monitor.web.site import Site

COLUMNS = (
    "pmid",
    "title",
    "journal",
    "what",
    "noticed_on",
    "known_before",
    "changes",
    "notices",
    "kept_in",
    "sent_to",
    "sent_on",
    "sent_to_you_on",
    "told",
    "told_on",
)
_WHOLE = 100_000


def add_routes(app: FastAPI, site: Site, pages: Pages) -> None:
    """Add the routes of this module."""

    def asked(request: Request, who: Visitor, limit: int | None = None) -> CorrectionPage:
        values = request.query_params
        wanted: dict[str, Any] = {} if limit is None else {"limit": limit}
        return site.corrections.page(
            who.person.id,
            kind=values.get("kind") or None,
            matters=values.get("matters") or MATTERS[0],
            before=read_pmid(values.get("before", "")),
            **wanted,
        )

    @app.api_route("/integrity", methods=["GET", "HEAD"], response_model=None)
    def integrity(request: Request, who: Known) -> Response:
        values = request.query_params
        with site.database.read() as session:
            topics = people.living_topics(session)
        return pages.write(
            request,
            "integrity/integrity",
            topics=topics,
            page=asked(request, who),
            kind=values.get("kind") or None,
            matters=values.get("matters") or MATTERS[0],
            before=values.get("before"),
            kinds=tuple(KINDS),
            circles=MATTERS,
        )

    @app.api_route("/integrity/export", methods=["GET", "HEAD"], response_model=None)
    def export(request: Request, who: Known) -> Response:
        day = site.clock.now().date().isoformat()
        return StreamingResponse(
            _rows(asked(request, who, _WHOLE).corrections),
            media_type="text/csv; charset=utf-8; header=present",
            headers={"Content-Disposition": f'attachment; filename="corrections-{day}.csv"'},
        )


def _rows(corrections: tuple[Correction, ...]) -> Iterator[bytes]:
    """Yield the byte order mark, without which Excel garbles accents, then a line each."""
    yield ("\ufeff" + _line(COLUMNS)).encode()
    for each in corrections:
        yield _line(map(safe, _cells(each))).encode()


def _cells(each: Correction) -> tuple[str, ...]:
    reach = each.reach
    return (
        str(each.pmid),
        each.line.title,
        each.line.journal or "",
        "; ".join(each.kinds),
        each.at.date().isoformat(),
        "yes" if each.known else "",
        "; ".join(change.words for change in each.changes),
        "; ".join(f"{notice.words} {notice.link.source or notice.link.pmid or ''}".strip() for notice in each.notices),
        "; ".join(each.kept_in),
        str(reach.people),
        reach.since.date().isoformat() if reach.since else "",
        reach.mine.date().isoformat() if reach.mine else "",
        str(each.told.people),
        each.told.since.date().isoformat() if each.told.since else "",
    )


def _line(values: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(values)
    return out.getvalue()
