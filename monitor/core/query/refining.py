"""A search narrowed and widened again part by part, as facets do; what people typed stays as they typed it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from monitor.core.query.parser import parse
from monitor.core.query.renderer import render
from monitor.core.query.tree import And, DateRange, Flag, Not, Query, Term

EVERYTHING: Final = "all[sb]"
"""The search that finds every record."""

_KINDS: Final = {
    "topic": "topic",
    "wide": "wide",
    "pt": "type",
    "ta": "journal",
    "tag": "tag",
    "level": "level",
    "la": "language",
    "decision": "decision",
}
_FLAGS: Final = {"isretracted": "retracted", "hasconcern": "concern"}


class Chosen(NamedTuple):
    """A part that narrows a search by one value of a facet, and the search without it; empty when nothing is left."""

    kind: str
    value: str
    rest: str


def narrowed(text: str, part: str) -> str:
    """Return the search that also asks for `part`, which is one term: PubMed reads from left to right."""
    return f"{text.strip()} AND {part}" if text.strip() else part


def chosen(query: Query) -> tuple[Chosen, ...]:
    """Return the parts that stand side by side in a search and each hold a value of a facet, in their order."""
    if isinstance(query, Not):
        return tuple(
            Chosen(each.kind, each.value, render(Not(parse(each.rest or EVERYTHING, own=True), query.excluded)))
            for each in chosen(query.base)
        )
    parts = query.parts if isinstance(query, And) else (query,)
    return tuple(_chosen(parts))


def _chosen(parts: tuple[Query, ...]) -> Iterator[Chosen]:
    for at, part in enumerate(parts):
        named = _named(part)
        if named is not None:
            left = parts[:at] + parts[at + 1 :]
            yield Chosen(*named, render(And(left)) if len(left) > 1 else render(left[0]) if left else "")


def _named(part: Query) -> tuple[str, str] | None:
    if isinstance(part, Term) and part.field in _KINDS:
        return _KINDS[part.field], part.text
    if isinstance(part, Flag) and part.name in _FLAGS:
        return "flag", _FLAGS[part.name]
    if isinstance(part, DateRange) and part.field == "dp" and (part.high is None or part.high == part.low):
        return "year", str(part.low)
    return None
