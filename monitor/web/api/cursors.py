"""Cursors: where a page ends, as text that programs hand back unread.

A cursor names the last thing shown, not how many came before it: what is added or goes meanwhile shifts no page.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from monitor.web.problems import WrongParameter

_MARK: Final = 6
_NUMBER: Final = 8


def write(asked: str, last: int | None) -> str | None:
    """Return the cursor behind `last` of what was asked; None at the end."""
    if last is None:
        return None
    return base64.urlsafe_b64encode(_mark(asked) + last.to_bytes(_NUMBER, "big")).rstrip(b"=").decode("ascii")


def read(asked: str, cursor: str | None) -> int | None:
    """Return what a cursor was written behind; None for none. Raises WrongParameter for one of another question."""
    if cursor is None:
        return None
    raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)) if len(cursor) % 4 != 1 else b""
    last = int.from_bytes(raw[_MARK:], "big")
    if (
        len(raw) != _MARK + _NUMBER
        or raw[:_MARK] != _mark(asked)
        or not 0 < last < 2**63
        or write(asked, last) != cursor
    ):
        raise WrongParameter(
            "query",
            "cursor",
            "this cursor belongs to another question: send it with the parameters of the page that gave it, or begin anew without",
        )
    return last


def _mark(asked: str) -> bytes:
    return hashlib.blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=_MARK, person=b"cursor").digest()
