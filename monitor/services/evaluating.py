"""What searches find in the library, by the index where it can answer, else by reading every citation once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

from monitor.core.query import MeshTree, Query, document, matches, parse
from monitor.errors import QuerySyntaxError, UsageError
from monitor.storage import citations, search

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Evaluated(Generic[K]):
    """What each search finds; `unreadable` are those only PubMed can read, with the reason. They find nothing here."""

    found: dict[K, frozenset[int]]
    unreadable: dict[K, str]


def evaluate(session: Session, queries: Mapping[K, str], tree: MeshTree, today: date) -> Evaluated[K]:
    """Return the PMIDs of the library that each search finds."""
    found: dict[K, frozenset[int]] = {}
    unreadable: dict[K, str] = {}
    left: dict[K, Query] = {}
    answers: dict[str, frozenset[int]] = {}
    for key, text in queries.items():
        if text in answers:
            found[key] = answers[text]
            continue
        try:
            query = parse(text)
            found[key] = answers[text] = frozenset(search.pmids(session, query, tree, today))
        except QuerySyntaxError as error:
            unreadable[key], found[key] = str(error), frozenset()
        except UsageError:
            left[key] = query
    if left:
        sets: dict[K, set[int]] = {key: set() for key in left}
        for citation in citations.everything(session):
            of = document(citation)
            for key, query in left.items():
                if matches(query, of, tree, today):
                    sets[key].add(citation.pmid)
        found |= {key: frozenset(each) for key, each in sets.items()}
    return Evaluated(found, unreadable)
