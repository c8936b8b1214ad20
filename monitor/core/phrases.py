"""What PubMed's answer to a search says of the phrases in it."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.core.lint import phrases_of
from monitor.core.polling import bare_phrase
from monitor.core.query import Term, parse
from monitor.errors import QuerySyntaxError

Phrase = tuple[str, str]
"""In lower case without quotes, and the tag of its field: as `phrases_of` gives them."""


def answers(query: str, unknown: Iterable[str]) -> dict[Phrase, bool]:
    """Return each phrase of a search that PubMed looked up, and whether it knew it, from what it reported as unknown.

    PubMed names what it did not know as `"CAR-iNK"[Title/Abstract]` or without a tag; without one it is unknown in
    every field. A single word that PubMed dropped counts as a phrase that it does not know.
    """
    try:
        found = dict.fromkeys(phrases_of(parse(query)), True)
    except QuerySyntaxError:  # a search that PubMed reads and we do not: what it complained of is all we know
        found = {}
    for each in unknown:
        text, field = _reported(each)
        if not text:
            continue
        same = [key for key in found if key[0] == text and field in (None, key[1])]
        for key in same or [(text, field or "all")]:
            found[key] = False
    return found


def _reported(text: str) -> tuple[str, str | None]:
    try:
        leaf = parse(text)
    except QuerySyntaxError:
        leaf = None
    if isinstance(leaf, Term):
        return leaf.text.lower(), leaf.field
    return " ".join(bare_phrase(text).lower().split()), None
