"""Words as PubMed's search sees them: case and diacritics folded, punctuation is a blank (User Guide, "How PubMed works").

Each character of Chinese, Japanese or Korean is a word of its own, so that a phrase of them is a substring search.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

MIN_STEM = 4
"""Letters or digits a truncated word needs before its `*`; with fewer, PubMed drops the `*`."""

_CJK = "\u1100-\u11ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u3130-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_JOINERS = "\u00ad\u0300-\u036f\u200b-\u200d\u2060\ufeff"  # soft hyphen, combining marks and zero-width characters
_WORD = re.compile(f"[{_CJK}]|(?:[^\\W_{_CJK}][{_JOINERS}]*)+")

_STOPWORDS = """
a about again all almost also although always among an and another any are as at be because been before being
between both but by can could did do does done due during each either enough especially etc for found from
further had has have having here how however i if in into is it its itself just kg km made mainly make may mg
might ml mm most mostly must nearly neither no nor not obtained of often on or our overall perhaps pmid quite
rather really regarding seem seen several should show showed shown shows significantly since so some such than
that the their theirs them then there therefore these they this those through thus to upon use used using
various very was we were what when which while with within without would
"""
STOPWORDS = frozenset(_STOPWORDS.split())
"""Words PubMed ignores outside phrases (User Guide, "Stopwords"), and the Booleans in lower case."""

# Letters without a Unicode decomposition, as catalogues write them in ASCII: who types Sorensen means Sørensen too.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)

_PLAIN = str.maketrans({c: c.lower() if c.isalnum() else " " for c in map(chr, range(128))})


_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


class SearchWords(NamedTuple):
    """The words of a search term; `truncated` if the last one ends in a usable `*`."""

    words: tuple[str, ...]
    truncated: bool = False


def is_chinese(text: str) -> bool:
    """Say whether a text has Chinese characters in it."""
    return _CHINESE.search(text) is not None


def split_words(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Split text into folded words and the span [start, end) of each."""
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    if text.isascii():
        for found in _WORD.finditer(text.lower()):
            words.append(found.group())
            spans.append(found.span())
        return words, spans
    for found in _WORD.finditer(text):
        if word := fold(found.group()):
            words.append(word)
            spans.append(found.span())
    return words, spans


def words_of(text: str) -> list[str]:
    """Return the words of `split_words` without their places, much sooner."""
    if not text.isascii():
        return split_words(text)[0]
    return [text.lower()] if text.isalnum() else text.translate(_PLAIN).split()


@lru_cache(maxsize=20_000)
def search_words(text: str) -> SearchWords:
    """Split the text of a search term; a `*` counts only at the very end, after at least four characters."""
    words = tuple(words_of(text))
    stripped = text.rstrip()
    truncated = (
        bool(words) and stripped.endswith("*") and len(words[-1]) >= MIN_STEM and stripped.rstrip("*")[-1:].isalnum()
    )
    return SearchWords(words, truncated)


@lru_cache(maxsize=50_000)
def fold(word: str) -> str:
    """Fold case, width, ligatures, diacritics and barred letters."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in decomposed if c.isalnum()).casefold().translate(_LETTERS)


@lru_cache(maxsize=20_000)
def heading_key(text: str) -> tuple[str, ...]:
    """Return the words by which two spellings of one heading are equal; "&" and "and" count for nothing."""
    return tuple([word for word in words_of(text) if word != "and"])
