"""Issues: the archive of what was sent, as values."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Path, Request
from fastapi.responses import Response

from monitor.errors import NotFound
from monitor.storage import issues
from monitor.web.api import cursors
from monitor.web.api.adding import Api
from monitor.web.api.answers import answer
from monitor.web.api.shape import LIMIT, Cursor, Limit, Shape
from monitor.web.site import Site

_ASKED = "issues"


class IssueLine(Shape):
    """An issue of a digest; `address` is its page, which opens for whoever knows it."""

    key: str
    slot: date
    label: str
    kind: str
    language: str
    subject: str
    created_at: datetime
    address: str


class IssueInList(IssueLine):
    """An issue, and the short names of its topics."""

    topics: tuple[str, ...]


class IssueWhole(IssueLine):
    """An issue with its contents as they were frozen: sections, entries and their reasons, corrections, and searches."""

    content: dict[str, Any]


class IssuePage(Shape):
    """Issues, the latest day first; `next` is null at the end."""

    items: tuple[IssueInList, ...]
    next: str | None


def add_routes(api: Api, site: Site) -> None:
    """Add the routes of this module."""

    @api.get("/issues", IssuePage, "A page of issues.")
    def list_issues(request: Request, cursor: Cursor = None, limit: Limit = LIMIT) -> Response:
        """List the issues, the latest first."""
        with site.database.read() as session:
            found = issues.archive(session, limit + 1, cursors.read(_ASKED, cursor))
        items = [IssueInList(**_line(each), topics=each.topics) for each in found[:limit]]
        following = cursors.write(_ASKED, found[limit - 1].id if len(found) > limit else None)
        return answer(request, IssuePage(items=tuple(items), next=following))

    @api.get("/issues/{key}", IssueWhole, "The issue.", 404)
    def get_issue(
        request: Request,
        key: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{8,64}$", description="The end of its address.")],
    ) -> Response:
        """Read one issue with its contents."""
        with site.database.read() as session:
            found = issues.by_key(session, key)
        if found is None:
            raise NotFound("There is no such issue")
        return answer(request, IssueWhole(**_line(found), content=found.content))

    def _line(found: issues.IssueLine | issues.IssuePage) -> dict[str, Any]:
        names = ("key", "label", "kind", "language", "subject", "created_at")
        told = {name: getattr(found, name) for name in names}
        return {**told, "slot": date.fromisoformat(found.slot), "address": site.links.issue(found.key)}
