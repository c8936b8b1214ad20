"""Topics and their search strategies: numbered lines and named blocks, rendered to the queries PubMed is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, NamedTuple

from monitor.core.query import Document, Match, MeshTree, Query, explain, matches, parse
from monitor.errors import QuerySyntaxError, UsageError

Lane = Literal["core", "wide"]
LANES: Final[tuple[Lane, ...]] = ("core", "wide")
Joined = Literal["any", "all"]

LONGEST: Final = 200_000
"""Characters of a lane or line with its blocks inserted; the longest published searches have a tenth of it."""
DEEPEST: Final = 100
"""Blocks within blocks."""
MOST_LINES: Final = 500
"""Lines of a strategy, its blocks' among them: each is held against every other, and against the library."""
INSERT: Final = re.compile(r"\{(T:[a-z0-9-]+|[A-Z][A-Z0-9_]*)\}")
"""What inserts a block in a line."""
_OF_TOPIC: Final = "T:"


class TooLarge(UsageError):
    """A strategy is larger than anybody could mean, and than we can look at."""


class Line(NamedTuple):
    """One numbered line: a fragment of PubMed's query language, why it is there, whose it is, and whether it is on."""

    query: str
    reason: str
    owner: str = "starter"
    enabled: bool = True


class Block(NamedTuple):
    """Lines that others insert as `{NAME}`. The core lane of another topic is the block `T:topic`."""

    name: str
    lines: tuple[Line, ...]
    joined: Joined = "any"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Strategy:
    """What a topic searches: a core lane that may reach digests, a wide one for curators, and the blocks they insert.

    A strategy holds every block it needs, so that a stored version never changes when something else does.
    """

    core: tuple[Line, ...]
    wide: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()

    def lines(self, lane: Lane) -> tuple[Line, ...]:
        return self.core if lane == "core" else self.wide

    def query(self, lane: Lane) -> str | None:
        """Render a lane; None where it has no line that is on.

        Raises UsageError for a block that is missing or in a circle, TooLarge for one that grows beyond all use.
        """
        return _Rendering(self.blocks).joined(self.lines(lane), "any")

    def queries(self) -> dict[Lane, str]:
        """Render every lane that has a line that is on; raises as `query` does."""
        found = {lane: self.query(lane) for lane in LANES}
        return {lane: query for lane, query in found.items() if query is not None}

    def searched(self, lane: Lane) -> dict[int, str]:
        """Return each line of a lane that is on, rendered, by its number from 1; raises as `query` does."""
        rendering = _Rendering(self.blocks)
        return {at: rendering.expanded(line.query) for at, line in enumerate(self.lines(lane), 1) if line.enabled}

    def line_query(self, line: Line) -> str:
        """Render one line with its blocks inserted."""
        return _Rendering(self.blocks).expanded(line.query)

    def own_column(self, line: Line, column: int) -> int | None:
        """Return where a column of the rendered line stands in the line as written; None inside a block."""
        shift = 0
        rendering = _Rendering(self.blocks)
        for found in INSERT.finditer(line.query):
            begin = found.start() + shift
            long = len(rendering.block(found[1]))
            if column - 1 < begin:
                break
            if column - 1 < begin + long:
                return None
            shift += long - len(found[0])
        return column - shift


@dataclass(frozen=True, slots=True)
class Topic:
    """What members follow; `sentinels` are PMIDs that every version of the strategy must find."""

    id: str
    title: str
    strategy: Strategy
    sentinels: tuple[int, ...] = ()


class Reason(NamedTuple):
    """Why a citation was found: the line, by its number in the lane from 1, and what matched where."""

    position: int
    line: Line
    matches: tuple[Match, ...]


class Screen:
    """A lane's lines, parsed once, to be held against many citations.

    What PubMed found need not match here: it knows phrases and mappings we do not. Lines that only PubMed can read
    match nothing. `today` is the day that relative dates count from.
    """

    def __init__(self, strategy: Strategy, lane: Lane, tree: MeshTree, today: date) -> None:
        self._tree = tree
        self._today = today
        self._lines: list[tuple[int, Line, Query]] = []
        lines = strategy.lines(lane)
        for position, query in strategy.searched(lane).items():
            with suppress(QuerySyntaxError):
                self._lines.append((position, lines[position - 1], parse(query)))

    def positions(self, document: Document) -> list[int]:
        """Return the numbers of the lines that match."""
        return [at for at, _, query in self._lines if matches(query, document, self._tree, self._today)]

    def reasons(self, document: Document) -> tuple[Reason, ...]:
        """Return each line that matches with the words that did."""
        found = []
        for position, line, query in self._lines:
            if matches(query, document, self._tree, self._today):
                found.append(Reason(position, line, explain(query, document, self._tree, self._today)))
        return tuple(found)


