"""What a library knows of a citation besides its record, and the fields that search it; PubMed has none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from monitor.core.query.tree import Term
from monitor.core.query.words import split_words

VERDICTS = frozenset({"keep", "maybe", "dismiss"})
OPEN = "open"
"""What [decision] calls a citation without a standing verdict."""

QUALIFIERS = frozenset({"reported", "absent", "mentioned", "comparator"})
"""What may stand behind a tag and a stroke, as in `crs/absent`: a search for the tag finds it too, as one for a MeSH
heading finds its subheadings."""

LIBRARY = "library"
"""The place of a reason that stands in no record."""


class Own(NamedTuple):
    """What stands of a citation here: topics that found it or that it was kept in, tags, levels, claims, verdict.

    `topics` also holds those of the standing verdict; `added_on` is the UTC day it came into the library.
    """

    topics: frozenset[str] = frozenset()
    wide: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()
    claims: frozenset[str] = frozenset()
    decision: str = OPEN
    added_on: date | None = None


NOTHING_KNOWN = Own()


def own_values(term: Term, own: Own) -> Iterator[tuple[int, str]]:
    """Yield number and text of the values that a term in a field of ours fits, in alphabetical order."""
    if term.field == "decision":
        values = [own.decision]
    else:
        values = sorted(_NAMED[term.field or ""](own))
    fitting = fits(term.text, values, term.field)
    return ((number, value) for number, value in enumerate(values) if value in fitting)


def fits(text: str, values: Iterable[str], field: str | None = None) -> frozenset[str]:
    """Return the values that a term finds: as a whole, words compared, case and signs not; `car*` by its beginning.

    The lists are a lab's own and short, so a stem may be too, unlike PubMed's. In the field `tag`, a tag without a
    qualifier also finds those with one.
    """
    wanted = _key(text)
    if text.rstrip().endswith("*"):
        return frozenset(value for value in values if _key(value).startswith(wanted))
    return frozenset(
        value for value in values if _key(value) == wanted or (field == "tag" and _key(unqualified(value)) == wanted)
    )


def unqualified(tag: str) -> str:
    """Return a tag without its qualifier."""
    base, _, qualifier = tag.rpartition("/")
    return base if base and qualifier.casefold() in QUALIFIERS else tag


def _key(text: str) -> str:
    return " ".join(split_words(text)[0])


_NAMED = {
    "topic": lambda own: own.topics,
    "wide": lambda own: own.wide,
    "tag": lambda own: own.tags,
    "level": lambda own: own.levels,
    "claim": lambda own: own.claims,
}
