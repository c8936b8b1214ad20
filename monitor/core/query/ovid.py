"""Recognise searches written for Ovid, so that they are refused by name instead of being misread as PubMed's.

The signs are looked for in single words and in runs of untagged words, never in the raw text: what `render` makes
of a search that was accepted is then accepted too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from monitor.core.query.lexer import Kind, Token
from monitor.errors import QuerySyntaxError

_CODES = "ab|af|au|ed|fs|hw|jn|jw|kf|kw|la|mp|nm|ot|pt|px|rn|rx|sh|ti|tw|tx|ui|yr"
_WORD_SIGNS = (
    (
        re.compile(rf"(?:.*[\w*$?])?\.(?:{_CODES})(?:,(?:{_CODES})?)*\.?", re.DOTALL),
        "write the field as [tiab], [pt], ...",
    ),
    (re.compile(r".*\w/", re.DOTALL), 'write "Heading"[mh]'),
    (re.compile(r"(?:or|and)/\d+(?:-\d+|(?:,\d+)+)", re.IGNORECASE), "write the lines out, or use #1"),
    (re.compile(r".*[a-z]{3}\$", re.DOTALL), "truncate with *"),
)
_RUN_SIGNS = (
    (re.compile(r"\d+(?: (?:or|and|not) \d+)+", re.IGNORECASE), "write the lines out, or use #1"),
    (re.compile(r"limit \d+ to .*", re.DOTALL), "add the limit with AND"),
)
_NEAR = re.compile(r"adj\d{1,2}|ADJ\d{1,2}|adj")
_BEFORE = frozenset({Kind.WORD, Kind.QUOTED, Kind.CLOSE})
_AFTER = frozenset({Kind.WORD, Kind.QUOTED, Kind.OPEN})
_SHOWN = 40


def refuse_ovid_words(tokens: Sequence[Token], text: str) -> None:
    """Raise at the first word that only Ovid would read: `fable.ti,ab.`, `Fables/`, `fabl$`, `a adj3 b`."""
    for at, token in enumerate(tokens[:-1]):
        if token.kind is not Kind.WORD:
            continue
        after = tokens[at + 1].kind
        if at and _NEAR.fullmatch(token.text) and tokens[at - 1].kind in _BEFORE and after in _AFTER:
            raise _refusal(token.text, 'write "two words"[tiab:~3]', token.column, text)
        if after is Kind.TAG:
            continue
        for pattern, advice in _WORD_SIGNS:
            if pattern.fullmatch(token.text):
                raise _refusal(token.text, advice, token.column, text)


def refuse_ovid_run(run: str, column: int, text: str) -> None:
    """Raise for untagged words that only Ovid would read: `exp Fables/tu`, `1 and 2`, `limit 3 to humans`."""
    words = run.split()
    if "exp" in words and any("/" in word for word in words[words.index("exp") + 1 :]):
        raise _refusal(run, 'write "Heading"[mh]', column, text)
    for pattern, advice in _RUN_SIGNS:
        if pattern.fullmatch(run):
            raise _refusal(run, advice, column, text)


def _refusal(sign: str, advice: str, column: int, text: str) -> QuerySyntaxError:
    shown = sign if len(sign) <= _SHOWN else f"{sign[:_SHOWN]}..."
    return QuerySyntaxError(f"{shown!r} looks like Ovid syntax, which PubMed does not read; {advice}", column, text)
