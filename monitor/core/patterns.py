"""Patterns of rulebooks: regular expressions that are checked before they are used, and the text they are held against.

Most patterns are not in most texts, and looking for a few letters is thirty times quicker than looking for a pattern.
So each knows letters without which it cannot match (`Pattern.needs`), read off its syntax tree.
"""

from __future__ import annotations

import importlib
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from monitor.errors import UsageError

LONGEST: Final = 500
"""Characters of a pattern."""
TEXT_MAX: Final = 20_000
"""Characters of a text that patterns are held against; the longest abstract of PubMed has about 13,000."""
_ENDLESS: Final = 1_000
"""A repeat that may go on longer than this counts as endless."""
_ALTERNATIVES: Final = 24
_DASHES: Final = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d", "-") | {"\u00ad": None}
)
_FOLDED: Final = str.maketrans({"ı": "i", "ſ": "s", "\u212a": "k", "ς": "σ"})
"""Letters that Python's `re` takes for others when case does not count, and `lower` does not."""
_syntax: Any = importlib.import_module("re._parser")
_code: Any = importlib.import_module("re._constants")


def normal(text: str) -> str:
    """Return a text as patterns expect it: NFKC, every kind of dash as "-", one space at a time."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_DASHES)
    return " ".join(text.split())[:TEXT_MAX]


def fold(text: str) -> str:
    """Return a text in which case no longer counts."""
    return text.lower().translate(_FOLDED) if not text.isascii() else text.lower()


class Pattern:
    """A compiled pattern and what must be in a text for it to match: of each group of `needs` one, folded."""

    __slots__ = ("cased", "needs", "regex", "text")

    def __init__(self, text: str, regex: re.Pattern[str], needs: tuple[tuple[str, ...], ...], *, cased: bool) -> None:
        self.text = text
        self.regex = regex
        self.needs = needs
        self.cased = cased

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def possible(self, folded: str) -> bool:
        """Say whether a text, given folded, may match at all."""
        for group in self.needs:
            for letters in group:
                if letters in folded:
                    break
            else:
                return False
        return True

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """Yield every match of at least one character."""
        return (found for found in self.regex.finditer(text) if found.end() > found.start())


@lru_cache(maxsize=4096)
def compiled(text: str, *, cased: bool = False, empty: bool = False) -> Pattern:
    """Compile a pattern; raises UsageError with the column for one that is wrong, or that could take for ever.

    Case does not count unless `cased`; only with `empty` may it match nothing at all.
    """
    if len(text) > LONGEST:
        raise UsageError(f"a pattern is at most {LONGEST} characters; this one has {len(text)}")
    if not text.strip():
        raise UsageError("the pattern is empty")
    try:
        regex = re.compile(text, 0 if cased else re.IGNORECASE)
        tree = _syntax.parse(text, 0 if cased else re.IGNORECASE)
    except re.error as error:
        at = f" at column {error.colno}" if error.colno is not None else ""
        raise UsageError(f"“{text}” is no regular expression: {error.msg}{at}") from None
    except (RecursionError, OverflowError):
        raise UsageError(f"“{text}” is no regular expression: too much in it") from None
    except FutureWarning as warning:
        raise UsageError(f"“{text}” can be read in two ways: {warning}") from None
    if _nested(tree, inside=False):
        raise UsageError(
            f"“{text}” repeats without end what repeats without end, which can take for ever; "
            "give one of them a limit, such as {0,5} for *"
        )
    if not empty and regex.search("") is not None:
        raise UsageError(f"“{text}” matches nothing at all as well, so every text would match")
    return Pattern(text, regex, () if empty else _needs(tree), cased=cased)


def _nested(tree: Any, *, inside: bool) -> bool:
    """Say whether an endless repeat stands within another: what makes matching take exponential time."""
    for code, value in tree:
        if code in (_code.MAX_REPEAT, _code.MIN_REPEAT):
            endless = value[1] > _ENDLESS
            if (endless and inside) or _nested(value[2], inside=inside or endless):
                return True
        elif any(_nested(each, inside=inside) for each in _children(code, value)):
            return True
    return False


def _children(code: Any, value: Any) -> list[Any]:
    """Return the parts of the syntax tree that stand below one of its elements."""
    if code is _code.SUBPATTERN:
        return [value[3]]
    if code is _code.BRANCH:
        return list(value[1])
    if code in (_code.ASSERT, _code.ASSERT_NOT):
        return [value[1]]
    if code is _code.ATOMIC_GROUP:
        return [value]
    if code is _code.POSSESSIVE_REPEAT:
        return [value[2]]
    if code is _code.GROUPREF_EXISTS:
        return [each for each in value[1:] if each is not None]
    return []


def _needs(tree: Any) -> tuple[tuple[str, ...], ...]:
    """Return groups of letters: a text in which any group is wholly absent cannot match."""
    found: list[tuple[str, ...]] = []
    run = ""

    def end_run() -> None:
        nonlocal run
        if len(run) > 1:
            found.append((fold(run),))
        run = ""

    for code, value in tree:
        if code is _code.LITERAL:
            run += chr(value)
            continue
        if code is _code.AT:
            continue
        end_run()
        if code is _code.SUBPATTERN:
            found += _needs(value[3])
        elif code in (_code.MAX_REPEAT, _code.MIN_REPEAT) and value[0] > 0:
            found += _needs(value[2])
        elif code is _code.BRANCH:
            parts = [_needs(each) for each in value[1]]
            if all(parts):
                either = [letters for part in parts for letters in max(part, key=_worth)]
                if len(either) <= _ALTERNATIVES:
                    found.append(tuple(dict.fromkeys(either)))
    end_run()
    return tuple(sorted(dict.fromkeys(found), key=_worth, reverse=True))


def _worth(group: tuple[str, ...]) -> tuple[int, int]:
    return min(map(len, group)), -len(group)
