"""The lanes of the curators' queue: what waits in which, in what order, and where a reader of it stands; pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from monitor.core.screening import LEVELS
from monitor.errors import UsageError


class Lane(StrEnum):
    """Where a paper waits for a curator; one that nobody has judged stands in the first that fits."""

    NEW = "new"
    WIDE = "wide"
    REVISED = "revised"
    SECOND = "second"
    INTEGRITY = "integrity"
    MAYBE = "maybe"
    BACKLOG = "backlog"


Order = Literal["level", "newest", "sample"]
ORDERS: Final[tuple[Order, ...]] = ("level", "newest", "sample")
"""By predicted level, then the longest waiting; the newest; a random sample, the same for the same seed."""

_UNGRADED: Final = len(LEVELS) - 2
"""A paper without a proposal comes after those that are graded, before those of which we know that they are no evidence."""
_RANKS: Final = {level: rank + (rank >= _UNGRADED) for rank, level in enumerate(LEVELS)}

LATER: Final = 2
"""The turn of what was put aside for later, or for others: it is not counted, and shown when asked for."""

Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """In what order a lane is shown, and what it is narrowed down to; None does not narrow.

    `seed` draws the sample. `words` stand in the title, `tag` is one suggested, `level` and `design` are the proposed
    ones. `later` shows papers put aside for later, or for others, as well.
    """

    order: Order = "level"
    seed: int = 0
    topic: str | None = None
    level: str | None = None
    design: str | None = None
    words: str | None = None
    tag: str | None = None
    later: bool = False

    def shows(self, paper: Waiting) -> bool:
        """Say whether a paper is shown, as far as can be said without its title and its suggested tags."""
        return (
            (self.later or paper.turn < LATER)
            and self.topic in (None, *paper.topics)
            and self.level in (None, paper.level)
            and self.design in (None, paper.design)
        )


ALL: Final = Listing()


class Waiting(NamedTuple):
    """A paper that waits in a lane, with what lists are sorted and filtered by.

    `since` is when it came to wait. `alarm`: it is retracted or under a concern. `turn` parts a lane: the lowest first.
    """

    pmid: int
    since: datetime
    topics: tuple[str, ...] = ()
    alarm: bool = False
    level: str | None = None
    design: str | None = None
    turn: int = 0


def key(paper: Waiting, listing: Listing = ALL) -> Key:
    """Return what a lane is sorted by, the lowest first; no two papers have the same."""
    if listing.order == "sample":
        drawn = hashlib.blake2b(f"{listing.seed}:{paper.pmid}".encode(), digest_size=6).digest()
        return (paper.turn, int.from_bytes(drawn), paper.pmid)
    since = int(paper.since.timestamp())
    if listing.order == "newest":
        return (paper.turn, -since, -paper.pmid)
    rank = _RANKS.get(paper.level or "", _UNGRADED)
    return (paper.turn, int(not paper.alarm), rank, since, paper.pmid)


def write_cursor(place: Key) -> str:
    """Write a place in a lane for an address; `read_cursor` reads it."""
    return ".".join(map(str, place))


def read_cursor(text: str) -> Key:
    """Return a place in a lane; raises UsageError for what is none."""
    try:
        return tuple(int(each) for each in text.split("."))
    except ValueError:
        raise UsageError(f"{text[:60]!r} is no place in a lane; begin at its first page") from None


def read_lane(text: str) -> Lane:
    """Return a lane by its name; raises UsageError for another."""
    try:
        return Lane(text)
    except ValueError:
        raise UsageError(f"{text[:40]!r} is no lane; lanes are {', '.join(Lane)}") from None


def read_order(text: str) -> Order:
    """Return an order by its name; raises UsageError for another."""
    for each in ORDERS:
        if each == text:
            return each
    raise UsageError(f"{text[:40]!r} is no order; choose from {', '.join(ORDERS)}")
