"""What an event changed, as people and spreadsheets can read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Change(NamedTuple):
    """One field before and after; None where it was not there."""

    field: str
    before: str | None
    after: str | None


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[Change, ...]:
    """Return the fields that differ, in the order they stand; what is the same on both sides is left out."""
    was, now = before or {}, after or {}
    return tuple(
        Change(field, written(was.get(field)), written(now.get(field)))
        for field in dict.fromkeys((*was, *now))
        if was.get(field) != now.get(field)
    )


def written(value: Any) -> str | None:
    """Write a value of JSON as one line; None and what is empty are not there."""
    if value is None or value in ([], {}, ""):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, (str, int, float)) for each in value):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False)
