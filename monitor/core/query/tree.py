"""The parse tree of a PubMed search: three Boolean nodes over eight kinds of leaf.

Frozen values that compare by meaning: `column` (counted from 1) is left out of comparison. Trees made by
hand must hold only what `parse` could have made; `render` then gives text that parses to an equal tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import NamedTuple

MAX_DEPTH = 150
"""Levels of And, Or and Not that a tree may have; deeper searches are refused, so that walking one is safe."""


class SearchDate(NamedTuple):
    """A date as typed in a search: `2025`, `2025/01` or `2025/01/31`. Year 3000 stands for an open end."""

    year: int
    month: int | None = None
    day: int | None = None

    def __str__(self) -> str:
        parts = [f"{self.year:04}"]
        if self.month is not None:
            parts.append(f"{self.month:02}")
            if self.day is not None:
                parts.append(f"{self.day:02}")
        return "/".join(parts)

    @property
    def first(self) -> tuple[int, int, int]:
        return self.year, self.month or 1, self.day or 1

    @property
    def last(self) -> tuple[int, int, int]:
        return self.year, self.month or 12, self.day or 31


@dataclass(frozen=True, slots=True)
class Term:
    """Words, a phrase or a heading in one field; `field=None` means untagged.

    `text` is as typed, white space collapsed, without the quotes. `explode=False` is `:noexp`.
    """

    text: str
    field: str | None = None
    quoted: bool = False
    explode: bool = True
    column: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Proximity:
    """`"text"[field:~distance]`: the words in any order with at most `distance` other words among them."""

    text: str
    field: str
    distance: int
    column: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class DateRange:
    """`low:high[field]`; `high=None` is a single date, which [dp] treats differently from a range."""

    field: str
    low: SearchDate
    high: SearchDate | None = None
    column: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Recent:
    """`"last 30 days"[field]`; unit is `days`, `months` or `years`."""

    field: str
    number: int
    unit: str
    column: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Pmids:
    """PMIDs, joined with OR."""

    values: tuple[int, ...]
    column: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class PmidRange:
    low: int
    high: int
    column: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Flag:
    """A special term that needs no tag, in lower case: `hasabstract`, `pubstatusaheadofprint`, `ownernasa`, ..."""

    name: str
    column: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class EarlierSearch:
    """`#3`: the result of an earlier search in the same session; only who keeps the session can fill it in."""

    number: int
    column: int = attribute(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more parts."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """`base NOT excluded[0] NOT excluded[1] ...`; PubMed has no NOT without something before it."""

    base: Query
    excluded: tuple[Query, ...]


Leaf = Term | Proximity | DateRange | Recent | Pmids | PmidRange | Flag | EarlierSearch
Query = And | Or | Not | Leaf


def children(query: Query) -> tuple[Query, ...]:
    """Return the nodes directly below, in the order written."""
    if isinstance(query, And | Or):
        return query.parts
    if isinstance(query, Not):
        return (query.base, *query.excluded)
    return ()


def terms(query: Query) -> tuple[Leaf, ...]:
    """Return every leaf in the order written, those under NOT included."""
    return tuple(_leaves(query))


def map_leaves(query: Query, change: Callable[[Leaf], Query]) -> Query:
    """Return the tree with every leaf replaced by what `change` makes of it."""
    if isinstance(query, And):
        return And(tuple(map_leaves(part, change) for part in query.parts))
    if isinstance(query, Or):
        return Or(tuple(map_leaves(part, change) for part in query.parts))
    if isinstance(query, Not):
        return Not(map_leaves(query.base, change), tuple(map_leaves(part, change) for part in query.excluded))
    return change(query)


def _leaves(query: Query) -> Iterator[Leaf]:
    stack = [query]
    while stack:
        node = stack.pop()
        if isinstance(node, And | Or | Not):
            stack.extend(reversed(children(node)))
        else:
            yield node
