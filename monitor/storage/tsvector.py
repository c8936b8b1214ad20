"""PostgreSQL's `tsvector` as its binary protocol takes it (`tsvectorrecv` in its source), made from words of ours."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct, pack
from typing import Final

from monitor.storage.tokens import CROWDED, CUT

WEIGHTS: Final = "ABCD"
"""Of the columns in order; the last column has neither weight nor places."""
MOST_PLACES: Final = 256
LAST_PLACE: Final = 16_383
LONGEST_WORD: Final = 2_000
"""Bytes, a little below the 2,046 that a lexeme may have with its letter."""
LARGEST: Final = 1_000_000
"""Bytes of all lexemes and places together; the server takes 2**20."""

_COUNT = Struct("!i")
_PLACED = tuple(
    [b""] + [pack("!HH", 1, (3 - weight) << 14 | place) for place in range(1, 1_000)] for weight in range(4)
)
_NO_PLACES = b"\0\0\0"


def tsvector(columns: Iterable[str], letters: Iterable[str], boundary: str) -> bytes:
    """Return the vector of all columns: a lexeme is a column's letter and a word.

    Places count from 1 in each column, boundaries included, which are no lexemes themselves. What a vector cannot
    hold is left out, and the vector then has the token `crowded` for places, `cut` for words.
    """
    *texts, (facet_letter, facets) = zip(letters, columns, strict=True)
    parts = [f"{facet_letter}{word}".encode() + _NO_PLACES for word in facets.split()]
    crowded = False
    for weight, (letter, column) in enumerate(texts):
        words = column.split()
        places: dict[str, list[int]] = {}
        for at, word in enumerate(words, 1):
            if word in places:
                places[word].append(at)
            else:
                places[word] = [at]
        places.pop(boundary, None)
        crowded = crowded or len(words) > LAST_PLACE
        placed, bits = _PLACED[weight], (3 - weight) << 14
        for word, found in places.items():
            first = found[0]
            if len(found) == 1 and first < 1_000:
                parts.append(f"{letter}{word}\0".encode() + placed[first])
                continue
            if len(found) > MOST_PLACES or found[-1] > LAST_PLACE:
                crowded = True
                found = [place for place in found[:MOST_PLACES] if place <= LAST_PLACE]
            parts.append(
                f"{letter}{word}\0".encode() + pack(f"!H{len(found)}H", len(found), *[bits | place for place in found])
            )
    if crowded:
        parts.append(_token(facet_letter, CROWDED))
    if sum(map(len, parts)) > LARGEST // 2 or max(map(len, parts)) > LONGEST_WORD:
        parts = _cut(parts, facet_letter)
    return _COUNT.pack(len(parts)) + b"".join(parts)


def _token(letter: str, token: str) -> bytes:
    return f"{letter}{token}".encode() + _NO_PLACES


def _cut(parts: list[bytes], letter: str) -> list[bytes]:
    """Leave out what is too long, and the last of what is too much."""
    kept: list[bytes] = []
    size = 0
    for part in parts:
        size += len(part) + 1  # a byte to align the places
        if part.index(b"\0") <= LONGEST_WORD and size <= LARGEST:
            kept.append(part)
    return kept if len(kept) == len(parts) else [*kept, _token(letter, CUT)]
