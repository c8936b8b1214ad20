"""Write a tree as PubMed reads it, in one canonical form."""

from __future__ import annotations

from monitor.core.query.tree import (
    And,
    DateRange,
    EarlierSearch,
    Flag,
    Leaf,
    Not,
    Or,
    PmidRange,
    Pmids,
    Proximity,
    Query,
    Recent,
)


def render(query: Query) -> str:
    """Write a tree as text; every inner And, Or and Not is parenthesised, so no reader needs the left-to-right rule."""
    if isinstance(query, And):
        return " AND ".join(_inner(part) for part in query.parts)
    if isinstance(query, Or):
        return " OR ".join(_inner(part) for part in query.parts)
    if isinstance(query, Not):
        return " NOT ".join(_inner(part) for part in (query.base, *query.excluded))
    return _leaf(query)


def _inner(query: Query) -> str:
    return f"({render(query)})" if isinstance(query, And | Or | Not) else _leaf(query)


def _leaf(leaf: Leaf) -> str:
    if isinstance(leaf, Proximity):
        return f'"{leaf.text}"[{leaf.field}:~{leaf.distance}]'
    if isinstance(leaf, DateRange):
        ends = str(leaf.low) if leaf.high is None else f"{leaf.low}:{leaf.high}"
        return f"{ends}[{leaf.field}]"
    if isinstance(leaf, Recent):
        return f'"last {leaf.number} {leaf.unit}"[{leaf.field}]'
    if isinstance(leaf, Pmids):
        return f"{' '.join(map(str, leaf.values))}[uid]"
    if isinstance(leaf, PmidRange):
        return f"{leaf.low}:{leaf.high}[uid]"
    if isinstance(leaf, Flag):
        return leaf.name
    if isinstance(leaf, EarlierSearch):
        return f"#{leaf.number}"
    text = f'"{leaf.text}"' if leaf.quoted else leaf.text
    if leaf.field is None:
        return text
    return f"{text}[{leaf.field}]" if leaf.explode else f"{text}[{leaf.field}:noexp]"
