"""Lines of text that mix ideographs and words: how wide they stand, and where they may be broken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_NEVER_FIRST = frozenset("，。、；：？！）》〉」』】〕”’…—～·％,.;:?!)]}%")
"""What may not begin a line, and the next what may not end one (GB/T 15834-2011, section 5.1)."""
_NEVER_LAST = frozenset("（《〈「『【〔“‘([{")
_SPACES = re.compile(r" +")


def columns(text: str) -> int:
    """Return the columns that text takes where every letter is as wide as the next: two for an ideograph, else one."""
    return len(text) if text.isascii() else sum(map(_width, text))


def fold(text: str, width: int, first: str, rest: str) -> str:
    """Break text into lines of at most `width` columns; only a word that is longer stands out.

    `first` begins the first line, `rest` each other one. A line breaks at a space or beside an ideograph, never before
    closing marks or after opening ones.
    """
    lines, line, left = [], "", width - columns(first)
    for piece in _pieces(_SPACES.sub(" ", text.strip())):
        taken = columns(piece)
        if line and taken - piece.endswith(" ") > left:
            lines.append(line.rstrip())
            line, left = "", width - columns(rest)
        line += piece
        left -= taken
    lines.append(line)
    return "\n".join((rest if n else first) + each for n, each in enumerate(lines))


def _pieces(text: str) -> Iterator[str]:
    """Yield what no line break may divide, each with the space after it."""
    start = 0
    for at in range(1, len(text)):
        if _may_part(text[at - 1], text[at]):
            yield text[start:at]
            start = at
    yield text[start:]


def _may_part(left: str, right: str) -> bool:
    if left == " ":
        return True
    beside = _width(left) == 2 or _width(right) == 2
    return beside and right != " " and right not in _NEVER_FIRST and left not in _NEVER_LAST


@lru_cache(maxsize=8192)
def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
