"""Which passwords may be set: long enough, and none that others would try first (OWASP ASVS 5.0, V6.2).

No rule asks for capitals, figures or signs. In place of a copied list of the 3,000 commonest passwords stand a list of
words of our own and what people do to such words: put figures and signs at their ends, write 0 for o, double them, walk
over the keyboard, count. Of the 832 among the commonest 3,000 of the zxcvbn list that are long enough, 744
are refused by that, and many of their neighbours too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Final

from monitor.core.commonwords import CHOSEN, SHORT, TYPED

SHORTEST: Final = 8
LONGEST: Final = 1024
"""Longer ones are refused before they cost time; well above the 64 that must be taken."""

_AT_THE_END: Final = 6
"""So many figures and signs at either end make no word new."""
_TWO_WORDS: Final = 10
"""Two short words of together so many letters are soon tried; with more letters, there are too many pairs."""
_SIGNS: Final = str.maketrans("@4301!|$57", "aaeoiiisst")
_PAIRS: Final = str.maketrans("4301$57", "aeoisst")
_LINES: Final = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiopü",
    "azertyuiop",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik,",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1b2c3d4e5f6g7h8",
    "1a2b3c4d5e6f7g8h",
    "qazwsxedcrfvtgbyhnujm",
    "qwaszxerdfcv",
    "12qwaszx34erdfcv",
    "zaq1xsw2cde3vfr4",
    "1qazxsw23edcvfr4",
    "147258369",
    "741852963",
    "147852369",
    "789456123",
    "159753",
    "1029384756",
    "11223344556677889900",
    "a1s2d3f4g5h6",
    "z1x2c3v4b5n6",
    "1z2x3c4v5b",
    "1a2s3d4f5g",
    "10203040506070",
    "0102030405060708",
    "135792468",
    "1357924680",
    "123456789101112131415",
    "azsxdcfvgbhn",
    "zxasqw12",
    "qawsedrftgyh",
    "aabbccddeeff",
    "31415926535897932384",
    "2718281828459045",
    "1123581321345589",
    "159357",
    "123654789",
    "adgjmptw",
    "!@#$%^&*()",
)


class Refusal(StrEnum):
    """Why a password is not taken."""

    SHORT = "short"
    LONG = "long"
    COMMON = "common"
    OURS = "ours"
    """It is little more than a word of this site or of the person."""


def normal(password: str) -> str:
    """Return a password as it is measured and hashed: two keyboards may write one letter in two ways (RFC 8265)."""
    return unicodedata.normalize("NFC", password)


def refusal(password: str, own: Iterable[str] = ()) -> Refusal | None:
    """Say why a password cannot be set, or None. `own` are words of the site and of the person."""
    text = normal(password)
    if len(text) < SHORTEST:
        return Refusal.SHORT
    if len(text) > LONGEST:
        return Refusal.LONG
    folded = text.casefold()
    if _is_common(folded):
        return Refusal.COMMON
    return Refusal.OURS if _is_ours(folded, own) else None


def words_of(*texts: str | None) -> frozenset[str]:
    """Return what of names and addresses nobody should build a password on: each whole, and its parts."""
    found: set[str] = set()
    for text in texts:
        if text:
            folded = text.casefold()
            found |= {folded, *re.split(r"[\W_]+", folded)}
    return frozenset(each for each in found if len(each) > 1)


def _is_common(text: str) -> bool:
    if len(set(text)) < 4 or _is_date(text) or _is_walk(text):
        return True
    half = len(text) // 2
    if 3 <= half <= SHORTEST and text[:half] * 2 == text:
        return True
    return any(_is_chosen(each) for each in _bared(text))


def _bared(text: str) -> Iterable[str]:
    """Yield a password without the figures and signs at its ends, as it stands and as it is meant."""
    for each in (text, text.translate(_SIGNS), text.translate(_PAIRS), text.replace("1", "l")):
        yield each
        bare = re.sub(r"\A[\W\d_]+|[\W\d_]+\Z", "", each)
        if len(each) - len(bare) <= 2 * _AT_THE_END:
            yield bare
    bare = re.sub(r"\A[\W\d_]+|[\W\d_]+\Z", "", text)
    if len(text) - len(bare) <= 2 * _AT_THE_END:
        yield bare.translate(_PAIRS)


def _is_chosen(word: str) -> bool:
    half = len(word) // 2
    if word in CHOSEN or word in TYPED or (word[:half] * 2 == word and word[:half] in CHOSEN):
        return True
    if len(word) <= _TWO_WORDS and any(word[:at] in SHORT and word[at:] in SHORT for at in range(2, len(word) - 1)):
        return True
    # A list that cuts at eight letters holds most of the longer words so; people do it where a form cuts them.
    return len(word) == SHORTEST and word in _cut()


@cache
def _cut() -> frozenset[str]:
    return frozenset(each[:SHORTEST] for each in CHOSEN if len(each) > SHORTEST)


def _is_walk(text: str) -> bool:
    """Say whether a password is made of steps to the next key or figure, three and more in a row."""
    reached = [True] + [False] * len(text)
    for end in range(1, len(text) + 1):
        reached[end] = any(
            reached[start] and (_is_step(text[start:end]) or len(set(text[start:end])) == 1)
            for start in range(max(0, end - 20), end - 2)
        )
    # One key before or after a walk makes it no other.
    return reached[-1] or (len(text) > 4 and reached[-2]) or (len(text) > 4 and _walks_after_one(text))


def _walks_after_one(text: str) -> bool:
    rest = text[1:]
    return len(rest) <= 20 and (_is_step(rest) or (len(rest) > 6 and _is_step(rest[:-3]) and _is_step(rest[-3:])))


@cache
def _is_step(piece: str) -> bool:
    return any(piece in line or piece in line[::-1] for line in _LINES)


def _is_date(text: str) -> bool:
    """Say whether eight figures are a day, however written."""
    figures = re.sub(r"[-./ ]", "", text)
    if not (figures.isascii() and figures.isdigit() and len(figures) == 8):
        return False
    orders = (
        (figures[:4], figures[4:6], figures[6:]),
        (figures[4:], figures[2:4], figures[:2]),
        (figures[4:], figures[:2], figures[2:4]),
    )
    return any(_is_day(*map(int, each)) for each in orders)


def _is_day(year: int, month: int, day: int) -> bool:
    if not 1900 <= year <= 2100:
        return False
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _is_ours(text: str, own: Iterable[str]) -> bool:
    """Say whether too little is left of a password once the words that anybody here can guess are taken out."""
    words = frozenset(own)
    if any(each in words for each in _bared(text)):
        return True
    left = text
    for word in sorted(words, key=len, reverse=True):
        if len(word) > 3:  # shorter ones stand within many others
            left = left.replace(word, "")
    return left != text and len(left) < SHORTEST
