"""Cut a search into tokens; every token knows its column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from monitor.core.query.words import search_words
from monitor.errors import QuerySyntaxError

# Typographic and full-width characters that people paste, one for one, so that columns stay right.
_NORMAL = str.maketrans("“”„‟«»″＂‘’‚‛′＇（）［］：＊／＃＆｜～", '""""""""\'\'\'\'\'\'()[]:*/#&|~')
_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |"(?P<quoted>[^"]*)(?P<closed>"?)
    |\[(?P<tag>[^\[\]"]*)(?P<end>\]?)
    |(?P<open>\()|(?P<close>\))|(?P<both>&)|(?P<either>\|)|(?P<colon>:)|(?P<stray>\])
    |\#(?P<earlier>\d{1,6})(?![^\s()\[\]&|:"])
    |(?P<doi>10\.\d{4,9}/[^\s"\[\]]+(?=\s*\[))
    |(?P<word>[^\s"()\[\]&|:]+)""",
    re.VERBOSE,
)


class Kind(Enum):
    WORD = auto()
    QUOTED = auto()
    TAG = auto()
    OPEN = auto()
    CLOSE = auto()
    OPERATOR = auto()
    COLON = auto()
    EARLIER = auto()
    END = auto()


class Token(NamedTuple):
    kind: Kind
    text: str
    column: int


_FIXED = {"open": Kind.OPEN, "close": Kind.CLOSE, "colon": Kind.COLON, "earlier": Kind.EARLIER, "doi": Kind.WORD}
_OPERATORS = {"both": "AND", "either": "OR"}


def normalise(text: str) -> str:
    """Replace typographic quotes and full-width punctuation; the length stays the same."""
    return text.translate(_NORMAL)


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a normalised search; words without a letter or digit are blanks, as in PubMed."""
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup
        column = found.start() + 1
        if kind == "closed":
            if not found["closed"]:
                raise QuerySyntaxError("this quotation mark is never closed", column, text)
            if not search_words(found["quoted"]).words:
                raise QuerySyntaxError("nothing to search for between the quotation marks", column, text)
            yield Token(Kind.QUOTED, " ".join(found["quoted"].split()), column)
        elif kind == "end":
            if not found["end"]:
                raise QuerySyntaxError("this [ is never closed", column, text)
            yield Token(Kind.TAG, found["tag"], column)
        elif kind == "stray":
            raise QuerySyntaxError("this ] closes nothing", column, text)
        elif kind in _OPERATORS:
            yield Token(Kind.OPERATOR, _OPERATORS[kind], column)
        elif kind == "word":
            word = found["word"]
            if word in {"AND", "OR", "NOT"}:
                yield Token(Kind.OPERATOR, word, column)
            elif search_words(word).words:
                yield Token(Kind.WORD, word, column)
        elif kind in _FIXED:
            yield Token(_FIXED[kind], found[kind], column)
    yield Token(Kind.END, "", len(text) + 1)
