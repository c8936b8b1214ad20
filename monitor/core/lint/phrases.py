"""Phrases: what PubMed would look up in its phrase index, and what it said of them (User Guide, "Phrase searching")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from monitor.core.lint.findings import Finding, Repair, listed, shown
from monitor.core.lint.reading import Placed, Reading
from monitor.core.query import Leaf, Query, Term, ignored, terms
from monitor.core.query.fields import PROXIMITY_FIELDS
from monitor.core.query.words import search_words

UNCHECKED: Final = "phrase-unchecked"
_FIELDS: Final = frozenset({None, "all", "ti", "tiab", "tw", "ot", "ad", "tt"})


def phrases_of(query: Query) -> tuple[tuple[str, str], ...]:
    """Return each phrase in lower case, without quotation marks, with its field ("all" for none), in the order written.

    A phrase is several words in quotation marks or before one tag, hyphenated words among them; headings, and
    proximity, which needs no index, are none. Untagged words without quotation marks are not, unless hyphenated.
    """
    found = (phrase for leaf in terms(query) for phrase in _phrases(leaf))
    return tuple(dict.fromkeys(found))


def unindexed(reading: Reading, phrases: Mapping[tuple[str, str], bool]) -> Iterator[Finding]:
    """Phrases that PubMed does not know, one by one, and those nobody asked it about, together."""
    unchecked: list[str] = []
    first: int | None = None
    for placed in reading.placed:
        for phrase in _phrases(placed.leaf):
            known = phrases.get(phrase)
            if known is False:
                yield _unknown(reading, placed, phrase[0], phrase[1])
            elif known is None:
                first = placed.start if first is None else first
                unchecked.append(f'"{phrase[0]}"')
    if unchecked:
        one = len(set(unchecked)) == 1
        yield reading.finding(
            UNCHECKED,
            "note",
            first,
            f"Nobody has asked PubMed yet whether it knows {listed(dict.fromkeys(unchecked))}. If not, it would search "
            f"{'its' if one else 'their'} words separately; the next check or poll tells.",
        )


def _phrases(leaf: Leaf) -> Iterator[tuple[str, str]]:
    if not isinstance(leaf, Term) or leaf.field not in _FIELDS or ignored(leaf):
        return
    texts = leaf.text.split() if leaf.field is None and not leaf.quoted else [leaf.text]
    for text in texts:
        if len(search_words(text).words) > 1:
            yield " ".join(text.lower().split()), leaf.field or "all"


def _unknown(reading: Reading, placed: Placed, phrase: str, field: str) -> Finding:
    message = f'PubMed does not know the phrase "{shown(phrase)}" and would search its words separately'
    if "-" in phrase and '"' not in reading.words_of(placed):
        message = f'PubMed does not know the phrase "{shown(phrase)}" and finds nothing for it'
    repair: Repair | None = None
    if "*" in phrase:
        message += (
            ". The proximity form cannot stand in for it, because a * switches proximity off: write the endings out, each as "
            '"…"[tiab:~0].'
        )
    elif field not in PROXIMITY_FIELDS:
        message += f". The proximity form works in [ti], [tiab] and [ad] only, not in [{field}]; search [tiab]."
    else:
        message += ". Proximity needs no phrase index: ~0 finds the words side by side, in any order."
        words = " ".join(re.sub(r"[\W_]+", " ", reading.words_of(placed)).split())
        near = reading.edited(placed.start, placed.end, f'"{words}"[{field}:~0]')
        repair = reading.repair("Replace with the proximity form", near)
    return reading.finding("phrase-unknown", "error", placed.start, message, repair)
