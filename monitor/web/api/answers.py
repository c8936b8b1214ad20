"""Answers: JSON with a strong ETag, and 304 where a program has the same already."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from monitor.web.problems import WrongParameter

_KEPT: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
"""Programs may keep an answer and ask each time whether it is still the same."""
_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS: Final = re.compile(rf"\s*(?:,\s*)*{_TAG}(?:\s*,(?:\s*{_TAG})?)*\s*\Z")


def answer(request: Request, content: BaseModel) -> Response:
    """Write what a GET returns."""
    return given(request, content.model_dump_json().encode())


def given(request: Request, body: bytes, media_type: str = "application/json") -> Response:
    """Return these bytes, or 304 where the request says that it has them (RFC 9110, section 13.1.2)."""
    tag = tag_of(body)
    known = _tags(request, "if-none-match")
    # The weak comparison: a proxy may have marked our tag as weak.
    if known is not None and ("*" in known or tag in {each.removeprefix("W/") for each in known}):
        return Response(status_code=304, headers={"ETag": tag, **_KEPT})
    return Response(body, media_type=media_type, headers={"ETag": tag, **_KEPT})


def done(content: BaseModel) -> Response:
    """Write what a change returns: how things stand now."""
    return Response(content.model_dump_json(), media_type="application/json")


def if_match(request: Request) -> frozenset[str] | None:
    """Return the tags of which one must still hold; None where the change depends on nothing."""
    return _tags(request, "if-match")


def tag_of(body: bytes) -> str:
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def _tags(request: Request, name: str) -> frozenset[str] | None:
    """Read a list of entity tags; raises WrongParameter for what is none, which would else be taken for no condition."""
    lines = request.headers.getlist(name)
    if not lines:
        return None
    text = ", ".join(lines)
    if text.strip() == "*":
        return frozenset({"*"})
    if len(text) > 8000 or not _TAGS.match(text):
        raise WrongParameter("header", name, 'write the ETag as it was given, with its quotation marks, such as "4f2a"')
    return frozenset(re.findall(_TAG, text))
