"""Recognise searches written for Ovid, so that they are refused by name instead of being misread as PubMed's."""

from __future__ import annotations

import re
from typing import NamedTuple

_CODES = "ab|af|au|ed|fs|hw|jn|jw|kf|kw|la|mp|nm|ot|pt|px|rn|rx|sh|ti|tw|tx|ui|yr"
_SIGNS = (
    (re.compile(r"\bexp\s+[^\s/()\[\]][^/()\[\]\n]*/", re.IGNORECASE), 'write "Heading"[mh]'),
    (
        re.compile(rf"(?<=[\w*$?)])\.(?:{_CODES})(?:,(?:{_CODES})?)*\.?(?![\w/-])"),
        "write the field as [tiab], [pt], ...",
    ),
    (re.compile(r"(?<=[\w)*$\"])\s+adj\d{1,2}\b(?=\s*[\w(\"])", re.IGNORECASE), 'write "two words"[tiab:~3]'),
    (re.compile(r"(?<=[\w)*$\"]) adj(?= [\w(\"])"), 'write "two words"[tiab:~0]'),
    (re.compile(r"(?<=[\w)])/(?=[ \t]*(?:$|\)|\n|(?:or|and|not)\b))", re.IGNORECASE), 'write "Heading"[mh]'),
    (re.compile(r"\b(?:or|and)/\d+(?:-\d+|(?:,\d+)+)", re.IGNORECASE), "write the lines out, or use #1"),
    (re.compile(r"^[ \t]*\d+[ \t]+(?:or|and|not)[ \t]+\(?\d+\b", re.MULTILINE), "write the lines out, or use #1"),
    (re.compile(r"(?<=[a-z]{3})\$(?!\w)"), "truncate with *"),
    (re.compile(r"^[ \t]*limit \d+ to\b", re.MULTILINE), "add the limit with AND"),
)
_HIDDEN = re.compile(r'"[^"]*"|\[[^\[\]]*\]')


class OvidSign(NamedTuple):
    start: int
    text: str
    advice: str


def ovid_sign(text: str) -> OvidSign | None:
    """Return the first piece of Ovid syntax outside quotes and brackets."""
    shown = _HIDDEN.sub(lambda found: '"' + "x" * (len(found.group()) - 2) + '"', text)
    signs = [
        OvidSign(found.start() + len(found.group()) - len(found.group().lstrip()), found.group().strip(), advice)
        for pattern, advice in _SIGNS
        if (found := pattern.search(shown))
    ]
    return min(signs, default=None)
