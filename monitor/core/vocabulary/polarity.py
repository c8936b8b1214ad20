"""What a sentence says of something harmful: that it happened, that it did not, or neither; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from monitor.core.patterns import Pattern
from monitor.core.vocabulary.terms import Facet
from monitor.core.vocabulary.texts import Text

Polarity = Literal["reported", "absent", "mentioned"]

_BOUNDARY: Final = re.compile(
    r";|:|\b(?:but|however|whereas|although|though|while|except|apart from|other than)\b|, (?:with|and there)\b",
    re.IGNORECASE,
)
"""A denial does not reach across these."""
_CLOSE: Final = re.compile(r"[,.;:]|\b(?:and|or|nor)\b")
_SAID: Final = re.compile(
    r"\b(?:was|were|is|are|occur(?:red|s)?|happened|appeared|emerged|ensued|can|could|may|might|will)\b", re.IGNORECASE
)
"""A denial before such a verb has said what it denies: "no deaths occurred, and CRS ..."."""
_FOUND_IN_PEOPLE: Final = re.compile(
    r"\b(?:was|were) (?:found|observed|noted|reported|seen|diagnosed|documented|recorded) (?:to|with)\b", re.IGNORECASE
)


def polarity(facet: Facet, text: Text, start: int, end: int) -> Polarity:
    """Say what the sentence around a hit says of it; in a title, or in background and methods, it is only spoken of.

    A denial of a severe form alone ("no grade 3 or higher") leaves open whether there was a milder one.
    """
    first, last = text.sentence_around(start)
    before, after = text.text[first:start], text.text[end:last]
    denied = _denied_before(facet, before) or _denied_after(facet.absent_after, after)
    if denied == "absent" and _any(facet.severity, _CLOSE.split(after, maxsplit=1)[0][:40]):
        denied = "mentioned"
    if denied == "absent":
        return "absent"
    number = text.sentence(start)
    if denied is not None or number is None or number in text.asides:
        return "mentioned"
    sentence = text.text[first:last]
    return "reported" if _any(facet.reported, sentence) else "mentioned"


def together(found: Iterable[Polarity]) -> Polarity:
    """Return what several hits say: one that happened weighs more than any denial, a denial more than a mention."""
    seen = frozenset(found)
    return "reported" if "reported" in seen else "absent" if "absent" in seen else "mentioned"


def _denied_before(facet: Facet, before: str) -> Polarity | None:
    near = before[_last_end(_BOUNDARY, before) :]
    cue = max((match.end() for each in facet.absent for match in each.matches(near)), default=None)
    if cue is None:
        return None
    between = near[cue:]
    if _SAID.search(_FOUND_IN_PEOPLE.sub(" ", between)):
        # The denial is of something else; what follows may be news, so it is read by itself.
        return None
    return "mentioned" if _any(facet.severity, between) else "absent"


def _denied_after(cues: Sequence[Pattern], after: str) -> Polarity | None:
    boundary = _BOUNDARY.search(after.removeprefix(":"))
    near = after if boundary is None else after[: boundary.start() + 1]
    cue = min((match.start() for each in cues for match in each.matches(near)), default=None)
    if cue is None:
        return None
    between = near[:cue]
    # "CRS occurred in 3 patients and GVHD was not observed": the denial is of what comes later.
    return "absent" if not _HAPPENED.search(_TAIL.sub("", between)) else None


_HAPPENED: Final = re.compile(
    r"\b(?:occurred|happened|developed|experienced|had|in (?:\d|one|two|three|four|five|six|seven|eight|nine|ten)|"
    r"(?:was|were) (?:seen|observed|reported|noted|found)|\d+(?:\.\d+)? ?%)",
    re.IGNORECASE,
)
_TAIL: Final = re.compile(
    r"\b(?:occurred|happened|developed|(?:was|were)(?: \w+)?)?\s*(?:in|at|by)?\s*\Z", re.IGNORECASE
)
"""What may stand right before the denial: "occurred in none", "was seen in 0/37"."""


def _last_end(pattern: re.Pattern[str], text: str) -> int:
    return max((found.end() for found in pattern.finditer(text)), default=0)


def _any(patterns: Iterable[Pattern], text: str) -> bool:
    return any(each.regex.search(text) for each in patterns)
