"""Forms whose fields nobody can list beforehand, read as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

_MOST_FIELDS = 20_000
"""Far above a topic with as many lines as there may be; the size of the whole is bounded at the door."""


async def _given(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_files=1, max_fields=_MOST_FIELDS) as form:
        yield form


Given = Annotated[FormData, Depends(_given)]
"""A parameter of a view: everything that a form sent."""
