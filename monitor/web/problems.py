"""What programs are told when something is wrong, as `application/problem+json` (RFC 9457): everything below `/api/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from monitor.errors import (
    Busy,
    DatabaseBehind,
    DatabaseDamaged,
    DatabaseUnavailable,
    MonitorError,
    NotFound,
    PubmedUnavailable,
    QuerySyntaxError,
    UsageError,
)
from monitor.services.screening import Overtaken
from monitor.web.entering import NotForToken, TokenFirst

BELOW: Final = "/api/"
MEDIA: Final = "application/problem+json"
KINDS: Final[Mapping[str, str]] = {
    "parameter": "A parameter is wrong",
    "usage": "That cannot be done as asked",
    "missing": "Not in this collection",
    "token": "A token is needed",
    "scope": "The token may not do this",
    "role": "Its owner may not do this",
    "overtaken": "Somebody decided meanwhile",
    "changed": "It is no longer what was read",
    "conflict": "It cannot be done any more",
    "unavailable": "Not at the moment",
    "fault": "Something went wrong here",
}
"""What a problem's type ends in, with its title; any other answer is about its status alone (`about:blank`)."""
_UNAVAILABLE: Final = (PubmedUnavailable, Busy, DatabaseUnavailable, DatabaseBehind, DatabaseDamaged)
_WAIT: Final = "10"
"""Seconds after which a program may try again."""
_log = structlog.get_logger(__name__)


class WrongParameter(UsageError):
    """One parameter of a request is wrong; `place` is query, path, header or body."""

    def __init__(self, place: str, name: str, why: str) -> None:
        super().__init__(why)
        self.place = place
        self.name = name


class Conflict(MonitorError):
    """What was asked for was possible once and is no more; nothing was changed."""


class Changed(MonitorError):
    """The ETag of If-Match is not that of what stands now, which is here to be compared; nothing was changed."""

    def __init__(self, stands: Mapping[str, Any] | None) -> None:
        super().__init__("somebody changed it since it was read; nothing was changed")
        self.stands = stands


class Problems:
    """Writes problems; their types are addresses of the page that explains them."""

    def __init__(self, public_url: str) -> None:
        self._page = f"{public_url.rstrip('/')}/api"

    def concern(self, scope: Mapping[str, Any]) -> bool:
        """Say whether a program asks, which is answered with a problem and not with a page."""
        return str(scope["path"]).startswith(BELOW)

    def refusal(self, status: int, told: str, headers: Mapping[str, str] | None = None) -> Response:
        """Return a problem that its status alone describes."""
        return self._write(status, None, told, headers=headers)

    def of(self, error: Exception) -> Response:
        """Return what an error of any kind is told as. What nobody but us can mend is told without its reason."""
        match error:
            case RequestValidationError():
                return self._misread(error.errors())
            case WrongParameter():
                return self._wrong_parameters([_wrong(error.place, error.name, str(error))])
            case QuerySyntaxError():
                return self._wrong_parameters([_wrong("query", "q", str(error))])
            case TokenFirst():
                return self._write(401, "token", str(error.detail), headers=error.headers)
            case NotForToken():
                kind = "scope" if error.by_scope else "role"
                return self._write(403, kind, str(error.detail), headers=error.headers, needed=error.needed)
            case HTTPException():
                return self._known(error)
            case Overtaken():
                papers = [_overtaking(each) for each in error.papers]
                return self._write(409, "overtaken", str(error), papers=papers)
            case Changed():
                return self._write(412, "changed", str(error), stands=error.stands)
            case Conflict():
                return self._write(409, "conflict", str(error))
            case NotFound():
                return self._write(404, "missing", str(error))
            case UsageError():
                return self._write(422, "usage", str(error))
        if isinstance(error, _UNAVAILABLE):
            _log.error("request failed", reason=str(error))
            told = "The monitor or its database is busy or out of reach. Nothing was changed; try again."
            return self._write(503, "unavailable", told, headers={"Retry-After": _WAIT})
        if isinstance(error, MonitorError):
            _log.error("request failed", reason=str(error))
        told = "It was written down for whoever runs this monitor. Nothing is known of what was changed; read before trying again."
        return self._write(500, "fault", told)

    def _known(self, error: HTTPException) -> Response:
        status = error.status_code
        if status == 400:  # what FastAPI says of a body that is no text at all
            return self._wrong_parameters([_wrong("body", "", "the body cannot be read as JSON in UTF-8")])
        told = {
            404: "Nothing stands at this address; /api/v1/openapi.json lists what there is.",
            405: "This method is not possible here; the header Allow names those that are.",
        }.get(status, str(error.detail))
        return self._write(status, None, told, headers=error.headers)

    def _misread(self, errors: Sequence[Mapping[str, Any]]) -> Response:
        found = []
        for each in errors:
            place, *names = each["loc"]
            if each["type"] == "json_invalid":
                names = []
            found.append(_wrong(str(place), ".".join(map(str, names)), _sentence(each)))
        return self._wrong_parameters(found)

    def _wrong_parameters(self, errors: Sequence[Mapping[str, str]]) -> Response:
        named = ", ".join(dict.fromkeys(each["name"] or "the body" for each in errors))
        told = f"Nothing was changed. Wrong: {named}." if len(errors) > 1 else f"{named}: {errors[0]['detail']}"
        return self._write(422, "parameter", told, errors=errors)

    def _write(
        self, status: int, kind: str | None, told: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Response:
        content = {
            "type": f"{self._page}#{kind}" if kind is not None else "about:blank",
            "title": KINDS[kind] if kind is not None else HTTPStatus(status).phrase,
            "status": status,
            "detail": told,
            **more,
        }
        return JSONResponse(content, status, dict(headers or {}), media_type=MEDIA)


def _wrong(place: str, name: str, why: str) -> dict[str, str]:
    return {"in": place, "name": name, "detail": why}


def _sentence(error: Mapping[str, Any]) -> str:
    """Say what pydantic found, without what was sent."""
    if error["type"] == "json_invalid":
        return f"the body is no JSON: {error['ctx']['error']} at character {error['loc'][-1]}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _overtaking(each: Any) -> dict[str, Any]:
    theirs = each.theirs
    return {
        "pmid": each.pmid,
        "expected": each.expected,
        "theirs": None
        if theirs is None
        else {**_judgement(theirs.judgement), "by": each.by, "decided_at": theirs.decided_at.isoformat()},
        "yours": _judgement(each.yours),
    }


def _judgement(given: Any) -> dict[str, Any]:
    return {
        "verdict": given.verdict,
        "topics": list(given.topics),
        "reason": given.reason,
        "note": given.note,
        "until": given.until.isoformat() if given.until is not None else None,
        "asked": given.asked,
    }
