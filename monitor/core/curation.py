"""What the desk says of a citation, as far as readers are told: kept or not, level, the curator's words; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from monitor.core.screening import LEVELS, Verdict
from monitor.core.vocabulary import Vocabulary

FLOORS: Final = tuple(level for level in LEVELS if level not in ("X", "none"))
"""Levels that a reader may ask for at least; what shows no result stands below them all."""

_UNGRADED: Final = len(FLOORS)
_ORDER: Final = {level: n if level in FLOORS else n + 1 for n, level in enumerate(LEVELS)}
"""Ungraded papers stand between the levels of evidence and what is none."""


@dataclass(frozen=True, slots=True)
class Curation:
    """What stands of one citation. Names are those of people, None where the command line spoke.

    `level` is what a person confirmed, else what the rules propose, which `proposed` says; `rule` is then the rule's
    reason. `participants` were counted in the abstract by a rule. Tags are confirmed ones, in alphabetical order.
    """

    verdict: Verdict | None = None
    topics: tuple[str, ...] = ()
    by: str | None = None
    note: str | None = None
    level: str | None = None
    proposed: bool = False
    confirmed_by: str | None = None
    rule: str | None = None
    participants: int | None = None
    tags: tuple[str, ...] = ()

    @property
    def dismissed(self) -> bool:
        return self.verdict is Verdict.DISMISS

    def kept_in(self, topic: str) -> bool:
        return self.verdict is Verdict.KEEP and topic in self.topics

    def reaches(self, floor: str | None) -> bool:
        """Say whether the level is at least the floor; nothing ungraded is, and everything reaches no floor."""
        return floor is None or (self.level is not None and _ORDER[self.level] <= _ORDER[floor])

    @property
    def rank(self) -> int:
        """How far up the level brings a paper; 0 is the top."""
        return _ORDER[self.level] if self.level is not None else _UNGRADED


UNTOUCHED: Final = Curation()


class Tag(NamedTuple):
    """A tag as a letter names it; `qualifier` is the role or polarity that goes with it, such as `absent`."""

    label: str
    qualifier: str | None


_TOLD_APART: Final = frozenset({"design", "phase", "flags"})
"""Facets that chips and levels tell already."""


def named(tags: Iterable[str], vocabulary: Vocabulary, language: str) -> tuple[Tag, ...]:
    """Name tags in a language, in the order of the vocabulary's facets; those that are no terms stand last, as they are."""
    order = {facet.id: n for n, facet in enumerate(vocabulary.facets)}
    found: list[tuple[int, Tag]] = []
    for tag in tags:
        term = vocabulary.term(tag)
        qualifier = tag.partition("/")[2] or None
        if term is None:
            found.append((len(order), Tag(tag, None)))
        elif term.facet not in _TOLD_APART:
            found.append((order[term.facet], Tag(vocabulary.label(tag, language), qualifier)))
    return tuple(tag for _, tag in sorted(found, key=lambda each: each[0]))


class LeftOut(NamedTuple):
    """How many papers that were found a reader does not see: dismissed at the desk, below the floor, without a level."""

    dismissed: int = 0
    below: int = 0
    ungraded: int = 0


ALL_SHOWN: Final = LeftOut()


def sift(curations: Iterable[Curation], floor: str | None) -> LeftOut:
    """Count what is left out of these."""
    dismissed = below = ungraded = 0
    for each in curations:
        if each.dismissed:
            dismissed += 1
        elif not each.reaches(floor):
            below += each.level is not None
            ungraded += each.level is None
    return LeftOut(dismissed, below, ungraded)
