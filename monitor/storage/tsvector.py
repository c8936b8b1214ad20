"""PostgreSQL's `tsvector` as its binary protocol takes it (`tsvectorrecv` in its source), made from words of ours."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from struct import pack
from typing import Final

from monitor.storage.tokens import CROWDED, CUT

MOST_PLACES: Final = 256
LAST_PLACE: Final = 16_383
LONGEST_WORD: Final = 2_000
"""Bytes, a little below the 2,046 that a lexeme may have with its letter."""
LARGEST: Final = 1_000_000
"""Bytes of all lexemes and places together; the server takes 2**20."""

_NO_PLACES = b"\0\0\0"


def tsvector(columns: Iterable[str], letters: Iterable[str], boundary: str) -> bytes:
    """Return the vector of all columns: a lexeme is a column's letter and a word.

    Places count from 1 in each column, boundaries included, which are no lexemes themselves; the columns have the
    weights A to D. The last column has neither places nor weight. What a vector cannot hold is left out, and the
    vector then has the token `crowded` for places, `cut` for words.
    """
    *texts, (letter, facets) = zip([each.encode() for each in letters], columns, strict=True)
    tokens = facets.encode().split()
    gap = boundary.encode()
    crowded = False
    number = longest = 0
    lexemes: list[bytes] = []
    for weight, (name, column) in zip((3, 2, 1, 0), texts, strict=True):
        words = column.encode().split()
        first: dict[bytes, int] = {}
        again: dict[bytes, list[int]] = {}
        for at, word in enumerate(words, 1):
            if word not in first:
                first[word] = at
            elif word not in again:
                again[word] = [first[word], at]
            else:
                again[word].append(at)
        first.pop(gap, None)
        again.pop(gap, None)
        number += len(first)
        longest = max(longest, max(map(len, first), default=0))
        tails, spelt = _tails(weight), _spelt(weight)
        if len(words) > LAST_PLACE or any(len(places) > MOST_PLACES for places in again.values()):
            crowded = True
            again = {word: again.get(word, [at]) for word, at in first.items()}
        for word in again:
            del first[word]
        lexemes += [name + word + tails[at] for word, at in first.items()]
        lexemes += [name + word + _tail(places, spelt) for word, places in again.items()]
    if crowded:
        tokens.append(CROWDED.encode())
    number += len(tokens)
    together = b"".join(lexemes)
    if tokens:
        together += letter + (_NO_PLACES + letter).join(tokens) + _NO_PLACES
        longest = max(longest, *map(len, tokens))
    if longest > LONGEST_WORD or len(together) + number > LARGEST:
        return _cut([letter + token + _NO_PLACES for token in (CUT.encode(), *tokens)] + lexemes)
    return pack("!i", number) + together


_BEGIN = [pack("!xH", count) for count in range(MOST_PLACES + 1)]
"""What follows a word: its end and how many places it has, then the places."""


@cache
def _spelt(weight: int) -> list[bytes]:
    """Return every place as the protocol spells it."""
    return [pack("!H", weight << 14 | at) for at in range(LAST_PLACE + 1)]


@cache
def _tails(weight: int) -> list[bytes]:
    """Return what follows a word that stands at one place only, by that place."""
    return [_BEGIN[1] + place for place in _spelt(weight)]


def _tail(places: list[int], spelt: list[bytes]) -> bytes:
    if len(places) > MOST_PLACES or places[-1] > LAST_PLACE:
        places = [at for at in places[:MOST_PLACES] if at <= LAST_PLACE]
    return _BEGIN[len(places)] + b"".join([spelt[at] for at in places])


def _cut(lexemes: list[bytes]) -> bytes:
    """Leave out what is too long, and the last of what is too much."""
    kept: list[bytes] = []
    size = 0
    for each in lexemes:
        if each.index(b"\0") > LONGEST_WORD:
            continue
        size += len(each) + 1  # a byte to align the places
        if size > LARGEST:
            break
        kept.append(each)
    return pack("!i", len(kept)) + b"".join(kept)
