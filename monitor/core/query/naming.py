"""A search in Chinese widened by what the vocabulary calls so: its words, or the tag that stands for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from monitor.core.query.tree import And, Not, Or, Query, Term
from monitor.core.query.words import is_chinese

Named = Callable[[str], Iterable[str]]
"""Gives the tags that are called so."""
_NAMING: Final = frozenset({None, "all", "tag"})
"""No field, or that of tags: who names a field of the record wants its words."""


def widened(query: Query, named: Named) -> Query:
    """Return the search that also finds papers by the tag that a Chinese name stands for: few records say it in Chinese."""
    if isinstance(query, And):
        return And(tuple(widened(part, named) for part in query.parts))
    if isinstance(query, Or):
        return Or(tuple(widened(part, named) for part in query.parts))
    if isinstance(query, Not):
        return Not(widened(query.base, named), tuple(widened(part, named) for part in query.excluded))
    if isinstance(query, Term) and query.field in _NAMING and is_chinese(query.text):
        return _term(query, named)
    return query


def _term(term: Term, named: Named) -> Query:
    tags = tuple(Term(tag, "tag", quoted=True) for tag in named(term.text) if tag != term.text)
    if tags:
        return Or((term, *tags))
    words = term.text.split()
    if term.field is not None or term.quoted or len(words) < 2:
        return term
    # Untagged words must each fit somewhere, so each may be a name of its own.
    return And(tuple(_term(Term(word), named) if is_chinese(word) else Term(word) for word in words))