def topic_block(topic_id: str) -> str:
    """Return the name of the block that is a topic's core lane."""
    return f"{_OF_TOPIC}{topic_id}"


def topic_of(block: str) -> str | None:
    """Return the topic whose core lane a block is; None for a block with lines of its own."""
    return block.removeprefix(_OF_TOPIC) if block.startswith(_OF_TOPIC) else None


def with_blocks(core: Sequence[Line], wide: Sequence[Line], blocks: Mapping[str, Block]) -> Strategy:
    """Make a strategy that carries exactly the blocks it inserts, directly or through others; checks all of it."""
    needed: dict[str, Block] = {}
    waiting = [name for line in (*core, *wide) for name in inserted(line.query)]
    while waiting:
        name = waiting.pop(0)
        if name in needed:
            continue
        if name not in blocks:
            raise UsageError(f"{{{name}}} is inserted, but there is no such block")
        needed[name] = blocks[name]
        waiting += [other for line in blocks[name].lines for other in inserted(line.query)]
    strategy = Strategy(tuple(core), tuple(wide), tuple(needed[name] for name in sorted(needed)))
    number = sum(1 for _ in all_lines(strategy))
    if number > MOST_LINES:
        raise TooLarge(
            f"there are {number:,} lines, those of blocks included; a topic has {MOST_LINES} at most: join some with OR, "
            "or divide the topic"
        )
    for lane in LANES:
        strategy.query(lane)
        for line in strategy.lines(lane):
            strategy.line_query(line)
    return strategy


def inserted(query: str) -> list[str]:
    """Return the names that stand in braces; raises UsageError for braces that hold something else."""
    rest = INSERT.sub("", query)
    if "{" in rest or "}" in rest:
        raise UsageError(f"braces hold the name of a block in capitals, or T: and a topic: {query}")
    return [found[1] for found in INSERT.finditer(query)]


class _Rendering:
    """Puts blocks in the place of their braces, each rendered once, and stops before a search grows beyond all use."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks = {each.name: each for each in blocks}
        self._texts: dict[str, str] = {}

    def joined(self, lines: Sequence[Line], joined: Joined, path: tuple[str, ...] = ()) -> str | None:
        parts = [self.expanded(line.query, path) for line in lines if line.enabled]
        if len(parts) < 2:
            return parts[0] if parts else None
        _refuse_long(sum(map(len, parts)))
        # PubMed reads left to right without precedence, so each line gets its own parentheses.
        return (" OR " if joined == "any" else " AND ").join(f"({part})" for part in parts)

    def expanded(self, query: str, path: tuple[str, ...] = ()) -> str:
        parts: list[str] = []
        at = long = 0
        for found in INSERT.finditer(query):
            parts += (query[at : found.start()], self.block(found[1], path))
            at = found.end()
            long += len(parts[-2]) + len(parts[-1])
            _refuse_long(long)
        return "".join((*parts, query[at:]))

    def block(self, name: str, path: tuple[str, ...] = ()) -> str:
        if name in self._texts:
            return self._texts[name]
        if name in path:
            raise UsageError(f"blocks insert each other in a circle: {' > '.join((*path, name))}")
        if name not in self._blocks:
            raise UsageError(f"{{{name}}} is inserted, but there is no such block")
        if len(path) == DEEPEST:
            raise TooLarge(
                f"blocks insert each other more than {DEEPEST} deep; insert some of them in the lines instead"
            )
        block = self._blocks[name]
        text = self.joined(block.lines, block.joined, (*path, name))
        if text is None:
            raise UsageError(f"{{{name}}} is inserted, but none of its lines is on")
        self._texts[name] = f"({text})"
        return self._texts[name]


def _refuse_long(long: int) -> None:
    if long > LONGEST:
        raise TooLarge(
            f"with its blocks inserted the search is longer than {LONGEST:,} characters; blocks that insert others more "
            "than once multiply: insert each once, or divide the topic"
        )


def all_lines(strategy: Strategy) -> Iterator[tuple[str, int, Line]]:
    """Yield every line as it is stored: `core`, `wide` or the name of its block, its number from 1, the line."""
    for name, lines in (
        ("core", strategy.core),
        ("wide", strategy.wide),
        *((b.name, b.lines) for b in strategy.blocks),
    ):
        for position, line in enumerate(lines, 1):
            yield name, position, line
